/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of the tuner on one device: every family of kernels that it has, one after the other. What
 * was measured is kept beside the user's rows (tuning-part.json), so that a run that was cut short
 * goes on where it was; the rows are written at the end, all at once (tune.c). tune_search.c
 * searches, tune_compare.c measures.
 */
#ifndef MESO_TOOLS_TUNE_H
#define MESO_TOOLS_TUNE_H

#include <jansson.h>

#include "drivers.h"
#include "runtime/tuning.h"

typedef struct tune_options {
    const char *net;
    size_t batch;
    double seconds;     /* of the search; the last comparisons come on top */
    double of_each;     /* seconds that two rows take turns at most */
    const char *family; /* this one alone; NULL: all */
} tune_options;

/* Says on stdout what it finds. Errors: CANCELLED (interrupted; what was measured is kept) besides
 * those of devices, nets and files. */
meso_status tune_device(const tool_drivers *drivers, size_t device, const tune_options *options,
                        meso_error *error);

/* Forgets the device's rows, and what a run that was cut short has measured. Errors: CREATE, IO,
 * MEMORY. */
meso_status tune_reset(const meso_device_info *device, meso_error *error);

/* The search for a row: from one row on, one tunable after the other takes each of its values, and
 * what is shown to be faster stays, until a whole turn changes nothing; a row that was left for a
 * faster one is not taken again. Every answer is kept, so that a search that was cut short asks
 * nothing twice and takes the same way again. */
typedef struct tune_search {
    const meso_tuning_family *family;
    const meso_device_info *device; /* its limits */
    double end;                     /* nothing more is asked after this time of meso_seconds() */
    json_t *tried;                  /* all answers, also those of an earlier run */
    /* Candidate against base: an answer as tune_child says; a new reference. A failure ends the
     * search: a candidate that fails is an answer. */
    meso_status (*ask)(void *user, const int *base, const int *candidate, int final,
                       json_t **answer, meso_error *error);
    meso_status (*keep)(void *user, meso_error *error); /* after each new answer */
    void *user;
} tune_search;

/* From the row in `row` to the best one found. */
meso_status tune_search_run(const tune_search *search, int row[MESO_MAX_TUNABLES],
                            meso_error *error);

/* The row, if it is faster than the shipped one, beyond doubt and in a comparison of its own; else
 * the shipped one takes its place. *answer: of that comparison (tried's own), NULL where they are
 * the same row. */
meso_status tune_search_final(const tune_search *search, const int *shipped,
                              int row[MESO_MAX_TUNABLES], const json_t **answer, meso_error *error);

/* Two documents of tuning rows against each other on a device, in a child process: a row that hangs
 * or crashes the driver costs itself. The work of the child: tool_child_offer_json(TUNE_CHILD,
 * tune_child). */
#define TUNE_CHILD "tune"

/* Seconds without a step: a side opened, a round. Compilers need minutes for the first kernels of a
 * driver that is new to them; a large net's rounds on a busy machine, all together, need more. */
enum { TUNE_PATIENCE = 150 };

/* The question: {"device", "net", "batch", "train", "plain", "seconds", "rounds", "base",
 * "candidate"}; base and candidate: see runtime/tuning.h. The candidate's answers are first
 * compared with those of the plain kernels at their shipped sizes; where they differ nothing is
 * timed and the answer is {"reason": …}. Then both take turns, for at most so many seconds, or
 * until it is known which one is faster; with rounds > 0 exactly so often. The answer is {"ratio",
 * "low", "high", "rounds", "images_per_s"}: speed of the candidate against the base, the median of
 * the rounds with its 95 % interval.
 *
 * Without "candidate" the answer is the shipped row of each family that there is for this device
 * and net: {"fused": {"chunk": 2, …}, …}. */
meso_status tune_child(json_t *question, json_t **answer, meso_error *error);

#endif

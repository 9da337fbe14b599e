/* SPDX-License-Identifier: Apache-2.0
 *
 * The search for a row: from one row on, one tunable after the other takes each of its values, and
 * what is shown to be faster stays, until a whole turn changes nothing; a row that was left for a
 * faster one is not taken again. Every answer is kept, so that a search that was cut short asks
 * nothing twice and takes the same way again.
 */
#ifndef MESO_TOOLS_TUNE_SEARCH_H
#define MESO_TOOLS_TUNE_SEARCH_H

#include "runtime/tuning.h"

typedef struct tune_search {
    const meso_tuning_family *family;
    const meso_device_info *device; /* its limits */
    double end;                     /* nothing more is asked after this time of meso_seconds() */
    json_t *tried;                  /* all answers, also those of an earlier run */
    /* Candidate against base: an answer as tune_compare.h says; a new reference. A failure ends the
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

#endif

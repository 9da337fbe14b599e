/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of datasets before anything is trained: properties, duplicates, label conflicts and
 * shortcuts of each, leakage between two. `dataset_bench check` reports these, and a study begins
 * with them: it keeps them in its folder (study_facts_json.c), so that a report needs no image.
 */
#ifndef MESO_STUDY_STUDY_FACTS_H
#define MESO_STUDY_STUDY_FACTS_H

#include <jansson.h>

#include "data/list/group.h"
#include "study/check/pairs.h"
#include "study/check/shortcut.h"
#include "study/plan/study_plan.h"
#include "study/scan/property.h"
#include "study/scan/study_scan.h"
#include "study/scan/summary.h"

enum { STUDY_BOTH = 2 };

/* Of one dataset. Properties that do not apply to any of its images are NaN. */
typedef struct study_set_facts {
    char *name;
    json_t *passed_over; /* as meso_passed_json has it; NULL in a document of an older MesoCL */
    size_t n_files, n_unusable, n_groups;
    size_t n_usable[2], n_used[2]; /* of each class; used: after sets were made equal in size */
    size_t n_duplicates[STUDY_N_PAIR_KINDS]; /* pairs inside the set */
    size_t n_conflicts, n_near_conflicts;    /* of these, a fake and a real: same, near */
    study_pairs duplicates;                  /* † */
    meso_groups recordings;                  /* † but for the numbers */
    size_t n_values[2][STUDY_N_PROPERTIES];  /* † of each class */
    double mean[3][STUDY_N_PROPERTIES];      /* of fakes, reals, both */
    double deviation[3][STUDY_N_PROPERTIES]; /* population standard deviations */
    double histogram[2][STUDY_N_PROPERTIES][STUDY_HISTOGRAM_BINS]; /* shares */
    study_shortcut shortcuts[STUDY_N_PROPERTIES];                  /* the strongest first */
    size_t n_shortcuts;
    double view_auc[STUDY_N_VIEWS]; /* cross-validated; NaN with one class */
    meso_interval view_interval[STUDY_N_VIEWS];
} study_set_facts;
/* † empty in facts that were read from a document. */

/* Of two datasets, one to train on and one to test with. */
typedef struct study_pair_facts {
    size_t a, b;                        /* sets, the training set first */
    size_t n_leaks[STUDY_N_PAIR_KINDS]; /* images of b that a has, by the surest kind of each */
    size_t n_conflicts;                 /* of these, same or near images of another label */
    size_t n_shared_recordings;         /* names that both sets have */
    study_pairs leaks;              /* by places in the sets' files; read: among the usable ones */
    double accuracy[STUDY_N_VIEWS]; /* of linear classifiers that were fitted to a, on b; */
    double auc[STUDY_N_VIEWS];      /* NaN before study_facts_transfer() */
} study_pair_facts;

typedef struct study_facts {
    study_set_facts *sets;
    size_t n_sets, n_checked; /* of the others only names, counts and properties are known */
    study_pair_facts *pairs;
    size_t n_pairs;
    double low[STUDY_N_PROPERTIES], high[STUDY_N_PROPERTIES]; /* of histograms; NaN: none */
} study_facts;

typedef struct study_facts_options {
    size_t n_train;     /* pairs: of the first so many with each of the others; 0: all with all */
    int train_alone;    /* the others are compared with, but nothing else is found of them */
    size_t n_resamples; /* of the bootstrap; 0: 1000, fewer above 20,000 images */
    uint64_t seed;
    study_progress progress; /* of checks; NULL is allowed */
    void *user;
} study_facts_options;

/* Counts of images, and properties; n_used is n_usable, the caller changes it. Errors: MEMORY. */
meso_status study_facts_describe(const study_dataset *datasets, size_t n, study_facts *facts,
                                 meso_error *error);

/* All of it, but for study_facts_transfer(). Errors: MEMORY, CANCELLED. */
meso_status study_facts_create(const study_dataset *datasets, size_t n,
                               const study_facts_options *options, study_facts *facts,
                               meso_error *error);
void study_facts_free(study_facts *facts);

/* Fits linear classifiers to the first set of each pair and tries them on the second. Errors: DATA
 * (a set lacks a class), MEMORY. */
meso_status study_facts_transfer(const study_dataset *datasets, study_facts *facts,
                                 meso_error *error);

/* Of the usable images, of the larger class. */
static inline double study_largest_share(const study_set_facts *set)
{
    const size_t *n = set->n_usable;
    return (double)(n[0] > n[1] ? n[0] : n[1]) / (double)(n[0] + n[1]);
}

/* Root mean square over the properties of the pixels of (difference of means ÷ pooled standard
 * deviation): 0 for sets that look alike. */
double study_property_distance(const study_set_facts *a, const study_set_facts *b);

/* As a document, and back: pairs are of each training set of the plan with each test set. NULL: out
 * of memory. Errors of reading: DATA, MEMORY. */
json_t *study_facts_json(const study_facts *facts, const study_dataset *datasets);
meso_status study_facts_read(const json_t *document, const study_plan *plan, study_facts *facts,
                             meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * All that is checked of one dataset, and of two beside each other.
 */
#ifndef MESO_STUDY_HEALTH_H
#define MESO_STUDY_HEALTH_H

#include "study/check/pairs.h"
#include "study/check/shortcut.h"
#include "study/check/study_group.h"

enum { STUDY_N_VIEWS = STUDY_VIEW_FRAMING + 1 };

typedef struct study_health {
    size_t n_refused;
    size_t n_by_kind[STUDY_N_PAIR_KINDS]; /* of the duplicates */
    size_t n_conflicts;      /* pairs of the same file or pixels in different classes */
    size_t n_near_conflicts; /* near pairs in different classes */
    double largest_share;    /* of the usable images, of the larger class */
    int imbalanced;          /* the share is above 0.6 */
    study_pairs duplicates;
    study_groups groups;
    study_shortcut shortcuts[STUDY_N_PROPERTIES];
    size_t n_shortcuts;
    double view_auc[STUDY_N_VIEWS]; /* cross-validated linear classifiers; NaN with one class */
    meso_interval view_interval[STUDY_N_VIEWS];
    int view_warn[STUDY_N_VIEWS];
} study_health;

typedef struct study_health_options {
    size_t n_resamples; /* of the intervals; 0: 1000, fewer above 20,000 images */
    uint64_t seed;
} study_health_options;

const char *study_view_name(study_view view); /* "properties", "framing" */

/* Errors: MEMORY. */
meso_status study_health_check(const study_dataset *dataset, const study_health_options *options,
                               study_health *health, meso_error *error);
void study_health_free(study_health *health);

/* Two datasets, of which one may be trained on and the other tested with. */
typedef struct study_crossing {
    size_t n_by_kind[STUDY_N_PAIR_KINDS];
    size_t n_conflicts;     /* pairs of the same file, pixels or near, in different classes */
    size_t n_shared_groups; /* names of recordings that both have */
    study_pairs pairs;      /* as of study_leaks() */
} study_crossing;

/* Errors: MEMORY. */
meso_status study_crossing_check(const study_dataset *a, const study_dataset *b,
                                 study_crossing *crossing, meso_error *error);
void study_crossing_free(study_crossing *crossing);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a study knows of its datasets before anything is trained: properties, shortcuts, leaks.
 * Computed from scans once and kept in the study's folder, so that a report needs no image.
 */
#ifndef MESO_STUDY_STUDY_FACTS_H
#define MESO_STUDY_STUDY_FACTS_H

#include <jansson.h>

#include "study/check/pairs.h"
#include "study/check/shortcut.h"
#include "study/plan/study_plan.h"
#include "study/scan/property.h"
#include "study/scan/study_scan.h"
#include "study/scan/summary.h"

enum { STUDY_N_VIEWS = 2, STUDY_BOTH = 2 };

/* A dataset's properties; those that do not apply to any of its images are NaN. */
typedef struct study_set_facts {
    char name[64];
    size_t n_files, n_unusable, n_groups;
    size_t n_usable[2], n_used[2]; /* of each class; used: after sets were made equal in size */
    size_t n_duplicates[STUDY_N_PAIR_KINDS]; /* pairs inside the set */
    double mean[3][STUDY_N_PROPERTIES];      /* of fakes, reals, both */
    double deviation[3][STUDY_N_PROPERTIES]; /* population standard deviations */
    double histogram[2][STUDY_N_PROPERTIES][STUDY_HISTOGRAM_BINS]; /* shares */
    study_shortcut shortcuts[STUDY_N_PROPERTIES];                  /* the strongest first */
    size_t n_shortcuts;
    double view_auc[STUDY_N_VIEWS]; /* cross-validated; NaN where it cannot be */
    meso_interval view_interval[STUDY_N_VIEWS];
} study_set_facts;

/* Between a training set and a test set. */
typedef struct study_pair_facts {
    size_t n_leaks[STUDY_N_PAIR_KINDS]; /* test images, by the surest kind of each */
    double accuracy[STUDY_N_VIEWS];     /* of a linear classifier that was fitted to the training */
    double auc[STUDY_N_VIEWS]; /* set's view and never saw a face; NaN where it cannot be */
} study_pair_facts;

/* One image of a test set that also stands in a training set: positions in the sets' lists. */
typedef struct study_leak {
    size_t train, test;
    study_pair_kind kind;
    size_t image, train_image;
} study_leak;

typedef struct study_facts {
    size_t n_train, n_test;
    study_set_facts *sets;   /* training sets, then test sets */
    study_pair_facts *pairs; /* [n_train][n_test] */
    study_leak *leaks;
    size_t n_leaks;
    double low[STUDY_N_PROPERTIES], high[STUDY_N_PROPERTIES]; /* of histograms; NaN: none */
} study_facts;

/* From the scans of the plan's sets, training sets first; n_used is filled by the caller. Errors:
 * MEMORY. */
meso_status study_facts_create(const study_plan *plan, const study_dataset *scans,
                               study_facts *facts, meso_error *error);
void study_facts_free(study_facts *facts);

/* Root mean square over the properties of the pixels of (difference of means ÷ pooled standard
 * deviation): 0 for sets that look alike. */
double study_property_distance(const study_set_facts *a, const study_set_facts *b);

/* As a document, and back. NULL: out of memory. Errors of reading: DATA, MEMORY. */
json_t *study_facts_json(const study_facts *facts);
meso_status study_facts_read(const json_t *document, const study_plan *plan, study_facts *facts,
                             meso_error *error);

#endif

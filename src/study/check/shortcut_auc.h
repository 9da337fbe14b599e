/* SPDX-License-Identifier: Apache-2.0
 *
 * Any number of an image as its score for being real: AUC with a bootstrap interval, over groups
 * where the dataset has them. For shortcut.c, which defines it, and linear.c.
 */
#ifndef MESO_STUDY_SHORTCUT_AUC_H
#define MESO_STUDY_SHORTCUT_AUC_H

#include "data/list/group.h"
#include "mesocl/metrics.h"
#include "study/scan/study_scan.h"

typedef struct study_auc {
    double *value, *p_real, *p_fake;
    unsigned char *real;
    size_t *group;
    size_t n; /* of images added; set to 0 to start anew */
    meso_groups groups;
} study_auc;

meso_status study_auc_create(const study_dataset *dataset, study_auc *auc, meso_error *error);
void study_auc_free(study_auc *auc);

void study_auc_add(study_auc *auc, const study_dataset *dataset, size_t item, double value);

/* NaN where the values do not vary or a class is missing. Errors: MEMORY. */
meso_status study_auc_measure(study_auc *auc, size_t n_resamples, uint64_t seed, double *value,
                              meso_interval *interval, meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Shortcuts: properties and framing that separate real from fake without the face. The classifier
 * on many of them is linear.c.
 */
#ifndef MESO_STUDY_SHORTCUT_H
#define MESO_STUDY_SHORTCUT_H

#include "data/list/group.h"
#include "mesocl/metrics.h"
#include "study/scan/study_scan.h"

/* What an AUC must be shown to exceed, by its whole interval, for a warning. */
#define STUDY_SHORTCUT_AUC 0.6
static inline int study_is_shortcut(meso_interval interval)
{
    return interval.low > STUDY_SHORTCUT_AUC;
}

/* One property as a classifier. */
typedef struct study_shortcut {
    study_property property;
    double auc;             /* of the property as P(real), turned round where it is below 0.5 */
    meso_interval interval; /* 95 %, bootstrap over groups where there are any, else images */
    int real_is_higher;     /* which way round */
    int warn;               /* study_is_shortcut() */
} study_shortcut;

/* All properties that vary, the strongest first. *shortcuts holds room for STUDY_N_PROPERTIES. Each
 * property is a step. Errors: MEMORY, CANCELLED. */
meso_status study_shortcuts(const study_dataset *dataset, size_t n_resamples, uint64_t seed,
                            study_steps *steps, study_shortcut *shortcuts, size_t *n,
                            meso_error *error);

/* What a linear classifier sees. */
typedef enum study_view {
    STUDY_VIEW_PROPERTIES, /* all properties at once */
    STUDY_VIEW_FRAMING,    /* the 16×16 grey thumbnail: framing and background */
    STUDY_N_VIEWS
} study_view;

extern const struct study_view_row {
    const char *key, *title; /* "framing": in JSON; "16×16 grey thumbnail": for people */
} study_views[STUDY_N_VIEWS];

typedef struct study_linear study_linear;

/* Ridge regression on the standardised view, ±1 for the class. Errors: DATA (a class without
 * usable images), MEMORY. */
meso_status study_linear_fit(const study_dataset *dataset, study_view view, study_linear **linear,
                             meso_error *error);
void study_linear_free(study_linear *linear);

/* P(real) in 0…1, rising with the regression's value. */
double study_linear_score(const study_linear *linear, const study_image *image);

/* AUC by cross-validation: 5 folds, by group where there are groups and by runs of neighbouring
 * names otherwise, so that frames of one video stay together. */
meso_status study_linear_validate(const study_dataset *dataset, study_view view, size_t n_resamples,
                                  uint64_t seed, double *auc, meso_interval *interval,
                                  meso_error *error);

/* Any number of an image as its score for being real: AUC with a bootstrap interval, over groups
 * where the dataset has them. */
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

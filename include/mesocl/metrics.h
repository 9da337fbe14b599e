/* SPDX-License-Identifier: Apache-2.0
 *
 * How well scores separate real from fake. Class 0 is fake, class 1 is real, and "positive" means
 * real, as in the published nets. All in double precision.
 */
#ifndef MESOCL_METRICS_H
#define MESOCL_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The one rule for a label: real where P(real) lies above the threshold, fake at or below it, as in
 * Keras' binary accuracy. */
static inline int meso_is_real(double p_real, double threshold)
{
    return p_real > threshold;
}

/* Scores of n images; arrays of length n. */
typedef struct meso_scores {
    const double *p_real; /* P(real), 0…1 */
    const double *p_fake; /* P(fake) = 1 − P(real), apart so that tiny values keep their digits */
    const unsigned char *real; /* truth: 1 real, 0 fake */
    const size_t *group;       /* group number from 0, or NULL: every image is its own */
    size_t n;
} meso_scores;

typedef struct meso_class_metrics {
    double precision, recall, f1; /* NaN where the denominator is 0; averages are of the others */
    size_t support;
} meso_class_metrics;

/* Start from MESO_INIT(meso_metrics). */
typedef struct meso_metrics {
    size_t struct_bytes;
    size_t n;
    size_t correct; /* by meso_is_real */
    double accuracy;
    double balanced_accuracy; /* mean recall of the classes present */
    double mse;               /* mean (p_real − truth)² */
    double bce; /* mean −log of the true class' probability, clipped to 1e-7 as in Keras */
    double auc; /* area under ROC = Mann-Whitney, ties ½; NaN with one class */
    double average_precision; /* Σ (Rᵢ − Rᵢ₋₁)·Pᵢ over falling thresholds (scikit-learn); NaN as
                                 above */
    double eer; /* rate at which misses of real = false alarms, linear on the ROC; NaN as above */
    double eer_threshold;   /* P(real) there */
    size_t confusion[2][2]; /* [truth][predicted] */
    meso_class_metrics per_class[2];
    meso_class_metrics macro_average, weighted_average;
} meso_metrics;

/* Errors: ARGUMENT (n = 0, a probability that is not within 0…1), MEMORY. */
MESO_API meso_status meso_metrics_compute(const meso_scores *scores, double threshold,
                                          meso_metrics *metrics, meso_error *error);

typedef struct meso_interval {
    double low, high; /* 2.5 % and 97.5 % points */
} meso_interval;

/* Start from MESO_INIT(meso_metrics_intervals). */
typedef struct meso_metrics_intervals {
    size_t struct_bytes;
    meso_interval accuracy, balanced_accuracy, mse, bce, auc, average_precision, eer;
    meso_interval recall_fake, recall_real;
    size_t n_units;     /* what was drawn: groups where given, else images */
    size_t n_resamples; /* as asked for */
} meso_metrics_intervals;

/* Percentile bootstrap (Efron 1979), stratified by class: groups where given, else images, are
 * drawn with replacement. The same seed draws the same resamples on every machine. With one class
 * the intervals of auc, average_precision and eer are NaN. Errors: ARGUMENT (as above, or no
 * resamples), MEMORY. */
MESO_API meso_status meso_metrics_bootstrap(const meso_scores *scores, double threshold,
                                            size_t n_resamples, uint64_t seed,
                                            meso_metrics_intervals *intervals, meso_error *error);

/* What a group comes to. A number that stands in both classes is two groups. */
typedef struct meso_group_score {
    size_t struct_bytes;
    size_t group; /* its number in meso_scores */
    unsigned char real;
    size_t n_images;
    double p_real, p_fake; /* means over its images */
} meso_group_score;

/* One score for each group, fakes first, by number. *groups is the caller's, to meso_free();
 * stride is sizeof **groups. Errors: ARGUMENT (no groups, no scores), MEMORY. */
MESO_API meso_status meso_metrics_groups(const meso_scores *scores, meso_group_score **groups,
                                         size_t stride, size_t *n, meso_error *error);

/* ROC: points of falling threshold from (0,0) to (1,1), collinear ones dropped as scikit-learn
 * does. */
typedef struct meso_roc_point {
    size_t struct_bytes;
    double false_positive_rate; /* fakes called real */
    double true_positive_rate;  /* reals called real */
    double threshold;           /* p_real ≥ threshold is called real; infinity at (0,0) */
} meso_roc_point;

/* Images whose P(real) lies in one part of 0…1. */
typedef struct meso_calibration_bin {
    size_t n;
    double p_real; /* their mean; NaN where there are none */
    double real;   /* the share that is real; likewise */
} meso_calibration_bin;

/* n_bins equal parts of 0…1, each with its lower end, the last with both. *error_expected: the mean
 * distance between p_real and real over images (expected calibration error; Naeini et al. 2015).
 * Errors: ARGUMENT (no scores, no bins). */
MESO_API meso_status meso_metrics_calibration(const meso_scores *scores, size_t n_bins,
                                              meso_calibration_bin *bins, double *error_expected,
                                              meso_error *error);

/* *points is the caller's, to meso_free(); stride is sizeof **points. Errors: ARGUMENT (one class
 * only), MEMORY. */
MESO_API meso_status meso_metrics_roc(const meso_scores *scores, meso_roc_point **points,
                                      size_t stride, size_t *n, meso_error *error);

#ifdef __cplusplus
}
#endif
#endif

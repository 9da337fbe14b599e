/* SPDX-License-Identifier: Apache-2.0
 *
 * Contestants judged on the same images: each was trained several times, from several seeds.
 *
 * A figure is uncertain for two reasons: other test images would have come out differently, and so
 * would another training run. The first part is taken by bootstrap over images (groups where
 * given), stratified by class. The second cannot be: two or three runs are too few to be drawn
 * from. It is the variance between runs, and Student's t with Satterthwaite's degrees of freedom
 * pays for knowing it badly. What image and run do together is counted in both parts, so intervals
 * are a little too wide rather than too narrow.
 *
 * Differences between contestants are taken on the same resamples, so that what is hard for both
 * cancels out.
 */
#ifndef MESO_STUDY_VOTES_H
#define MESO_STUDY_VOTES_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

typedef enum study_quantity {
    STUDY_ACCURACY,
    STUDY_MSE,
    STUDY_AUC,
    STUDY_EER,
    STUDY_RECALL_FAKE,
    STUDY_RECALL_REAL,
    STUDY_N_QUANTITIES
} study_quantity;

const char *study_quantity_key(study_quantity quantity); /* "accuracy", …: name in JSON and CSV */

typedef struct study_votes {
    const unsigned char *real; /* [n] truth: 1 real, 0 fake */
    const size_t *group;       /* [n], or NULL: every image is its own */
    size_t n;
    const float *const *p_real; /* [n_contestants · n_seeds][n], seed by seed of one contestant */
    size_t n_contestants, n_seeds;
    size_t n_resamples; /* at least 2 */
    uint64_t seed;      /* of the resamples */
} study_votes;

typedef struct study_measures {
    size_t n_contestants, n_seeds, n_resamples;
    size_t n_units;    /* groups where given, else images */
    double *exact;     /* [contestant][seed][quantity] */
    double *resampled; /* [contestant][resample][quantity], means over seeds */
} study_measures;

/* Errors: ARGUMENT (no images, a score that is not within 0…1), MEMORY. To be freed in any case. */
meso_status study_votes_measure(const study_votes *votes, study_measures *measures,
                                meso_error *error);
void study_measures_free(study_measures *measures);

/* A mean over seeds with its 95 % interval, cut to 0…1; NaN where there is none. With one seed the
 * interval knows nothing of other training runs. */
typedef struct study_estimate {
    double mean, low, high;
} study_estimate;
study_estimate study_measures_estimate(const study_measures *measures, size_t contestant,
                                       study_quantity quantity);
double study_measures_seed(const study_measures *measures, size_t contestant, size_t seed,
                           study_quantity quantity);

/* a − b, with the two-sided p of "no difference"; NaN with one seed: it cannot be tested. */
typedef struct study_difference {
    double mean, low, high, p;
    double error, df; /* standard error, degrees of freedom */
} study_difference;
study_difference study_measures_difference(const study_measures *measures, size_t a, size_t b,
                                           study_quantity quantity);

/* Its interval of another level than 95 %: 1 − alpha. It excludes 0 exactly where p < alpha. */
study_estimate study_difference_at(const study_difference *difference, double alpha);

#endif

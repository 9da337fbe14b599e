/* SPDX-License-Identifier: Apache-2.0
 *
 * Images in order of falling P(real), with what each one adds to every metric. Sorted once, a
 * ranking is measured in one pass under any weights: that is what makes a bootstrap resample cost
 * O(n).
 */
#ifndef MESO_MODEL_RANKING_H
#define MESO_MODEL_RANKING_H

#include <stdint.h>

#include "mesocl/metrics.h"

typedef struct meso_ranked {
    double p_real;
    double squared_error;
    double cross_entropy;
    size_t image; /* position in the caller's arrays */
    unsigned char real, called_real;
} meso_ranked;

typedef struct meso_ranking {
    meso_ranked *rows;
    size_t n;
} meso_ranking;

/* Sums over a weighted ranking, and the areas under its curves. */
typedef struct meso_measure {
    uint64_t confusion[2][2]; /* [truth][called] */
    double mse, bce;
    double auc, average_precision, eer, eer_threshold; /* NaN with one class */
} meso_measure;

/* Errors: ARGUMENT (n = 0, a probability outside 0…1, threshold not a number), MEMORY. */
meso_status meso_ranking_create(const meso_scores *scores, double threshold, meso_ranking *ranking,
                                meso_error *error);
void meso_ranking_free(meso_ranking *ranking);

/* weight[i] is how often image i counts; NULL counts each once. At least one is above 0. */
void meso_ranking_measure(const meso_ranking *ranking, const uint32_t *weight,
                          meso_measure *measure);

double meso_measure_accuracy(const meso_measure *measure);
double meso_measure_recall(const meso_measure *measure, int truth); /* NaN without such images */
double meso_measure_balanced_accuracy(const meso_measure *measure); /* of the classes present */

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * 95 % percentile intervals by bootstrap. What is drawn is a unit: the images of one group, or one
 * image. A resample is a weight for each image; the ranking is sorted once and measured under each.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/random.h"
#include "base/structs.h"
#include "mesocl/metrics.h"
#include "model/metrics/ranking.h"
#include "model/metrics/units.h"

/* The metrics with an interval, in one place: `interval` is where it goes in the result. */
enum { n_quantities = 9 };

static void quantities(const meso_measure *measure, double value[n_quantities])
{
    const double all[n_quantities] = {meso_measure_accuracy(measure),
                                      meso_measure_balanced_accuracy(measure),
                                      measure->mse,
                                      measure->bce,
                                      measure->auc,
                                      measure->average_precision,
                                      measure->eer,
                                      meso_measure_recall(measure, 0),
                                      meso_measure_recall(measure, 1)};
    memcpy(value, all, sizeof all);
}

static void place_intervals(const meso_interval *interval, meso_metrics_intervals *intervals)
{
    meso_interval *const all[n_quantities] = {&intervals->accuracy,   &intervals->balanced_accuracy,
                                              &intervals->mse,        &intervals->bce,
                                              &intervals->auc,        &intervals->average_precision,
                                              &intervals->eer,        &intervals->recall_fake,
                                              &intervals->recall_real};
    for (int q = 0; q < n_quantities; q++)
        *all[q] = interval[q];
}

/* values[n] of one metric, which are all NaN where the metric does not exist (one class). */
static meso_interval interval_of(double *values, size_t n)
{
    if (isnan(values[0]))
        return (meso_interval){NAN, NAN};
    meso_sort(values, n);
    return (meso_interval){meso_quantile(values, n, 0.025), meso_quantile(values, n, 0.975)};
}

meso_status meso_metrics_bootstrap(const meso_scores *scores, double threshold, size_t n_resamples,
                                   uint64_t seed, meso_metrics_intervals *intervals,
                                   meso_error *error)
{
    meso_status status = MESO_OK;
    meso_ranking ranking = {0};
    meso_units units = {0};
    uint32_t *weight = NULL;
    double *values = NULL; /* [n_quantities][n_resamples] */
    meso_random random = {seed};
    meso_interval interval[n_quantities];
    meso_metrics_intervals own = {.n_resamples = n_resamples};

    MESO_TRY(meso_struct_check(intervals, "meso_metrics_intervals", error));
    MESO_REQUIRE(n_resamples > 0 && n_resamples <= SIZE_MAX / sizeof(double) / n_quantities, error,
                 MESO_ERROR_ARGUMENT, "%zu bootstrap resamples: at least one is needed",
                 n_resamples);
    MESO_TRY(meso_ranking_create(scores, threshold, &ranking, error));
    MESO_TRY(meso_units_create(scores, &units, error));
    weight = calloc(ranking.n, sizeof *weight);
    values = calloc(n_resamples * n_quantities, sizeof *values);
    MESO_REQUIRE_MEMORY(weight, error);
    MESO_REQUIRE_MEMORY(values, error);
    for (size_t r = 0; r < n_resamples; r++) {
        meso_measure measure;
        double value[n_quantities];
        meso_units_draw(&units, &random, weight);
        meso_ranking_measure(&ranking, weight, &measure);
        quantities(&measure, value);
        for (size_t q = 0; q < n_quantities; q++)
            values[q * n_resamples + r] = value[q];
    }
    for (size_t q = 0; q < n_quantities; q++)
        interval[q] = interval_of(values + q * n_resamples, n_resamples);
    place_intervals(interval, &own);
    own.n_units = units.n;
    meso_struct_write(intervals, &own, sizeof own);
out:
    free(values);
    free(weight);
    meso_units_free(&units);
    meso_ranking_free(&ranking);
    return status;
}

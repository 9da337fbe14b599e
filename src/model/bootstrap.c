/* SPDX-License-Identifier: Apache-2.0
 *
 * 95 % percentile intervals by bootstrap. What is drawn is a unit: the images of one group, or one
 * image. A resample is a weight for each image; the ranking is sorted once and measured under each.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "mesocl/metrics.h"
#include "model/ranking.h"
#include "model/units.h"

/* Draws as many of the units first … end − 1 as there are, with replacement. */
static void draw(const meso_units *units, size_t first, size_t end, meso_random *random,
                 uint32_t *weight)
{
    for (size_t k = first; k < end; k++) {
        size_t unit = first + meso_random_below(random, end - first);
        for (size_t m = units->starts[unit]; m < units->starts[unit + 1]; m++)
            weight[units->members[m].image]++;
    }
}

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

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* The quantile of n sorted values, linear between order statistics (NumPy's default). */
static double quantile(const double *sorted, size_t n, double q)
{
    double position = q * (double)(n - 1);
    size_t below = (size_t)position;
    size_t above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

/* values[n] of one metric, which are all NaN where the metric does not exist (one class). */
static meso_interval interval_of(double *values, size_t n)
{
    if (isnan(values[0]))
        return (meso_interval){NAN, NAN};
    qsort(values, n, sizeof *values, compare_doubles);
    return (meso_interval){quantile(values, n, 0.025), quantile(values, n, 0.975)};
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
        memset(weight, 0, ranking.n * sizeof *weight);
        draw(&units, 0, units.n_fake, &random, weight);
        draw(&units, units.n_fake, units.n, &random, weight);
        meso_ranking_measure(&ranking, weight, &measure);
        quantities(&measure, value);
        for (size_t q = 0; q < n_quantities; q++)
            values[q * n_resamples + r] = value[q];
    }
    for (size_t q = 0; q < n_quantities; q++)
        interval[q] = interval_of(values + q * n_resamples, n_resamples);
    place_intervals(interval, intervals);
    intervals->n_units = units.n;
    intervals->n_resamples = n_resamples;
out:
    free(values);
    free(weight);
    meso_units_free(&units);
    meso_ranking_free(&ranking);
    return status;
}

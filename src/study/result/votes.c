/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/votes.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/random.h"
#include "maths/maths.h"
#include "mesocl/dataset.h"
#include "model/metrics/ranking.h"
#include "model/metrics/units.h"

const char *study_quantity_key(study_quantity quantity)
{
    static const char *const keys[STUDY_N_QUANTITIES] = {"accuracy", "mse",         "auc",
                                                         "eer",      "recall_fake", "recall_real"};
    return keys[quantity];
}

/* ---- measuring ---- */

static void quantities(const meso_ranking *ranking, const uint32_t *weight,
                       double value[STUDY_N_QUANTITIES])
{
    meso_measure measure;
    meso_ranking_measure(ranking, weight, &measure);
    value[STUDY_ACCURACY] = meso_measure_accuracy(&measure);
    value[STUDY_MSE] = measure.mse;
    value[STUDY_AUC] = measure.auc;
    value[STUDY_EER] = measure.eer;
    value[STUDY_RECALL_FAKE] = meso_measure_recall(&measure, MESO_FAKE);
    value[STUDY_RECALL_REAL] = meso_measure_recall(&measure, MESO_REAL);
}

/* Sorts every run's scores once. */
static meso_status rank_runs(const study_votes *votes, meso_ranking *rankings, meso_error *error)
{
    meso_status status = MESO_OK;
    double *p = calloc(2 * votes->n + 1, sizeof *p);
    MESO_REQUIRE_MEMORY(p, error);
    for (size_t run = 0; run < votes->n_contestants * votes->n_seeds; run++) {
        const meso_scores scores = {p, p + votes->n, votes->real, NULL, votes->n};
        for (size_t i = 0; i < votes->n; i++) {
            p[i] = (double)votes->p_real[run][i];
            p[votes->n + i] = 1 - p[i];
        }
        MESO_TRY(meso_ranking_create(&scores, 0.5, &rankings[run], error));
    }
out:
    free(p);
    return status;
}

static void measure_resample(const study_votes *votes, const meso_ranking *rankings,
                             const uint32_t *weight, size_t resample, study_measures *measures)
{
    for (size_t c = 0; c < votes->n_contestants; c++) {
        double *mean =
            measures->resampled + (c * votes->n_resamples + resample) * STUDY_N_QUANTITIES;
        for (size_t s = 0; s < votes->n_seeds; s++) {
            double value[STUDY_N_QUANTITIES];
            quantities(&rankings[c * votes->n_seeds + s], weight, value);
            for (size_t q = 0; q < STUDY_N_QUANTITIES; q++)
                mean[q] += value[q] / (double)votes->n_seeds;
        }
    }
}

static meso_status measure_all(const study_votes *votes, const meso_ranking *rankings,
                               study_measures *measures, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_scores scores = {NULL, NULL, votes->real, votes->group, votes->n};
    meso_random random = {votes->seed};
    meso_units units = {0};
    uint32_t *weight = calloc(votes->n, sizeof *weight);
    MESO_REQUIRE_MEMORY(weight, error);
    MESO_TRY(meso_units_create(&scores, &units, error));
    measures->n_units = units.n;
    for (size_t run = 0; run < votes->n_contestants * votes->n_seeds; run++)
        quantities(&rankings[run], NULL, measures->exact + run * STUDY_N_QUANTITIES);
    for (size_t r = 0; r < votes->n_resamples; r++) {
        meso_units_draw(&units, &random, weight);
        measure_resample(votes, rankings, weight, r, measures);
    }
out:
    meso_units_free(&units);
    free(weight);
    return status;
}

meso_status study_votes_measure(const study_votes *votes, study_measures *measures,
                                meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n_runs = votes->n_contestants * votes->n_seeds;
    meso_ranking *rankings = calloc(n_runs + 1, sizeof *rankings);
    *measures = (study_measures){.n_contestants = votes->n_contestants,
                                 .n_seeds = votes->n_seeds,
                                 .n_resamples = votes->n_resamples};
    MESO_REQUIRE_MEMORY(rankings, error);
    MESO_REQUIRE(votes->n > 0, error, MESO_ERROR_ARGUMENT, "no images to judge by");
    measures->exact = calloc(n_runs * STUDY_N_QUANTITIES + 1, sizeof *measures->exact);
    measures->resampled = calloc(votes->n_contestants * votes->n_resamples * STUDY_N_QUANTITIES + 1,
                                 sizeof *measures->resampled);
    MESO_REQUIRE_MEMORY(measures->exact, error);
    MESO_REQUIRE_MEMORY(measures->resampled, error);
    MESO_TRY(rank_runs(votes, rankings, error));
    MESO_TRY(measure_all(votes, rankings, measures, error));
out:
    for (size_t run = 0; rankings && run < n_runs; run++)
        meso_ranking_free(&rankings[run]);
    free(rankings);
    return status;
}

void study_measures_free(study_measures *measures)
{
    free(measures->exact);
    free(measures->resampled);
    *measures = (study_measures){0};
}

/* ---- what it comes to ---- */

double study_measures_seed(const study_measures *m, size_t contestant, size_t seed,
                           study_quantity quantity)
{
    return m->exact[(contestant * m->n_seeds + seed) * STUDY_N_QUANTITIES + quantity];
}

/* One source of uncertainty: the variance of a mean, and how many degrees of freedom it has. */
typedef struct part {
    double variance, df;
} part;

static double mean_over_seeds(const study_measures *m, size_t contestant, study_quantity quantity)
{
    double sum = 0;
    for (size_t s = 0; s < m->n_seeds; s++)
        sum += study_measures_seed(m, contestant, s, quantity);
    return sum / (double)m->n_seeds;
}

/* Of the mean over seeds, from how much the seeds differ. */
static part seed_part(const study_measures *m, size_t contestant, study_quantity quantity)
{
    double mean = mean_over_seeds(m, contestant, quantity), sum = 0, n = (double)m->n_seeds;
    if (m->n_seeds < 2)
        return (part){0, 1};
    for (size_t s = 0; s < m->n_seeds; s++) {
        double d = study_measures_seed(m, contestant, s, quantity) - mean;
        sum += d * d;
    }
    return (part){sum / (n - 1) / n, n - 1};
}

/* Variance over the resamples of sign_a · a + sign_b · b. */
static part image_part(const study_measures *m, size_t a, size_t b, double sign_b,
                       study_quantity quantity)
{
    const double *x = m->resampled + a * m->n_resamples * STUDY_N_QUANTITIES + quantity;
    const double *y = m->resampled + b * m->n_resamples * STUDY_N_QUANTITIES + quantity;
    double n = (double)m->n_resamples, mean = 0, sum = 0;
    for (size_t r = 0; r < m->n_resamples * STUDY_N_QUANTITIES; r += STUDY_N_QUANTITIES)
        mean += (x[r] + sign_b * y[r]) / n;
    for (size_t r = 0; r < m->n_resamples * STUDY_N_QUANTITIES; r += STUDY_N_QUANTITIES) {
        double d = x[r] + sign_b * y[r] - mean;
        sum += d * d;
    }
    return (part){sum / (n - 1), m->n_units > 2 ? (double)m->n_units - 2 : 1};
}

/* Student's t of an estimate whose variance is the sum of the parts (Welch, Satterthwaite). */
static study_difference judge(double mean, const part *parts, size_t n_parts)
{
    double variance = 0, sum = 0;
    for (size_t i = 0; i < n_parts; i++) {
        variance += parts[i].variance;
        sum += parts[i].variance * parts[i].variance / parts[i].df;
    }
    if (isnan(mean) || isnan(variance))
        return (study_difference){NAN, NAN, NAN, NAN, NAN, NAN};
    if (!(variance > 0)) /* every run and resample gives the same */
        return (study_difference){mean, mean, mean, mean == 0 ? 1 : 0, 0, 1};
    double df = variance * variance / sum, error = sqrt(variance);
    double half = error * study_t_quantile(0.05, df);
    return (study_difference){mean,  mean - half, mean + half, study_t_two_sided(mean / error, df),
                              error, df};
}

study_estimate study_difference_at(const study_difference *d, double alpha)
{
    const double half = d->error > 0 ? d->error * study_t_quantile(alpha, d->df) : 0;
    return (study_estimate){d->mean, d->mean - half, d->mean + half};
}

study_estimate study_measures_estimate(const study_measures *m, size_t contestant,
                                       study_quantity quantity)
{
    const part parts[] = {seed_part(m, contestant, quantity),
                          image_part(m, contestant, contestant, 0, quantity)};
    study_difference d = judge(mean_over_seeds(m, contestant, quantity), parts, 2);
    /* fmax and fmin would turn NaN into a number. */
    return (study_estimate){d.mean, d.low < 0 ? 0 : d.low, d.high > 1 ? 1 : d.high};
}

study_difference study_measures_difference(const study_measures *m, size_t a, size_t b,
                                           study_quantity quantity)
{
    const part parts[] = {seed_part(m, a, quantity), seed_part(m, b, quantity),
                          image_part(m, a, b, -1, quantity)};
    double mean = mean_over_seeds(m, a, quantity) - mean_over_seeds(m, b, quantity);
    study_difference d = judge(mean, parts, 3);
    if (m->n_seeds < 2)
        d.p = NAN;
    return d;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics/ranking.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"

/* Falling P(real); equal scores keep the caller's order, so that sums do not depend on qsort. */
static int compare_rows(const void *left, const void *right)
{
    const meso_ranked *a = left, *b = right;
    if (a->p_real != b->p_real)
        return a->p_real < b->p_real ? 1 : -1;
    return a->image < b->image ? -1 : a->image > b->image;
}

/* −log of the true class' probability; Keras clips it so that one certain mistake is not infinite.
 */
static double cross_entropy(double p)
{
    const double clip = 1e-7;
    return -log(p < clip ? clip : p > 1 - clip ? 1 - clip : p);
}

static int is_probability(double p)
{
    return p >= 0 && p <= 1; /* false for NaN */
}

static meso_ranked rank_image(const meso_scores *scores, double threshold, size_t i)
{
    int real = scores->real[i] != 0;
    /* The distance from the truth is the other class' probability, which has all its digits. */
    double wrong = real ? scores->p_fake[i] : scores->p_real[i];
    double right = real ? scores->p_real[i] : scores->p_fake[i];
    return (meso_ranked){.p_real = scores->p_real[i],
                         .squared_error = wrong * wrong,
                         .cross_entropy = cross_entropy(right),
                         .image = i,
                         .real = (unsigned char)real,
                         .called_real = meso_is_real(scores->p_real[i], threshold)};
}

meso_status meso_ranking_create(const meso_scores *scores, double threshold, meso_ranking *ranking,
                                meso_error *error)
{
    meso_status status = MESO_OK;
    meso_ranked *rows = NULL;
    MESO_REQUIRE(scores->n > 0, error, MESO_ERROR_ARGUMENT, "no scores to measure");
    MESO_REQUIRE(!isnan(threshold), error, MESO_ERROR_ARGUMENT, "the threshold is not a number");
    rows = calloc(scores->n, sizeof *rows);
    MESO_REQUIRE_MEMORY(rows, error);
    for (size_t i = 0; i < scores->n; i++) {
        MESO_REQUIRE(is_probability(scores->p_real[i]) && is_probability(scores->p_fake[i]), error,
                     MESO_ERROR_ARGUMENT, "score %zu: %g and %g are not probabilities from 0 to 1",
                     i, scores->p_real[i], scores->p_fake[i]);
        rows[i] = rank_image(scores, threshold, i);
    }
    qsort(rows, scores->n, sizeof *rows, compare_rows);
    *ranking = (meso_ranking){rows, scores->n};
    rows = NULL;
out:
    free(rows);
    return status;
}

void meso_ranking_free(meso_ranking *ranking)
{
    free(ranking->rows);
    *ranking = (meso_ranking){0};
}

/* Sums that do not depend on the order. */
static void measure_images(const meso_ranking *ranking, const uint32_t *weight,
                           meso_measure *measure)
{
    uint64_t total = 0;
    for (size_t i = 0; i < ranking->n; i++) {
        const meso_ranked *row = &ranking->rows[i];
        uint32_t w = weight ? weight[row->image] : 1;
        total += w;
        measure->confusion[row->real][row->called_real] += w;
        measure->mse += w * row->squared_error;
        measure->bce += w * row->cross_entropy;
    }
    measure->mse /= (double)total;
    measure->bce /= (double)total;
}

/* A walk along the ROC: images called real so far, of both classes, and the threshold that does it.
 */
typedef struct roc_step {
    double fakes, reals; /* counts; exact in double */
    double threshold;
} roc_step;

/* The step on which the false alarms catch up with the misses; the rates are linear along it. */
static void measure_eer(const roc_step *from, const roc_step *to, double fakes, double reals,
                        meso_measure *measure)
{
    double gap_from = from->fakes / fakes + from->reals / reals - 1;
    double gap_to = to->fakes / fakes + to->reals / reals - 1;
    /* In counts, not rates: 1/49·49 ≠ 1 would move the crossing by one step. */
    int before = from->fakes * reals + from->reals * fakes < fakes * reals;
    int after = to->fakes * reals + to->reals * fakes >= fakes * reals;
    if (!before || !after)
        return;
    double t = -gap_from / (gap_to - gap_from);
    measure->eer = (from->fakes + t * (to->fakes - from->fakes)) / fakes;
    /* The walk starts at an infinite threshold, from which there is nothing to interpolate. */
    measure->eer_threshold = isinf(from->threshold)
                                 ? to->threshold
                                 : from->threshold + t * (to->threshold - from->threshold);
}

/* Adds the run of equal scores that starts at row i to *step; returns the row behind it. */
static size_t walk_run(const meso_ranking *ranking, const uint32_t *weight, size_t i,
                       roc_step *step)
{
    uint64_t count[2] = {0, 0};
    step->threshold = ranking->rows[i].p_real;
    for (; i < ranking->n && ranking->rows[i].p_real == step->threshold; i++)
        count[ranking->rows[i].real] += weight ? weight[ranking->rows[i].image] : 1;
    step->fakes += (double)count[0];
    step->reals += (double)count[1];
    return i;
}

static void measure_curve(const meso_ranking *ranking, const uint32_t *weight, double fakes,
                          double reals, meso_measure *measure)
{
    roc_step from = {0, 0, INFINITY};
    double area = 0, precision_sum = 0;
    for (size_t i = 0; i < ranking->n;) {
        roc_step to = from;
        i = walk_run(ranking, weight, i, &to);
        double new_fakes = to.fakes - from.fakes, new_reals = to.reals - from.reals;
        if (new_fakes + new_reals == 0)
            continue;                                    /* nothing of this run was drawn */
        area += new_fakes * (from.reals + to.reals) / 2; /* a tie counts one half */
        precision_sum += new_reals * to.reals / (to.reals + to.fakes);
        measure_eer(&from, &to, fakes, reals, measure);
        from = to;
    }
    measure->auc = area / (fakes * reals);
    measure->average_precision = precision_sum / reals;
}

void meso_ranking_measure(const meso_ranking *ranking, const uint32_t *weight,
                          meso_measure *measure)
{
    *measure =
        (meso_measure){.auc = NAN, .average_precision = NAN, .eer = NAN, .eer_threshold = NAN};
    measure_images(ranking, weight, measure);
    double fakes = (double)(measure->confusion[0][0] + measure->confusion[0][1]);
    double reals = (double)(measure->confusion[1][0] + measure->confusion[1][1]);
    if (fakes > 0 && reals > 0)
        measure_curve(ranking, weight, fakes, reals, measure);
}

double meso_measure_accuracy(const meso_measure *measure)
{
    uint64_t right = measure->confusion[0][0] + measure->confusion[1][1];
    return (double)right / (double)(right + measure->confusion[0][1] + measure->confusion[1][0]);
}

double meso_measure_recall(const meso_measure *measure, int truth)
{
    const uint64_t *row = measure->confusion[truth];
    return row[0] + row[1] ? (double)row[truth] / (double)(row[0] + row[1]) : NAN;
}

double meso_measure_balanced_accuracy(const meso_measure *measure)
{
    const double fakes = meso_measure_recall(measure, 0), reals = meso_measure_recall(measure, 1);
    return isnan(fakes) ? reals : isnan(reals) ? fakes : (fakes + reals) / 2;
}

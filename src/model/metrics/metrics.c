/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics of a set of scores: the ranking's sums, and what scikit-learn's report derives from the
 * confusion matrix.
 */
#include "mesocl/metrics.h"

#include <math.h>

#include "base/error.h"
#include "base/structs.h"
#include "model/metrics/ranking.h"

static double ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

static meso_class_metrics class_metrics(const meso_measure *measure, int class)
{
    const uint64_t(*c)[2] = measure->confusion;
    double hits = (double)c[class][class];
    double called = (double)(c[0][class] + c[1][class]);
    double support = (double)(c[class][0] + c[class][1]);
    return (meso_class_metrics){.precision = ratio(hits, called),
                                .recall = meso_measure_recall(measure, class),
                                .f1 = ratio(2 * hits, called + support),
                                .support = (size_t)support};
}

/* Of the values that exist. */
static double mean(double a, double weight_a, double b, double weight_b)
{
    weight_a = isnan(a) ? 0 : weight_a;
    weight_b = isnan(b) ? 0 : weight_b;
    return ratio((weight_a > 0 ? weight_a * a : 0) + (weight_b > 0 ? weight_b * b : 0),
                 weight_a + weight_b);
}

static meso_class_metrics average(const meso_class_metrics *a, double weight_a,
                                  const meso_class_metrics *b, double weight_b)
{
    return (meso_class_metrics){.precision = mean(a->precision, weight_a, b->precision, weight_b),
                                .recall = mean(a->recall, weight_a, b->recall, weight_b),
                                .f1 = mean(a->f1, weight_a, b->f1, weight_b),
                                .support = a->support + b->support};
}

static void fill(const meso_measure *measure, size_t n, meso_metrics *metrics)
{
    *metrics = (meso_metrics){.n = n,
                              .accuracy = meso_measure_accuracy(measure),
                              .balanced_accuracy = meso_measure_balanced_accuracy(measure),
                              .mse = measure->mse,
                              .bce = measure->bce,
                              .auc = measure->auc,
                              .average_precision = measure->average_precision,
                              .eer = measure->eer,
                              .eer_threshold = measure->eer_threshold};
    for (int truth = 0; truth < 2; truth++)
        for (int called = 0; called < 2; called++)
            metrics->confusion[truth][called] = (size_t)measure->confusion[truth][called];
    metrics->correct = metrics->confusion[0][0] + metrics->confusion[1][1];
    for (int c = 0; c < 2; c++)
        metrics->per_class[c] = class_metrics(measure, c);

    const meso_class_metrics *fake = &metrics->per_class[0], *real = &metrics->per_class[1];
    metrics->macro_average = average(fake, 0.5, real, 0.5);
    metrics->weighted_average =
        average(fake, (double)fake->support / (double)n, real, (double)real->support / (double)n);
}

meso_status meso_metrics_compute(const meso_scores *scores, double threshold, meso_metrics *metrics,
                                 meso_error *error)
{
    meso_status status = MESO_OK;
    meso_ranking ranking = {0};
    meso_measure measure;
    meso_metrics own = {0};
    MESO_TRY(meso_struct_check(metrics, "meso_metrics", error));
    MESO_TRY(meso_ranking_create(scores, threshold, &ranking, error));
    meso_ranking_measure(&ranking, NULL, &measure);
    fill(&measure, scores->n, &own);
    meso_struct_write(metrics, &own, sizeof own);
out:
    meso_ranking_free(&ranking);
    return status;
}

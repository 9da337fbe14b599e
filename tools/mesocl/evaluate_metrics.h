/* SPDX-License-Identifier: Apache-2.0
 *
 * The metrics of evaluate's reports, each once: its name in JSON, its title, where its value and
 * its interval are.
 */
#ifndef MESO_TOOLS_EVALUATE_METRICS_H
#define MESO_TOOLS_EVALUATE_METRICS_H

#include <stddef.h>

#include "mesocl/metrics.h"

typedef struct tool_metric_row {
    const char *key, *title;
    size_t value;    /* offset in meso_metrics */
    size_t interval; /* offset in meso_metrics_intervals */
} tool_metric_row;

/* clang-format off */
#define MESO_METRIC(name) offsetof(meso_metrics, name), offsetof(meso_metrics_intervals, name)
static const tool_metric_row meso_metric_rows[] = {
    {"accuracy", "accuracy", MESO_METRIC(accuracy)},
    {"balanced_accuracy", "balanced accuracy", MESO_METRIC(balanced_accuracy)},
    {"mse", "MSE", MESO_METRIC(mse)},
    {"bce", "BCE", MESO_METRIC(bce)},
    {"auc", "AUC", MESO_METRIC(auc)},
    {"average_precision", "average precision", MESO_METRIC(average_precision)},
    {"eer", "EER", MESO_METRIC(eer)},
    {"recall_fake", "recall of fakes", offsetof(meso_metrics, per_class[0].recall),
     offsetof(meso_metrics_intervals, recall_fake)},
    {"recall_real", "recall of reals", offsetof(meso_metrics, per_class[1].recall),
     offsetof(meso_metrics_intervals, recall_real)},
};
/* clang-format on */
enum { meso_n_metric_rows = sizeof meso_metric_rows / sizeof meso_metric_rows[0] };

static inline double meso_metric_value(const tool_metric_row *row, const meso_metrics *metrics)
{
    return *(const double *)((const char *)metrics + row->value);
}

static inline meso_interval meso_metric_interval(const tool_metric_row *row,
                                                 const meso_metrics_intervals *intervals)
{
    return *(const meso_interval *)((const char *)intervals + row->interval);
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A ROC curve as one SVG file: no script, nothing from outside, light or dark as the reader's
 * system is.
 */
#ifndef MESO_REPORT_ROC_H
#define MESO_REPORT_ROC_H

#include <stddef.h>

#include "base/text.h"

typedef struct report_roc_point {
    double false_positive_rate, true_positive_rate; /* 0…1 */
} report_roc_point;

typedef struct report_roc {
    const char *title;              /* any bytes */
    const report_roc_point *points; /* from (0, 0) to (1, 1) */
    size_t n_points;
    double auc, auc_low, auc_high; /* the 95 % interval; NaN: not known */
    double eer, eer_threshold;
} report_roc;

void report_roc_svg(const report_roc *roc, meso_text *out);

#endif

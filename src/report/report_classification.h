/* SPDX-License-Identifier: Apache-2.0
 *
 * The text that scikit-learn's classification_report prints (digits = 2), byte for byte.
 */
#ifndef MESO_REPORT_CLASSIFICATION_H
#define MESO_REPORT_CLASSIFICATION_H

#include "base/text.h"

typedef struct report_class {
    const char *name; /* UTF-8 */
    double precision, recall, f1;
    size_t support;
} report_class;

/* averages: scikit-learn has "macro avg" and "weighted avg"; their support is the total. */
void report_classification(const report_class *classes, size_t n_classes, double accuracy,
                           const report_class *averages, size_t n_averages, meso_text *out);

#endif

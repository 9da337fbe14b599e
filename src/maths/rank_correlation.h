/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a property of datasets go with how good their detectors are? Spearman's rank correlation.
 */
#ifndef MESO_STUDY_RANK_CORRELATION_H
#define MESO_STUDY_RANK_CORRELATION_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

typedef struct study_rank_correlation {
    double rho;       /* −1…1; NaN where x or y is all the same, or n < 3 */
    double low, high; /* 95 % of rho when y moves within its errors */
    double p;         /* share of all orders of y whose |rho| is as large: exact up to 8 values */
    double least_p;   /* the smallest p that n values can give: 2 / n! */
} study_rank_correlation;

/* x, y, y_error [n]: y_error is the standard error of y. Ties get mean ranks. The seed is that of
 * the draws for the interval, and of the orders where there are too many to try. Errors: ARGUMENT
 * (a value is not finite), MEMORY. */
meso_status study_rank_correlate(const double *x, const double *y, const double *y_error, size_t n,
                                 uint64_t seed, study_rank_correlation *result, meso_error *error);

#endif

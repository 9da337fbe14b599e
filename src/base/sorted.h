/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BASE_SORTED_H
#define MESO_BASE_SORTED_H

#include <stddef.h>

void meso_sort(double *values, size_t n); /* in ascending order; none is NaN */

/* The quantile, 0 ≤ q ≤ 1, of n ≥ 1 sorted values, linear between order statistics (NumPy's
 * default). */
double meso_quantile(const double *sorted, size_t n, double q);

#endif

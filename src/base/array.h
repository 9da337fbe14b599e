/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BASE_ARRAY_H
#define MESO_BASE_ARRAY_H

#include <stddef.h>

/* An array with room for one more element behind n: the same one while n < *capacity, else one at
 * least twice as large in its place. NULL when memory is out; then array and *capacity stand. */
void *meso_grow(void *array, size_t n, size_t *capacity, size_t element_bytes);

void meso_sort(double *values, size_t n); /* in ascending order; none is NaN */

/* The quantile, 0 ≤ q ≤ 1, of n ≥ 1 sorted values, linear between order statistics (NumPy's
 * default). */
double meso_quantile(const double *sorted, size_t n, double q);

#endif

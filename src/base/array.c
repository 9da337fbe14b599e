/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdlib.h>

enum { first_capacity = 64 };

void *meso_grow(void *array, size_t n, size_t *capacity, size_t element_bytes)
{
    if (n < *capacity)
        return array;
    const size_t more = *capacity ? 2 * *capacity : first_capacity;
    void *larger = realloc(array, more * element_bytes);
    if (larger)
        *capacity = more;
    return larger;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void meso_sort(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_doubles);
}

double meso_quantile(const double *sorted, size_t n, double q)
{
    double position = q * (double)(n - 1);
    size_t below = (size_t)position;
    size_t above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

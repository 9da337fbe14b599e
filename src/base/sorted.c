/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sorted.h"

#include <stdlib.h>

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

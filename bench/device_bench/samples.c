/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/report_json.h"

int bench_samples_reserve(bench_samples *samples, size_t capacity)
{
    *samples = (bench_samples){.values = calloc(capacity, sizeof(double)), .capacity = capacity};
    return samples->values != NULL;
}

void bench_samples_add(bench_samples *samples, double value)
{
    samples->values[samples->n++] = value;
}

void bench_samples_free(bench_samples *samples)
{
    free(samples->values);
    *samples = (bench_samples){0};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double q)
{
    double position = q * (double)(n - 1);
    size_t below = (size_t)position;
    size_t above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

static double *sorted_copy(const bench_samples *samples)
{
    double *sorted = samples->n > 0 ? malloc(samples->n * sizeof *sorted) : NULL;
    if (sorted) {
        memcpy(sorted, samples->values, samples->n * sizeof *sorted);
        qsort(sorted, samples->n, sizeof *sorted, compare);
    }
    return sorted;
}

double bench_samples_quantile(const bench_samples *samples, double q)
{
    double *sorted = sorted_copy(samples);
    double value = sorted ? quantile(sorted, samples->n, q) : NAN;
    free(sorted);
    return value;
}

bench_summary bench_samples_summary(const bench_samples *samples)
{
    size_t n = samples->n;
    double *sorted = sorted_copy(samples);
    if (!sorted)
        return (bench_summary){NAN, NAN, NAN, NAN, NAN, NAN};
    bench_summary summary = {.median = quantile(sorted, n, 0.5),
                             .min = sorted[0],
                             .max = sorted[n - 1],
                             .p10 = quantile(sorted, n, 0.1),
                             .p90 = quantile(sorted, n, 0.9),
                             .p99 = quantile(sorted, n, 0.99)};
    free(sorted);
    return summary;
}

json_t *bench_samples_json(const bench_samples *samples)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < samples->n; i++)
        json_array_append_new(array, report_json_number(samples->values[i]));
    return array;
}

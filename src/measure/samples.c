/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
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

static double *sorted_copy(const bench_samples *samples)
{
    double *sorted = samples->n > 0 ? malloc(samples->n * sizeof *sorted) : NULL;
    if (sorted) {
        memcpy(sorted, samples->values, samples->n * sizeof *sorted);
        meso_sort(sorted, samples->n);
    }
    return sorted;
}

double bench_samples_quantile(const bench_samples *samples, double q)
{
    double *sorted = sorted_copy(samples);
    double value = sorted ? meso_quantile(sorted, samples->n, q) : NAN;
    free(sorted);
    return value;
}

bench_summary bench_samples_summary(const bench_samples *samples)
{
    size_t n = samples->n;
    double *sorted = sorted_copy(samples);
    if (!sorted)
        return (bench_summary){NAN, NAN, NAN, NAN, NAN, NAN};
    bench_summary summary = {.median = meso_quantile(sorted, n, 0.5),
                             .min = sorted[0],
                             .max = sorted[n - 1],
                             .p10 = meso_quantile(sorted, n, 0.1),
                             .p90 = meso_quantile(sorted, n, 0.9),
                             .p99 = meso_quantile(sorted, n, 0.99)};
    free(sorted);
    return summary;
}

json_t *bench_samples_json(const bench_samples *samples)
{
    return meso_json_numbers(samples->values, samples->n);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Repeated measurements of one thing, and what is said of them.
 */
#ifndef MESO_BENCH_SAMPLES_H
#define MESO_BENCH_SAMPLES_H

#include <jansson.h>
#include <stddef.h>

typedef struct bench_samples {
    double *values; /* in the order they were taken */
    size_t n, capacity;
} bench_samples;

/* Room for `capacity` values; 0 where memory ran out. */
int bench_samples_reserve(bench_samples *samples, size_t capacity);
void bench_samples_add(bench_samples *samples, double value); /* n < capacity */
void bench_samples_free(bench_samples *samples);

/* Smallest, largest, median, and parts of a hundred, between values linearly. */
typedef struct bench_summary {
    double median, min, max, p10, p90, p99;
} bench_summary;
bench_summary bench_samples_summary(const bench_samples *samples); /* n ≥ 1; all NaN otherwise */

double bench_samples_quantile(const bench_samples *samples, double q); /* likewise */

json_t *bench_samples_json(const bench_samples *samples); /* an array; NULL: out of memory */

#endif

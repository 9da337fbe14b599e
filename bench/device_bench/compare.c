/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"
#include "maths/maths.h"

/* Two-sided, of all rows together: 1 % for "slower", which is what an alarm is. */
static const double family_level = 0.02;
static const double same_level = 0.05; /* of one row, to call it the same */

const char *bench_verdict_name(bench_verdict verdict)
{
    static const char *const names[] = {"same", "slower", "faster", "inconclusive", "failed"};
    return names[verdict];
}

static double mean_of(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

static double squares_of(const double *values, size_t n, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sum;
}

/* Mean difference of logarithms, its standard error and degrees of freedom. */
typedef struct estimate {
    double difference, error, freedom;
} estimate;

static estimate estimate_pairs(const double *a, const double *b, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += (b[i] - a[i]) / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (b[i] - a[i] - mean) * (b[i] - a[i] - mean);
    return (estimate){mean, sqrt(squares / (double)(n - 1) / (double)n), (double)(n - 1)};
}

/* With one variance for both: it is the machine's, and few values estimate it better together. */
static estimate estimate_groups(const bench_measure *a, const bench_measure *b)
{
    double mean_a = mean_of(a->log_seconds, a->n), mean_b = mean_of(b->log_seconds, b->n);
    double freedom = (double)(a->n + b->n - 2);
    double squares =
        squares_of(a->log_seconds, a->n, mean_a) + squares_of(b->log_seconds, b->n, mean_b);
    double error = sqrt(squares / freedom * (1 / (double)a->n + 1 / (double)b->n));
    return (estimate){mean_b - mean_a, error, freedom};
}

static meso_status add_row(const bench_measure *a, const bench_measure *b, int pairs,
                           bench_comparison *comparison, meso_error *error)
{
    MESO_DEMAND(a->n >= 2 && b->n >= 2, error, MESO_ERROR_DATA,
                "%s: %zu and %zu values; at least two on each side are needed",
                MESO_PRINTABLE(a->name), a->n, b->n);
    MESO_DEMAND(!pairs || a->n == b->n, error, MESO_ERROR_DATA, "%s: %zu and %zu values, no pairs",
                MESO_PRINTABLE(a->name), a->n, b->n);
    comparison->rows[comparison->n++] = (bench_difference){.a = a, .b = b};
    return MESO_OK;
}

static bench_verdict judge(const bench_difference *row, estimate e, bench_limits limits)
{
    if (row->low > 1 + limits.margin)
        return BENCH_SLOWER;
    if (row->high < 1 / (1 + limits.margin))
        return BENCH_FASTER;
    double reach = study_t_quantile(same_level, e.freedom) * e.error;
    return fabs(e.difference) + reach <= log1p(limits.tolerance) ? BENCH_SAME : BENCH_INCONCLUSIVE;
}

static void finish_row(bench_difference *row, int pairs, double level, bench_limits limits)
{
    estimate e = pairs ? estimate_pairs(row->a->log_seconds, row->b->log_seconds, row->a->n)
                       : estimate_groups(row->a, row->b);
    double reach = study_t_quantile(level, e.freedom) * e.error;
    row->ratio = exp(e.difference);
    row->low = exp(e.difference - reach);
    row->high = exp(e.difference + reach);
    row->verdict = judge(row, e, limits);
}

/* Of a layer that B lacks, the kernel may have got another name. */
static int lacks_a_net(const bench_record *const records[2])
{
    for (size_t i = 0; i < records[0]->n; i++) {
        const bench_measure *m = &records[0]->measures[i];
        if (!m->layer && !bench_record_find(records[1], m->name, NULL))
            return 1;
    }
    return 0;
}

/* A layer can make the verdict worse, not unsure: short layers are noisy, and the whole net says
 * whether that matters. */
static bench_verdict verdict_of(const bench_comparison *comparison)
{
    size_t n[BENCH_INCONCLUSIVE + 1] = {0};
    for (size_t i = 0; i < comparison->n; i++)
        if (!comparison->rows[i].a->layer)
            n[comparison->rows[i].verdict]++;
    if (json_array_size(comparison->records[1]->failures) > 0 || lacks_a_net(comparison->records))
        return BENCH_FAILED;
    if (comparison->n_slower > 0)
        return BENCH_SLOWER;
    if (n[BENCH_INCONCLUSIVE] > 0)
        return BENCH_INCONCLUSIVE;
    return n[BENCH_FASTER] > 0 ? BENCH_FASTER : BENCH_SAME;
}

meso_status bench_compare(const bench_record *a, const bench_record *b, bench_limits limits,
                          int pairs, bench_comparison *comparison, meso_error *error)
{
    *comparison =
        (bench_comparison){.records = {a, b}, .rows = calloc(a->n + 1, sizeof *comparison->rows)};
    MESO_DEMAND_MEMORY(comparison->rows, error);
    for (size_t i = 0; i < a->n; i++) {
        const bench_measure *m = &a->measures[i];
        const bench_measure *other = bench_record_find(b, m->name, m->layer);
        if (other)
            MESO_CHECK(add_row(m, other, pairs, comparison, error));
    }
    MESO_DEMAND(comparison->n > 0, error, MESO_ERROR_DATA,
                "the two records have nothing in common: the first has %s, the second %s",
                MESO_PRINTABLE(a->measures[0].name), MESO_PRINTABLE(b->measures[0].name));
    for (size_t i = 0; i < comparison->n; i++) {
        finish_row(&comparison->rows[i], pairs, family_level / (double)comparison->n, limits);
        comparison->n_slower += comparison->rows[i].verdict == BENCH_SLOWER;
    }
    comparison->verdict = verdict_of(comparison);
    return MESO_OK;
}

void bench_comparison_free(bench_comparison *comparison)
{
    free(comparison->rows);
    *comparison = (bench_comparison){0};
}

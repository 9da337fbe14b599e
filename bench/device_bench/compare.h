/* SPDX-License-Identifier: Apache-2.0
 *
 * Is B slower than A? Times are compared as logarithms, process by process, because processes
 * differ more from each other than samples of one process do. What counts of a process is its time
 * where nothing disturbs it (record.h). The interval of the difference is Student's, at a level
 * that keeps the chance of any false alarm among all rows at 1 % (Bonferroni); whether two things
 * are the same is judged row by row, at 95 %. verdict.c tells it.
 */
#ifndef MESO_BENCH_COMPARE_H
#define MESO_BENCH_COMPARE_H

#include "options.h"
#include "record.h"

typedef enum bench_verdict {
    BENCH_SAME,         /* the 95 % interval lies inside ± tolerance */
    BENCH_SLOWER,       /* B: the whole interval lies above the margin */
    BENCH_FASTER,       /* B: the whole interval lies below − margin */
    BENCH_INCONCLUSIVE, /* too wide to say */
    BENCH_FAILED        /* of a comparison: B failed at what it measured, or lacks a net of A */
} bench_verdict;
const char *bench_verdict_name(bench_verdict verdict);

/* Parts of 1. A change smaller than the margin is nobody's concern; a 95 % interval that reaches
 * beyond the tolerance is too wide to call two things the same. */
typedef struct bench_limits {
    double margin, tolerance;
} bench_limits;

typedef struct bench_difference {
    const bench_measure *a, *b;
    double ratio, low, high; /* time of B / time of A, with its interval */
    bench_verdict verdict;
} bench_difference;

typedef struct bench_comparison {
    const bench_record *records[2]; /* A, B */
    bench_difference *rows;         /* what both have, in the order of A */
    size_t n;
    size_t n_slower;
    bench_verdict verdict; /* FAILED, else SLOWER if any row is, else that of the whole nets */
} bench_comparison;

/* pairs: process i of A ran beside process i of B, so that what slowed one slowed the other. The
 * records must outlive the comparison. Errors: DATA (nothing in common, fewer than two values to
 * compare, pairs of unequal number), MEMORY; free in any case. */
meso_status bench_compare(const bench_record *a, const bench_record *b, bench_limits limits,
                          int pairs, bench_comparison *comparison, meso_error *error);
void bench_comparison_free(bench_comparison *comparison);

/* A comparison for people and programs, and its exit code: for compare and ab. */
typedef struct bench_verdict_options {
    double margin, tolerance; /* in percent */
    int json;
} bench_verdict_options;

/* clang-format off */
#define BENCH_VERDICT_OPTIONS(o) \
    OPT_REAL("margin", 0, (o).margin, "PERCENT", 0, 1000, \
        "smaller changes are ignored; default 2"), \
    OPT_REAL("tolerance", 0, (o).tolerance, "PERCENT", 0, 1000, \
        "an interval that reaches beyond it is inconclusive; default 10"), \
    OPT_FORM("json", 0, (o).json, "one JSON document on stdout")
/* clang-format on */

bench_limits bench_verdict_limits(const bench_verdict_options *options);

/* Prints it. 1 if B is slower or failed, else 0; 70 where memory ran out. */
int bench_verdict_print(const bench_comparison *comparison, const bench_verdict_options *options);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A comparison for people and programs, and its exit code: for compare and ab.
 */
#ifndef MESO_BENCH_VERDICT_H
#define MESO_BENCH_VERDICT_H

#include "compare.h"
#include "options.h"

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

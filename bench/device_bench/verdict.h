/* SPDX-License-Identifier: Apache-2.0
 *
 * A comparison for people and programs, and its exit code: for compare and ab.
 */
#ifndef MESO_BENCH_VERDICT_H
#define MESO_BENCH_VERDICT_H

#include "compare.h"
#include "options.h"

typedef struct bench_verdict_options {
    double threshold, tolerance; /* in percent */
    int json;
} bench_verdict_options;

/* clang-format off */
#define BENCH_VERDICT_OPTIONS(o) \
    {"threshold", '\0', MESO_OPTION_REAL, {.real = &(o).threshold}, "PERCENT", \
     "a change below it is nobody's concern; default 2", 0, 1000}, \
    {"tolerance", '\0', MESO_OPTION_REAL, {.real = &(o).tolerance}, "PERCENT", \
     "an interval that reaches beyond it is inconclusive; default 10", 0, 1000}, \
    {"json", '\0', MESO_OPTION_FLAG, {.flag = &(o).json}, NULL, "one JSON document on stdout", 0, 0}
/* clang-format on */

bench_limits bench_verdict_limits(const bench_verdict_options *options);

/* Prints it. 1 if B is slower, else 0; 70 where memory ran out. */
int bench_verdict_print(const bench_comparison *comparison, const bench_verdict_options *options,
                        const char *command);

#endif

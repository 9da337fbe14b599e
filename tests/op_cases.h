/* SPDX-License-Identifier: Apache-2.0
 *
 * What every op is tried with, for test_ops.c (plain kernels), test_backward.c (kernels of
 * training) and test_reference_backward.c (differences). One row or more for each op.
 */
#ifndef MESO_TESTS_OP_CASES_H
#define MESO_TESTS_OP_CASES_H

#include "net/op/op.h"

typedef enum op_case_kind {
    OP_PICTURES,   /* pictures of all sizes */
    OP_VECTORS,    /* vectors of all lengths */
    OP_WINDOWS,    /* pictures, with windows, strides and paddings of all sorts */
    OP_DIFFERENCES /* one small picture, for differences alone */
} op_case_kind;

typedef struct op_case {
    const meso_op *op;
    op_case_kind kind;
    const char *text; /* lines behind the input i; of OP_WINDOWS without those keys */
    /* Every element of forward lies within so many eps · Σ|terms|; likewise those of training. */
    double bound, train_bound;
    int frozen;
} op_case;

extern const op_case op_cases[];
extern const size_t n_op_cases;

/* Calls try for a net text of each size, on each number of images in turn; it returns 0 where the
 * window does not fit. */
void op_case_run(const op_case *row, int (*try)(const op_case *row, const char *text, size_t n));

/* Fails where an op has no row, but for `input`, which nothing comes before. */
void op_cases_are_complete(void **state);

#endif

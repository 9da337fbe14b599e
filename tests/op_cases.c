/* SPDX-License-Identifier: Apache-2.0 */
#include "op_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/op/op.h"

/* Bounds: copies and maxima are exact. Different orders of a sum of products lose up to 4 eps at
 * these sizes, 8 in training. OpenCL 1.2 allows exp and expm1 3 ulp, a division 2.5. In training a
 * variance of few values close together is small, and x − mean loses digits. softmax adds up to
 * 1024 positive terms one after the other, which drifts by some 17 eps. */
const op_case op_cases[] = {
    {&meso_op_conv, OP_WINDOWS, "c = conv i filters=3", 4, 8, 0},
    {&meso_op_conv, OP_WINDOWS, "c = conv i filters=4", 4, 8, 0},
    {&meso_op_conv, OP_WINDOWS, "c = conv i filters=9", 4, 8, 0},
    {&meso_op_conv, OP_PICTURES, "c = conv i filters=3 window=3 stride=1x2 dilation=1 pad=same", 4,
     8, 0},
    {&meso_op_conv, OP_DIFFERENCES,
     "c = conv i filters=4 window=3x2 stride=1 dilation=1x2 pad=same", 0, 0, 0},
    {&meso_op_conv, OP_DIFFERENCES, "c = conv i filters=2 window=3 stride=2x1 dilation=1 pad=1x2",
     0, 0, 0},
    {&meso_op_conv, OP_DIFFERENCES, "c = conv i filters=1 window=2 stride=3 dilation=1 pad=valid",
     0, 0, 0},
    {&meso_op_bias, OP_PICTURES, "b = bias i", 1, 4, 0},
    {&meso_op_relu, OP_PICTURES, "r = relu i", 0, 1, 0},
    {&meso_op_relu, OP_PICTURES, "r = relu i cap=0.25", 0, 1, 0},
    {&meso_op_leaky_relu, OP_PICTURES, "r = leaky_relu i slope=0.1", 1, 1, 0},
    {&meso_op_leaky_relu, OP_PICTURES, "r = leaky_relu i slope=-0.5", 1, 1, 0},
    {&meso_op_elu, OP_PICTURES, "e = elu i alpha=1", 4, 4, 0},
    {&meso_op_elu, OP_PICTURES, "e = elu i alpha=0.3", 4, 4, 0},
    {&meso_op_prelu, OP_PICTURES, "p = prelu i", 1, 8, 0},
    {&meso_op_prelu, OP_VECTORS, "p = prelu i", 1, 8, 0},
    {&meso_op_batch_norm, OP_PICTURES, "b = batch_norm i epsilon=0.001", 4, 16, 0},
    {&meso_op_batch_norm, OP_PICTURES, "b = batch_norm i epsilon=0.001", 4, 4, 1},
    {&meso_op_max_pool, OP_WINDOWS, "m = max_pool i", 0, 4, 0},
    {&meso_op_max_pool, OP_PICTURES, "m = max_pool i window=2 stride=2 pad=same", 0, 4, 0},
    {&meso_op_max_pool, OP_DIFFERENCES, "m = max_pool i window=2 stride=2 pad=same", 0, 0, 0},
    {&meso_op_max_pool, OP_DIFFERENCES, "m = max_pool i window=3 stride=2x1 pad=1", 0, 0, 0},
    {&meso_op_concat, OP_PICTURES,
     "a = conv i filters=3 window=1 stride=1 dilation=1 pad=same\n"
     "b = conv i filters=1 window=1 stride=1 dilation=1 pad=same\n"
     "c = concat a i b a",
     0, 1, 0},
    {&meso_op_concat, OP_PICTURES, "c = concat i", 0, 1, 0},
    {&meso_op_flatten, OP_PICTURES, "f = flatten i", 0, 1, 0},
    {&meso_op_global_avg_pool, OP_PICTURES, "g = global_avg_pool i", 4, 4, 0},
    {&meso_op_dense, OP_VECTORS, "d = dense i units=1", 4, 8, 0},
    {&meso_op_dense, OP_VECTORS, "d = dense i units=16", 4, 8, 0},
    {&meso_op_dense, OP_VECTORS, "d = dense i units=67", 4, 8, 0},
    {&meso_op_dropout, OP_PICTURES, "d = dropout i rate=0.5", 0, 2, 0},
    {&meso_op_dropout, OP_PICTURES, "d = dropout i rate=0.1", 0, 2, 0},
    {&meso_op_dropout, OP_PICTURES, "d = dropout i rate=0", 0, 2, 0},
    {&meso_op_sigmoid, OP_PICTURES, "s = sigmoid i", 4, 8, 0},
    {&meso_op_sigmoid, OP_VECTORS, "s = sigmoid i", 4, 8, 0},
    {&meso_op_softmax, OP_VECTORS, "s = softmax i", 64, 64, 0},
};
const size_t n_op_cases = sizeof op_cases / sizeof op_cases[0];

/* One, below, at and above the work-group's 64 and the vectors' 8 or 16, and primes. */
static const int sizes[][2] = {{1, 1}, {1, 64}, {2, 63}, {65, 3}, {33, 3}, {7, 13}, {18, 17}};
static const int lengths[] = {1, 2, 15, 17, 63, 64, 65, 1024};
static const size_t batches[] = {1, 2, 5, 13}; /* gradients are summed in groups of 8 */
static const char *const windows[] = {"1x1", "3x3", "5x5", "2x3", "7x1"};
static const char *const strides[] = {"1", "2", "2x3"};
static const char *const dilations[] = {"1", "2", "3x1"};
static const char *const pads[] = {"same", "valid", "1", "3x2"};
#define EACH(i, array) for (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

enum { text_size = 2048 };

static void run_windows(const op_case *row,
                        int (*try)(const op_case *row, const char *text, size_t n))
{
    const int has_dilation = row->op == &meso_op_conv;
    char text[text_size], dilation[24] = "";
    size_t turn = 0, ran = 0;
    EACH (s, sizes)
        EACH (w, windows)
            EACH (t, strides)
                EACH (p, pads)
                    for (size_t d = 0; d < (has_dilation ? 3 : 1); d++, turn++) {
                        if (has_dilation)
                            snprintf(dilation, sizeof dilation, " dilation=%s", dilations[d]);
                        snprintf(text, sizeof text,
                                 "i = input height=%d width=%d channels=%zu divide=1\n"
                                 "%s window=%s stride=%s pad=%s%s\n",
                                 sizes[s][0], sizes[s][1], 1 + turn % 3, row->text, windows[w],
                                 strides[t], pads[p], dilation);
                        ran += (size_t)try(row, text, batches[turn % 4]);
                    }
    if (5 * ran < 2 * turn)
        fail_msg("%s: only %zu of %zu cases fit", row->text, ran, turn);
}

void op_case_run(const op_case *row, int (*try)(const op_case *row, const char *text, size_t n))
{
    const size_t n_sizes = row->kind == OP_PICTURES  ? sizeof sizes / sizeof sizes[0]
                           : row->kind == OP_VECTORS ? sizeof lengths / sizeof lengths[0]
                                                     : 0;
    char text[text_size];
    if (row->kind == OP_WINDOWS)
        run_windows(row, try);
    for (size_t s = 0; s < n_sizes; s++)
        EACH (b, batches) {
            const int is_vector = row->kind == OP_VECTORS;
            snprintf(text, sizeof text, "i = input height=%d width=%d channels=%d divide=1\n%s\n",
                     is_vector ? 1 : sizes[s][0], is_vector ? 1 : sizes[s][1],
                     is_vector ? lengths[s] : 1 + 3 * (int)b, row->text);
            assert_int_equal(try(row, text, batches[b]), 1);
        }
}

void op_cases_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; meso_op_at(i); i++) {
        int found = meso_op_at(i) == &meso_op_input;
        for (size_t k = 0; k < n_op_cases; k++)
            found |= op_cases[k].op == meso_op_at(i);
        if (!found)
            fail_msg("op %s has no row in tests/op_cases.c", meso_op_at(i)->name);
    }
}

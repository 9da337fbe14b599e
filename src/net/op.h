/* SPDX-License-Identifier: Apache-2.0
 *
 * The closed table of ops: what a layer of each kind is called, takes, computes and costs.
 */
#ifndef MESO_NET_OP_H
#define MESO_NET_OP_H

#include <stddef.h>

#include "net/net.h"
#include "net/tensor.h"
#include "runtime/device.h"

/* A key=value of an op. offset is where the value goes inside meso_layer.set. */
typedef struct meso_key {
    const char *name; /* NULL ends a list */
    enum {
        MESO_KEY_COUNT, /* whole number ≥ 1 → int */
        MESO_KEY_REAL,  /* → double */
        MESO_KEY_PAIR,  /* 3x5 or 3 → int[2], each ≥ 1 */
        MESO_KEY_PAD    /* same, valid, or a pair ≥ 0 → meso_window */
    } kind;
    size_t offset;
    double low, high; /* allowed range of a REAL, bounds included */
    int optional;     /* 1, a REAL only: may be left out, then `missing` stands */
    double missing;
} meso_key;

/* Where a setting lies, for meso_key.offset. */
#define MESO_SETTING(member) (offsetof(meso_layer, set.member) - offsetof(meso_layer, set))

/* What forward needs: the layer, its tensors on the device, its parameters in the op's order. */
typedef struct meso_step {
    const meso_net *net;
    const meso_layer *layer;
    size_t n; /* images */
    meso_tensor_view inputs[MESO_MAX_INPUTS];
    meso_tensor_view output;
    const meso_buffer *params[MESO_MAX_PARAMS];
} meso_step;

typedef struct meso_op {
    const char *name;
    size_t min_inputs, max_inputs;
    const meso_key *keys;
    /* Settings and input shapes → output shape; MESO_ERROR_DATA with a sentence (without the place,
     * which the parser puts before it) where they do not fit. */
    meso_status (*shape)(meso_layer *layer, const meso_shape *inputs, meso_error *error);
    /* Writes the kinds and dims of the layer's parameters; returns how many. NULL: none. */
    size_t (*params)(const meso_layer *layer, const meso_shape *inputs, meso_param *params);
    /* Enqueues the plain kernels. NULL: the output is the input (dropout at inference). */
    meso_status (*forward)(meso_device *device, const meso_step *step);
    /* Zeros the op reads around its inputs, per side. NULL: none. */
    int (*halo)(const meso_layer *layer);
    /* Multiply-adds for one image. NULL: 0. */
    uint64_t (*multiply_adds)(const meso_layer *layer, const meso_shape *inputs);
} meso_op;

/* NULL where there is no op of that name. */
const meso_op *meso_op_find(const char *name);

/* Row i of the table, NULL past the last: for tests that walk it. */
const meso_op *meso_op_at(size_t i);

/* One row for each op_*.c; op_table.c lists them. */
extern const meso_op meso_op_input, meso_op_conv, meso_op_bias, meso_op_relu, meso_op_leaky_relu,
    meso_op_elu, meso_op_batch_norm, meso_op_max_pool, meso_op_global_avg_pool, meso_op_concat,
    meso_op_flatten, meso_op_dense, meso_op_dropout, meso_op_sigmoid, meso_op_softmax;

/* Shared by conv and max_pool: fills before and after, and the output's height and width. */
meso_status meso_window_shape(meso_window *window, meso_shape in, meso_shape *out,
                              meso_error *error);
int meso_window_halo(const meso_window *window);

/* Shared by the ops that keep their input's shape. */
meso_status meso_same_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error);

#endif

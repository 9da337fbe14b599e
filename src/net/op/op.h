/* SPDX-License-Identifier: Apache-2.0
 *
 * An op: what a layer of its kind is called, takes, computes and costs. op.c has what several ops
 * share, op_table.c the closed table of all.
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
    const char *keras; /* a REAL: its name in the config of the Keras layer; older ones and Keras'
                          default are in model/keras/keras_names.c */
} meso_key;

/* Where a setting lies, for meso_key.offset. */
#define MESO_SETTING(member) (offsetof(meso_layer, set.member) - offsetof(meso_layer, set))

/* An activation that Keras knows by this name. key NULL: there is nothing to set. */
typedef struct meso_keras_function {
    const char *name; /* NULL ends the list */
    const char *key;
    double value;
} meso_keras_function;

/* What forward needs: the layer, its tensors on the device, its parameters in the op's order. */
typedef struct meso_step {
    const meso_net *net;
    const meso_layer *layer;
    size_t n; /* images */
    meso_tensor_view inputs[MESO_MAX_INPUTS];
    meso_tensor_view output;
    const meso_buffer *params[MESO_MAX_PARAMS];
} meso_step;

/* What training needs beside: a step of the batch's images first … first + step.n − 1. Gradients of
 * inputs are written, or added where add is 1; those of parameters are sums over each group of
 * images, [group][value], which the group's first image begins. */
typedef struct meso_train_step {
    meso_step step; /* views begin at image `first` */
    size_t first, batch;
    size_t items; /* of a work-group on the parallel path, a multiple of 32; 0 elsewhere */
    meso_tensor_view d_output, d_inputs[MESO_MAX_INPUTS]; /* buffer NULL: not wanted */
    int add[MESO_MAX_INPUTS];
    const meso_buffer *d_params[MESO_MAX_PARAMS]; /* NULL: not trained */
    const meso_buffer *saved;                     /* the op's own, from forward to backward */
    int frozen;
    uint64_t seed, step_number; /* of dropout */
    double momentum;            /* by which moving statistics follow the batch's; 1 − Keras' */
    int biased_variance;        /* of the moving variance */
    const struct meso_train_step *next; /* the layer behind that this one does, too, or NULL */
} meso_train_step;

typedef meso_status (*meso_train_part)(meso_device *device, const meso_train_step *step);

/* A layer's work in training, in this order. NULL: nothing to do. */
typedef struct meso_train_parts {
    meso_train_part measure; /* for each image of the batch */
    meso_train_part combine; /* once, for the whole batch: first = 0, n = batch */
    meso_train_part apply;   /* for each image */
} meso_train_parts;

typedef struct meso_op {
    const char *name;
    size_t min_inputs, max_inputs;
    const meso_key *keys;
    /* Keras' layer class that is this op (what its config means, unless it is numbers alone, is in
     * model/keras/keras_classes.c), and its activations by name that are. */
    const char *keras_class;
    meso_keras_function keras_functions[3];
    /* Settings and input shapes → output shape; MESO_ERROR_DATA with a sentence (without the place,
     * which the parser puts before it) where they do not fit. */
    meso_status (*shape)(meso_layer *layer, const meso_shape *inputs, meso_error *error);
    /* Writes the kinds and dims of the layer's parameters; returns how many. NULL: none. */
    size_t (*params)(const meso_layer *layer, const meso_shape *inputs, meso_param *params);
    /* Enqueues the plain kernels. NULL: the output is the input (dropout at inference). */
    meso_status (*forward)(meso_device *device, const meso_step *step);
    /* Training. Forward where it is not the one above; backward. in_place: forward may write over
     * its input and backward over the output's gradient; reads_output: backward reads the output.
     */
    meso_train_parts train, backward;
    int in_place, reads_output;
    /* Floats of `saved` for a batch. NULL: none. */
    size_t (*saved)(const meso_layer *layer, size_t batch);
    /* Zeros that backward reads around the output's gradient. NULL: none. */
    int (*backward_halo)(const meso_layer *layer);
    /* Zeros the op reads around its inputs, per side. NULL: none. */
    int (*halo)(const meso_layer *layer);
    /* Its cost beside reading the inputs and writing the output: multiply-adds for one image. NULL:
     * 0. */
    uint64_t (*multiply_adds)(const meso_layer *layer, const meso_shape *inputs);
} meso_op;

#define MESO_DECLARE_OP(name) extern const meso_op meso_op_##name;
MESO_OPS(MESO_DECLARE_OP)
#undef MESO_DECLARE_OP

/* Shared by conv and max_pool: fills before and after, and the output's height and width. */
meso_status meso_window_shape(meso_window *window, meso_shape in, meso_shape *out,
                              meso_error *error);
int meso_window_halo(const meso_window *window);

/* Work-groups of elementwise kernels of training, as GET_ROWS of cl/train/ takes them. */
#define MESO_TRAIN_BLOCKS(t, shape)                                 \
    (const size_t[3])                                               \
    {                                                               \
        meso_train_blocks(t, shape), meso_train_planes(t, shape), 1 \
    }
size_t meso_train_blocks(const meso_train_step *step, meso_shape shape);
size_t meso_train_planes(const meso_train_step *step, meso_shape shape);

/* Launches a kernel of training, or its namesake of the parallel path, over work-groups. */
meso_status meso_train_launch(meso_device *device, const meso_train_step *step,
                              meso_kernel_id kernel, const size_t groups[3], const meso_arg *args,
                              size_t n_args);

/* Images whose gradients of parameters are summed before the batch's. */
static inline size_t meso_train_group(size_t items)
{
    return items ? 1 : MESO_TRAIN_GROUP;
}

/* On the parallel path such a sum is split into bands of rows of the layer's output. */
size_t meso_train_bands(const meso_layer *layer, size_t items);

/* Groups that have one of the step's images. */
size_t meso_step_groups(const meso_train_step *step);

/* Multiply-adds of a step's images; NAN where the op has none. */
double meso_step_multiply_adds(const meso_step *step);

/* The op's forward, with what it comes to for the profile. */
meso_status meso_op_forward(meso_device *device, const meso_step *step);

/* Shared by the ops that keep their input's shape. */
meso_status meso_same_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error);

/* NULL where there is no op of that name. */
const meso_op *meso_op_find(const char *name);

/* Row i of the table, NULL past the last: for tests that walk it. */
const meso_op *meso_op_at(size_t i);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside a fused training run; for strip_train*.c alone.
 */
#ifndef MESO_NET_STRIP_TRAIN_RUN_H
#define MESO_NET_STRIP_TRAIN_RUN_H

#include "net/strip/strip_run.h"
#include "net/train/strip_train.h"

typedef struct train_kernels {
    meso_kernel first_forward[2], first_backward[2]; /* [1]: from floats */
    meso_kernel forward[MESO_MAX_BLOCKS], backward[MESO_MAX_BLOCKS];
    meso_kernel head, norm, norm_backward, moving, adam, sgd, base, filters_3, filters_5;
} train_kernels;

/* What a block has on the device for the whole batch; src/cl says how it lies. */
typedef struct train_block {
    char forward_name[48], backward_name[48];
    meso_buffer raw, z; /* behind the block; the first keeps no z */
    meso_buffer sums, gradient_sums;
    size_t n_sums, n_gradient_sums; /* rows of an image */
    meso_buffer base, filters, back_filters;

    int norm_frozen;
} train_block;

typedef struct train_run {
    meso_device *device;
    const meso_net *net;
    meso_train_settings settings;
    meso_strip_plan plan;
    meso_program program;
    train_kernels kernels;
    train_block blocks[MESO_MAX_BLOCKS];
    meso_buffer *norms; /* [lane][block]: each lane computes its own from the same sums */
    size_t n_lanes;
    size_t n_values;                                              /* floats of all parameters */
    meso_buffer weights, rest, first, second, trained, gradients; /* [n_values] */
    meso_buffer partial;                                          /* [group][n_values] */
    meso_buffer classes, answers;
    int *host_classes; /* [max_batch] */
    float *host_answers;
    size_t last_block; /* backward goes as far as this one: nothing in front of it is trained */
    size_t last_n;     /* images of the last step */
} train_run;

static inline meso_buffer *train_norm(const train_run *run, size_t lane, size_t block)
{
    return &run->norms[lane * run->plan.n_blocks + block];
}

/* Filters and base from the weights, on lane 0. */
meso_status meso_strip_train_prepare(train_run *run);

meso_status meso_strip_train_step(void *run, const meso_train_input *input, uint64_t step,
                                  double learning_rate, meso_train_result *result);
meso_status meso_strip_train_statistics(void *run, const meso_train_input *input, double rate);
meso_status meso_strip_train_copy(void *run, const meso_train_values *values, meso_train_way way);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A net's parameters on the device, with the sums of their gradients and the optimiser's moments.
 * Each kind is one buffer, so that an optimiser takes all parameters in one launch and the host
 * reads them in one copy; kernels of layers get their own parts of it.
 */
#ifndef MESO_NET_TRAIN_PARAMS_H
#define MESO_NET_TRAIN_PARAMS_H

#include "net/train/train.h"

/* Of one parameter. */
typedef struct meso_train_param {
    meso_buffer value;
    meso_buffer gradient; /* [group][value]; only where it is trained */
    size_t place;         /* of its first value in all buffers but `gradients` */
    size_t sums;          /* in that one */
    int is_trained;
} meso_train_param;

typedef struct meso_train_params {
    meso_device *device;
    const meso_net *net;
    meso_train_param *of; /* [net's parameters] */
    size_t n_values;      /* of all, with what lies between them */
    meso_buffer values, gradients, first, second;
    meso_buffer rest;    /* what rounding took from values */
    meso_buffer updates; /* [work-group of the optimiser], as cl/train/train_dense.cl reads it */
    size_t n_updates;
    float *host; /* n_values */
} meso_train_params;

/* items: of a work-group on the parallel path, 0 elsewhere. Errors go to the device. To be released
 * also where it fails. */
meso_status meso_train_params_create(meso_device *device, const meso_net *net,
                                     const meso_train_settings *settings, size_t items,
                                     meso_train_params *params);
void meso_train_params_release(meso_train_params *params);

meso_status meso_train_params_copy(const meso_train_params *params, const meso_train_values *values,
                                   meso_train_way way);

/* Enqueues the optimiser's step number `step`, from 1, on the lane in use. */
meso_status meso_train_params_update(const meso_train_params *params,
                                     const meso_train_settings *settings, size_t items,
                                     size_t n_groups, uint64_t step, double learning_rate);

#endif

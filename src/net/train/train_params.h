/* SPDX-License-Identifier: Apache-2.0
 *
 * A net's parameters on the device, with the sums of their gradients and the optimiser's moments.
 */
#ifndef MESO_NET_TRAIN_PARAMS_H
#define MESO_NET_TRAIN_PARAMS_H

#include "net/train/train.h"

/* Of one parameter; all but value only where it is trained. */
typedef struct meso_train_param {
    meso_buffer value;
    meso_buffer gradient; /* [group][value] */
    meso_buffer first, second;
    meso_buffer rest; /* what rounding took from value */
    int is_trained;
} meso_train_param;

/* Errors go to the device. *params: [net's parameters], for meso_train_params_release, which
 * allows NULL. */
meso_status meso_train_params_create(meso_device *device, const meso_net *net,
                                     const meso_train_settings *settings,
                                     meso_train_param **params);
void meso_train_params_release(const meso_net *net, meso_train_param *params);

meso_status meso_train_params_copy(meso_device *device, const meso_net *net,
                                   const meso_train_param *params, const meso_train_values *values,
                                   meso_train_way way);

/* Enqueues the optimiser's step number `step`, from 1, on the lane in use. */
meso_status meso_train_params_update(meso_device *device, const meso_net *net,
                                     const meso_train_param *params,
                                     const meso_train_settings *settings, size_t n_groups,
                                     uint64_t step, double learning_rate);

#endif

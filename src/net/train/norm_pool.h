/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch norm and the max-pooling that alone reads it, done together in training: the large tensor
 * between the two, and its gradient, are never stored (cl/train/train_norm_pool.cl). Sums and
 * results are those of the two ops one after the other.
 */
#ifndef MESO_NET_NORM_POOL_H
#define MESO_NET_NORM_POOL_H

#include "net/op/op.h"

/* norm.train.apply and pool.train.apply */
meso_status meso_norm_pool_apply(meso_device *device, const meso_train_step *norm,
                                 const meso_train_step *pool);
/* pool.backward.apply and norm.backward.measure */
meso_status meso_norm_pool_backward_measure(meso_device *device, const meso_train_step *norm,
                                            const meso_train_step *pool);
/* norm.backward.apply */
meso_status meso_norm_pool_backward_apply(meso_device *device, const meso_train_step *norm,
                                          const meso_train_step *pool);

/* Whether these layers' kinds and settings allow it. */
int meso_norm_pool_fits(const meso_layer *norm, const meso_layer *pool);

#endif

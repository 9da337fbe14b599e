/* SPDX-License-Identifier: Apache-2.0
 *
 * The fused training step for CPU devices (cl/strip/strip_train*.cl): nets of Meso-4's shape, a
 * first block of 3 × 3 from pictures, blocks of 5 × 5 behind it, two dense layers, one sigmoid.
 *
 * A step is a row of stages, divided where batch norm needs sums over the whole batch. Inside a
 * stage each lane has its share of the images, backward in whole groups of MESO_TRAIN_GROUP.
 */
#ifndef MESO_NET_STRIP_TRAIN_H
#define MESO_NET_STRIP_TRAIN_H

#include "net/strip/strip.h"
#include "net/train/train.h"

enum { MESO_STRIP_MAX_TRAINED_CHANNELS = 64, MESO_STRIP_VALUES_ALIGNED = 16 };

extern const meso_train_path meso_train_fused;

/* meso_train_fused.create with one tuning row and no other, for tests; NULL: those there are. */
meso_status meso_strip_train_create(meso_device *device, const meso_net *net,
                                    const meso_train_settings *settings,
                                    const meso_strip_tuning *only, void **run);

/* 0 where the plan is not one that the kernels can train with this loss. */
int meso_strip_train_fits(const meso_net *net, const meso_strip_plan *plan, meso_loss loss);

/* Where parameter i begins among the values on the device; i = n_params: their number. Each begins
 * on a multiple of MESO_STRIP_VALUES_ALIGNED. */
size_t meso_strip_train_place(const meso_net *net, size_t i);

/* The dropout layer behind `layer`, or NULL. */
const meso_layer *meso_strip_train_dropout(const meso_net *net, const meso_layer *layer);

/* Work-items of a block's forward kernel for one image: the rows of its partial sums. */
size_t meso_strip_train_parts(const meso_strip_plan *plan, size_t block);

/* Input channels side by side in a block's filters of the data gradient. */
int meso_strip_train_back_block(const meso_strip_plan *plan, size_t block);

/* The program of a plan's row, as meso_strip_writer; an empty one where it does not fit. */
meso_status meso_strip_train_write(meso_text *source, const meso_net *net,
                                   const meso_strip_plan *plan, meso_error *error);

#endif

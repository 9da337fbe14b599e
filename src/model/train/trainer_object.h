/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside a meso_trainer, for trainer.c and trainer_state.c alone.
 */
#ifndef MESO_MODEL_TRAINER_OBJECT_H
#define MESO_MODEL_TRAINER_OBJECT_H

#include "model/train/trainer.h"
#include "model/weights/weights.h"
#include "net/train/train.h"

struct meso_trainer {
    meso_device *device;
    meso_net *net;
    meso_weights *start; /* a copy: names, shapes and metadata for meso_trainer_get */
    meso_train_settings settings;
    unsigned char frozen[MESO_MAX_LAYERS];
    const meso_train_path *path;
    void *run;
    uint64_t steps;
    size_t n_lanes;
    meso_buffer augmented;                     /* a batch of floats; made at first need */
    size_t n_statistics;                       /* images since `first` */
    float **params, **first, **second, **rest; /* host copies, in the net's order */
    meso_error error;
};

/* Fails with the device's sentence. */
meso_status meso_trainer_device_failed(meso_trainer *trainer, meso_status status);

#endif

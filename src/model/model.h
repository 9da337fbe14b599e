/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside a meso_model; for src/model alone. Its parts are model.c, predict.c, predict_rgb8.c,
 * stream.c and normalize.c.
 */
#ifndef MESO_MODEL_MODEL_H
#define MESO_MODEL_MODEL_H

#include "mesocl/model.h"
#include "model/weights/weights.h"
#include "net/infer.h"
#include "picture/augment.h"

struct meso_model {
    meso_device *device;
    meso_net *net;               /* owned */
    meso_weights *weights;       /* owned */
    meso_infer infer;            /* what computes the logits */
    meso_infer layers;           /* and any other layer, where that cannot; made at first need */
    meso_infer_about about;      /* infer */
    meso_model_info info;        /* when it was opened */
    meso_augment *normalization; /* what pixels pass through before the net; NULL: division alone */
    meso_buffer normalized;      /* its results; as large as was asked for */
    size_t max_batch;
    size_t batch_that_fits; /* images that fit into device memory at once, as far as is known;
                               ≤ max_batch */
    size_t n_outputs;
    size_t logits;   /* the layer whose output the last sigmoid or softmax takes */
    int can_predict; /* RGB in, one sigmoid or two softmax outputs */
    int real_output;
    char class_names[2][MESO_CLASS_NAME_SIZE];
    uint8_t *resized;          /* a batch at the net's input size; made at first need */
    struct meso_stream *slots; /* of meso_predict_rgb8, where pictures are copied; likewise */
    void (*close_slots)(struct meso_stream *);
};

/* Takes over net and weights, also where it fails. */
meso_status meso_model_create(meso_device *device, meso_net *net, meso_weights *weights,
                              const meso_model_options *options, meso_model **model,
                              meso_error *error);

/* Logits [n][n_outputs] of n ≤ max_batch images of 8-bit pixels at the net's size. */
meso_status meso_model_logits(meso_model *model, const uint8_t *pixels, size_t n, float *logits,
                              meso_error *error);

/* n ≤ max_batch images of the host's; `first` as below. Errors: DATA, DEVICE. */
meso_status meso_model_run_batch(meso_model *model, const meso_pictures *batch, size_t first,
                                 meso_probability *p, meso_error *error);

/* meso_stream_wait; `first` as below. */
meso_status meso_model_wait_slot(struct meso_stream *stream, size_t slot, size_t first,
                                 meso_probability *p, meso_error *error);

/* Logits → probabilities; `first` is the number that a message gives to the first image. Errors:
 * DATA. */
meso_status meso_model_finish(meso_model *model, const float *logits, size_t n, size_t first,
                              meso_probability *p, meso_error *error);

/* Reads the model's normalization (mesocl.normalization), where it has one. Errors: DATA, DEVICE.
 */
meso_status meso_model_open_normalization(meso_model *model, meso_error *error);

/* Opens model->layers. */
meso_status meso_model_need_layers(meso_model *model, meso_error *error);

/* The device's memory for images is given back. */
void meso_model_give_back(meso_model *model);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside a meso_model; for src/model alone.
 */
#ifndef MESO_MODEL_MODEL_H
#define MESO_MODEL_MODEL_H

#include "mesocl/model.h"
#include "mesocl/weights.h"
#include "model/classes.h"
#include "net/plan.h"

struct meso_model {
    meso_device *device;
    meso_net *net; /* owned */
    meso_buffer *params;
    meso_plan *plan;
    size_t max_batch;
    size_t n_outputs;
    size_t logits;   /* the layer whose output the last sigmoid or softmax takes */
    int can_predict; /* RGB in, one sigmoid or two softmax outputs */
    int real_output;
    char class_names[2][MESO_CLASS_NAME_SIZE];
    char weights_hash[33];
    uint8_t *resized; /* a batch at the net's input size; made at first need */
    meso_error error;
};

#endif

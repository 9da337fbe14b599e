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
#include "net/strip_run.h"

struct meso_model {
    meso_device *device;
    meso_net *net;          /* owned */
    meso_weights *weights;  /* owned */
    meso_strip_run *strips; /* the fused part of the net; NULL on the plain path */
    meso_buffer *params;    /* for the plan; both made at first need */
    meso_plan *plan;        /* the plain path */
    meso_path path;
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

/* Makes model->plan ready. Errors go to the model. */
meso_status meso_model_need_plan(meso_model *model);

#endif

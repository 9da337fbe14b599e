/* SPDX-License-Identifier: Apache-2.0
 *
 * Ops that move values without changing them:
 *   concat   the inputs' channels one after the other
 *   flatten  a vector in Keras' order: height, width, channel (channel fastest)
 *   dropout  at inference the input itself; in training 0 where the mask says so, else
 *            in / (1 − rate) (inverted dropout)
 */
#include <limits.h>
#include <math.h>

#include "net/op/op.h"

static meso_status concat_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    int64_t channels = 0;
    for (size_t i = 0; i < layer->n_inputs; i++) {
        if (inputs[i].h != inputs[0].h || inputs[i].w != inputs[0].w)
            return meso_fail(error, MESO_ERROR_DATA, "inputs of %d x %d and %d x %d do not fit",
                             inputs[0].h, inputs[0].w, inputs[i].h, inputs[i].w);
        channels += inputs[i].c;
    }
    if (channels > INT_MAX)
        return meso_fail(error, MESO_ERROR_DATA, "output of %lld channels is too large",
                         (long long)channels);
    layer->shape = (meso_shape){(int)channels, inputs[0].h, inputs[0].w};
    return MESO_OK;
}

/* One launch for each input, into its channels of the output. */
static meso_status concat(meso_device *device, const meso_step *step)
{
    meso_status status = MESO_OK;
    int channel = 0;
    for (size_t i = 0; status == MESO_OK && i < step->layer->n_inputs; i++) {
        const meso_tensor_view *in = &step->inputs[i], *out = &step->output;
        meso_device_cost(device, NAN,
                         2.0 * (double)(step->n * meso_shape_size(in->shape) * sizeof(float)));
        status = meso_launch(device, MESO_KERNEL_CONCAT_FORWARD,
                             MESO_GLOBAL(in->shape.w, in->shape.h, step->n * (size_t)in->shape.c),
                             MESO_ARGS(MESO_VIEW(in), MESO_VIEW(out), channel));
        channel += in->shape.c;
    }
    return status;
}

static meso_status concat_train(meso_device *device, const meso_train_step *t)
{
    meso_status status = MESO_OK;
    int channel = 0;
    for (size_t i = 0; status == MESO_OK && i < t->step.layer->n_inputs; i++) {
        const meso_tensor_view *in = &t->step.inputs[i], *out = &t->step.output;
        status =
            meso_train_launch(device, t, MESO_KERNEL_CONCAT_TRAIN, MESO_TRAIN_BLOCKS(t, in->shape),
                              MESO_ARGS(MESO_VIEW(in), MESO_VIEW(out), channel));
        channel += in->shape.c;
    }
    return status;
}

static meso_status concat_backward(meso_device *device, const meso_train_step *t)
{
    meso_status status = MESO_OK;
    int channel = 0;
    for (size_t i = 0; status == MESO_OK && i < t->step.layer->n_inputs; i++) {
        const meso_tensor_view *d_in = &t->d_inputs[i], *d_out = &t->d_output;
        if (d_in->buffer)
            status = meso_train_launch(
                device, t, MESO_KERNEL_CONCAT_BACKWARD, MESO_TRAIN_BLOCKS(t, d_in->shape),
                MESO_ARGS(MESO_VIEW(d_out), MESO_VIEW(d_in), channel, t->add[i]));
        channel += t->step.inputs[i].shape.c;
    }
    return status;
}

static meso_status flatten_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    (void)error;
    layer->shape = (meso_shape){(int)meso_shape_size(inputs[0]), 1, 1};
    return MESO_OK;
}

static meso_status flatten(meso_device *device, const meso_step *step)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_FLATTEN_FORWARD,
                       MESO_GLOBAL(in->shape.w, in->shape.h, step->n * (size_t)in->shape.c),
                       MESO_ARGS(MESO_VIEW(in), MESO_VIEW(out)));
}

static meso_status flatten_backward(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    return meso_train_launch(device, t, MESO_KERNEL_FLATTEN_BACKWARD,
                             MESO_TRAIN_BLOCKS(t, d_in->shape),
                             MESO_ARGS(MESO_VIEW(d_out), MESO_VIEW(d_in), t->add[0]));
}

/* The same for values and for gradients: the mask comes from a hash of the place. Step 0 is no step
 * of training and leaves nothing out. */
static meso_status launch_dropout(meso_device *device, const meso_train_step *t,
                                  const meso_tensor_view *from, const meso_tensor_view *to, int add)
{
    const double rate = t->step_number == 0 ? 0 : t->step.layer->set.dropout.rate;
    const size_t layer = (size_t)(t->step.layer - t->step.net->layers);
    return meso_train_launch(device, t, MESO_KERNEL_DROPOUT, MESO_TRAIN_BLOCKS(t, to->shape),
                             MESO_ARGS(MESO_VIEW(from), MESO_VIEW(to),
                                       (int)(uint32_t)ceil(rate * 0x1p32), 1 / (1 - rate),
                                       (int)t->seed, (int)(t->seed >> 32), (int)t->step_number,
                                       (int)layer, add));
}

static meso_status dropout(meso_device *device, const meso_train_step *t)
{
    return launch_dropout(device, t, &t->step.inputs[0], &t->step.output, 0);
}

static meso_status dropout_backward(meso_device *device, const meso_train_step *t)
{
    return launch_dropout(device, t, &t->d_output, &t->d_inputs[0], t->add[0]);
}

static const meso_key dropout_keys[] = {{.name = "rate",
                                         .kind = MESO_KEY_REAL,
                                         .offset = MESO_SETTING(dropout.rate),
                                         .low = 0,
                                         .high = 0.999,
                                         .keras = "rate"},
                                        {0}};

const meso_op meso_op_concat = {.name = "concat",
                                .keras_class = "Concatenate",
                                .min_inputs = 1,
                                .max_inputs = MESO_MAX_INPUTS,
                                .shape = concat_shape,
                                .forward = concat,
                                .train = {.apply = concat_train},
                                .backward = {.apply = concat_backward}};

const meso_op meso_op_flatten = {.name = "flatten",
                                 .keras_class = "Flatten",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .shape = flatten_shape,
                                 .forward = flatten,
                                 .backward = {.apply = flatten_backward}};

const meso_op meso_op_dropout = {.name = "dropout",
                                 .keras_class = "Dropout",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .keys = dropout_keys,
                                 .shape = meso_same_shape,
                                 .train = {.apply = dropout},
                                 .backward = {.apply = dropout_backward}};

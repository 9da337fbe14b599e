/* SPDX-License-Identifier: Apache-2.0
 *
 * Ops that move values without changing them:
 *   concat   the inputs' channels one after the other
 *   flatten  a vector in Keras' order: height, width, channel (channel fastest)
 *   dropout  at inference the input itself
 */
#include "net/op.h"

static meso_status concat_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    layer->shape = (meso_shape){0, inputs[0].h, inputs[0].w};
    for (size_t i = 0; i < layer->n_inputs; i++) {
        if (inputs[i].h != inputs[0].h || inputs[i].w != inputs[0].w)
            return meso_fail(error, MESO_ERROR_DATA, "inputs of %d x %d and %d x %d do not fit",
                             inputs[0].h, inputs[0].w, inputs[i].h, inputs[i].w);
        layer->shape.c += inputs[i].c;
    }
    return MESO_OK;
}

/* One launch for each input, into its channels of the output. */
static meso_status concat(meso_device *device, const meso_step *step)
{
    meso_status status = MESO_OK;
    int channel = 0;
    for (size_t i = 0; status == MESO_OK && i < step->layer->n_inputs; i++) {
        const meso_tensor_view *in = &step->inputs[i], *out = &step->output;
        status = meso_launch(device, MESO_KERNEL_CONCAT_FORWARD,
                             MESO_GLOBAL(in->shape.w, in->shape.h, step->n * (size_t)in->shape.c),
                             MESO_ARGS(meso_arg_buffer(in->buffer), meso_arg_tensor(in),
                                       meso_arg_buffer(out->buffer), meso_arg_tensor(out),
                                       meso_arg_int(channel)));
        channel += in->shape.c;
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
                       MESO_ARGS(meso_arg_buffer(in->buffer), meso_arg_tensor(in),
                                 meso_arg_buffer(out->buffer), meso_arg_tensor(out)));
}

static const meso_key dropout_keys[] = {{.name = "rate",
                                         .kind = MESO_KEY_REAL,
                                         .offset = MESO_SETTING(dropout.rate),
                                         .low = 0,
                                         .high = 0.999},
                                        {0}};

const meso_op meso_op_concat = {.name = "concat",
                                .min_inputs = 1,
                                .max_inputs = MESO_MAX_INPUTS,
                                .shape = concat_shape,
                                .forward = concat};

const meso_op meso_op_flatten = {.name = "flatten",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .shape = flatten_shape,
                                 .forward = flatten};

const meso_op meso_op_dropout = {.name = "dropout",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .keys = dropout_keys,
                                 .shape = meso_same_shape};

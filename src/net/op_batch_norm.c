/* SPDX-License-Identifier: Apache-2.0
 *
 * batch_norm at inference: out = gamma · (in − mean) / √(variance + epsilon) + beta, by channel
 * (Ioffe, Szegedy 2015; epsilon 1e-3 in Keras).
 */
#include "net/op.h"

static const meso_key keys[] = {{.name = "epsilon",
                                 .kind = MESO_KEY_REAL,
                                 .offset = MESO_SETTING(batch_norm.epsilon),
                                 .low = 1e-12,
                                 .high = 1},
                                {0}};

static size_t params(const meso_layer *layer, const meso_shape *inputs, meso_param *params)
{
    static const meso_param_kind kinds[] = {MESO_PARAM_GAMMA, MESO_PARAM_BETA, MESO_PARAM_MEAN,
                                            MESO_PARAM_VARIANCE};
    (void)layer;
    for (size_t i = 0; i < 4; i++)
        params[i] = (meso_param){.kind = kinds[i], .n_dims = 1, .dims = {(size_t)inputs[0].c}};
    return 4;
}

static meso_status forward(meso_device *device, const meso_step *step)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_BATCH_NORM_FORWARD,
                       MESO_GLOBAL(out->shape.w, out->shape.h, step->n * (size_t)out->shape.c),
                       MESO_ARGS(meso_arg_buffer(in->buffer), meso_arg_tensor(in),
                                 meso_arg_buffer(step->params[0]), meso_arg_buffer(step->params[1]),
                                 meso_arg_buffer(step->params[2]), meso_arg_buffer(step->params[3]),
                                 meso_arg_float(step->layer->set.batch_norm.epsilon),
                                 meso_arg_buffer(out->buffer), meso_arg_tensor(out)));
}

const meso_op meso_op_batch_norm = {.name = "batch_norm",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .keys = keys,
                                    .shape = meso_same_shape,
                                    .params = params,
                                    .forward = forward};

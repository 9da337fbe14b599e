/* SPDX-License-Identifier: Apache-2.0
 *
 * bias: out[c][y][x] = in[c][y][x] + bias[c]
 */
#include "net/op/op.h"

static size_t params(const meso_layer *layer, const meso_shape *inputs, meso_param *params)
{
    (void)layer;
    params[0] = (meso_param){.kind = MESO_PARAM_BIAS, .n_dims = 1, .dims = {(size_t)inputs[0].c}};
    return 1;
}

static meso_status forward(meso_device *device, const meso_step *step)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_BIAS_FORWARD,
                       MESO_GLOBAL(out->shape.w, out->shape.h, step->n * (size_t)out->shape.c),
                       MESO_ARGS(MESO_VIEW(in), step->params[0], MESO_VIEW(out)));
}

static meso_status train(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *in = &t->step.inputs[0], *out = &t->step.output;
    return meso_train_launch(device, t, MESO_KERNEL_BIAS_TRAIN, MESO_TRAIN_BLOCKS(t, out->shape),
                             MESO_ARGS(MESO_VIEW(in), t->step.params[0], MESO_VIEW(out)));
}

/* The gradient of the input is the output's, in place. */
static meso_status backward(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *d = &t->d_output;
    if (!t->d_params[0])
        return MESO_OK;
    return meso_train_launch(device, t, MESO_KERNEL_BIAS_BACKWARD,
                             MESO_GLOBAL(d->shape.c, meso_step_groups(t), 1),
                             MESO_ARGS(MESO_VIEW(d), t->d_params[0], (int)t->step.n));
}

const meso_op meso_op_bias = {.name = "bias",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .shape = meso_same_shape,
                              .params = params,
                              .forward = forward,
                              .train = {.apply = train},
                              .backward = {.apply = backward},
                              .in_place = 1};

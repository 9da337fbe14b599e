/* SPDX-License-Identifier: Apache-2.0
 *
 * prelu: x < 0 ? slope[c] · x : x, with a trained slope for each channel (He et al. 2015).
 */
#include "net/op/op.h"

static size_t params(const meso_layer *layer, const meso_shape *inputs, meso_param *params)
{
    (void)layer;
    params[0] = (meso_param){.kind = MESO_PARAM_SLOPE, .n_dims = 1, .dims = {(size_t)inputs[0].c}};
    return 1;
}

static meso_status forward(meso_device *device, const meso_step *step)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_PRELU_FORWARD,
                       MESO_GLOBAL(out->shape.w, out->shape.h, step->n * (size_t)out->shape.c),
                       MESO_ARGS(MESO_VIEW(in), step->params[0], MESO_VIEW(out)));
}

static meso_status backward_slope(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *in = &t->step.inputs[0], *d_out = &t->d_output;
    return meso_train_launch(
        device, t, MESO_KERNEL_PRELU_BACKWARD_SLOPE,
        MESO_GLOBAL(d_out->shape.c, meso_step_groups(t), 1),
        MESO_ARGS(MESO_VIEW(in), MESO_VIEW(d_out), t->d_params[0], (int)t->step.n));
}

static meso_status backward(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *in = &t->step.inputs[0], *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    const meso_status status = t->d_params[0] ? backward_slope(device, t) : MESO_OK;
    if (status != MESO_OK || !d_in->buffer)
        return status;
    return meso_train_launch(
        device, t, MESO_KERNEL_PRELU_BACKWARD, MESO_TRAIN_BLOCKS(t, d_in->shape),
        MESO_ARGS(MESO_VIEW(in), t->step.params[0], MESO_VIEW(d_out), MESO_VIEW(d_in), t->add[0]));
}

const meso_op meso_op_prelu = {.name = "prelu",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .shape = meso_same_shape,
                               .params = params,
                               .forward = forward,
                               .backward = {.apply = backward}};

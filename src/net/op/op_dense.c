/* SPDX-License-Identifier: Apache-2.0
 *
 * dense: out[u] = Σ_i in[i] · kernel[i][u].  softmax: out[c] = e^(in[c] − max) / Σ e^(in − max).
 * Both take a vector.
 */
#include "net/op/op.h"

#include <math.h>

static const meso_key keys[] = {
    {.name = "units", .kind = MESO_KEY_COUNT, .offset = MESO_SETTING(dense.units)}, {0}};

static meso_status require_vector(meso_shape in, meso_error *error)
{
    if (in.h == 1 && in.w == 1)
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_DATA,
                     "takes a vector, but the input is %d channels of %d x %d: flatten it first",
                     in.c, in.h, in.w);
}

static meso_status dense_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    layer->shape = (meso_shape){layer->set.dense.units, 1, 1};
    return require_vector(inputs[0], error);
}

static size_t params(const meso_layer *layer, const meso_shape *inputs, meso_param *params)
{
    params[0] = (meso_param){.kind = MESO_PARAM_KERNEL,
                             .n_dims = 2,
                             .dims = {(size_t)inputs[0].c, (size_t)layer->set.dense.units}};
    return 1;
}

static meso_status dense(meso_device *device, const meso_step *step)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_DENSE_FORWARD, MESO_GLOBAL(out->shape.c, step->n, 1),
                       MESO_ARGS(MESO_VIEW(in), step->params[0], MESO_VIEW(out)));
}

static meso_status dense_train(meso_device *device, const meso_train_step *t)
{
    meso_device_cost(device, meso_step_multiply_adds(&t->step), NAN);
    const meso_tensor_view *in = &t->step.inputs[0], *out = &t->step.output;
    return meso_train_launch(device, t, MESO_KERNEL_DENSE_TRAIN,
                             MESO_GLOBAL(out->shape.c, t->step.n, 1),
                             MESO_ARGS(MESO_VIEW(in), t->step.params[0], MESO_VIEW(out)));
}

static meso_status dense_backward(meso_device *device, const meso_train_step *t)
{
    meso_status status = MESO_OK;
    const meso_tensor_view *in = &t->step.inputs[0], *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    const size_t blocks = ((size_t)in->shape.c + MESO_TRAIN_ROWS - 1) / MESO_TRAIN_ROWS;
    const double multiply_adds = meso_step_multiply_adds(&t->step);
    meso_device_cost(device, multiply_adds, NAN);
    if (t->d_params[0])
        status = meso_train_launch(
            device, t, MESO_KERNEL_DENSE_BACKWARD_WEIGHTS,
            MESO_GLOBAL(blocks, meso_step_groups(t), 1),
            MESO_ARGS(MESO_VIEW(in), MESO_VIEW(d_out), t->d_params[0], (int)t->step.n));
    meso_device_cost(device, multiply_adds, NAN);
    if (status == MESO_OK && d_in->buffer)
        status = meso_train_launch(
            device, t, MESO_KERNEL_DENSE_BACKWARD_DATA, MESO_GLOBAL(blocks, t->step.n, 1),
            MESO_ARGS(MESO_VIEW(d_out), t->step.params[0], MESO_VIEW(d_in), t->add[0]));
    return status;
}

static uint64_t multiply_adds(const meso_layer *layer, const meso_shape *inputs)
{
    return (uint64_t)inputs[0].c * (uint64_t)layer->set.dense.units;
}

static meso_status softmax_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    layer->shape = inputs[0];
    return require_vector(inputs[0], error);
}

static meso_status softmax(meso_device *device, const meso_step *step)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_SOFTMAX_FORWARD, MESO_GLOBAL(1, step->n, 1),
                       MESO_ARGS(MESO_VIEW(in), MESO_VIEW(out)));
}

static meso_status softmax_backward(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *out = &t->step.output, *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    return meso_train_launch(
        device, t, MESO_KERNEL_SOFTMAX_BACKWARD, MESO_GLOBAL(t->step.n, 1, 1),
        MESO_ARGS(MESO_VIEW(out), MESO_VIEW(d_out), MESO_VIEW(d_in), t->add[0]));
}

const meso_op meso_op_dense = {.name = "dense",
                               .keras_class = "Dense",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .keys = keys,
                               .shape = dense_shape,
                               .params = params,
                               .forward = dense,
                               .train = {.apply = dense_train},
                               .backward = {.apply = dense_backward},
                               .multiply_adds = multiply_adds};

const meso_op meso_op_softmax = {.name = "softmax",
                                 .keras_functions = {{.name = "softmax"}},
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .shape = softmax_shape,
                                 .forward = softmax,
                                 .backward = {.apply = softmax_backward},
                                 .reads_output = 1};

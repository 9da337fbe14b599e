/* SPDX-License-Identifier: Apache-2.0 */
#include "net/train/norm_pool.h"

/* Side by side: no input pixel is under two windows. */
int meso_norm_pool_fits(const meso_layer *norm, const meso_layer *pool)
{
    const meso_window *w = &pool->set.max_pool.window;
    return norm->op == &meso_op_batch_norm && pool->op == &meso_op_max_pool &&
           w->size[0] <= w->stride[0] && w->size[1] <= w->stride[1];
}

meso_status meso_norm_pool_apply(meso_device *device, const meso_train_step *norm,
                                 const meso_train_step *pool)
{
    const meso_window *w = &pool->step.layer->set.max_pool.window;
    const meso_tensor_view *in = &norm->step.inputs[0], *out = &pool->step.output;
    return meso_launch(
        device, MESO_KERNEL_NORM_POOL_APPLY, MESO_TRAIN_GLOBAL(out->shape, norm->step.n),
        MESO_ARGS(meso_arg_buffer(in->buffer), meso_arg_tensor(in), meso_arg_buffer(norm->memory),
                  meso_arg_buffer(norm->step.params[0]), meso_arg_buffer(norm->step.params[1]),
                  meso_arg_buffer(out->buffer), meso_arg_tensor(out), meso_arg_int(w->size[0]),
                  meso_arg_int(w->size[1]), meso_arg_int(w->stride[0]), meso_arg_int(w->stride[1]),
                  meso_arg_int(w->before[0]), meso_arg_int(w->before[1])));
}

meso_status meso_norm_pool_backward_measure(meso_device *device, const meso_train_step *norm,
                                            const meso_train_step *pool)
{
    const meso_window *w = &pool->step.layer->set.max_pool.window;
    const meso_tensor_view *in = &norm->step.inputs[0], *d_out = &pool->d_output;
    return meso_launch(
        device, MESO_KERNEL_NORM_POOL_BACKWARD_MEASURE,
        MESO_GLOBAL(in->shape.c, meso_step_groups(norm), 1),
        MESO_ARGS(meso_arg_buffer(in->buffer), meso_arg_tensor(in), meso_arg_buffer(d_out->buffer),
                  meso_arg_tensor(d_out), meso_arg_buffer(norm->memory),
                  meso_arg_buffer(norm->step.params[0]), meso_arg_buffer(norm->step.params[1]),
                  meso_arg_buffer(norm->d_params[0]), meso_arg_buffer(norm->d_params[1]),
                  meso_arg_int(w->size[0]), meso_arg_int(w->size[1]), meso_arg_int(w->stride[0]),
                  meso_arg_int(w->stride[1]), meso_arg_int(w->before[0]),
                  meso_arg_int(w->before[1]), meso_arg_int((int)norm->step.n)));
}

meso_status meso_norm_pool_backward_apply(meso_device *device, const meso_train_step *norm,
                                          const meso_train_step *pool)
{
    const meso_window *w = &pool->step.layer->set.max_pool.window;
    const meso_tensor_view *in = &norm->step.inputs[0], *d_in = &norm->d_inputs[0];
    const meso_tensor_view *d_out = &pool->d_output;
    const int rows = (MESO_TRAIN_ROWS + w->stride[0] - 1) / w->stride[0];
    if (!d_in->buffer)
        return MESO_OK;
    return meso_launch(
        device, MESO_KERNEL_NORM_POOL_BACKWARD_APPLY,
        MESO_GLOBAL((d_out->shape.h + rows - 1) / rows, norm->step.n * (size_t)in->shape.c, 1),
        MESO_ARGS(meso_arg_buffer(in->buffer), meso_arg_tensor(in), meso_arg_buffer(d_out->buffer),
                  meso_arg_tensor(d_out), meso_arg_buffer(norm->memory),
                  meso_arg_buffer(norm->step.params[0]), meso_arg_buffer(norm->step.params[1]),
                  meso_arg_buffer(d_in->buffer), meso_arg_tensor(d_in), meso_arg_int(w->size[0]),
                  meso_arg_int(w->size[1]), meso_arg_int(w->stride[0]), meso_arg_int(w->stride[1]),
                  meso_arg_int(w->before[0]), meso_arg_int(w->before[1]), meso_arg_int(rows),
                  meso_arg_int(norm->add[0])));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "net/train/train_plan.h"

/* ---- batch norm and max-pooling: cl/train/train_norm_pool.cl ---- */

/* Side by side: no input pixel is under two windows. */
static int windows_are_apart(const meso_layer *norm, const meso_layer *pool)
{
    const meso_window *w = &pool->set.max_pool.window;
    (void)norm;
    return w->size[0] <= w->stride[0] && w->size[1] <= w->stride[1];
}

static meso_status norm_pool(meso_device *device, const meso_train_step *norm)
{
    const meso_train_step *pool = norm->next;
    const meso_window *w = &pool->step.layer->set.max_pool.window;
    const meso_tensor_view *in = &norm->step.inputs[0], *out = &pool->step.output;
    return meso_train_launch(device, norm, MESO_KERNEL_NORM_POOL_APPLY,
                             MESO_TRAIN_BLOCKS(norm, out->shape),
                             MESO_ARGS(MESO_VIEW(in), norm->saved, norm->step.params[0],
                                       norm->step.params[1], MESO_VIEW(out), w->size[0], w->size[1],
                                       w->stride[0], w->stride[1], w->before[0], w->before[1]));
}

static meso_status norm_pool_backward_measure(meso_device *device, const meso_train_step *norm)
{
    const meso_train_step *pool = norm->next;
    const meso_window *w = &pool->step.layer->set.max_pool.window;
    const meso_tensor_view *in = &norm->step.inputs[0], *d_out = &pool->d_output;
    return meso_train_launch(device, norm, MESO_KERNEL_NORM_POOL_BACKWARD_MEASURE,
                             MESO_GLOBAL(in->shape.c, meso_step_groups(norm), 1),
                             MESO_ARGS(MESO_VIEW(in), MESO_VIEW(d_out), norm->saved,
                                       norm->step.params[0], norm->step.params[1],
                                       norm->d_params[0], norm->d_params[1], w->size[0], w->size[1],
                                       w->stride[0], w->stride[1], w->before[0], w->before[1],
                                       (int)norm->step.n));
}

static meso_status norm_pool_backward_apply(meso_device *device, const meso_train_step *norm)
{
    const meso_train_step *pool = norm->next;
    const meso_window *w = &pool->step.layer->set.max_pool.window;
    const meso_tensor_view *in = &norm->step.inputs[0], *d_in = &norm->d_inputs[0];
    const meso_tensor_view *d_out = &pool->d_output;
    const int rows = (MESO_TRAIN_ROWS + w->stride[0] - 1) / w->stride[0];
    const size_t blocks = ((size_t)d_out->shape.h + (size_t)rows - 1) / (size_t)rows;
    if (!d_in->buffer)
        return MESO_OK;
    return meso_train_launch(
        device, norm, MESO_KERNEL_NORM_POOL_BACKWARD_APPLY,
        norm->items ? MESO_TRAIN_BLOCKS(norm, in->shape)
                    : MESO_GLOBAL(blocks, norm->step.n * (size_t)in->shape.c, 1),
        MESO_ARGS(MESO_VIEW(in), MESO_VIEW(d_out), norm->saved, norm->step.params[0],
                  norm->step.params[1], MESO_VIEW(d_in), w->size[0], w->size[1], w->stride[0],
                  w->stride[1], w->before[0], w->before[1], rows, norm->add[0]));
}

/* ---- a convolution, its bias and the ReLU over that ---- */

/* Then the convolution goes along rows (op_conv.c), and ends with the others. */
static int has_stride_1(const meso_layer *conv, const meso_layer *bias)
{
    const int *stride = conv->set.conv.window.stride;
    (void)bias;
    return stride[0] == 1 && stride[1] == 1;
}

static meso_status bias_relu_backward(meso_device *device, const meso_train_step *bias)
{
    const meso_train_step *relu = bias->next;
    const meso_tensor_view *out = &relu->step.output, *d = &relu->d_output;
    return meso_train_launch(device, bias, MESO_KERNEL_BIAS_RELU_BACKWARD,
                             MESO_GLOBAL(d->shape.c, meso_step_groups(bias), 1),
                             MESO_ARGS(MESO_VIEW(out), relu->step.layer->set.relu.cap, MESO_VIEW(d),
                                       bias->d_params[0], (int)bias->step.n));
}

static const meso_fused_pair pairs[] = {
    {.first = &meso_op_conv, .next = &meso_op_bias, .fits = has_stride_1, .in_place = 1},
    {.first = &meso_op_bias,
     .next = &meso_op_relu,
     .in_place = 1,
     .continues = 1,
     .backward = {.apply = bias_relu_backward}},
    {.first = &meso_op_batch_norm,
     .next = &meso_op_max_pool,
     .fits = windows_are_apart,
     .forward = norm_pool,
     .backward = {.measure = norm_pool_backward_measure, .apply = norm_pool_backward_apply}},
};

const meso_fused_pair *meso_fused_pair_of(const meso_layer *first, const meso_layer *next)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].first == first->op && pairs[i].next == next->op &&
            (!pairs[i].fits || pairs[i].fits(first, next)))
            return &pairs[i];
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * max_pool: the largest value under the window; padding never wins (it is −∞, not 0).
 * global_avg_pool: the mean of each channel.
 */
#include "net/op/op.h"

static const meso_key keys[] = {
    {.name = "window", .kind = MESO_KEY_PAIR, .offset = MESO_SETTING(max_pool.window.size)},
    {.name = "stride", .kind = MESO_KEY_PAIR, .offset = MESO_SETTING(max_pool.window.stride)},
    {.name = "pad", .kind = MESO_KEY_PAD, .offset = MESO_SETTING(max_pool.window)},
    {0}};

static meso_status max_pool_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    meso_window *window = &layer->set.max_pool.window;
    window->dilation[0] = window->dilation[1] = 1;
    layer->shape.c = inputs[0].c;
    meso_status status = meso_window_shape(window, inputs[0], &layer->shape, error);
    /* A window wholly in the padding would have no maximum. */
    if (status == MESO_OK &&
        (window->before[0] >= window->size[0] || window->after[0] >= window->size[0] ||
         window->before[1] >= window->size[1] || window->after[1] >= window->size[1]))
        return meso_fail(error, MESO_ERROR_DATA, "pad must be smaller than the window");
    return status;
}

static meso_status max_pool(meso_device *device, const meso_step *step)
{
    const meso_window *w = &step->layer->set.max_pool.window;
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_MAX_POOL_FORWARD,
                       MESO_GLOBAL(out->shape.w, out->shape.h, step->n * (size_t)out->shape.c),
                       MESO_ARGS(MESO_VIEW(in), MESO_VIEW(out), w->size[0], w->size[1],
                                 w->stride[0], w->stride[1], w->before[0], w->before[1]));
}

static meso_status max_pool_train(meso_device *device, const meso_train_step *t)
{
    const meso_window *w = &t->step.layer->set.max_pool.window;
    const meso_tensor_view *in = &t->step.inputs[0], *out = &t->step.output;
    return meso_train_launch(device, t, MESO_KERNEL_MAX_POOL_TRAIN,
                             MESO_TRAIN_BLOCKS(t, out->shape),
                             MESO_ARGS(MESO_VIEW(in), MESO_VIEW(out), w->size[0], w->size[1],
                                       w->stride[0], w->stride[1], w->before[0], w->before[1]));
}

/* Rows of windows that a work-item may take: where windows overlap, all, because the gradients of
 * two rows can go to the same place. */
static int independent_rows(const meso_window *w, int height)
{
    return w->size[0] > w->stride[0] ? height : (MESO_TRAIN_ROWS + w->stride[0] - 1) / w->stride[0];
}

static meso_status max_pool_backward(meso_device *device, const meso_train_step *t)
{
    const meso_window *w = &t->step.layer->set.max_pool.window;
    const meso_tensor_view *in = &t->step.inputs[0], *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    const int rows = independent_rows(w, d_out->shape.h);
    const size_t blocks = ((size_t)d_out->shape.h + (size_t)rows - 1) / (size_t)rows;
    return meso_train_launch(device, t, MESO_KERNEL_MAX_POOL_BACKWARD,
                             t->items ? MESO_TRAIN_BLOCKS(t, in->shape)
                                      : MESO_GLOBAL(blocks, t->step.n * (size_t)in->shape.c, 1),
                             MESO_ARGS(MESO_VIEW(in), MESO_VIEW(d_out), MESO_VIEW(d_in), w->size[0],
                                       w->size[1], w->stride[0], w->stride[1], w->before[0],
                                       w->before[1], rows, t->add[0]));
}

static meso_status global_avg_pool_shape(meso_layer *layer, const meso_shape *inputs,
                                         meso_error *error)
{
    (void)error;
    layer->shape = (meso_shape){inputs[0].c, 1, 1};
    return MESO_OK;
}

static meso_status global_avg_pool(meso_device *device, const meso_step *step)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_GLOBAL_AVG_POOL_FORWARD,
                       MESO_GLOBAL(out->shape.c, step->n, 1),
                       MESO_ARGS(MESO_VIEW(in), MESO_VIEW(out)));
}

static meso_status global_avg_pool_backward(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    return meso_train_launch(device, t, MESO_KERNEL_GLOBAL_AVG_POOL_BACKWARD,
                             MESO_TRAIN_BLOCKS(t, d_in->shape),
                             MESO_ARGS(MESO_VIEW(d_out), MESO_VIEW(d_in), t->add[0]));
}

const meso_op meso_op_max_pool = {.name = "max_pool",
                                  .keras_class = "MaxPooling2D",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .keys = keys,
                                  .shape = max_pool_shape,
                                  .forward = max_pool,
                                  .train = {.apply = max_pool_train},
                                  .backward = {.apply = max_pool_backward}};

const meso_op meso_op_global_avg_pool = {.name = "global_avg_pool",
                                         .keras_class = "GlobalAveragePooling2D",
                                         .min_inputs = 1,
                                         .max_inputs = 1,
                                         .shape = global_avg_pool_shape,
                                         .forward = global_avg_pool,
                                         .backward = {.apply = global_avg_pool_backward}};

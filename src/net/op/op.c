/* SPDX-License-Identifier: Apache-2.0 */
#include "net/op/op.h"

#include <math.h>

meso_status meso_same_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    (void)error;
    layer->shape = inputs[0];
    return MESO_OK;
}

/* One dimension. SAME as in TensorFlow: ⌈in / stride⌉ outputs, the odd zero of an odd total at the
 * end. */
static meso_status window_dimension(meso_window *window, int d, int in, int *out, meso_error *error)
{
    int64_t reach = (int64_t)(window->size[d] - 1) * window->dilation[d] + 1;
    int64_t stride = window->stride[d], before = 0, n;
    if (window->pad == MESO_PAD_SAME) {
        n = (in + stride - 1) / stride;
        int64_t total = (n - 1) * stride + reach - in;
        before = total > 0 ? total / 2 : 0;
    } else {
        before = window->pad == MESO_PAD_EXPLICIT ? window->before[d] : 0;
        n = in + 2 * before < reach ? 0 : (in + 2 * before - reach) / stride + 1;
    }
    int64_t after = (n - 1) * stride + reach - before - in;
    if (n < 1 || reach > MESO_MAX_SIDE)
        return meso_fail(error, MESO_ERROR_DATA,
                         "a window that reaches over %lld does not fit %s of %d", (long long)reach,
                         d ? "a width" : "a height", in);
    window->before[d] = (int)before;
    window->after[d] = (int)(after > 0 ? after : 0);
    *out = (int)n;
    return MESO_OK;
}

meso_status meso_window_shape(meso_window *window, meso_shape in, meso_shape *out,
                              meso_error *error)
{
    MESO_CHECK(window_dimension(window, 0, in.h, &out->h, error));
    return window_dimension(window, 1, in.w, &out->w, error);
}

size_t meso_train_bands(const meso_layer *layer, size_t items)
{
    return items ? ((size_t)layer->shape.h + MESO_TRAIN_BAND - 1) / MESO_TRAIN_BAND : 1;
}

size_t meso_step_groups(const meso_train_step *step)
{
    size_t last = step->first + step->step.n - 1;
    size_t group = meso_train_group(step->items);
    return (last / group - step->first / group + 1) *
           meso_train_bands(step->step.layer, step->items);
}

/* The parallel path takes vectors as one row: a work-group for each value would be a waste. */
static int is_row(const meso_train_step *step, meso_shape shape)
{
    return step->items && shape.h * shape.w == 1;
}

size_t meso_train_blocks(const meso_train_step *step, meso_shape shape)
{
    return is_row(step, shape) ? ((size_t)shape.c + step->items - 1) / step->items
                               : ((size_t)shape.h + MESO_TRAIN_ROWS - 1) / MESO_TRAIN_ROWS;
}

size_t meso_train_planes(const meso_train_step *step, meso_shape shape)
{
    return step->step.n * (is_row(step, shape) ? 1 : (size_t)shape.c);
}

meso_status meso_train_launch(meso_device *device, const meso_train_step *step,
                              meso_kernel_id kernel, const size_t groups[3], const meso_arg *args,
                              size_t n_args)
{
    if (!step->items)
        return meso_launch(device, kernel, groups, args, n_args);
    return meso_launch(device, meso_kernel_parallel(kernel),
                       MESO_GLOBAL(groups[0] * step->items, groups[1], groups[2]), args, n_args);
}

int meso_window_halo(const meso_window *window)
{
    int halo = 0;
    for (int d = 0; d < 2; d++) {
        halo = window->before[d] > halo ? window->before[d] : halo;
        halo = window->after[d] > halo ? window->after[d] : halo;
    }
    return halo;
}

double meso_step_multiply_adds(const meso_step *step)
{
    const meso_layer *layer = step->layer;
    meso_shape inputs[MESO_MAX_INPUTS];
    for (size_t i = 0; i < layer->n_inputs; i++)
        inputs[i] = step->inputs[i].shape;
    return layer->op->multiply_adds
               ? (double)step->n * (double)layer->op->multiply_adds(layer, inputs)
               : NAN;
}

meso_status meso_op_forward(meso_device *device, const meso_step *step)
{
    size_t floats = meso_shape_size(step->output.shape);
    for (size_t i = 0; i < step->layer->n_inputs; i++)
        floats += meso_shape_size(step->inputs[i].shape);
    meso_device_cost(device, meso_step_multiply_adds(step),
                     (double)(step->n * floats * sizeof(float)));
    return step->layer->op->forward(device, step);
}

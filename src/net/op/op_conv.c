/* SPDX-License-Identifier: Apache-2.0
 *
 * conv: cross-correlation (no flip of the kernel), as in Keras and PyTorch.
 *   out[k][y][x] = Σ_{r,s,c} kernel[r][s][c][k]
 *                            · in[c][y·stride + r·dilation − before][the same in x]
 */
#include "net/op/op.h"

#include <math.h>

static const meso_key keys[] = {
    {.name = "filters", .kind = MESO_KEY_COUNT, .offset = MESO_SETTING(conv.filters)},
    {.name = "window", .kind = MESO_KEY_PAIR, .offset = MESO_SETTING(conv.window.size)},
    {.name = "stride", .kind = MESO_KEY_PAIR, .offset = MESO_SETTING(conv.window.stride)},
    {.name = "dilation", .kind = MESO_KEY_PAIR, .offset = MESO_SETTING(conv.window.dilation)},
    {.name = "pad", .kind = MESO_KEY_PAD, .offset = MESO_SETTING(conv.window)},
    {0}};

static meso_status shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    layer->shape.c = layer->set.conv.filters;
    return meso_window_shape(&layer->set.conv.window, inputs[0], &layer->shape, error);
}

static size_t params(const meso_layer *layer, const meso_shape *inputs, meso_param *params)
{
    const int *size = layer->set.conv.window.size;
    params[0] = (meso_param){
        .kind = MESO_PARAM_KERNEL,
        .n_dims = 4,
        .dims = {(size_t)size[0], (size_t)size[1], (size_t)inputs[0].c, (size_t)layer->shape.c}};
    return 1;
}

static meso_status forward(meso_device *device, const meso_step *step)
{
    const meso_window *w = &step->layer->set.conv.window;
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    const int groups = (out->shape.c + MESO_FILTER_GROUP - 1) / MESO_FILTER_GROUP;
    return meso_launch(device, MESO_KERNEL_CONV_FORWARD,
                       MESO_GLOBAL(out->shape.w, out->shape.h, step->n * (size_t)groups),
                       MESO_ARGS(MESO_VIEW(in), step->params[0], MESO_VIEW(out), w->size[0],
                                 w->size[1], w->stride[0], w->stride[1], w->dilation[0],
                                 w->dilation[1], w->before[0], w->before[1]));
}

/* Where the stride is 1, forward and the gradient of the input are the same kernel: see
 * cl/train/train_conv.cl. direction: 1 forward, with the bias and ReLU that may come with it
 * (fused_pairs.c); −1 back from the output's gradient. */
static meso_status launch_rows(meso_device *device, const meso_train_step *t,
                               const meso_tensor_view *from, const meso_tensor_view *to,
                               int direction, int add)
{
    enum { tile = 4 };
    const meso_step *step = &t->step;
    const meso_window *w = &step->layer->set.conv.window;
    const int filters = step->layer->shape.c, forth = direction > 0;
    const meso_train_step *bias = forth ? t->next : NULL, *relu = bias ? bias->next : NULL;
    const size_t tiles = ((size_t)to->shape.c + tile - 1) / tile;
    size_t groups[3] = {((size_t)to->shape.h + 1) / 2, step->n * tiles, 1};
    if (t->items) {
        const size_t rows = tile * (size_t)w->dilation[0], across = t->items / MESO_TRAIN_COLUMNS;
        const size_t blocks = ((size_t)to->shape.h + rows - 1) / rows * (size_t)w->dilation[0];
        groups[0] = (blocks + across - 1) / across;
        groups[2] = ((size_t)to->shape.w + MESO_TRAIN_COLUMNS - 1) / MESO_TRAIN_COLUMNS;
    }
    meso_device_cost(device, meso_step_multiply_adds(step), NAN);
    return meso_train_launch(
        device, t, MESO_KERNEL_CONV_ROWS, groups,
        MESO_ARGS(MESO_VIEW(from), step->params[0], forth ? filters : 1, forth ? 1 : filters,
                  MESO_VIEW(to), w->size[0], w->size[1], direction * w->dilation[0],
                  direction * w->dilation[1], direction * w->before[0], direction * w->before[1],
                  add, bias != NULL, bias ? bias->step.params[0] : step->params[0],
                  relu ? 0 : -INFINITY, relu ? relu->step.layer->set.relu.cap : INFINITY));
}

static int is_dense(const meso_layer *layer)
{
    return layer->set.conv.window.stride[0] == 1 && layer->set.conv.window.stride[1] == 1;
}

static meso_status train(meso_device *device, const meso_train_step *t)
{
    const meso_step *step = &t->step;
    return is_dense(step->layer) ? launch_rows(device, t, &step->inputs[0], &step->output, 1, 0)
                                 : meso_op_forward(device, step);
}

static meso_status backward_data(meso_device *device, const meso_train_step *t)
{
    const meso_window *w = &t->step.layer->set.conv.window;
    const meso_tensor_view *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    if (is_dense(t->step.layer))
        return launch_rows(device, t, d_out, d_in, -1, t->add[0]);
    meso_device_cost(device, meso_step_multiply_adds(&t->step), NAN);
    return meso_train_launch(device, t, MESO_KERNEL_CONV_BACKWARD_DATA,
                             MESO_GLOBAL(d_in->shape.h, t->step.n * (size_t)d_in->shape.c, 1),
                             MESO_ARGS(MESO_VIEW(d_out), t->step.params[0], MESO_VIEW(d_in),
                                       w->size[0], w->size[1], w->stride[0], w->stride[1],
                                       w->dilation[0], w->dilation[1], w->before[0], w->before[1],
                                       t->add[0]));
}

static meso_status backward_weights(meso_device *device, const meso_train_step *t)
{
    enum { tile = 4 };
    const meso_window *w = &t->step.layer->set.conv.window;
    const meso_tensor_view *in = &t->step.inputs[0], *d_out = &t->d_output;
    meso_device_cost(device, meso_step_multiply_adds(&t->step), NAN);
    return meso_train_launch(
        device, t, MESO_KERNEL_CONV_BACKWARD_WEIGHTS,
        MESO_GLOBAL((d_out->shape.c + tile - 1) / tile, w->size[0], meso_step_groups(t)),
        MESO_ARGS(MESO_VIEW(in), MESO_VIEW(d_out), t->d_params[0], w->size[0], w->size[1],
                  w->stride[0], w->stride[1], w->dilation[0], w->dilation[1], w->before[0],
                  w->before[1], (int)t->step.n));
}

static meso_status backward(meso_device *device, const meso_train_step *t)
{
    meso_status status = t->d_params[0] ? backward_weights(device, t) : MESO_OK;
    return status == MESO_OK && t->d_inputs[0].buffer ? backward_data(device, t) : status;
}

/* How far windows reach over the output from any input pixel. */
static int backward_halo(const meso_layer *layer)
{
    const meso_window *w = &layer->set.conv.window;
    int halo = 0;
    for (int d = 0; d < 2 && is_dense(layer); d++) {
        const int after = (w->size[d] - 1) * w->dilation[d] - w->before[d];
        halo = after > halo ? after : halo;
        halo = w->before[d] > halo ? w->before[d] : halo;
    }
    return halo;
}

static int halo(const meso_layer *layer)
{
    return meso_window_halo(&layer->set.conv.window);
}

static uint64_t multiply_adds(const meso_layer *layer, const meso_shape *inputs)
{
    const int *size = layer->set.conv.window.size;
    return (uint64_t)meso_shape_size(layer->shape) * (uint64_t)inputs[0].c * (uint64_t)size[0] *
           (uint64_t)size[1];
}

const meso_op meso_op_conv = {.name = "conv",
                              .keras_class = "Conv2D",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .keys = keys,
                              .shape = shape,
                              .params = params,
                              .forward = forward,
                              .train = {.apply = train},
                              .backward = {.apply = backward},
                              .backward_halo = backward_halo,
                              .halo = halo,
                              .multiply_adds = multiply_adds};

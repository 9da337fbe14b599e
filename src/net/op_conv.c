/* SPDX-License-Identifier: Apache-2.0
 *
 * conv: cross-correlation (no flip of the kernel), as in Keras and PyTorch.
 *   out[k][y][x] = Σ_{r,s,c} kernel[r][s][c][k] · in[c][y·stride + r·dilation − before][the same in
 * x]
 */
#include "net/op.h"

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
                       MESO_ARGS(meso_arg_buffer(in->buffer), meso_arg_tensor(in),
                                 meso_arg_buffer(step->params[0]), meso_arg_buffer(out->buffer),
                                 meso_arg_tensor(out), meso_arg_int(w->size[0]),
                                 meso_arg_int(w->size[1]), meso_arg_int(w->stride[0]),
                                 meso_arg_int(w->stride[1]), meso_arg_int(w->dilation[0]),
                                 meso_arg_int(w->dilation[1]), meso_arg_int(w->before[0]),
                                 meso_arg_int(w->before[1])));
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
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .keys = keys,
                              .shape = shape,
                              .params = params,
                              .forward = forward,
                              .halo = halo,
                              .multiply_adds = multiply_adds};

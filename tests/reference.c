/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/op/op.h"

reference_tensor reference_tensor_new(meso_shape shape, size_t n)
{
    size_t size = n * meso_shape_size(shape);
    return (reference_tensor){shape, calloc(size, sizeof(double)), calloc(size, sizeof(double))};
}

void reference_tensor_free(reference_tensor *tensor)
{
    free(tensor->value);
    free(tensor->magnitude);
    *tensor = (reference_tensor){0};
}

/* Position of (image, channel, row, column). */
static size_t at(meso_shape s, size_t n, int c, int y, int x)
{
    return ((n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x;
}

static void conv(const meso_layer *layer, const reference_tensor *in, const float *kernel, size_t i,
                 int k, int y, int x, double *sum, double *magnitude)
{
    const meso_window *w = &layer->set.conv.window;
    for (int r = 0; r < w->size[0]; r++)
        for (int s = 0; s < w->size[1]; s++)
            for (int c = 0; c < in->shape.c; c++) {
                int row = y * w->stride[0] + r * w->dilation[0] - w->before[0];
                int column = x * w->stride[1] + s * w->dilation[1] - w->before[1];
                if (row < 0 || row >= in->shape.h || column < 0 || column >= in->shape.w)
                    continue;
                double weight =
                    kernel[((r * w->size[1] + s) * in->shape.c + c) * layer->shape.c + k];
                double term = weight * in->value[at(in->shape, i, c, row, column)];
                *sum += term;
                *magnitude += fabs(term);
            }
}

static double max_pool(const meso_layer *layer, const reference_tensor *in, size_t i, int c, int y,
                       int x)
{
    const meso_window *w = &layer->set.max_pool.window;
    double largest = -INFINITY;
    for (int r = 0; r < w->size[0]; r++)
        for (int s = 0; s < w->size[1]; s++) {
            int row = y * w->stride[0] + r - w->before[0];
            int column = x * w->stride[1] + s - w->before[1];
            if (row < 0 || row >= in->shape.h || column < 0 || column >= in->shape.w)
                continue;
            largest = fmax(largest, in->value[at(in->shape, i, c, row, column)]);
        }
    return largest;
}

static void global_avg_pool(const reference_tensor *in, size_t i, int c, double *sum,
                            double *magnitude)
{
    double count = (double)in->shape.h * in->shape.w;
    for (int y = 0; y < in->shape.h; y++)
        for (int x = 0; x < in->shape.w; x++) {
            double v = in->value[at(in->shape, i, c, y, x)];
            *sum += v / count;
            *magnitude += fabs(v) / count;
        }
}

static void dense(const reference_tensor *in, const float *kernel, int units, size_t i, int u,
                  double *sum, double *magnitude)
{
    for (int c = 0; c < in->shape.c; c++) {
        double term = in->value[at(in->shape, i, c, 0, 0)] * kernel[c * units + u];
        *sum += term;
        *magnitude += fabs(term);
    }
}

static double softmax(const reference_tensor *in, size_t i, int c)
{
    double sum = 0;
    for (int k = 0; k < in->shape.c; k++)
        sum += exp(in->value[at(in->shape, i, k, 0, 0)] - in->value[at(in->shape, i, c, 0, 0)]);
    return 1 / sum;
}

/* Which input channel c of a concatenation comes from, and its place there. */
static double concat(const reference_tensor *inputs, size_t i, int c, int y, int x)
{
    while (c >= inputs->shape.c) {
        c -= inputs->shape.c;
        inputs++;
    }
    return inputs->value[at(inputs->shape, i, c, y, x)];
}

/* Element `c` of a flattened picture: height, width, channel, channel fastest. */
static double flatten(const reference_tensor *in, size_t i, int c)
{
    int channels = in->shape.c, width = in->shape.w;
    return in->value[at(in->shape, i, c % channels, c / channels / width, c / channels % width)];
}

/* One output value and its magnitude. */
static void compute(const meso_layer *layer, const reference_tensor *in, const float *const *p,
                    size_t i, int c, int y, int x, double *value, double *magnitude)
{
    const meso_op *op = layer->op;
    double v = op == &meso_op_concat || op == &meso_op_conv || op == &meso_op_max_pool ||
                       op == &meso_op_flatten || op == &meso_op_dense ||
                       op == &meso_op_global_avg_pool
                   ? 0
                   : in->value[at(in->shape, i, c, y, x)];
    *value = *magnitude = 0;
    if (op == &meso_op_conv) {
        conv(layer, in, p[0], i, c, y, x, value, magnitude);
    } else if (op == &meso_op_dense) {
        dense(in, p[0], layer->shape.c, i, c, value, magnitude);
    } else if (op == &meso_op_global_avg_pool) {
        global_avg_pool(in, i, c, value, magnitude);
    } else if (op == &meso_op_batch_norm) {
        double scale = p[0][c] / sqrt((double)p[3][c] + layer->set.batch_norm.epsilon);
        *value = scale * (v - p[2][c]) + p[1][c];
        *magnitude = fabs(scale) * (fabs(v) + fabs((double)p[2][c])) + fabs((double)p[1][c]);
    } else if (op == &meso_op_bias) {
        *value = v + p[0][c];
        *magnitude = fabs(v) + fabs((double)p[0][c]);
    } else {
        if (op == &meso_op_relu)
            *value = fmin(fmax(v, 0), layer->set.relu.cap);
        else if (op == &meso_op_leaky_relu)
            *value = v < 0 ? layer->set.leaky_relu.slope * v : v;
        else if (op == &meso_op_elu)
            *value = v < 0 ? layer->set.elu.alpha * expm1(v) : v;
        else if (op == &meso_op_sigmoid)
            *value = 1 / (1 + exp(-v));
        else if (op == &meso_op_softmax)
            *value = softmax(in, i, c);
        else if (op == &meso_op_max_pool)
            *value = max_pool(layer, in, i, c, y, x);
        else if (op == &meso_op_concat)
            *value = concat(in, i, c, y, x);
        else if (op == &meso_op_flatten)
            *value = flatten(in, i, c);
        else /* dropout */
            *value = v;
        *magnitude = fabs(*value);
    }
}

void reference_op(const meso_layer *layer, const reference_tensor *inputs,
                  const float *const *params, size_t n, reference_tensor *out)
{
    meso_shape s = layer->shape;
    *out = reference_tensor_new(s, n);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < s.c; c++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++) {
                    size_t k = at(s, i, c, y, x);
                    compute(layer, inputs, params, i, c, y, x, &out->value[k], &out->magnitude[k]);
                }
}

/* [n][height][width][channels] → [n][channels][height][width] */
static reference_tensor load(meso_shape s, const double *input, size_t n)
{
    reference_tensor t = reference_tensor_new(s, n);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < s.c; c++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++)
                    t.value[at(s, i, c, y, x)] =
                        input[((i * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x) *
                                  (size_t)s.c +
                              (size_t)c];
    return t;
}

void reference_net(const meso_net *net, const float *const *params, const double *input, size_t n,
                   size_t last, reference_tensor *out)
{
    reference_tensor *tensors = calloc(net->n_layers, sizeof *tensors);
    tensors[0] = load(net->layers[0].shape, input, n);
    for (size_t i = 1; i <= last; i++) {
        const meso_layer *layer = &net->layers[i];
        reference_tensor inputs[MESO_MAX_INPUTS];
        for (size_t k = 0; k < layer->n_inputs; k++)
            inputs[k] = tensors[layer->inputs[k]];
        reference_op(layer, inputs, params + layer->first_param, n, &tensors[i]);
    }
    *out = tensors[last];
    for (size_t i = 0; i < last; i++)
        reference_tensor_free(&tensors[i]);
    free(tensors);
}

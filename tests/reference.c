/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference_activation.h"

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

/* An output value, and what it is made of. */
typedef struct point {
    const meso_layer *layer;
    const reference_tensor *in;
    const float *const *params;
    size_t i;
    int c, y, x;
    double magnitude; /* set by those whose terms are not just the value */
} point;

/* The input at the same place. */
static double input(const point *p)
{
    return p->in->value[at(p->in->shape, p->i, p->c, p->y, p->x)];
}

static double conv(point *p)
{
    const meso_window *w = &p->layer->set.conv.window;
    const meso_shape in = p->in->shape;
    double sum = 0;
    p->magnitude = 0;
    for (int r = 0; r < w->size[0]; r++)
        for (int s = 0; s < w->size[1]; s++)
            for (int c = 0; c < in.c; c++) {
                int row = p->y * w->stride[0] + r * w->dilation[0] - w->before[0];
                int column = p->x * w->stride[1] + s * w->dilation[1] - w->before[1];
                if (row < 0 || row >= in.h || column < 0 || column >= in.w)
                    continue;
                double weight =
                    p->params[0][((r * w->size[1] + s) * in.c + c) * p->layer->shape.c + p->c];
                double term = weight * p->in->value[at(in, p->i, c, row, column)];
                sum += term;
                p->magnitude += fabs(term);
            }
    return sum;
}

static double max_pool(point *p)
{
    const meso_window *w = &p->layer->set.max_pool.window;
    const meso_shape in = p->in->shape;
    double largest = -INFINITY;
    for (int r = 0; r < w->size[0]; r++)
        for (int s = 0; s < w->size[1]; s++) {
            int row = p->y * w->stride[0] + r - w->before[0];
            int column = p->x * w->stride[1] + s - w->before[1];
            if (row < 0 || row >= in.h || column < 0 || column >= in.w)
                continue;
            largest = fmax(largest, p->in->value[at(in, p->i, p->c, row, column)]);
        }
    return largest;
}

static double global_avg_pool(point *p)
{
    const meso_shape in = p->in->shape;
    const double count = (double)in.h * in.w;
    double mean = 0;
    p->magnitude = 0;
    for (int y = 0; y < in.h; y++)
        for (int x = 0; x < in.w; x++) {
            double v = p->in->value[at(in, p->i, p->c, y, x)];
            mean += v / count;
            p->magnitude += fabs(v) / count;
        }
    return mean;
}

static double dense(point *p)
{
    double sum = 0;
    p->magnitude = 0;
    for (int c = 0; c < p->in->shape.c; c++) {
        double weight = p->params[0][c * p->layer->shape.c + p->c];
        double term = weight * p->in->value[at(p->in->shape, p->i, c, 0, 0)];
        sum += term;
        p->magnitude += fabs(term);
    }
    return sum;
}

static double bias(point *p)
{
    p->magnitude = fabs(input(p)) + fabs((double)p->params[0][p->c]);
    return input(p) + p->params[0][p->c];
}

static double prelu(point *p)
{
    return input(p) < 0 ? p->params[0][p->c] * input(p) : input(p);
}

static double batch_norm(point *p)
{
    const double v = input(p), gamma = p->params[0][p->c], beta = p->params[1][p->c];
    const double mean = p->params[2][p->c], variance = p->params[3][p->c];
    const double scale = gamma / sqrt(variance + p->layer->set.batch_norm.epsilon);
    p->magnitude = fabs(scale) * (fabs(v) + fabs(mean)) + fabs(beta);
    return scale * (v - mean) + beta;
}

static double softmax(point *p)
{
    double sum = 0;
    for (int k = 0; k < p->in->shape.c; k++)
        sum += exp(p->in->value[at(p->in->shape, p->i, k, 0, 0)] - input(p));
    return 1 / sum;
}

/* Which input channel c of a concatenation comes from, and its place there. */
static double concat(point *p)
{
    const reference_tensor *in = p->in;
    int c = p->c;
    for (; c >= in->shape.c; in++)
        c -= in->shape.c;
    return in->value[at(in->shape, p->i, c, p->y, p->x)];
}

/* An element of a flattened picture: height, width, channel, channel fastest. */
static double flatten(point *p)
{
    const meso_shape in = p->in->shape;
    return p->in->value[at(in, p->i, p->c % in.c, p->c / in.c / in.w, p->c / in.c % in.w)];
}

/* At inference. */
static double dropout(point *p)
{
    return input(p);
}

static double activation(point *p)
{
    return reference_activation_of(p->layer->op)->value(&p->layer->set, input(p));
}

static const struct {
    const meso_op *op;
    double (*value)(point *p);
} rows[] = {
    {&meso_op_conv, conv},         {&meso_op_dense, dense},
    {&meso_op_bias, bias},         {&meso_op_batch_norm, batch_norm},
    {&meso_op_max_pool, max_pool}, {&meso_op_global_avg_pool, global_avg_pool},
    {&meso_op_concat, concat},     {&meso_op_flatten, flatten},
    {&meso_op_softmax, softmax},   {&meso_op_dropout, dropout},
    {&meso_op_prelu, prelu},
};

void reference_missing(const meso_op *op)
{
    fprintf(stderr, "op %s has no row in tests/reference*.c\n", op->name);
    abort();
}

void reference_op(const meso_layer *layer, const reference_tensor *inputs,
                  const float *const *params, size_t n, reference_tensor *out)
{
    const meso_shape s = layer->shape;
    double (*value)(point * p) = reference_activation_of(layer->op) ? activation : NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == layer->op)
            value = rows[i].value;
    if (!value)
        reference_missing(layer->op);
    *out = reference_tensor_new(s, n);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < s.c; c++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++) {
                    const size_t k = at(s, i, c, y, x);
                    point p = {layer, inputs, params, i, c, y, x, NAN};
                    out->value[k] = value(&p);
                    out->magnitude[k] = isnan(p.magnitude) ? fabs(out->value[k]) : p.magnitude;
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

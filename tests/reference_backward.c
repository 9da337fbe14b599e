/* SPDX-License-Identifier: Apache-2.0 */
#include "reference_backward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference_activation.h"

static size_t at(meso_shape s, size_t n, int c, int y, int x)
{
    return ((n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x;
}

static double identity(double v)
{
    return v;
}

/* Every (image, channel, row, column) of a shape; e counts elements. */
#define EACH_ELEMENT(s, n)                  \
    for (size_t e = 0, i = 0; i < (n); i++) \
        for (int c = 0; c < (s).c; c++)     \
            for (int y = 0; y < (s).h; y++) \
                for (int x = 0; x < (s).w; x++, e++)

/* Output columns [*begin, *end) whose tap s of a window lies inside the input's width. */
static void columns_inside(const meso_window *w, int s, int in_width, int out_width, int *begin,
                           int *end)
{
    *begin = 0;
    *end = out_width;
    while (*begin < *end && *begin * w->stride[1] + s * w->dilation[1] < w->before[1])
        ++*begin;
    while (*end > *begin &&
           (*end - 1) * w->stride[1] + s * w->dilation[1] - w->before[1] >= in_width)
        --*end;
}

/* All that a convolution does is walk over (image, channel, filter, tap, row): the visitor gets the
 * weight's position, where the row begins in input and output, and how many columns overlap. */
typedef struct conv_rows {
    const double *from, *weights, *to_read;
    double *to, *sum;
    double (*f)(double); /* identity, or fabs for magnitudes */
} conv_rows;
typedef void (*visit_row)(const conv_rows *c, size_t weight, size_t in, int stride, size_t out,
                          int n);

static void walk_conv(const meso_layer *layer, meso_shape in, size_t n, visit_row visit,
                      const conv_rows *rows)
{
    const meso_window *w = &layer->set.conv.window;
    const meso_shape out = layer->shape;
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < in.c; c++)
            for (int k = 0; k < out.c; k++)
                for (int tap = 0; tap < w->size[0] * w->size[1]; tap++) {
                    const int r = tap / w->size[1], s = tap % w->size[1];
                    int begin, end;
                    columns_inside(w, s, in.w, out.w, &begin, &end);
                    for (int y = 0; y < out.h && begin < end; y++) {
                        int row = y * w->stride[0] + r * w->dilation[0] - w->before[0];
                        int column = begin * w->stride[1] + s * w->dilation[1] - w->before[1];
                        if (row >= 0 && row < in.h)
                            visit(rows, (size_t)((tap * in.c + c) * out.c + k),
                                  at(in, i, c, row, column), w->stride[1], at(out, i, k, y, begin),
                                  end - begin);
                    }
                }
}

static void visit_forward(const conv_rows *c, size_t weight, size_t in, int stride, size_t out,
                          int n)
{
    const double w = c->weights[weight];
    for (int x = 0; x < n; x++)
        c->to[out + (size_t)x] += c->f(w * c->from[in + (size_t)(x * stride)]);
}

static void visit_data(const conv_rows *c, size_t weight, size_t in, int stride, size_t out, int n)
{
    const double w = c->f(c->weights[weight]);
    for (int x = 0; x < n; x++)
        c->to[in + (size_t)(x * stride)] += w * c->f(c->to_read[out + (size_t)x]);
}

static void visit_weights(const conv_rows *c, size_t weight, size_t in, int stride, size_t out,
                          int n)
{
    double sum = 0;
    for (int x = 0; x < n; x++)
        sum += c->f(c->from[in + (size_t)(x * stride)] * c->to_read[out + (size_t)x]);
    c->sum[weight] += sum;
}

void reference_moments(const reference_tensor *in, size_t n, int c, double *mean, double *variance)
{
    const meso_shape s = in->shape;
    const size_t plane = (size_t)s.h * (size_t)s.w;
    *mean = *variance = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < plane; p++)
            *mean += in->value[at(s, i, c, 0, 0) + p] / (double)(n * plane);
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < plane; p++) {
            const double d = in->value[at(s, i, c, 0, 0) + p] - *mean;
            *variance += d * d / (double)(n * plane);
        }
}

/* The statistics that batch norm normalises with: x̂ = (x − mean) · scale. */
static void norm_of(const reference_layer *l, const reference_tensor *in, int c, double *mean,
                    double *scale)
{
    double variance;
    reference_moments(in, l->n, c, mean, &variance);
    if (l->frozen) {
        *mean = l->params[2][c];
        variance = l->params[3][c];
    }
    *scale = 1 / sqrt(variance + l->layer->set.batch_norm.epsilon);
}

static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

int reference_keeps(uint64_t seed, uint64_t step, size_t layer, size_t image, size_t unit,
                    double rate)
{
    uint32_t h = mix((uint32_t)unit);
    h = mix((uint32_t)image ^ h);
    h = mix((uint32_t)layer ^ h);
    h = mix((uint32_t)step ^ h);
    h = mix((uint32_t)(seed >> 32) ^ h);
    h = mix((uint32_t)seed ^ h);
    return step == 0 || h >= rate * 0x1p32;
}

/* Inverted dropout's factor; units count as flatten does. */
static double dropout_factor(const reference_layer *l, size_t image, int c, int y, int x)
{
    const meso_shape s = l->layer->shape;
    const double rate = l->step == 0 ? 0 : l->layer->set.dropout.rate;
    const size_t unit = (size_t)((y * s.w + x) * s.c + c);
    return reference_keeps(l->seed, l->step, (size_t)(l->layer - l->net->layers), image, unit, rate)
               ? 1 / (1 - rate)
               : 0;
}

/* Σ of f of the terms that make up one output of the ops with parameters, and of dropout. */
static double forward_value(const reference_layer *l, const reference_tensor *in, size_t i, int c,
                            int y, int x, const double norm[2], double (*f)(double))
{
    const meso_op *op = l->layer->op;
    if (op == &meso_op_dense) {
        double sum = 0;
        for (int k = 0; k < in->shape.c; k++)
            sum +=
                f(in->value[at(in->shape, i, k, 0, 0)] * l->params[0][k * l->layer->shape.c + c]);
        return sum;
    }
    const double v = in->value[at(in->shape, i, c, y, x)];
    if (op == &meso_op_bias)
        return f(v) + f(l->params[0][c]);
    if (op == &meso_op_prelu)
        return f(v < 0 ? v * l->params[0][c] : v);
    if (op == &meso_op_batch_norm)
        return (f(v) + f(-1) * f(norm[0])) * norm[1] * f(l->params[0][c]) + f(l->params[1][c]);
    return f(v) * dropout_factor(l, i, c, y, x);
}

static void forward_values(const reference_layer *l, const reference_tensor *in,
                           double (*f)(double), double *to)
{
    const meso_shape s = l->layer->shape;
    double(*norms)[2] = calloc((size_t)s.c, sizeof *norms);
    for (int c = 0; c < s.c && l->layer->op == &meso_op_batch_norm; c++)
        norm_of(l, in, c, &norms[c][0], &norms[c][1]);
    EACH_ELEMENT (s, l->n)
        to[e] = forward_value(l, in, i, c, y, x, norms[c], f);
    free(norms);
}

void reference_train_forward(const reference_layer *l, const reference_tensor *inputs,
                             int with_magnitude, reference_tensor *out)
{
    static const meso_op *const own[] = {&meso_op_conv,       &meso_op_dense,   &meso_op_bias,
                                         &meso_op_batch_norm, &meso_op_dropout, &meso_op_prelu};
    double (*const fs[])(double) = {identity, fabs};
    int is_own = 0;
    for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
        is_own |= own[k] == l->layer->op;
    if (!is_own) {
        reference_op(l->layer, inputs, NULL, l->n, out);
        return;
    }
    *out = reference_tensor_new(l->layer->shape, l->n);
    for (int k = 0; k <= with_magnitude; k++) {
        double *to = k ? out->magnitude : out->value;
        conv_rows rows = {.from = inputs[0].value, .weights = l->params[0], .to = to, .f = fs[k]};
        if (l->layer->op == &meso_op_conv)
            walk_conv(l->layer, inputs[0].shape, l->n, visit_forward, &rows);
        else
            forward_values(l, inputs, fs[k], to);
    }
}

/* What backward_… functions work on. f is identity, or fabs: sums of absolute terms. */
typedef struct context {
    const reference_layer *l;
    const reference_tensor *in, *out, *d_out;
    double (*f)(double);
    double *d_in[MESO_MAX_INPUTS];
    double *d_params[MESO_MAX_PARAMS];
} context;

static void conv(const context *b)
{
    conv_rows rows = {.from = b->in->value,
                      .weights = b->l->params[0],
                      .to_read = b->d_out->value,
                      .to = b->d_in[0],
                      .sum = b->d_params[0],
                      .f = b->f};
    walk_conv(b->l->layer, b->in->shape, b->l->n, visit_data, &rows);
    walk_conv(b->l->layer, b->in->shape, b->l->n, visit_weights, &rows);
}

static void dense(const context *b)
{
    const size_t inputs = (size_t)b->in->shape.c, units = (size_t)b->l->layer->shape.c;
    for (size_t i = 0; i < b->l->n; i++)
        for (size_t k = 0; k < inputs; k++)
            for (size_t u = 0; u < units; u++) {
                const double d = b->d_out->value[i * units + u];
                b->d_in[0][i * inputs + k] += b->f(b->l->params[0][k * units + u] * d);
                b->d_params[0][k * units + u] += b->f(b->in->value[i * inputs + k] * d);
            }
}

static void bias(const context *b)
{
    EACH_ELEMENT (b->in->shape, b->l->n) {
        b->d_in[0][e] += b->f(b->d_out->value[e]);
        b->d_params[0][c] += b->f(b->d_out->value[e]);
    }
}

/* d_in = gamma · scale · (d − mean of d − x̂ · mean of d·x̂); the means vanish where the statistics
 * do not depend on the batch. For magnitudes each term counts for itself, and x̂ as |x| +
 * |mean|. */
static void batch_norm(const context *b)
{
    const meso_shape s = b->in->shape;
    const double count = (double)(b->l->n * (size_t)s.h * (size_t)s.w);
    const double sign = b->f(-1), trained = b->l->frozen ? 0 : 1;
    for (int c = 0; c < s.c; c++) {
        double mean, scale, sum = 0, product = 0;
        norm_of(b->l, b->in, c, &mean, &scale);
        for (int pass = 0; pass < 2; pass++)
            for (size_t i = 0; i < b->l->n; i++)
                for (size_t p = 0; p < (size_t)s.h * (size_t)s.w; p++) {
                    const size_t e = at(s, i, c, 0, 0) + p;
                    const double d = b->f(b->d_out->value[e]);
                    const double x = (b->f(b->in->value[e]) + sign * b->f(mean)) * scale;
                    if (pass == 0) {
                        sum += d;
                        product += d * x;
                    } else {
                        b->d_in[0][e] += b->f(b->l->params[0][c]) * scale *
                                         (d + trained * sign * (sum + x * product) / count);
                    }
                }
        b->d_params[0][c] = product;
        b->d_params[1][c] = sum;
    }
}

static void max_pool(const context *b)
{
    const meso_window *w = &b->l->layer->set.max_pool.window;
    const meso_shape in = b->in->shape;
    EACH_ELEMENT (b->l->layer->shape, b->l->n) {
        double largest = -INFINITY;
        size_t where = 0;
        for (int r = 0; r < w->size[0]; r++)
            for (int q = 0; q < w->size[1]; q++) {
                int row = y * w->stride[0] + r - w->before[0];
                int column = x * w->stride[1] + q - w->before[1];
                if (row < 0 || row >= in.h || column < 0 || column >= in.w ||
                    b->in->value[at(in, i, c, row, column)] <= largest)
                    continue;
                where = at(in, i, c, row, column);
                largest = b->in->value[where];
            }
        b->d_in[0][where] += b->f(b->d_out->value[e]);
    }
}

static void global_avg_pool(const context *b)
{
    const meso_shape s = b->in->shape;
    EACH_ELEMENT (s, b->l->n)
        b->d_in[0][e] += b->f(b->d_out->value[i * (size_t)s.c + (size_t)c]) / ((double)s.h * s.w);
}

static void concat(const context *b)
{
    int first = 0;
    for (size_t k = 0; k < b->l->layer->n_inputs; first += b->in[k++].shape.c)
        EACH_ELEMENT (b->in[k].shape, b->l->n)
            b->d_in[k][e] += b->f(b->d_out->value[at(b->d_out->shape, i, first + c, y, x)]);
}

static void flatten(const context *b)
{
    const meso_shape s = b->in->shape;
    EACH_ELEMENT (s, b->l->n)
        b->d_in[0][e] +=
            b->f(b->d_out->value[i * meso_shape_size(s) + (size_t)((y * s.w + x) * s.c + c)]);
}

static void softmax(const context *b)
{
    const size_t channels = (size_t)b->in->shape.c;
    for (size_t i = 0; i < b->l->n; i++) {
        const double *p = b->out->value + i * channels, *d = b->d_out->value + i * channels;
        double mean = 0;
        for (size_t c = 0; c < channels; c++)
            mean += b->f(p[c] * d[c]);
        for (size_t c = 0; c < channels; c++)
            b->d_in[0][i * channels + c] += p[c] * (b->f(d[c]) + b->f(-1) * mean);
    }
}

static void activation(const context *b)
{
    const meso_layer *layer = b->l->layer;
    const reference_activation *row = reference_activation_of(layer->op);
    EACH_ELEMENT (b->in->shape, b->l->n)
        b->d_in[0][e] +=
            b->f(b->d_out->value[e] * row->slope(&layer->set, b->in->value[e], b->out->value[e]));
}

static void prelu(const context *b)
{
    EACH_ELEMENT (b->in->shape, b->l->n) {
        const double in = b->in->value[e], d = b->d_out->value[e];
        b->d_in[0][e] += b->f(d * (in > 0 ? 1 : b->l->params[0][c]));
        b->d_params[0][c] += in > 0 ? 0 : b->f(in * d);
    }
}

static void dropout(const context *b)
{
    EACH_ELEMENT (b->in->shape, b->l->n)
        b->d_in[0][e] += b->f(b->d_out->value[e] * dropout_factor(b->l, i, c, y, x));
}

static const struct {
    const meso_op *op;
    void (*run)(const context *b);
} rows[] = {
    {&meso_op_conv, conv},         {&meso_op_dense, dense},
    {&meso_op_bias, bias},         {&meso_op_batch_norm, batch_norm},
    {&meso_op_max_pool, max_pool}, {&meso_op_global_avg_pool, global_avg_pool},
    {&meso_op_concat, concat},     {&meso_op_flatten, flatten},
    {&meso_op_softmax, softmax},   {&meso_op_dropout, dropout},
    {&meso_op_prelu, prelu},
};

void reference_backward(const reference_layer *l, const reference_tensor *inputs,
                        const reference_tensor *out, const reference_tensor *d_out,
                        int with_magnitude, reference_gradients *gradients)
{
    void (*run)(const context *) = reference_activation_of(l->layer->op) ? activation : NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == l->layer->op)
            run = rows[i].run;
    if (!run)
        reference_missing(l->layer->op);
    *gradients = (reference_gradients){0};
    context value = {l, inputs, out, d_out, identity, {NULL}, {NULL}}, magnitude = value;
    magnitude.f = fabs;
    for (size_t k = 0; k < l->layer->n_inputs; k++) {
        reference_tensor *d = &gradients->inputs[k];
        *d = reference_tensor_new(inputs[k].shape, l->n);
        value.d_in[k] = d->value;
        magnitude.d_in[k] = d->magnitude;
    }
    for (size_t k = 0; k < l->layer->n_params && k < 2; k++) { /* the rest are statistics */
        const size_t n = l->net->params[l->layer->first_param + k].n_values;
        value.d_params[k] = gradients->params[k] = calloc(n, sizeof(double));
        magnitude.d_params[k] = gradients->magnitude[k] = calloc(n, sizeof(double));
    }
    run(&value);
    if (with_magnitude)
        run(&magnitude);
}

void reference_gradients_free(reference_gradients *gradients)
{
    for (size_t k = 0; k < MESO_MAX_INPUTS; k++)
        reference_tensor_free(&gradients->inputs[k]);
    for (size_t k = 0; k < MESO_MAX_PARAMS; k++) {
        free(gradients->params[k]);
        free(gradients->magnitude[k]);
    }
}

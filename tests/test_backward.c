/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernels of training, op by op, against the double-precision reference, over what can go
 * wrong: sizes around the vectors' width, windows × strides × dilations × paddings, batches around
 * the group of 8, ties, negative gamma, gradients added to what another layer has written, a batch
 * done in two parts.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_layer.h"
#include "harness_tensor.h"
#include "net/op/op_table.h"
#include "net/train/train.h"

enum { text_size = 2048 };

static meso_device *device;

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

/* Everything on the device that one case needs. */
typedef struct bench {
    harness_tensor inputs[MESO_MAX_INPUTS], output, d_output, d_inputs[MESO_MAX_INPUTS];
    reference_tensor exact[MESO_MAX_INPUTS], d_out, begun[MESO_MAX_INPUTS];
    meso_buffer params[MESO_MAX_PARAMS], d_params[MESO_MAX_PARAMS], saved;
} bench;

static int halo_of(int (*halo)(const meso_layer *), const meso_layer *layer)
{
    return halo ? halo(layer) : 0;
}

static void make_bench(bench *b, const harness_layer *s, int extra, int add, meso_random *random)
{
    const meso_layer *layer = s->l.layer;
    const size_t n = s->l.n;
    const int pad = halo_of(layer->op->halo, layer) + extra;
    const int d_pad = halo_of(layer->op->backward_halo, layer) + extra;
    *b = (bench){0};
    for (size_t k = 0; k < layer->n_inputs; k++) {
        const meso_shape shape = s->net->layers[layer->inputs[k]].shape;
        b->inputs[k] = harness_tensor_random(device, shape, pad, n, random, &b->exact[k]);
        if (add)
            b->d_inputs[k] = harness_tensor_random(device, shape, 1, n, random, &b->begun[k]);
        else
            b->d_inputs[k] = harness_tensor_poisoned(device, shape, 1, n);
    }
    b->output = harness_tensor_poisoned(device, layer->shape, extra, n);
    b->d_output = harness_tensor_random(device, layer->shape, d_pad, n, random, &b->d_out);
    for (size_t k = 0; k < layer->n_params; k++) {
        const size_t n_values = s->net->params[layer->first_param + k].n_values;
        const size_t n_sums = meso_train_groups(n) * n_values;
        float *poison = harness_poison(n_sums);
        check(meso_buffer_create(device, n_values * sizeof(float), &b->params[k]));
        check(meso_buffer_write(device, &b->params[k], 0, s->params[k], n_values * sizeof(float)));
        check(meso_buffer_create(device, n_sums * sizeof(float), &b->d_params[k]));
        check(meso_buffer_write(device, &b->d_params[k], 0, poison, n_sums * sizeof(float)));
        free(poison);
    }
    if (layer->op->saved)
        check(meso_buffer_create(device, layer->op->saved(layer, n) * sizeof(float), &b->saved));
}

static void free_bench(bench *b, const meso_layer *layer)
{
    for (size_t k = 0; k < layer->n_inputs; k++) {
        harness_tensor_free(&b->inputs[k]);
        harness_tensor_free(&b->d_inputs[k]);
        reference_tensor_free(&b->exact[k]);
        reference_tensor_free(&b->begun[k]);
    }
    harness_tensor_free(&b->output);
    harness_tensor_free(&b->d_output);
    reference_tensor_free(&b->d_out);
    for (size_t k = 0; k < layer->n_params; k++) {
        meso_buffer_release(&b->params[k]);
        meso_buffer_release(&b->d_params[k]);
    }
    meso_buffer_release(&b->saved);
}

static meso_tensor_view view_of(const harness_tensor *t, size_t first)
{
    meso_tensor_view view = t->view;
    view.buffer = &t->buffer;
    view.first = (int)first;
    return view;
}

static meso_train_step step_of(const bench *b, const harness_layer *s, size_t first, size_t n,
                               int add)
{
    const meso_layer *layer = s->l.layer;
    meso_train_step t = {.step = {.net = s->net, .layer = layer, .n = n},
                         .first = first,
                         .batch = s->l.n,
                         .saved = &b->saved,
                         .frozen = s->l.frozen,
                         .seed = s->l.seed,
                         .step_number = s->l.step,
                         .momentum = 0.01};
    t.step.output = view_of(&b->output, first);
    t.d_output = view_of(&b->d_output, first);
    for (size_t k = 0; k < layer->n_inputs; k++) {
        t.step.inputs[k] = view_of(&b->inputs[k], first);
        t.d_inputs[k] = layer->op->in_place ? t.d_output : view_of(&b->d_inputs[k], first);
        t.add[k] = add;
    }
    for (size_t k = 0; k < layer->n_params; k++) {
        t.step.params[k] = &b->params[k];
        t.d_params[k] = s->l.frozen ? NULL : &b->d_params[k];
    }
    return t;
}

/* A part for the images of a batch, in two goes where there is more than one. */
static void run_part(meso_train_part part, const bench *b, const harness_layer *s, int once,
                     int add)
{
    const size_t n = s->l.n, half = once ? 0 : n / 3;
    if (!part)
        return;
    for (size_t first = 0; first < n; first = first == 0 && half > 0 ? half : n) {
        meso_train_step t = step_of(b, s, first, first == 0 && half > 0 ? half : n - first, add);
        check(part(device, &t));
    }
}

static void run_parts(const meso_train_parts *parts, const bench *b, const harness_layer *s,
                      int add)
{
    run_part(parts->measure, b, s, 0, add);
    run_part(parts->combine, b, s, 1, add);
    run_part(parts->apply, b, s, 0, add);
}

static void compare_param(const bench *b, const harness_layer *s, size_t k,
                          const reference_gradients *g, double bound, const char *text)
{
    const size_t n_values = s->net->params[s->l.layer->first_param + k].n_values;
    const size_t n_groups = meso_train_groups(s->l.n);
    float *sums = harness_poison(n_groups * n_values);
    check(meso_buffer_read(device, &b->d_params[k], 0, sums, n_groups * n_values * sizeof *sums));
    for (size_t i = 0; i < n_values; i++) {
        double sum = 0;
        for (size_t group = 0; group < n_groups; group++)
            sum += sums[group * n_values + i];
        harness_close(sum, g->params[k][i], bound * FLT_EPSILON * g->magnitude[k][i] + FLT_MIN,
                      "%s: gradient %zu of parameter %zu", text, i, k);
    }
    free(sums);
}

/* Forward and backward of one case within k · eps · Σ|terms|. Returns 0 where the window does not
 * fit. */
static int try_kernels(const char *text, size_t n, int frozen, double k)
{
    static uint64_t seed = 1;
    meso_random random = {seed++};
    harness_layer s;
    bench b;
    reference_tensor out;
    reference_gradients g;
    if (!harness_layer_open(&s, text, n, frozen, &random))
        return 0;
    const meso_layer *layer = s.l.layer;
    const int add = !layer->op->in_place && seed % 2;
    make_bench(&b, &s, (int)(seed % 3 == 0), add, &random);
    reference_train_forward(&s.l, b.exact, 1, &out);
    if (layer->op->train.apply)
        run_parts(&layer->op->train, &b, &s, add);
    else
        check(layer->op->forward(
            device, &(meso_step){.net = s.net,
                                 .layer = layer,
                                 .n = n,
                                 .inputs = {view_of(&b.inputs[0], 0), view_of(&b.inputs[1], 0),
                                            view_of(&b.inputs[2], 0), view_of(&b.inputs[3], 0)},
                                 .output = view_of(&b.output, 0),
                                 .params = {&b.params[0]}}));
    harness_tensor_compare(device, &b.output, &out, n, k, text);
    reference_backward(&s.l, b.exact, &out, &b.d_out, 1, &g);
    run_parts(&layer->op->backward, &b, &s, add);
    for (size_t i = 0; i < layer->n_inputs; i++) {
        for (size_t e = 0; e < n * meso_shape_size(g.inputs[i].shape) && add; e++) {
            g.inputs[i].value[e] += b.begun[i].value[e];
            g.inputs[i].magnitude[e] += fabs(b.begun[i].value[e]);
        }
        harness_tensor_compare(device, layer->op->in_place ? &b.d_output : &b.d_inputs[i],
                               &g.inputs[i], n, k, text);
    }
    for (size_t i = 0; i < layer->n_params && i < 2 && !frozen; i++)
        compare_param(&b, &s, i, &g, k, text);
    reference_gradients_free(&g);
    reference_tensor_free(&out);
    free_bench(&b, layer);
    harness_layer_close(&s);
    return 1;
}

static const int sizes[][2] = {{1, 1}, {1, 64}, {2, 31}, {33, 3}, {7, 13}, {18, 17}};
static const size_t batches[] = {1, 2, 5, 13};
static const char *const windows[] = {"1x1", "3x3", "5x5", "2x3", "7x1"};
static const char *const strides[] = {"1", "2", "2x3"};
static const char *const dilations[] = {"1", "2", "3x1"};
static const char *const pads[] = {"same", "valid", "1", "3x2"};
#define EACH(i, array) for (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static void conv_cases(void)
{
    char text[text_size];
    int ran = 0;
    size_t turn = 0;
    EACH (s, sizes)
        EACH (w, windows)
            EACH (t, strides)
                EACH (d, dilations)
                    EACH (p, pads) {
                        snprintf(text, sizeof text,
                                 "i = input height=%d width=%d channels=%zu divide=1\n"
                                 "c = conv i filters=%zu window=%s stride=%s dilation=%s pad=%s\n",
                                 sizes[s][0], sizes[s][1], 1 + turn % 3, 1 + turn % 6, windows[w],
                                 strides[t], dilations[d], pads[p]);
                        ran += try_kernels(text, batches[turn % 4], 0, 8);
                        turn++;
                    }
    if (ran < 800)
        fail_msg("only %d of %zu cases fit", ran, turn);
}

static void max_pool_cases(void)
{
    char text[text_size];
    int ran = 0;
    size_t turn = 0;
    EACH (s, sizes)
        EACH (w, windows)
            EACH (t, strides)
                EACH (p, pads) {
                    snprintf(text, sizeof text,
                             "i = input height=%d width=%d channels=%zu divide=1\n"
                             "m = max_pool i window=%s stride=%s pad=%s\n",
                             sizes[s][0], sizes[s][1], 1 + turn % 3, windows[w], strides[t],
                             pads[p]);
                    ran += try_kernels(text, batches[turn % 4], 0, 4);
                    turn++;
                }
    if (ran < 150)
        fail_msg("only %d of %zu cases fit", ran, turn);
}

/* Op lines on pictures of every size; the input is called i. */
static void picture_cases(const char *op, int frozen, double k)
{
    char text[text_size];
    EACH (s, sizes)
        EACH (b, batches) {
            snprintf(text, sizeof text, "i = input height=%d width=%d channels=%zu divide=1\n%s\n",
                     sizes[s][0], sizes[s][1], 1 + 3 * b, op);
            assert_int_equal(try_kernels(text, batches[b], frozen, k), 1);
        }
}

static void vector_cases(const char *op, double k)
{
    static const int lengths[] = {1, 2, 15, 17, 64, 1024};
    char text[text_size];
    EACH (s, lengths)
        EACH (b, batches) {
            snprintf(text, sizeof text, "i = input height=1 width=1 channels=%d divide=1\n%s\n",
                     lengths[s], op);
            assert_int_equal(try_kernels(text, batches[b], 0, k), 1);
        }
}

static void bias_cases(void)
{
    picture_cases("b = bias i", 0, 4);
}
static void relu_cases(void)
{
    picture_cases("r = relu i", 0, 1);
    picture_cases("r = relu i cap=0.25", 0, 1);
}
static void leaky_relu_cases(void)
{
    picture_cases("r = leaky_relu i slope=0.1", 0, 1);
    picture_cases("r = leaky_relu i slope=-0.5", 0, 1);
}
static void elu_cases(void)
{
    picture_cases("e = elu i alpha=1", 0, 4);
    picture_cases("e = elu i alpha=0.3", 0, 4);
}
static void sigmoid_cases(void)
{
    picture_cases("s = sigmoid i", 0, 8);
}
/* The variance of few values close together is small, and x − mean loses digits: k covers them. */
static void batch_norm_cases(void)
{
    picture_cases("b = batch_norm i epsilon=0.001", 0, 16);
    picture_cases("b = batch_norm i epsilon=0.001", 1, 4);
}
static void concat_cases(void)
{
    picture_cases("a = conv i filters=3 window=1 stride=1 dilation=1 pad=same\n"
                  "b = conv i filters=1 window=1 stride=1 dilation=1 pad=same\n"
                  "c = concat a i b a",
                  0, 1);
    picture_cases("c = concat i", 0, 1);
}
static void flatten_cases(void)
{
    picture_cases("f = flatten i", 0, 1);
}
static void global_avg_pool_cases(void)
{
    picture_cases("g = global_avg_pool i", 0, 4);
}
static void dropout_cases(void)
{
    picture_cases("d = dropout i rate=0.5", 0, 2);
    picture_cases("d = dropout i rate=0.1", 0, 2);
    picture_cases("d = dropout i rate=0", 0, 2);
}
static void dense_cases(void)
{
    vector_cases("d = dense i units=1", 8);
    vector_cases("d = dense i units=16", 8);
    vector_cases("d = dense i units=67", 8);
}
static void softmax_cases(void)
{
    vector_cases("s = softmax i", 64);
}

static const struct {
    const meso_op *op;
    void (*run)(void);
} rows[] = {
    {&meso_op_conv, conv_cases},         {&meso_op_bias, bias_cases},
    {&meso_op_relu, relu_cases},         {&meso_op_leaky_relu, leaky_relu_cases},
    {&meso_op_elu, elu_cases},           {&meso_op_batch_norm, batch_norm_cases},
    {&meso_op_max_pool, max_pool_cases}, {&meso_op_concat, concat_cases},
    {&meso_op_flatten, flatten_cases},   {&meso_op_global_avg_pool, global_avg_pool_cases},
    {&meso_op_dense, dense_cases},       {&meso_op_sigmoid, sigmoid_cases},
    {&meso_op_softmax, softmax_cases},   {&meso_op_dropout, dropout_cases},
};

enum { n_rows = sizeof rows / sizeof rows[0] };

static void test_op(void **state)
{
    const size_t row = (size_t)(uintptr_t)*state;
    device = harness_device();
    rows[row].run();
    meso_device_close(device);
}

static void test_every_op_has_cases(void **state)
{
    (void)state;
    for (size_t i = 0; meso_op_at(i); i++) {
        int found = meso_op_at(i) == &meso_op_input; /* nothing comes before it */
        EACH (r, rows)
            found |= rows[r].op == meso_op_at(i);
        if (!found || (!meso_op_at(i)->backward.apply && meso_op_at(i) != &meso_op_input))
            fail_msg("op %s has no backward, or no test of it", meso_op_at(i)->name);
    }
}

int main(void)
{
    struct CMUnitTest tests[n_rows + 1] = {cmocka_unit_test(test_every_op_has_cases)};
    for (size_t i = 0; i < n_rows; i++)
        tests[i + 1] = (struct CMUnitTest){
            .name = rows[i].op->name, .test_func = test_op, .initial_state = (void *)(uintptr_t)i};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

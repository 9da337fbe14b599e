/* SPDX-License-Identifier: Apache-2.0
 *
 * Every op's plain kernel against the double-precision reference, over the cross of what can go
 * wrong: sizes around the work-group, primes, windows × strides × dilations × paddings, batches,
 * ties, negative gamma. Buffers are poisoned with NaN, so that reading where nothing was written
 * shows; what lies around an output must stay untouched.
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

enum { text_size = 2048 };

static meso_device *device;

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

/* The last layer of a net text on n images of random values, with `extra` more pad than it needs.
 * Returns 0 where the text is refused because the window does not fit. */
static int try_case(const char *text, size_t n, int extra, double k)
{
    meso_net *net = NULL;
    meso_error error;
    static uint64_t seed = 1;
    meso_random random = {seed++};
    if (meso_net_parse(text, "case", &net, &error) != MESO_OK) {
        if (!strstr(error.text, "does not fit") && !strstr(error.text, "smaller than the window"))
            fail_msg("%s\n%s", text, error.text);
        return 0;
    }
    const meso_layer *layer = &net->layers[net->n_layers - 1];
    const int pad = (layer->op->halo ? layer->op->halo(layer) : 0) + extra;
    meso_step step = {.net = net, .layer = layer, .n = n};
    harness_tensor inputs[MESO_MAX_INPUTS];
    reference_tensor exact[MESO_MAX_INPUTS], expected;
    meso_buffer buffers[MESO_MAX_PARAMS];
    float *params[MESO_MAX_PARAMS];
    for (size_t i = 0; i < layer->n_inputs; i++) {
        inputs[i] = harness_tensor_random(device, net->layers[layer->inputs[i]].shape, pad, n,
                                          &random, &exact[i]);
        step.inputs[i] = inputs[i].view;
        step.inputs[i].buffer = &inputs[i].buffer;
    }
    for (size_t i = 0; i < layer->n_params; i++) {
        const meso_param *param = &net->params[layer->first_param + i];
        params[i] = harness_param(param, &random);
        check(meso_buffer_create(device, param->n_values * sizeof(float), &buffers[i]));
        check(
            meso_buffer_write(device, &buffers[i], 0, params[i], param->n_values * sizeof(float)));
        step.params[i] = &buffers[i];
    }
    harness_tensor out = harness_tensor_poisoned(device, layer->shape, extra, n);
    step.output = out.view;
    step.output.buffer = &out.buffer;
    reference_op(layer, exact, (const float *const *)params, n, &expected);
    check(layer->op->forward(device, &step));
    harness_tensor_compare(device, &out, &expected, n, k, text);

    reference_tensor_free(&expected);
    harness_tensor_free(&out);
    for (size_t i = 0; i < layer->n_params; i++) {
        meso_buffer_release(&buffers[i]);
        free(params[i]);
    }
    for (size_t i = 0; i < layer->n_inputs; i++) {
        harness_tensor_free(&inputs[i]);
        reference_tensor_free(&exact[i]);
    }
    meso_net_close(net);
    return 1;
}

/* Heights and widths: one, below, at and above the work-group's 64, and primes. */
static const int sizes[][2] = {{1, 1}, {1, 64}, {2, 63}, {65, 3}, {7, 13}, {16, 17}};
static const size_t batches[] = {1, 2, 5};
static const char *const windows[] = {"1x1", "3x3", "5x5", "2x3", "7x1"};
static const char *const strides[] = {"1", "2", "2x3"};
static const char *const dilations[] = {"1", "2", "3x1"};
static const char *const pads[] = {"same", "valid", "1", "3x2"};
#define EACH(i, array) for (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

/* A sum of products in float: k = 4 covers what different orders of the sum lose at these sizes. */
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
                                 sizes[s][0], sizes[s][1], 1 + turn % 3, 1 + turn % 4, windows[w],
                                 strides[t], dilations[d], pads[p]);
                        ran += try_case(text, batches[turn % 3], (int)(turn % 2), 4);
                        turn++;
                    }
    if (ran < 800)
        fail_msg("only %d of %zu cases fit", ran, turn);
}

/* Maxima are exact. */
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
                    ran += try_case(text, batches[turn % 3], (int)(turn % 2), 0);
                    turn++;
                }
    if (ran < 150)
        fail_msg("only %d of %zu cases fit", ran, turn);
}

/* Op lines on pictures of every size; the input is called i. */
static void picture_cases(const char *op, double k)
{
    char text[text_size];
    EACH (s, sizes)
        EACH (b, batches) {
            snprintf(text, sizeof text, "i = input height=%d width=%d channels=%zu divide=1\n%s\n",
                     sizes[s][0], sizes[s][1], 1 + 3 * b, op);
            assert_int_equal(try_case(text, batches[b], (int)b, k), 1);
        }
}

/* The same on vectors. */
static void vector_cases(const char *op, double k)
{
    static const int lengths[] = {1, 2, 63, 64, 65, 1024};
    char text[text_size];
    EACH (s, lengths)
        EACH (b, batches) {
            snprintf(text, sizeof text, "i = input height=1 width=1 channels=%d divide=1\n%s\n",
                     lengths[s], op);
            assert_int_equal(try_case(text, batches[b], (int)b, k), 1);
        }
}

/* Elementary functions: OpenCL 1.2 allows exp and expm1 3 ulp, a division 2.5 ulp. */
static void bias_cases(void)
{
    picture_cases("b = bias i", 1);
}
static void relu_cases(void)
{
    picture_cases("r = relu i", 0);
    picture_cases("r = relu i cap=0.25", 0);
}
static void leaky_relu_cases(void)
{
    picture_cases("r = leaky_relu i slope=0.1", 1);
}
static void elu_cases(void)
{
    picture_cases("e = elu i alpha=1", 4);
    picture_cases("e = elu i alpha=0.3", 4);
}
static void batch_norm_cases(void)
{
    picture_cases("b = batch_norm i epsilon=0.001", 4);
}
static void sigmoid_cases(void)
{
    picture_cases("s = sigmoid i", 4);
    vector_cases("s = sigmoid i", 4);
}
static void flatten_cases(void)
{
    picture_cases("f = flatten i", 0);
}
static void concat_cases(void)
{
    picture_cases("a = conv i filters=3 window=1 stride=1 dilation=1 pad=same\n"
                  "b = conv i filters=1 window=1 stride=1 dilation=1 pad=same\n"
                  "c = concat a i b a",
                  0);
    picture_cases("c = concat i", 0);
}
static void global_avg_pool_cases(void)
{
    picture_cases("g = global_avg_pool i", 4);
}
static void dense_cases(void)
{
    vector_cases("d = dense i units=1", 4);
    vector_cases("d = dense i units=16", 4);
    vector_cases("d = dense i units=67", 4);
}
/* A sum of up to 1024 positive terms, one after the other, drifts by some 17 eps here. */
static void softmax_cases(void)
{
    vector_cases("s = softmax i", 64);
}

/* One row for each op of the table that has kernels. */
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
    {&meso_op_softmax, softmax_cases},
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
        int found = !meso_op_at(i)->forward; /* input and dropout have no kernel of their own */
        EACH (r, rows)
            found |= rows[r].op == meso_op_at(i);
        if (!found)
            fail_msg("op %s has no test", meso_op_at(i)->name);
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

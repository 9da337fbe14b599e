/* SPDX-License-Identifier: Apache-2.0
 *
 * Bias and ReLU that a convolution computes in training before it stores anything, and their
 * backward in one go, against the separate kernels: the same to the bit, whatever is beside the
 * values too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_tensor.h"
#include "net/op/op.h"
#include "net/train/train.h"
#include "net/train/train_plan.h"

enum { text_size = 512, conv = 1, bias, relu }; /* layers of a case */

static meso_device *device;
static size_t items; /* of a work-group on the parallel path; 0: the plain one */

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

static meso_net *parse(const char *text)
{
    meso_net *net = NULL;
    meso_error error;
    if (meso_net_parse(text, "case", &net, &error) != MESO_OK)
        fail_msg("%s\n%s", text, error.text);
    return net;
}

static meso_buffer make_buffer(const float *values, size_t n)
{
    meso_buffer buffer;
    check(meso_buffer_create_filled(device, values, n * sizeof *values, &buffer));
    return buffer;
}

static void expect_same(const meso_buffer *a, const meso_buffer *b, size_t n, const char *what,
                        const char *text)
{
    float *got = harness_poison(n), *expected = harness_poison(n);
    check(meso_buffer_read(device, a, 0, got, n * sizeof *got));
    check(meso_buffer_read(device, b, 0, expected, n * sizeof *got));
    if (memcmp(got, expected, n * sizeof *got) != 0)
        fail_msg("%s: %s differs", text, what);
    free(got);
    free(expected);
}

static meso_tensor_view view_of(const harness_tensor *t)
{
    meso_tensor_view view = t->view;
    view.buffer = &t->buffer;
    return view;
}

/* [0]: together, [1]: one after the other. */
typedef struct bench {
    meso_net *net;
    size_t n;
    harness_tensor in, out[2], d[2];
    meso_buffer kernel, bias, sums[2];
} bench;

static bench open_bench(const char *text, size_t n, uint64_t seed)
{
    meso_random random = {seed};
    bench b = {.net = parse(text), .n = n};
    const meso_shape from = b.net->layers[0].shape, to = b.net->layers[conv].shape;
    const meso_param *kernel = &b.net->params[b.net->layers[conv].first_param];
    const size_t n_sums =
        meso_train_groups(n, items) * meso_train_bands(&b.net->layers[conv], items) * (size_t)to.c;
    float *values = harness_poison(kernel->n_values + (size_t)to.c);
    float *poison = harness_poison(n_sums);
    reference_tensor exact;
    harness_fill(&random, values, kernel->n_values + (size_t)to.c);
    b.kernel = make_buffer(values, kernel->n_values);
    b.bias = make_buffer(values + kernel->n_values, (size_t)to.c);
    b.in = harness_tensor_random(device, from, meso_op_conv.halo(&b.net->layers[conv]), n, &random,
                                 &exact);
    reference_tensor_free(&exact);
    for (int i = 0; i < 2; i++) {
        meso_random same = {seed + 1000};
        b.out[i] = harness_tensor_poisoned(device, to, 1, n);
        b.d[i] = harness_tensor_random(device, to, 2, n, &same, &exact);
        b.sums[i] = make_buffer(poison, n_sums);
        reference_tensor_free(&exact);
    }
    free(values);
    free(poison);
    return b;
}

static void close_bench(bench *b)
{
    harness_tensor_free(&b->in);
    for (int i = 0; i < 2; i++) {
        harness_tensor_free(&b->out[i]);
        harness_tensor_free(&b->d[i]);
        meso_buffer_release(&b->sums[i]);
    }
    meso_buffer_release(&b->kernel);
    meso_buffer_release(&b->bias);
    meso_net_close(b->net);
}

/* Bias and ReLU are in place. */
static meso_train_step step_of(const bench *b, int layer, int i)
{
    const meso_tensor_view out = view_of(&b->out[i]), d = view_of(&b->d[i]);
    return (meso_train_step){.step = {.net = b->net,
                                      .layer = &b->net->layers[layer],
                                      .n = b->n,
                                      .inputs = {layer == conv ? view_of(&b->in) : out},
                                      .output = out,
                                      .params = {layer == conv ? &b->kernel : &b->bias}},
                             .batch = b->n,
                             .items = items,
                             .d_output = d,
                             .d_inputs = {d},
                             .d_params = {&b->sums[i]}};
}

static void try_case(const char *text, size_t n, uint64_t seed)
{
    bench b = open_bench(text, n, seed);
    const int with_relu = b.net->n_layers > relu;
    meso_train_step together = step_of(&b, conv, 0), bias_0 = step_of(&b, bias, 0),
                    relu_0 = step_of(&b, with_relu ? relu : bias, 0);
    together.next = &bias_0;
    bias_0.next = with_relu ? &relu_0 : NULL;
    check(meso_op_conv.train.apply(device, &together));
    for (int i = conv; i < (int)b.net->n_layers; i++) {
        const meso_train_step step = step_of(&b, i, 1);
        check(step.step.layer->op->train.apply(device, &step));
    }
    expect_same(&b.out[0].buffer, &b.out[1].buffer, b.out[0].n_floats, "the output", text);
    if (with_relu) {
        const meso_train_step bias_1 = step_of(&b, bias, 1), relu_1 = step_of(&b, relu, 1);
        check(meso_fused_pair_of(&b.net->layers[bias], &b.net->layers[relu])
                  ->backward.apply(device, &bias_0));
        check(meso_op_relu.backward.apply(device, &relu_1));
        check(meso_op_bias.backward.apply(device, &bias_1));
        expect_same(&b.d[0].buffer, &b.d[1].buffer, b.d[0].n_floats, "the gradient", text);
        expect_same(&b.sums[0], &b.sums[1],
                    meso_train_groups(n, items) * meso_train_bands(&b.net->layers[conv], items) *
                        (size_t)b.net->layers[conv].shape.c,
                    "the bias's", text);
    }
    close_bench(&b);
}

static void try_cases(void)
{
    static const int sizes[][2] = {{1, 1}, {2, 31}, {7, 13}, {18, 17}, {5, 66}};
    static const char *const windows[] = {"1", "3", "5", "2x3"}, *const rest[] = {
                                                                     "", "r = relu b\n",
                                                                     "r = relu b cap=0.25\n"};
    static const size_t batches[] = {1, 5, 13};
    uint64_t turn = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++, turn++)
            for (size_t r = 0; r < sizeof rest / sizeof rest[0]; r++) {
                char text[text_size];
                snprintf(text, sizeof text,
                         "i = input height=%d width=%d channels=3 divide=1\n"
                         "c = conv i filters=%d window=%s stride=1 dilation=1 pad=same\n"
                         "b = bias c\n%s",
                         sizes[s][0], sizes[s][1], 1 + (int)(turn % 6), windows[w], rest[r]);
                try_case(text, batches[(turn + r) % 3], turn + 1);
            }
}

static void test_same_as_apart(void **state)
{
    (void)state;
    device = harness_device();
    items = 0;
    try_cases();
    check(meso_device_fit_groups(device, MESO_PROGRAM_PARALLEL, &items));
    try_cases();
    meso_device_close(device);
}

/* Only what writes over the convolution's output goes with it. */
static void test_who_goes_together(void **state)
{
    static const struct {
        const char *stride, *rest;
        int bias, relu;
    } rows[] = {{"1", "b = bias c\nr = relu b\np = max_pool r window=2 stride=2 pad=same\n", 1, 1},
                {"1", "b = bias c\nr = relu b cap=6\n", 1, 1},
                {"2", "b = bias c\nr = relu b\n", 0, 0},
                {"1", "b = bias c\nr = leaky_relu b slope=0.1\n", 1, 0},
                {"1", "b = bias c\nr = relu c\no = concat b r\n", 0, 0},
                {"1", "b = bias c\nr = relu b\no = concat b r\n", 1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const unsigned char frozen[MESO_MAX_LAYERS] = {0};
        static meso_train_plan plan;
        char text[text_size];
        snprintf(text, sizeof text,
                 "i = input height=8 width=8 channels=3 divide=1\n"
                 "c = conv i filters=4 window=3 stride=%s dilation=1 pad=same\n%s",
                 rows[i].stride, rows[i].rest);
        meso_net *net = parse(text);
        meso_train_plan_make(net, frozen, net->n_layers - 1, &plan);
        const int with_bias = plan.places[conv].pair != NULL;
        const int with_relu = plan.places[bias].pair != NULL;
        if (with_bias != rows[i].bias || with_relu != rows[i].relu)
            fail_msg("%s: %d %d", text, with_bias, with_relu);
        meso_net_close(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_as_apart),
                                       cmocka_unit_test(test_who_goes_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

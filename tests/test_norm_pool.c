/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch norm and max-pooling done together in training, against the double-precision references of
 * the two one after the other: sizes around the vectors' width, windows that fill the picture and
 * that leave rows and columns, batches around the group of 8 in two parts, ties, gradients added.
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
#include "net/train/train.h"
#include "net/train/train_plan.h"

enum { text_size = 512, n_params = 4 };

static meso_device *device;
static size_t items; /* of a work-group on the parallel path; 0: the plain one */

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

typedef struct bench {
    harness_layer norm, pool;
    const meso_fused_pair *pair;
    harness_tensor in, out, d_out, d_in;
    reference_tensor exact, d_exact, begun;
    meso_buffer params[n_params], sums[2], saved;
    int add;
} bench;

static size_t n_sums(const bench *b, size_t n)
{
    return meso_train_groups(n, items) * meso_train_bands(b->norm.l.layer, items);
}

/* 0 where the window does not fit. */
static int open_bench(bench *b, int height, int width, const char *window, size_t n)
{
    static uint64_t seed = 1;
    meso_random random = {seed++};
    char text[text_size];
    *b = (bench){.add = seed % 2 == 0};
    snprintf(text, sizeof text,
             "i = input height=%d width=%d channels=3 divide=1\nm = max_pool i %s\n", height, width,
             window);
    if (!harness_layer_open(&b->pool, text, n, 0, &random))
        return 0;
    snprintf(text, sizeof text,
             "i = input height=%d width=%d channels=3 divide=1\nb = batch_norm i epsilon=0.001\n",
             height, width);
    assert_true(harness_layer_open(&b->norm, text, n, 0, &random));
    const meso_layer *norm = b->norm.l.layer, *pool = b->pool.l.layer;
    assert_non_null(b->pair = meso_fused_pair_of(norm, pool));
    const int pad = (int)(seed % 3);
    b->in = harness_tensor_random(device, norm->shape, pad, n, &random, &b->exact);
    b->out = harness_tensor_poisoned(device, pool->shape, 1, n);
    b->d_out = harness_tensor_random(device, pool->shape, pad, n, &random, &b->d_exact);
    b->d_in = harness_tensor_random(device, norm->shape, 1, n, &random, &b->begun);
    const size_t bytes = 3 * sizeof(float);
    for (size_t k = 0; k < n_params; k++) {
        check(meso_buffer_create(device, bytes, &b->params[k]));
        check(meso_buffer_write(device, &b->params[k], 0, b->norm.params[k], bytes));
    }
    for (size_t k = 0; k < 2; k++)
        check(meso_buffer_create(device, bytes * n_sums(b, n), &b->sums[k]));
    check(meso_buffer_create(device, sizeof(float) * norm->op->saved(norm, n), &b->saved));
    return 1;
}

static void close_bench(bench *b)
{
    harness_tensor *const tensors[] = {&b->in, &b->out, &b->d_out, &b->d_in};
    reference_tensor *const exact[] = {&b->exact, &b->d_exact, &b->begun};
    for (size_t i = 0; i < 4; i++)
        harness_tensor_free(tensors[i]);
    for (size_t i = 0; i < 3; i++)
        reference_tensor_free(exact[i]);
    for (size_t k = 0; k < n_params; k++)
        meso_buffer_release(&b->params[k]);
    meso_buffer_release(&b->sums[0]);
    meso_buffer_release(&b->sums[1]);
    meso_buffer_release(&b->saved);
    harness_layer_close(&b->norm);
    harness_layer_close(&b->pool);
}

static meso_tensor_view view_of(const harness_tensor *t, size_t first)
{
    meso_tensor_view view = t->view;
    view.buffer = &t->buffer;
    view.first = (int)first;
    return view;
}

/* The steps of both layers for n images from `first` on. */
static void make_steps(const bench *b, size_t first, size_t n, meso_train_step *norm,
                       meso_train_step *pool)
{
    *norm = (meso_train_step){.step = {.net = b->norm.net,
                                       .layer = b->norm.l.layer,
                                       .n = n,
                                       .inputs = {view_of(&b->in, first)}},
                              .first = first,
                              .batch = b->norm.l.n,
                              .items = items,
                              .d_inputs = {view_of(&b->d_in, first)},
                              .add = {b->add},
                              .d_params = {&b->sums[0], &b->sums[1]},
                              .saved = &b->saved,
                              .momentum = 0.01};
    for (size_t k = 0; k < n_params; k++)
        norm->step.params[k] = &b->params[k];
    *pool = (meso_train_step){
        .step = {.layer = b->pool.l.layer, .n = n, .output = view_of(&b->out, first)},
        .first = first,
        .items = items,
        .d_output = view_of(&b->d_out, first)};
    norm->next = pool;
}

/* In two parts where there is more than one image. */
static void run(const bench *b, meso_train_part part)
{
    const size_t n = b->norm.l.n, half = n / 3;
    for (size_t first = 0; first < n; first = first == 0 && half > 0 ? half : n) {
        meso_train_step norm, pool;
        make_steps(b, first, first == 0 && half > 0 ? half : n - first, &norm, &pool);
        check(part(device, &norm));
    }
}

static void run_once(const bench *b, meso_train_part part)
{
    meso_train_step norm, pool;
    make_steps(b, 0, b->norm.l.n, &norm, &pool);
    check(part(device, &norm));
}

static void compare_sums(const bench *b, const reference_gradients *g, const char *text)
{
    const size_t n_groups = n_sums(b, b->norm.l.n);
    for (size_t k = 0; k < 2; k++) {
        float *sums = harness_poison(3 * n_groups);
        check(meso_buffer_read(device, &b->sums[k], 0, sums, 3 * n_groups * sizeof *sums));
        for (size_t c = 0; c < 3; c++) {
            double sum = 0;
            for (size_t group = 0; group < n_groups; group++)
                sum += sums[3 * group + c];
            harness_close(sum, g->params[k][c], 16 * FLT_EPSILON * g->magnitude[k][c] + FLT_MIN,
                          "%s: gradient %zu of parameter %zu", text, c, k);
        }
        free(sums);
    }
}

/* Of pooling's output: the reference takes what it pools for exact, but batch norm rounds. */
static void widen(reference_tensor *out, const reference_tensor *between, size_t n)
{
    double largest = 0;
    for (size_t e = 0; e < n * meso_shape_size(between->shape); e++)
        largest = fmax(largest, between->magnitude[e]);
    for (size_t e = 0; e < n * meso_shape_size(out->shape); e++)
        out->magnitude[e] = largest;
}

static void try_pair(int height, int width, const char *window, size_t n)
{
    bench b;
    reference_tensor between, out;
    reference_gradients of_pool, of_norm;
    char text[text_size];
    snprintf(text, sizeof text, "%d x %d, %s, %zu images", height, width, window, n);
    if (!open_bench(&b, height, width, window, n)) {
        harness_layer_close(&b.pool);
        return;
    }
    const meso_op *norm = b.norm.l.layer->op;
    reference_train_forward(&b.norm.l, &b.exact, 1, &between);
    reference_train_forward(&b.pool.l, &between, 1, &out);
    reference_backward(&b.pool.l, &between, &out, &b.d_exact, 1, &of_pool);
    reference_backward(&b.norm.l, &b.exact, &between, &of_pool.inputs[0], 1, &of_norm);
    widen(&out, &between, n);
    run(&b, norm->train.measure);
    run_once(&b, norm->train.combine);
    run(&b, b.pair->forward);
    harness_tensor_compare(device, &b.out, &out, n, 16, text);
    run(&b, b.pair->backward.measure);
    run_once(&b, norm->backward.combine);
    run(&b, b.pair->backward.apply);
    compare_sums(&b, &of_norm, text);
    reference_tensor *d = &of_norm.inputs[0];
    for (size_t e = 0; e < n * meso_shape_size(d->shape) && b.add; e++) {
        d->value[e] += b.begun.value[e];
        d->magnitude[e] += fabs(b.begun.value[e]);
    }
    harness_tensor_compare(device, &b.d_in, d, n, 16, text);
    reference_gradients_free(&of_pool);
    reference_gradients_free(&of_norm);
    reference_tensor_free(&between);
    reference_tensor_free(&out);
    close_bench(&b);
}

static void try_pairs(void)
{
    static const int sizes[][2] = {{2, 16}, {2, 31}, {33, 3}, {7, 13}, {18, 17}, {35, 66}};
    static const char *const windows[] = {
        "window=2 stride=2 pad=same",    "window=2 stride=2 pad=valid",
        "window=4 stride=4 pad=same",    "window=2x3 stride=3 pad=1",
        "window=1 stride=2 pad=valid",   "window=2 stride=3x2 pad=1",
        "window=3x2 stride=3x2 pad=same"};
    static const size_t batches[] = {1, 2, 5, 13};
    size_t turn = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++)
            for (size_t twice = 0; twice < 2; twice++)
                try_pair(sizes[s][0], sizes[s][1], windows[w], batches[turn++ % 4]);
    /* Side by side, and yet not in pairs of even and odd rows or columns. */
    try_pair(7, 34, "window=2 stride=2 pad=1x0", 2);
    try_pair(8, 33, "window=2 stride=2 pad=0x1", 2);
}

static void test_both_together(void **state)
{
    (void)state;
    device = harness_device();
    items = 0;
    try_pairs();
    check(meso_device_fit_groups(device, MESO_PROGRAM_PARALLEL, &items));
    try_pairs();
    meso_device_close(device);
}

/* The plan takes a batch norm and the pooling behind it together, unless somebody else reads
 * batch norm too, it is frozen, or windows overlap. */
static void test_who_goes_together(void **state)
{
    static const struct {
        const char *text;
        int frozen, pooled;
    } rows[] = {{"m = max_pool b window=2 stride=2 pad=same\n", 0, 1},
                {"m = max_pool b window=2 stride=2 pad=same\n", 1, 0},
                {"m = max_pool b window=3 stride=2 pad=same\n", 0, 0},
                {"m = max_pool b window=1 stride=1 pad=same\nc = concat m b\n", 0, 0},
                {"r = relu b\nm = max_pool r window=2 stride=2 pad=same\n", 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[text_size];
        unsigned char frozen[MESO_MAX_LAYERS] = {0};
        static meso_train_plan plan;
        meso_net *net = NULL;
        snprintf(text, sizeof text,
                 "i = input height=8 width=8 channels=2 divide=1\n"
                 "b = batch_norm i epsilon=0.001\n%s",
                 rows[i].text);
        assert_int_equal(meso_net_parse(text, "case", &net, NULL), MESO_OK);
        frozen[1] = (unsigned char)rows[i].frozen;
        meso_train_plan_make(net, frozen, net->n_layers - 1, &plan);
        assert_int_equal(plan.places[1].pair != NULL, rows[i].pooled);
        meso_net_close(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_together),
                                       cmocka_unit_test(test_who_goes_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernels of training, op by op, against the double-precision reference, over what can go
 * wrong: sizes around the vectors' width, windows × strides × dilations × paddings, batches around
 * the group of 8, ties, negative gamma, gradients added to what another layer has written, a batch
 * done in two parts. On the plain path and on the parallel one, for GPUs.
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
#include "net/op/op.h"
#include "net/train/train.h"
#include "op_cases.h"

static meso_device *device;
static size_t items; /* of a work-group on the parallel path; 0: the plain one */
static uint64_t seed;

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
        const size_t n_sums =
            meso_train_groups(n, items) * meso_train_bands(layer, items) * n_values;
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
                         .items = items,
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
    const size_t groups = meso_train_groups(s->l.n, items) * meso_train_bands(s->l.layer, items);
    float *sums = harness_poison(groups * n_values);
    check(meso_buffer_read(device, &b->d_params[k], 0, sums, groups * n_values * sizeof *sums));
    for (size_t i = 0; i < n_values; i++) {
        double sum = 0;
        for (size_t group = 0; group < groups; group++)
            sum += sums[group * n_values + i];
        harness_close(sum, g->params[k][i], bound * FLT_EPSILON * g->magnitude[k][i] + FLT_MIN,
                      "%s: gradient %zu of parameter %zu", text, i, k);
    }
    free(sums);
}

/* Forward and backward of one case within k · eps · Σ|terms|. Returns 0 where the window does not
 * fit. */
static int try_kernels(const op_case *row, const char *text, size_t n)
{
    const double k = row->train_bound;
    const int frozen = row->frozen;
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

/* The rows of op i of the table, on both paths. */
static void test_op(void **state)
{
    const size_t i = (size_t)(uintptr_t)*state;
    device = harness_device();
    for (int parallel = 0; parallel < 2; parallel++) {
        items = 0;
        if (parallel)
            check(meso_device_fit_groups(device, MESO_PROGRAM_PARALLEL, &items));
        seed = 1; /* no op's values depend on another's rows */
        for (size_t k = 0; k < n_op_cases; k++)
            if (op_cases[k].op == meso_op_at(i))
                op_case_run(&op_cases[k], try_kernels);
    }
    meso_device_close(device);
}

int main(void)
{
    enum { max_tests = 64 };
    struct CMUnitTest tests[max_tests] = {cmocka_unit_test(op_cases_are_complete)};
    size_t n = 1;
    for (size_t i = 0; meso_op_at(i) && n < max_tests; i++)
        if (meso_op_at(i)->backward.apply)
            tests[n++] = (struct CMUnitTest){.name = meso_op_at(i)->name,
                                             .test_func = test_op,
                                             .initial_state = (void *)(uintptr_t)i};
    return _cmocka_run_group_tests("backward", tests, n, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The double-precision backward of every op against central differences of its forward, with a
 * random upstream gradient.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness_layer.h"
#include "net/op/op_table.h"

/* Distinct values, none of them 0, in random order: far from every kink. */
static reference_tensor distinct(meso_shape shape, size_t n, meso_random *random)
{
    reference_tensor t = reference_tensor_new(shape, n);
    const size_t size = n * meso_shape_size(shape);
    for (size_t i = 0; i < size; i++)
        t.value[i] = 2 * ((double)i + 0.5) / (double)(size + size % 2) - 1;
    for (size_t i = size; i-- > 1;) {
        size_t k = meso_random_below(random, i + 1);
        double swap = t.value[i];
        t.value[i] = t.value[k];
        t.value[k] = swap;
    }
    return t;
}

/* Σ d_out · forward */
static double objective(const reference_layer *l, const reference_tensor *inputs,
                        const reference_tensor *d_out)
{
    reference_tensor out;
    double sum = 0;
    reference_train_forward(l, inputs, 0, &out);
    for (size_t i = 0; i < l->n * meso_shape_size(out.shape); i++)
        sum += d_out->value[i] * out.value[i];
    reference_tensor_free(&out);
    return sum;
}

/* One array of what the objective depends on; its gradient is within 1e-6 in L2. */
static void check_differences(const reference_layer *l, const reference_tensor *inputs,
                              const reference_tensor *d_out, double *values, size_t n,
                              const double *gradient, const char *text)
{
    const double h = 1e-5;
    double error = 0, energy = 0;
    for (size_t i = 0; i < n; i++) {
        const double v = values[i];
        values[i] = v + h;
        const double high = objective(l, inputs, d_out);
        values[i] = v - h;
        const double slope = (high - objective(l, inputs, d_out)) / (2 * h);
        values[i] = v;
        error += (slope - gradient[i]) * (slope - gradient[i]);
        energy += slope * slope;
    }
    if (!(sqrt(error) <= 1e-6 * sqrt(energy)))
        fail_msg("%s: %zu values: relative error of the gradient %g", text, n,
                 sqrt(error / energy));
}

static void try_reference(const char *text, size_t n, int frozen)
{
    static uint64_t seed = 1000;
    meso_random random = {seed++};
    harness_layer s;
    reference_tensor inputs[MESO_MAX_INPUTS], out;
    reference_gradients g;
    assert_int_equal(harness_layer_open(&s, text, n, frozen, &random), 1);
    const meso_layer *layer = s.l.layer;
    for (size_t k = 0; k < layer->n_inputs; k++)
        inputs[k] = distinct(s.net->layers[layer->inputs[k]].shape, n, &random);
    reference_tensor d_out = distinct(layer->shape, n, &random);
    reference_train_forward(&s.l, inputs, 0, &out);
    reference_backward(&s.l, inputs, &out, &d_out, 0, &g);
    for (size_t k = 0; k < layer->n_inputs; k++)
        check_differences(&s.l, inputs, &d_out, inputs[k].value,
                          n * meso_shape_size(inputs[k].shape), g.inputs[k].value, text);
    for (size_t k = 0; k < layer->n_params && k < 2; k++)
        check_differences(&s.l, inputs, &d_out, (double *)s.l.params[k],
                          s.net->params[layer->first_param + k].n_values, g.params[k], text);
    reference_gradients_free(&g);
    reference_tensor_free(&out);
    reference_tensor_free(&d_out);
    for (size_t k = 0; k < layer->n_inputs; k++)
        reference_tensor_free(&inputs[k]);
    harness_layer_close(&s);
}

#define PICTURE "i = input height=6 width=5 channels=3 divide=1\n"
#define VECTOR "i = input height=1 width=1 channels=7 divide=1\n"

static const struct {
    const meso_op *op;
    int frozen;
    const char *text;
} cases[] = {
    {&meso_op_conv, 0, PICTURE "c = conv i filters=4 window=3x2 stride=1 dilation=1x2 pad=same"},
    {&meso_op_conv, 0, PICTURE "c = conv i filters=2 window=3 stride=2x1 dilation=1 pad=1x2"},
    {&meso_op_conv, 0, PICTURE "c = conv i filters=1 window=2 stride=3 dilation=1 pad=valid"},
    {&meso_op_bias, 0, PICTURE "b = bias i"},
    {&meso_op_relu, 0, PICTURE "r = relu i"},
    {&meso_op_relu, 0, PICTURE "r = relu i cap=0.25"},
    {&meso_op_leaky_relu, 0, PICTURE "r = leaky_relu i slope=0.1"},
    {&meso_op_leaky_relu, 0, PICTURE "r = leaky_relu i slope=-0.5"},
    {&meso_op_elu, 0, PICTURE "e = elu i alpha=0.3"},
    {&meso_op_batch_norm, 0, PICTURE "b = batch_norm i epsilon=0.001"},
    {&meso_op_batch_norm, 1, PICTURE "b = batch_norm i epsilon=0.001"},
    {&meso_op_max_pool, 0, PICTURE "m = max_pool i window=2 stride=2 pad=same"},
    {&meso_op_max_pool, 0, PICTURE "m = max_pool i window=3 stride=2x1 pad=1"},
    {&meso_op_concat, 0, PICTURE "b = relu i\nc = concat i b i"},
    {&meso_op_flatten, 0, PICTURE "f = flatten i"},
    {&meso_op_global_avg_pool, 0, PICTURE "g = global_avg_pool i"},
    {&meso_op_dense, 0, VECTOR "d = dense i units=4"},
    {&meso_op_dropout, 0, PICTURE "d = dropout i rate=0.4"},
    {&meso_op_sigmoid, 0, PICTURE "s = sigmoid i"},
    {&meso_op_softmax, 0, VECTOR "s = softmax i"},
};

static void test_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t n = 1; n <= 3; n += 2)
            try_reference(cases[i].text, n, cases[i].frozen);
}

static void test_every_op_has_a_case(void **state)
{
    (void)state;
    for (size_t i = 0; meso_op_at(i); i++) {
        int found = meso_op_at(i) == &meso_op_input; /* nothing comes before it */
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
            found |= cases[k].op == meso_op_at(i);
        if (!found)
            fail_msg("op %s: its backward is not checked", meso_op_at(i)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_op_has_a_case),
        cmocka_unit_test(test_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

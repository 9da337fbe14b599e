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
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness_layer.h"
#include "op_cases.h"

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

static void test_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_op_cases; i++) {
        const op_case *row = &op_cases[i];
        char text[512];
        snprintf(text, sizeof text, "i = input %s divide=1\n%s\n",
                 row->kind == OP_VECTORS ? "height=1 width=1 channels=7"
                                         : "height=6 width=5 channels=3",
                 row->text);
        for (size_t n = 1; n <= 3 && row->kind != OP_WINDOWS; n += 2)
            try_reference(text, n, row->frozen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(op_cases_are_complete),
        cmocka_unit_test(test_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include "net/op/op.h"
#include "op_cases.h"

static meso_device *device;
static uint64_t seed;

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

/* The last layer of a net text on n images of random values, every second time with more pad than
 * it needs. Returns 0 where the text is refused because the window does not fit. */
static int try_case(const op_case *row, const char *text, size_t n)
{
    meso_random random = {seed++};
    const int extra = (int)(seed % 2);
    harness_layer s;
    if (!harness_layer_open(&s, text, n, 0, &random))
        return 0;
    const meso_layer *layer = s.l.layer;
    const int pad = (layer->op->halo ? layer->op->halo(layer) : 0) + extra;
    meso_step step = {.net = s.net, .layer = layer, .n = n};
    harness_tensor inputs[MESO_MAX_INPUTS];
    reference_tensor exact[MESO_MAX_INPUTS], expected;
    meso_buffer params[MESO_MAX_PARAMS];
    for (size_t i = 0; i < layer->n_inputs; i++) {
        inputs[i] = harness_tensor_random(device, s.net->layers[layer->inputs[i]].shape, pad, n,
                                          &random, &exact[i]);
        step.inputs[i] = inputs[i].view;
        step.inputs[i].buffer = &inputs[i].buffer;
    }
    for (size_t i = 0; i < layer->n_params; i++) {
        const size_t n_bytes = s.net->params[layer->first_param + i].n_values * sizeof(float);
        check(meso_buffer_create(device, n_bytes, &params[i]));
        check(meso_buffer_write(device, &params[i], 0, s.params[i], n_bytes));
        step.params[i] = &params[i];
    }
    harness_tensor out = harness_tensor_poisoned(device, layer->shape, extra, n);
    step.output = out.view;
    step.output.buffer = &out.buffer;
    reference_op(layer, exact, (const float *const *)s.params, n, &expected);
    check(layer->op->forward(device, &step));
    harness_tensor_compare(device, &out, &expected, n, row->bound, text);

    reference_tensor_free(&expected);
    harness_tensor_free(&out);
    for (size_t i = 0; i < layer->n_params; i++)
        meso_buffer_release(&params[i]);
    for (size_t i = 0; i < layer->n_inputs; i++) {
        harness_tensor_free(&inputs[i]);
        reference_tensor_free(&exact[i]);
    }
    harness_layer_close(&s);
    return 1;
}

/* The rows of op i of the table. */
static void test_op(void **state)
{
    const size_t i = (size_t)(uintptr_t)*state;
    device = harness_device();
    seed = 1; /* no op's values depend on another's rows */
    for (size_t k = 0; k < n_op_cases; k++)
        if (op_cases[k].op == meso_op_at(i))
            op_case_run(&op_cases[k], try_case);
    meso_device_close(device);
}

int main(void)
{
    enum { max_tests = 64 };
    struct CMUnitTest tests[max_tests] = {cmocka_unit_test(op_cases_are_complete)};
    size_t n = 1;
    for (size_t i = 0; meso_op_at(i) && n < max_tests; i++)
        if (meso_op_at(i)->forward)
            tests[n++] = (struct CMUnitTest){.name = meso_op_at(i)->name,
                                             .test_func = test_op,
                                             .initial_state = (void *)(uintptr_t)i};
    return _cmocka_run_group_tests("ops", tests, n, NULL, NULL);
}

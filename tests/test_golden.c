/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole nets: the known answers of `mesocl selftest` against the reference, and the published
 * weights against their golden values (which were computed with Pillow, NumPy and float64
 * elsewhere).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"
#include "harness_model.h"
#include "mesocl/mesocl.h"
#include "model/selftest_inputs.h"
#include "reference_train.h"

static float *draw(const meso_net *net, const char *input)
{
    float *values = malloc(meso_shape_size(net->layers[0].shape) * sizeof *values);
    assert_non_null(values);
    meso_selftest_draw(input, net->layers[0].shape, values);
    return values;
}

static double trained_loss(const meso_net *net, const meso_weights *weights)
{
    static const uint8_t classes[MESO_SELFTEST_PICTURES] = {0, 1};
    const size_t size = meso_shape_size(net->layers[0].shape);
    reference_trainer trainer;
    double loss = NAN;
    float *values = malloc(MESO_SELFTEST_PICTURES * size * sizeof *values);
    assert_non_null(values);
    meso_selftest_draw("ramp", net->layers[0].shape, values);
    meso_selftest_draw("smooth", net->layers[0].shape, values + size);
    reference_trainer_open(&trainer, net, weights, &meso_selftest_training);
    for (int step = 0; step < MESO_SELFTEST_STEPS; step++)
        loss = reference_trainer_step(&trainer, values, classes, MESO_SELFTEST_PICTURES,
                                      meso_selftest_rate);
    reference_trainer_close(&trainer);
    free(values);
    return loss;
}

/* The table in src/model/selftest.c is what the reference says, and this device agrees with it. */
static void test_known_answers(void **state)
{
    meso_device *device = harness_device();
    meso_selftest_row *rows;
    size_t n, n_failed;
    int printed = 0;
    (void)state;
    assert_int_equal(meso_selftest(device, &rows, sizeof *rows, &n, &n_failed, NULL), MESO_OK);
    assert_true(n >= 10);
    for (size_t i = 0; i < n; i++) {
        meso_net *net;
        meso_weights *weights;
        double p;
        assert_int_equal(meso_net_open(rows[i].net, &net, NULL), MESO_OK);
        assert_int_equal(meso_weights_random(net, 1, &weights, NULL), MESO_OK);
        if (strcmp(rows[i].input, "training") == 0) {
            p = trained_loss(net, weights);
        } else {
            float *input = draw(net, rows[i].input);
            harness_reference_p(net, weights, input, 1, &p);
            free(input);
        }
        if (!(fabs(p - rows[i].expected) <= 1e-9)) { /* how the table is made anew */
            print_message("    {\"%s\", \"%s\", %.10f},\n", rows[i].net, rows[i].input, p);
            printed++;
        } else if (!rows[i].passed) {
            print_message("%s on %s: %.10f, expected %.10f. %s\n", rows[i].net, rows[i].input,
                          rows[i].got, rows[i].expected, rows[i].detail);
        }
        meso_weights_close(weights);
        meso_net_close(net);
    }
    meso_free(rows);
    meso_device_close(device);
    assert_int_equal(printed, 0);
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
        float *input = malloc(meso_shape_size(net->layers[0].shape) * sizeof *input);
        assert_non_null(input);
        meso_selftest_draw(rows[i].input, net->layers[0].shape, input);
        harness_reference_p(net, weights, input, 1, &p);
        if (!(fabs(p - rows[i].expected) <= 1e-9)) { /* how the table is made anew */
            print_message("    {\"%s\", \"%s\", %.10f},\n", rows[i].net, rows[i].input, p);
            printed++;
        } else if (!rows[i].passed) {
            print_message("%s on %s: %.10f, expected %.10f. %s\n", rows[i].net, rows[i].input,
                          rows[i].got, rows[i].expected, rows[i].detail);
        }
        free(input);
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

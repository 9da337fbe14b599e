/* SPDX-License-Identifier: Apache-2.0
 *
 * A test of the tests: each check here is wrong, and must be noticed. The program succeeds only if
 * cmocka and the harness let none of them pass.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness_device.h"

static void wrong_number(void **state)
{
    (void)state;
    assert_int_equal(1 + 1, 3);
}

/* `err > tol` is false for NaN, so the harness writes comparisons as !(err <= tol). */
static void not_a_number(void **state)
{
    (void)state;
    harness_close(NAN, 1.0, 1e-6, "a result that is no number");
}

static void just_outside(void **state)
{
    (void)state;
    harness_close(1.0 + 1.1e-6, 1.0, 1e-6, "a result a tenth beyond its tolerance");
}

static void crash(void **state)
{
    (void)state;
    raise(SIGSEGV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_number),
        cmocka_unit_test(not_a_number),
        cmocka_unit_test(just_outside),
        cmocka_unit_test(crash),
    };
    int n_tests = sizeof(tests) / sizeof(tests[0]);
    int n_noticed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("%d of %d noticed\n", n_noticed, n_tests);
    return n_noticed == n_tests ? EXIT_SUCCESS : EXIT_FAILURE;
}

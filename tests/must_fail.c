/* SPDX-License-Identifier: Apache-2.0
 *
 * A test of the tests: each check here is wrong in a way that has slipped through test suites
 * before. The program fails, as ctest expects of it, only if every one of them was noticed.
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

static void write_past_the_end(void **state)
{
    (void)state;
    char *bytes = test_malloc(8);
    volatile size_t end = 8;
    bytes[end] = 1;
    test_free(bytes);
}

static void crash(void **state)
{
    (void)state;
    raise(SIGSEGV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_number), cmocka_unit_test(not_a_number),
        cmocka_unit_test(just_outside), cmocka_unit_test(write_past_the_end),
        cmocka_unit_test(crash),
    };
    int n_tests = sizeof(tests) / sizeof(tests[0]);
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("%d of %d noticed\n", n_failed, n_tests);
    return n_failed == n_tests ? EXIT_FAILURE : EXIT_SUCCESS;
}

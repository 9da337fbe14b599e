/* SPDX-License-Identifier: Apache-2.0
 *
 * MESO_TEST: this program, run anew, runs the functions that are asked for and no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_run.h"

static void wanted_first(void **state)
{
    assert_null(*state);
}

static void wanted_second(void **state)
{
    assert_null(*state);
}

static int ran(const harness_result *r, const char *name)
{
    return strstr(r->out, name) != NULL || strstr(r->err, name) != NULL;
}

static harness_result run_filtered(const char *names)
{
    assert_int_equal(setenv("MESO_TEST", names, 1) | setenv("INSIDE", "1", 1), 0);
    harness_result r = harness_run(&(harness_command){.program = "/proc/self/exe", .words = ""});
    unsetenv("MESO_TEST");
    unsetenv("INSIDE");
    return r;
}

static void runs_what_is_asked_for(void **state)
{
    (void)state;
    assert_null(getenv("INSIDE")); /* not filtered out */
    harness_result both = run_filtered("wanted_*"), one = run_filtered("wanted_second");
    assert_int_equal(both.code, 0);
    assert_true(ran(&both, "wanted_first") && ran(&both, "wanted_second"));
    assert_false(ran(&both, "runs_what_is_asked_for"));
    assert_int_equal(one.code, 0);
    assert_true(ran(&one, "wanted_second"));
    assert_false(ran(&one, "wanted_first") || ran(&one, "runs_what_is_asked_for"));
    harness_forget(&both);
    harness_forget(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wanted_first),
                                       cmocka_unit_test(wanted_second),
                                       cmocka_unit_test(runs_what_is_asked_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench ab: what its commands are given, what becomes of one that fails, and what compare
 * says of records that lack something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device_bench.h"
#include "harness_run.h"

static harness_result run(const char *const *argv, const char *input)
{
    const harness_command command = {.program = DEVICE_BENCH_PROGRAM, .argv = argv, .input = input};
    return harness_run(&command);
}

/* As --a and --b, three runs each; how fast they are on this machine is nobody's concern. */
static void check_ab(const char *a, const char *b, int code, const char *said)
{
    const char *const argv[] = {"ab", "--a", a, "--b", b, "--runs", "3", "--margin", "1000", NULL};
    harness_result result = run(argv, "one line\n");
    if (result.code != code || !strstr(code == 0 ? result.out : result.err, said))
        fail_msg("%s, %s: ended with %d instead of %d, or does not say \"%s\":\n%s%s", a, b,
                 result.code, code, said, result.out, result.err);
    harness_forget(&result);
}

static void every_run_reads_the_same(void **state)
{
    (void)state;
    check_ab("test \"$(wc -c)\" = 0", "true", 0, "");
    harness_put("lines", "a\nb\n", 0);
    check_ab("test \"$(wc -l < lines)\" = 2", "test \"$(wc -l < lines)\" = 2", 0, "");
}

static void failures_are_not_slowness(void **state)
{
    (void)state;
    check_ab("true", "false", 125, "run 1 of B failed with exit code 1: false");
    check_ab("exit 7", "true", 125, "run 1 of A failed with exit code 7: exit 7");
    check_ab("true", "kill -9 $$; :", 125, "run 1 of B was ended by signal 9");
    check_ab("mkdir first 2> log || exit 3", "true", 125, "run 2 of A failed with exit code 3");
    check_ab("", "true", 2, "need a command");
    check_ab("true", " ", 2, "need a command");
}

static void put_record(const char *path, const char *net, double rate)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"schema\": \"" BENCH_SCHEMA "\", \"results\": [{\"net\": \"%s\", \"direction\": "
             "\"predict\", \"path\": \"plain\", \"device\": \"d\", \"batch\": 1, \"threads\": 1, "
             "\"samples\": [[%g], [%g]], \"layers\": []}]}",
             net, rate, rate);
    harness_put(path, text, 0);
}

static void other_rows_are_no_comparison(void **state)
{
    (void)state;
    put_record("one.json", "one", 9);
    put_record("two.json", "two", 9);
    check_ab("cat one.json", "cat one.json", 0, "B is as fast as A");
    check_ab("cat one.json", "cat two.json", 65, "nothing in common");
    check_ab("mkdir first 2> log && cat one.json || cat two.json", "cat one.json", 125,
             "run 2 of A has 1 rows");
    check_ab("cat one.json one.json", "cat one.json", 125, "A: line 1");
    check_ab("cat two.json", "mkdir second 2> log && cat two.json || true", 125, "run 2 of B");
}

/* Three runs, one of them a thousand times as slow: no interval of 15 digits. */
static void few_runs_determine_nothing(void **state)
{
    (void)state;
    put_record("fast.json", "net", 9);
    put_record("slow.json", "net", 0.009);
    check_ab("cat fast.json", "mkdir first 2> log && cat slow.json || cat fast.json", 0,
             "n/a: not determined with 3 and 3 runs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_run_reads_the_same, harness_enter_folder,
                                        harness_leave_folder),
        cmocka_unit_test_setup_teardown(failures_are_not_slowness, harness_enter_folder,
                                        harness_leave_folder),
        cmocka_unit_test_setup_teardown(other_rows_are_no_comparison, harness_enter_folder,
                                        harness_leave_folder),
        cmocka_unit_test_setup_teardown(few_runs_determine_nothing, harness_enter_folder,
                                        harness_leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

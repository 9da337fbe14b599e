/* SPDX-License-Identifier: Apache-2.0
 *
 * A study of the drawn datasets, as tools/demo.sh does it, smaller: what was planted is in the
 * report, and the sets come out in the order in which they were drawn to be good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness_device.h"
#include "harness_run.h"

#define STUDY                                                                               \
    "run --train clear=demo/clear --train faint=demo/faint --train shortcut=demo/shortcut " \
    "--test control=demo/control --seeds 2 --epochs 16 --bn-reestimate -o study"

enum { n_cut = 1000 + 14 /* SIGALRM: the harness' time is over */ };

static int bench(const char *words)
{
    const harness_command command = {.program = DATASET_BENCH_PROGRAM, .words = words};
    harness_result r = harness_run(&command);
    int code = r.code;
    if (code != 0 && code != n_cut)
        fail_msg("%s: exit code %d: %s%s", words, r.code, r.out, r.err);
    harness_forget(&r);
    return code;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("no number \"%s\"", key);
    return json_number_value(value);
}

static double accuracy(const json_t *result, size_t cell)
{
    const json_t *row = json_array_get(json_object_get(result, "matrix"), cell);
    return number(json_object_get(row, "accuracy"), "mean");
}

static void check_ranking(const json_t *result)
{
    double clear = accuracy(result, 0), faint = accuracy(result, 1), shortcut = accuracy(result, 2);
    print_message("clear %.3f, faint %.3f, shortcut %.3f\n", clear, faint, shortcut);
    assert_true(clear > faint && faint > shortcut && clear - shortcut >= 0.1);
}

/* Rows of planted.csv: exact and near duplicates, label conflicts, leaks. */
static size_t count_planted(const char *what)
{
    char line[512];
    size_t n = 0;
    FILE *file = fopen("demo/planted.csv", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        n += strncmp(line, what, strlen(what)) == 0;
    fclose(file);
    return n;
}

static const json_t *dataset(const json_t *result, const char *name)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(result, "datasets"), i,
                       row) if (strcmp(json_string_value(json_object_get(row, "name")), name) ==
                                0) return row;
    fail_msg("no dataset %s", name);
    return NULL;
}

static void check_planted(const json_t *result)
{
    const json_t *leaks = json_object_get(result, "leaks");
    const json_t *faint = dataset(result, "faint"), *shortcut = dataset(result, "shortcut");
    const json_t *cell = json_array_get(json_object_get(result, "matrix"), 1);
    const json_t *pairs = json_object_get(faint, "duplicates"), *row;
    size_t i, n_quality = 0;
    assert_true(count_planted("leak") > 0);
    assert_int_equal(json_array_size(leaks), count_planted("leak"));
    assert_int_equal(number(cell, "n_excluded"), count_planted("leak"));
    assert_int_equal(number(pairs, "same_file"),
                     count_planted("exact") + count_planted("conflict"));
    assert_int_equal(number(pairs, "near"), count_planted("near"));
    json_array_foreach(json_object_get(shortcut, "shortcuts"), i, row) n_quality +=
        strcmp(json_string_value(json_object_get(row, "property")), "jpeg_quality") == 0 &&
        json_is_true(json_object_get(row, "warn")) &&
        number(json_object_get(row, "auc"), "mean") >= 0.99;
    assert_int_equal(n_quality, 1);
}

static void test_demo(void **state)
{
    (void)state;
    json_error_t error;
    assert_int_equal(bench("demo-data demo --count 60"), 0);
    /* A machine that is too slow for the harness is one more interruption. */
    for (int code = bench(STUDY), i = 0; code == n_cut && i < 8; i++)
        code = bench("run --resume study");
    json_t *result = json_load_file("study/study_result.json", 0, &error);
    if (!result)
        fail_msg("%s", error.text);
    assert_int_equal(number(result, "n_done"), 6);
    check_ranking(result);
    check_planted(result);
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_demo, harness_enter_folder, harness_leave_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

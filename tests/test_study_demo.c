/* SPDX-License-Identifier: Apache-2.0
 *
 * A study of the drawn datasets, as tools/demo.sh does it, smaller: what was planted is in the
 * report, the sets come out in the order in which they were drawn to be good, and check finds the
 * same as the study.
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
#include "harness_schema.h"

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

static double accuracy(const json_t *result, size_t cell)
{
    const json_t *row = json_array_get(json_object_get(result, "matrix"), cell);
    return harness_number(json_object_get(row, "accuracy"), "mean");
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

static const json_t *named(const json_t *list, const char *key, const char *name)
{
    size_t i;
    const json_t *row;
    json_array_foreach (list, i, row) {
        const char *found = json_string_value(json_object_get(row, key));
        if (found && strcmp(found, name) == 0)
            return row;
    }
    fail_msg("no %s %s", key, name);
    return NULL;
}

static void check_planted(const json_t *result)
{
    const json_t *leaks = json_object_get(result, "leaks");
    const json_t *sets = json_object_get(result, "datasets");
    const json_t *faint = named(sets, "name", "faint"), *shortcut = named(sets, "name", "shortcut");
    const json_t *cell = json_array_get(json_object_get(result, "matrix"), 1);
    const json_t *pairs = json_object_get(faint, "duplicates"), *row;
    size_t i, n_quality = 0;
    assert_true(count_planted("leak") > 0);
    assert_int_equal(json_array_size(leaks), count_planted("leak"));
    assert_int_equal(harness_number(cell, "n_excluded"), count_planted("leak"));
    assert_int_equal(harness_number(pairs, "same_file"),
                     count_planted("exact") + count_planted("conflict"));
    assert_int_equal(harness_number(pairs, "near"), count_planted("near"));
    json_array_foreach (json_object_get(shortcut, "shortcuts"), i, row)
        n_quality +=
            strcmp(json_string_value(json_object_get(row, "property")), "jpeg_quality") == 0 &&
            json_is_true(json_object_get(row, "warn")) &&
            harness_number(json_object_get(row, "auc"), "mean") >= 0.99;
    assert_int_equal(n_quality, 1);
}

/* ---- check and run ---- */

/* {auc, low, high} of check, {mean, low, high} of a study: the same figures to the last digit. */
static void same_interval(const json_t *checked, const json_t *studied, const char *what)
{
    static const char *const keys[3][2] = {{"auc", "mean"}, {"low", "low"}, {"high", "high"}};
    for (int i = 0; i < 3; i++)
        if (!json_equal(json_object_get(checked, keys[i][0]),
                        json_object_get(studied, keys[i][1])) ||
            !json_object_get(checked, keys[i][0]))
            fail_msg("%s: check says %s, run %s", what, json_dumps(checked, JSON_COMPACT),
                     json_dumps(studied, JSON_COMPACT));
}

static void same_set(const json_t *checked, const json_t *studied)
{
    const json_t *views = json_object_get(checked, "linear_classifiers"), *row, *count;
    const json_t *classes = json_object_get(studied, "classes");
    const json_t *shortcuts = json_object_get(studied, "shortcuts");
    const char *key;
    size_t i;
    same_interval(json_object_get(views, "properties"), json_object_get(studied, "properties_auc"),
                  "properties");
    same_interval(json_object_get(views, "framing"), json_object_get(studied, "framing_auc"),
                  "framing");
    assert_int_equal(json_array_size(json_object_get(checked, "shortcuts")),
                     json_array_size(shortcuts));
    json_array_foreach (json_object_get(checked, "shortcuts"), i, row) {
        const json_t *same = json_array_get(shortcuts, i);
        const char *property = json_string_value(json_object_get(row, "property"));
        assert_string_equal(json_string_value(json_object_get(same, "property")), property);
        same_interval(row, json_object_get(same, "auc"), property);
        assert_true(json_equal(json_object_get(row, "warning"), json_object_get(same, "warn")));
    }
    json_object_foreach (json_object_get(checked, "counts"), key, count) {
        const json_t *pairs = json_object_get(studied, "duplicates");
        assert_true(json_equal(count, json_object_get(pairs, key)));
    }
    json_object_foreach (json_object_get(checked, "n"), key, count) {
        assert_true(json_equal(count, json_object_get(json_object_get(classes, key), "n")));
    }
}

/* What check finds of the sets and of training with test sets is what the study finds, word for
 * word, in the same order; of two training sets a study says nothing. */
static void same_warnings(const json_t *checked, const json_t *studied)
{
    size_t i, n = 0;
    const json_t *row;
    json_array_foreach (checked, i, row) {
        const char *other = json_string_value(json_object_get(row, "other"));
        if (other && strcmp(other, "control") != 0)
            continue;
        if (!json_equal(row, json_array_get(studied, n)))
            fail_msg("warning %zu: check says %s, run %s", n, json_dumps(row, JSON_COMPACT),
                     json_dumps(json_array_get(studied, n), JSON_COMPACT));
        n++;
    }
    assert_int_equal(json_array_size(studied), n);
    named(studied, "kind", "shortcut");
    named(studied, "kind", "label_conflict");
    named(studied, "kind", "leak");
}

static void same_leaks(const json_t *checked, const json_t *studied)
{
    size_t i, n_checked = 0;
    const json_t *row, *count;
    const char *key;
    json_array_foreach (checked, i, row) {
        if (strcmp(json_string_value(json_object_get(row, "b")), "control") != 0)
            continue;
        json_object_foreach (json_object_get(row, "counts"), key, count) {
            n_checked += (size_t)json_integer_value(count);
        }
    }
    assert_true(n_checked > 0);
    assert_int_equal(json_array_size(studied), n_checked);
}

/* What demo-data says of the set that shows the good case. */
static void clear_warns_of_its_traces_alone(const json_t *warnings)
{
    size_t i, n = 0;
    const json_t *row;
    json_array_foreach (warnings, i, row) {
        const char *set = json_string_value(json_object_get(row, "dataset"));
        if (strcmp(set, "clear") == 0 && !json_object_get(row, "other")) {
            const char *text = json_string_value(json_object_get(row, "text"));
            assert_non_null(strstr(text, "from high frequencies alone"));
            n++;
        }
    }
    assert_int_equal(n, 1);
}

/* check looks for the same in the same images, and finds the same. */
static void check_same(const json_t *studied)
{
    const harness_command command = {.program = DATASET_BENCH_PROGRAM,
                                     .words = "check clear=demo/clear faint=demo/faint "
                                              "shortcut=demo/shortcut control=demo/control "
                                              "--json --no-cache"};
    harness_result r = harness_run(&command);
    json_t *checked = json_loads(r.out, 0, NULL);
    size_t i;
    const json_t *row;
    assert_int_equal(json_array_size(json_object_get(checked, "datasets")), 4);
    json_array_foreach (json_object_get(checked, "datasets"), i, row) {
        const char *name = json_string_value(json_object_get(row, "name"));
        same_set(row, named(json_object_get(studied, "datasets"), "name", name));
    }
    clear_warns_of_its_traces_alone(json_object_get(checked, "warnings"));
    same_warnings(json_object_get(checked, "warnings"), json_object_get(studied, "warnings"));
    same_leaks(json_object_get(checked, "leaks"), json_object_get(studied, "leaks"));
    json_decref(checked);
    harness_forget(&r);
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
    assert_int_equal(harness_number(result, "n_done"), 6);
    check_ranking(result);
    check_planted(result);
    check_same(result);
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_demo, harness_enter_folder, harness_leave_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl evaluate as a program, with seeded weights on a device: its figures against its own rows,
 * groups, refusals, exit codes; and published weights on the MesoNet database.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "data/list/csv.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_schema.h"

enum { max_rows = 600 };

/* The CSV of a run. */
typedef struct row {
    char file[256], group[32], error[32];
    int real, correct; /* correct: −1 where the cell is empty */
    double p_fake, p_real;
} row;

static row rows[max_rows];
static size_t n_rows;

static int make_weights(void **state)
{
    char data[PATH_MAX];
    const char *where = getenv("MESO_TEST_DATA");
    const harness_command init = {.words = "init meso4 -o w.safetensors"};
    if (realpath(where && *where ? where : "../shared/data", data))
        setenv("MESO_TEST_DATA", data, 1); /* the next line leaves the repository */
    if (harness_enter_folder(state) != 0)
        return -1;
    harness_result result = harness_run(&init);
    int code = result.code;
    harness_forget(&result);
    return code;
}

static harness_result run(const char *words, int code)
{
    const harness_command command = {.words = words};
    harness_result result = harness_run(&command);
    if (result.code != code)
        fail_msg("mesocl %s\nended with %d instead of %d:\n%s%s", words, result.code, code,
                 result.out, result.err);
    return result;
}

static json_t *run_json(const char *words, int code)
{
    harness_result result = run(words, code);
    json_error_t error;
    json_t *document = json_loads(result.out, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        fail_msg("mesocl %s: line %d: %s\n%s", words, error.line, error.text, result.out);
    harness_forget(&result);
    return document;
}

static char *read_text(const char *path)
{
    void *bytes = NULL;
    size_t n;
    assert_int_equal(meso_file_read(path, 1 << 24, &bytes, &n, NULL, NULL), MESO_OK);
    return bytes;
}

static void read_rows(const char *path)
{
    char *text = read_text(path);
    meso_csv csv;
    n_rows = 0;
    meso_csv_start(&csv, text, strlen(text), path);
    assert_int_equal(meso_csv_next(&csv, NULL), MESO_OK);
    assert_string_equal(csv.fields[6], "error");
    while (meso_csv_next(&csv, NULL) == MESO_OK && csv.n_fields > 0) {
        assert_int_equal(csv.n_fields, 7);
        assert_true(n_rows < max_rows);
        row *r = &rows[n_rows++];
        snprintf(r->file, sizeof r->file, "%s", csv.fields[0]);
        r->real = strcmp(csv.fields[1], "real") == 0;
        snprintf(r->group, sizeof r->group, "%s", csv.fields[2]);
        r->p_fake = atof(csv.fields[3]);
        r->p_real = atof(csv.fields[4]);
        r->correct = *csv.fields[5] ? atoi(csv.fields[5]) : -1;
        snprintf(r->error, sizeof r->error, "%s", csv.fields[6]);
    }
    free(text);
}

static void require_device(void)
{
    meso_device_close(harness_device());
}

/* n pictures of each class: <class>/<recording>_<frame>.ppm, three frames a recording. */
static void put_dataset(unsigned n)
{
    for (unsigned i = 0; i < 2 * n; i++) {
        char path[64];
        snprintf(path, sizeof path, "set/%s/%02u_%u.ppm", i < n ? "Fake" : "real", i % n / 3, i);
        harness_put_picture(path, 16, i * 0x3a1f57 ^ (i < n ? 0 : 0x808000));
    }
}

/* The figures, counted again from the rows. */
static void check_against_rows(const json_t *document, double threshold)
{
    size_t n[2] = {0, 0}, correct = 0, above = 0;
    double squares = 0, wins = 0;
    for (size_t i = 0; i < n_rows; i++) {
        const row *r = &rows[i];
        if (*r->error)
            continue;
        n[r->real]++;
        int right = (r->p_real > threshold) == r->real;
        assert_int_equal(right, r->correct);
        correct += (size_t)right;
        above += r->p_real > threshold;
        squares += (r->p_real - r->real) * (r->p_real - r->real);
        for (size_t k = 0; k < n_rows; k++)
            if (r->real && !rows[k].real && !*rows[k].error)
                wins += r->p_real > rows[k].p_real ? 1 : r->p_real == rows[k].p_real ? 0.5 : 0;
    }
    double total = (double)(n[0] + n[1]);
    harness_close(harness_number(document, "n"), total, 0, "n");
    harness_close(harness_number(document, "n_refused"), (double)n_rows - total, 0, "n_refused");
    harness_close(harness_number(document, "correct"), (double)correct, 0, "correct");
    harness_close(harness_number(document, "accuracy"), (double)correct / total, 1e-8, "accuracy");
    harness_close(harness_number(document, "mse"), squares / total, 1e-7, "mse");
    harness_close(harness_number(document, "auc"), wins / (double)(n[0] * n[1]), 1e-8, "auc");
    const json_t *confusion = json_object_get(document, "confusion");
    harness_close(harness_number(json_object_get(confusion, "fake"), "real") +
                      harness_number(json_object_get(confusion, "real"), "real"),
                  (double)above, 0, "called real");
    double share = (double)n[1] / total;
    harness_close(harness_number(json_object_get(document, "constant"), "mse"), share * (1 - share),
                  1e-8, "the constant's mse");
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Seeded weights are no judge, and 0.5 may lie outside of all their answers: a threshold in the
 * widest gap of the middle half, where nine digits leave no doubt on which side a row is. */
static double threshold_between(void)
{
    double p[max_rows], widest = 0, threshold = 0;
    size_t n = 0;
    for (size_t i = 0; i < n_rows; i++)
        if (!*rows[i].error)
            p[n++] = rows[i].p_real;
    qsort(p, n, sizeof *p, compare_doubles);
    for (size_t i = n / 4; i < 3 * n / 4; i++) {
        if (p[i + 1] - p[i] > widest) {
            widest = p[i + 1] - p[i];
            threshold = (p[i + 1] + p[i]) / 2;
        }
    }
    assert_true(widest > 1e-6);
    return threshold;
}

static void figures_are_those_of_the_rows(void **state)
{
    (void)state;
    require_device();
    put_dataset(30);
    harness_put("set/Fake/broken_1.ppm", "P6 4 4 255\n12345", 0);
    harness_put("set/real/none_1.jpg", "no picture", 0);
    json_t *document = run_json("evaluate -w w.safetensors set --csv rows.csv --json", 0);
    read_rows("rows.csv");
    assert_int_equal(n_rows, 62);
    check_against_rows(document, 0.5);
    json_decref(document);

    char words[128];
    snprintf(words, sizeof words, "evaluate -w w.safetensors set --csv rows.csv --json -t %.9g",
             threshold_between());
    document = run_json(words, 0);
    read_rows("rows.csv");
    check_against_rows(document, harness_number(document, "threshold"));
    const json_t *confusion = json_object_get(document, "confusion");
    for (size_t i = 0; i < 2; i++) /* the check above met every kind of answer */
        assert_true(harness_number(json_object_get(confusion, "fake"), i ? "real" : "fake") > 0);
    const json_t *refused = json_object_get(document, "refused");
    assert_int_equal(json_array_size(refused), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(refused, 0), "error")),
                        "truncated");
    assert_string_equal(json_string_value(json_object_get(json_array_get(refused, 1), "file")),
                        "set/real/none_1.jpg");
    json_decref(document);
}

/* The keys that scripts rely on. */
static void json_has_its_keys(void **state)
{
    static const char *const keys[] = {"schema",      "n",
                                       "n_refused",   "correct",
                                       "accuracy",    "balanced_accuracy",
                                       "mse",         "bce",
                                       "auc",         "average_precision",
                                       "eer",         "recall_fake",
                                       "recall_real", "confusion",
                                       "groups",      "intervals",
                                       "provenance",  "timing"};
    (void)state;
    require_device();
    put_dataset(6);
    harness_put("set/Fake/z.avif", "", 0);
    json_t *document =
        run_json("evaluate -w w.safetensors set --json --timing --seed 18446744073709551615", 0);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!json_object_get(document, keys[i]))
            fail_msg("there is no \"%s\"", keys[i]);
    assert_true(json_is_null(json_object_get(document, "groups")));
    const json_t *passed = json_array_get(json_object_get(document, "passed_over"), 0);
    assert_string_equal(json_string_value(json_object_get(passed, "kind")), "format");
    assert_string_equal(json_string_value(json_object_get(passed, "name")), ".avif");
    assert_true(harness_number(passed, "n") == 1);
    assert_true(harness_number(json_object_get(document, "timing"), "total") > 0);
    const json_t *provenance = json_object_get(document, "provenance");
    assert_string_equal(json_string_value(json_object_get(provenance, "seed")),
                        "18446744073709551615");
    assert_string_equal(json_string_value(json_object_get(provenance, "dataset")), "set");
    const json_t *interval = json_object_get(json_object_get(document, "intervals"), "auc");
    double low = json_number_value(json_array_get(interval, 0));
    double high = json_number_value(json_array_get(interval, 1));
    assert_true(0 <= low && low <= harness_number(document, "auc") &&
                harness_number(document, "auc") <= high);
    const char *verdict = json_string_value(json_object_get(document, "verdict"));
    const char *says = low > 0.5    ? "better than a coin"
                       : high < 0.5 ? "worse than a coin"
                                    : "not shown to be better than a coin";
    assert_non_null(verdict);
    if (!strstr(verdict, says) || (low > 0.5 && strstr(verdict, "not shown to be better")))
        fail_msg("%g to %g: %s", low, high, verdict);
    json_decref(document);
}

/* 00 … 09 name recordings of both classes: twenty groups, whose scores are means of three rows. */
static void groups_stay_in_their_class(void **state)
{
    char words[160];
    (void)state;
    require_device();
    put_dataset(30);
    harness_result result = run("evaluate -w w.safetensors set --csv rows.csv", 0);
    harness_forget(&result);
    read_rows("rows.csv");
    double threshold = threshold_between(); /* so that groups are called both ways */
    snprintf(words, sizeof words,
             "evaluate -w w.safetensors set --group ([^_/]+)_ --csv rows.csv --json -t %.9g",
             threshold);
    json_t *document = run_json(words, 0);
    const json_t *groups = json_object_get(document, "groups");
    const json_t *scores = json_object_get(groups, "scores");
    size_t correct = 0, called_real = 0;
    read_rows("rows.csv");
    assert_int_equal(json_array_size(scores), 20);
    harness_close(harness_number(json_object_get(document, "intervals"), "n_drawn"), 20, 0,
                  "drawn");
    for (size_t i = 0; i < 20; i++) {
        const json_t *group = json_array_get(scores, i);
        const char *name = json_string_value(json_object_get(group, "group"));
        int real = strcmp(json_string_value(json_object_get(group, "label")), "real") == 0;
        double sum = 0, n = 0;
        for (size_t k = 0; k < n_rows; k++)
            if (rows[k].real == real && strcmp(rows[k].group, name) == 0)
                sum += rows[k].p_real, n++;
        assert_int_equal(n, 3);
        harness_close(harness_number(group, "n"), n, 0, "images of %s", name);
        /* groups are means of float scores (evaluation.c), the rows of the CSV are not rounded */
        harness_close(harness_number(group, "p_real"), sum / n, 6e-8, "P(real) of %s", name);
        assert_int_equal(json_is_true(json_object_get(group, "correct")),
                         (sum / n > threshold) == real);
        called_real += sum / n > threshold;
        correct += (sum / n > threshold) == real;
    }
    harness_close(harness_number(groups, "correct"), (double)correct, 0, "correct groups");
    assert_true(called_real > 0 && called_real < 20);
    json_decref(document);
}

static void report_for_people(void **state)
{
    (void)state;
    require_device();
    put_dataset(6);
    harness_put("set/real/none_1.jpg", "no picture", 0);
    harness_result result = run("evaluate -w w.safetensors set --roc roc.svg --seed 4", 0);
    assert_non_null(strstr(result.out, " of 12 images correct\n"));
    assert_non_null(strstr(result.out, "\nbalanced accuracy  "));
    assert_non_null(
        strstr(result.out, "\n              precision    recall  f1-score   support\n\n"));
    assert_non_null(strstr(result.out, "\n      called fake  called real\nfake  "));
    assert_non_null(strstr(result.out, "1000 resamples of 12 images, seed 4\n"));
    assert_non_null(strstr(result.out, "\n  command       mesocl evaluate -w w.safetensors set"));
    assert_non_null(strstr(result.err, "refused: set/real/none_1.jpg: unknown_format: "));
    assert_non_null(strstr(result.err, "mesocl: 12 images scored, 1 refused (1 unknown_format)\n"));
    char *svg = read_text("roc.svg");
    assert_memory_equal(svg, "<svg ", 5);
    assert_non_null(strstr(svg, "w.safetensors on set</text>"));
    free(svg);
    harness_result slash = run("evaluate -w ./w.safetensors ./set/ --roc slash.svg --json", 0);
    svg = read_text("slash.svg");
    assert_non_null(strstr(svg, ">w.safetensors on set</text>"));
    free(svg);
    harness_forget(&slash);

    /* The same command gives the same report to the letter. */
    harness_result again = run("evaluate -w w.safetensors set --roc roc.svg --seed 4", 0);
    assert_string_equal(again.out, result.out);
    harness_forget(&again);
    harness_forget(&result);
}

/* All of one class refused: what needs both is unknown, not 0. */
static void one_class_that_is_left(void **state)
{
    (void)state;
    require_device();
    harness_put_picture("set/fake/a.ppm", 4, 1);
    harness_put_picture("set/fake/b.ppm", 4, 2);
    harness_put("set/real/c.ppm", "no picture", 0);
    json_t *document = run_json("evaluate -w w.safetensors set --json", 0);
    assert_true(json_is_null(json_object_get(document, "auc")));
    assert_true(json_is_null(json_object_get(document, "eer")));
    assert_true(json_is_null(json_object_get(document, "recall_real")));
    const json_t *reals = json_object_get(json_object_get(document, "report"), "real");
    assert_true(json_is_null(json_object_get(reals, "recall")));
    assert_true(json_is_number(json_object_get(document, "recall_fake")));
    harness_close(harness_number(document, "n"), 2, 0, "n");
    json_decref(document);
    harness_result result = run("evaluate -w ./w.safetensors set/ --roc roc.svg", 65);
    assert_non_null(
        strstr(result.out, "\nAUC                   n/a        n/a     n/a       n/a\n"));
    assert_non_null(
        strstr(result.out, "\nrecall of reals       n/a        n/a     n/a       n/a\n"));
    assert_non_null(strstr(result.err, "no ROC: it needs scored images of both classes"));
    assert_int_equal(access("roc.svg", F_OK), -1);
    harness_forget(&result);
}

static void a_manifest_names_labels_and_groups(void **state)
{
    (void)state;
    require_device();
    harness_put_picture("x/a b.ppm", 4, 1);
    harness_put_picture("x/c.ppm", 4, 0x00ff00);
    harness_put("x/list.csv", "label,file,group\nreal,\"a b.ppm\",r1\nfake,c.ppm,r1\n", 0);
    json_t *document =
        run_json("evaluate -w w.safetensors --manifest x/list.csv --json --csv rows.csv", 0);
    read_rows("rows.csv");
    assert_int_equal(n_rows, 2);
    assert_string_equal(rows[0].file, "x/c.ppm");
    assert_int_equal(rows[0].real, 0);
    assert_string_equal(rows[1].group, "r1");
    check_against_rows(document, 0.5);
    harness_close(harness_number(json_object_get(document, "groups"), "n"), 2, 0, "groups");
    json_decref(document);
}

static void exit_codes(void **state)
{
    static const harness_row cases[] = {
        {"evaluate -w w.safetensors set", 0, "4 images scored"},
        {"evaluate -w w.safetensors set --limit 1", 0, "2 images scored"},
        {"evaluate -w w.safetensors named --fake a --real b", 0, "2 images scored"},
        {"evaluate set", 0, "4 images scored"}, /* by the weights that come with it */
        {"evaluate -w w.safetensors", 2, "either a folder or --manifest"},
        {"evaluate -w w.safetensors set --manifest m.csv", 2, "either a folder or --manifest"},
        {"evaluate -w w.safetensors set --threshold 1.5", 2, "threshold"},
        {"evaluate -w w.safetensors set --resamples 0", 2, "resamples"},
        {"evaluate -w w.safetensors set --group (", 2, "pattern"},
        {"evaluate -w w.safetensors set --group (x)", 65, "finds no group"},
        {"evaluate -w w.safetensors named", 65, "named"},
        {"evaluate -w w.safetensors bad", 65, "no image could be scored"},
        {"evaluate -w w.safetensors bad --roc r.svg", 65, "no image could be scored"},
        {"evaluate -w w.safetensors gone", 66, "gone"},
        {"evaluate -w w.safetensors hollow", 66, "hollow"},
        {"evaluate -w gone.safetensors set", 66, "gone.safetensors"},
        {"evaluate -w w.safetensors -d no-such-device set", 69, "no-such-device"},
    };
    (void)state;
    require_device();
    put_dataset(2);
    harness_put_picture("named/a/1.ppm", 4, 1);
    harness_put_picture("named/b/1.ppm", 4, 2);
    harness_put("bad/fake/1.ppm", "no picture", 0);
    harness_put("bad/real/1.ppm", "", 0);
    harness_put("hollow/fake/note.txt", "no picture", 0);
    harness_put("hollow/real/note.txt", "no picture", 0);
    harness_run_rows(NULL, cases, sizeof cases / sizeof cases[0]);
}

/* Where nothing could be scored, programs still get their document. */
static void nothing_scored_is_a_document_too(void **state)
{
    (void)state;
    require_device();
    harness_put("bad/fake/1.ppm", "no picture", 0);
    harness_put("bad/real/1.ppm", "", 0);
    json_t *document = run_json("evaluate -w w.safetensors bad --json --csv rows.csv", 65);
    harness_close(harness_number(document, "n"), 0, 0, "n");
    harness_close(harness_number(document, "n_refused"), 2, 0, "n_refused");
    assert_true(json_is_null(json_object_get(document, "accuracy")));
    json_decref(document);
    read_rows("rows.csv");
    assert_int_equal(n_rows, 2);
    assert_string_equal(rows[0].error, "unknown_format");
    assert_int_equal(rows[0].correct, -1);
}

/* A file that cannot be written is told before a picture is scored. */
static void output_that_cannot_be_written(void **state)
{
    static const harness_stdout to[] = {HARNESS_CLOSED, HARNESS_FULL, HARNESS_LEFT};
    (void)state;
    require_device();
    put_dataset(2);
    harness_result result = run("evaluate -w w.safetensors set --csv gone/rows.csv", 73);
    assert_string_equal(result.out, "");
    assert_string_equal(result.err, "mesocl: gone/rows.csv: cannot create: No such file or "
                                    "directory\n");
    harness_forget(&result);
    for (size_t i = 0; i < 3; i++) {
        const harness_command command = {.words = "evaluate -w w.safetensors set --json",
                                         .to = to[i]};
        result = harness_run(&command);
        assert_int_equal(result.code, 74);
        harness_forget(&result);
    }
}

/* The first 250 images of each class. The figures are scikit-learn's for the rows of a run over all
 * 7104 whose totals (6309 correct, MSE 0.0862541, AUC 0.962081) are those of torch 1.13.1. */
static void published_weights_on_mesonet(void **state)
{
    char convert[PATH_MAX + 64], evaluate[PATH_MAX + 128];
    (void)state;
    require_device();
    snprintf(convert, sizeof convert, "convert %s -o m.safetensors",
             harness_data("weights/Meso4_DF.h5"));
    harness_result result = run(convert, 0);
    harness_forget(&result);
    snprintf(evaluate, sizeof evaluate,
             "evaluate -w m.safetensors %s --limit 250 --json --csv rows.csv --group ([^_/]+)_",
             harness_data("datasets/mesonet/Validation"));
    json_t *document = run_json(evaluate, 0);
    read_rows("rows.csv");
    check_against_rows(document, 0.5);
    harness_close(harness_number(document, "n"), 500, 0, "n");
    harness_close(harness_number(document, "correct"), 426, 1, "correct");
    harness_close(harness_number(document, "mse"), 0.1008076, 1e-5, "mse");
    harness_close(harness_number(document, "auc"), 0.94272, 1e-5, "auc");
    harness_close(harness_number(json_object_get(document, "groups"), "n"), 10, 0, "groups");
    json_decref(document);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_weights, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(figures_are_those_of_the_rows),
        IN_FOLDER(json_has_its_keys),
        IN_FOLDER(groups_stay_in_their_class),
        IN_FOLDER(report_for_people),
        IN_FOLDER(one_class_that_is_left),
        IN_FOLDER(a_manifest_names_labels_and_groups),
        IN_FOLDER(exit_codes),
        IN_FOLDER(nothing_scored_is_a_document_too),
        IN_FOLDER(output_that_cannot_be_written),
        IN_FOLDER(published_weights_on_mesonet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

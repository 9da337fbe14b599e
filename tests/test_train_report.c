/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl report on runs that are complete, cut, damaged, and named to break out of a page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "harness_run.h"
#include "harness_train.h"

static const char config[] =
    "{\"options\": {\"data\": \"/d/<script>\", \"seed\": 7, \"batch\": 32, \"command\": "
    "\"mesocl\"},"
    " \"version\": \"0\", \"commit\": \"abc\", \"device\": \"cpu\", \"net\": \"meso4\","
    " \"kernels\": \"fused\", \"n_train\": 60, \"data_hash\": \"0123\"}";
static const char history[] =
    "{\"epoch\":1,\"step\":2,\"learning_rate\":0.001,\"loss\":0.3,\"accuracy\":0.5,\"val_loss\":0."
    "25,"
    "\"val_accuracy\":0.5,\"val_auc\":0.6,\"seconds\":1,\"images_per_second\":60}\n"
    "{\"epoch\":2,\"step\":4,\"learning_rate\":0.0001,\"loss\":0.2,\"accuracy\":0.6,\"val_loss\":0."
    "24,"
    "\"val_accuracy\":0.75,\"val_auc\":0.7,\"seconds\":1,\"images_per_second\":60}\n";
static const char metrics[] = "{\"best_epoch\": 2, \"set\": \"validation\"}";
static const char scores[] = "file,label,group,p_fake,p_real\r\n"
                             "a.jpg,fake,,0.9,0.1\r\n"
                             "\"'=b,\"\"c\"\".jpg\",fake,,0.25,0.75\r\n"
                             "<img>.jpg,real,,0.2,0.8\r\n"
                             "d.jpg,real,,0.4,0.6\r\n";

static void put_run(const char *name, int complete)
{
    const struct {
        const char *file, *bytes;
    } files[] = {{"config.json", config},
                 {"history.jsonl", history},
                 {"metrics.json", metrics},
                 {"validation.csv", scores}};
    for (size_t i = 0; i < (complete ? 4 : 2); i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", name, files[i].file);
        harness_put(path, files[i].bytes, 0);
    }
}

static char *read_text(const char *path)
{
    static void *bytes;
    size_t n = 0;
    assert_int_equal(meso_file_read(path, 1 << 24, &bytes, &n, NULL, NULL), MESO_OK);
    return bytes;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

/* The figures are those of the four scores: 3 of 4 right, 3 of 4 pairs in order. */
static void report_has_everything(void **state)
{
    (void)state;
    put_run("run", 1);
    free(harness_train("report run", 0));
    char *page = read_text("run/report.html");
    static const char *const parts[] = {
        "<b>0.7500</b>",
        "Best weights on the validation set",
        "ROC",
        "Calibration",
        "Confusion matrix",
        "Learning rate",
        ">Loss<",
        "Accuracy",
        "&quot;c&quot;.jpg",
        "Provenance",
        "AUC 0.7500",
        "Content-Security-Policy",
        "with fused kernels",
        "/d/&lt;script&gt;",
        "<dt>seed</dt><dd>7</dd>",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(page, parts[i]))
            fail_msg("the report lacks %s", parts[i]);
    assert_int_equal(count(page, "<canvas"), 7);
    assert_null(strstr(page, "<img>"));
    free(page);
}

/* The ROC's points in the page are those of the scores. */
static void roc_is_in_the_page(void **state)
{
    (void)state;
    put_run("run", 1);
    free(harness_train("report run -o elsewhere.html", 0));
    assert_int_equal(access("run/report.html", F_OK), -1);
    char *page = read_text("elsewhere.html");
    static const char tag[] = "<script type=\"application/json\">";
    const char *start = strstr(page, tag) + strlen(tag);
    json_t *json = json_loadb(start, (size_t)(strstr(start, "</script>") - start), 0, NULL);
    const json_t *series = json_array_get(json_object_get(json, "series"), 0);
    const json_t *x = json_object_get(series, "x"), *y = json_object_get(series, "y");
    const double expected[][2] = {{0, 0}, {0, 0.5}, {0.5, 0.5}, {0.5, 1}, {1, 1}};
    assert_int_equal(json_array_size(x), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(json_number_value(json_array_get(x, i)) == expected[i][0]);
        assert_true(json_number_value(json_array_get(y, i)) == expected[i][1]);
    }
    json_decref(json);
    free(page);
}

static void a_cut_run_has_curves(void **state)
{
    (void)state;
    put_run("run", 0);
    free(harness_train("report run", 0));
    char *page = read_text("run/report.html");
    assert_non_null(strstr(page, "The run is not complete"));
    assert_int_equal(count(page, "<canvas"), 4);
    free(page);
}

static void names_do_not_break_out(void **state)
{
    (void)state;
    static const char *const names[] = {"<script>alert(1)<", "a\"b", "\xff\x1b[2J", "&lt;"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        put_run(names[i], 1);
        snprintf(path, sizeof path, "%s/report.html", names[i]);
        const char *const argv[] = {"report", names[i], NULL};
        harness_result result = harness_run(&(harness_command){.argv = argv});
        assert_int_equal(result.code, 0);
        assert_null(strchr(result.out, '\x1b'));
        harness_forget(&result);
        char *page = read_text(path);
        assert_null(strstr(page, "<script>"));
        assert_null(strchr(page, '\x1b'));
        free(page);
    }
}

static void what_is_no_run_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *bytes;
        int code;
    } rows[] = {
        {"config.json", "{", 65},
        {"config.json", "[]", 65},
        {"history.jsonl", "{\"epoch\":2}\n", 65},
        {"metrics.json", "x", 65},
        {"validation.csv", "file\r\na\r\n", 65},
        {"validation.csv", "file,label,group,p_fake,p_real\r\na,fake,,0.5,1.5\r\n", 65},
        {"validation.csv", "file,label,group,p_fake,p_real\r\na,both,,0.5,0.5\r\n", 65},
    };
    free(harness_train("report missing", 66));
    free(harness_train("report", 2));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[64];
        put_run("run", 1);
        snprintf(path, sizeof path, "run/%s", rows[i].file);
        harness_put(path, rows[i].bytes, 0);
        free(harness_train("report run", rows[i].code));
        assert_int_equal(access("run/report.html", F_OK), -1);
    }
}

int main(void)
{
#define REPORT_TEST(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        REPORT_TEST(report_has_everything),     REPORT_TEST(roc_is_in_the_page),
        REPORT_TEST(a_cut_run_has_curves),      REPORT_TEST(names_do_not_break_out),
        REPORT_TEST(what_is_no_run_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

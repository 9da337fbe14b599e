/* SPDX-License-Identifier: Apache-2.0
 *
 * What reports are written with: scikit-learn's text, tables in four formats, numbers, names of any
 * bytes, provenance, the ROC as SVG.
 */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv_field.h"
#include "mesocl/metrics.h"
#include "mesocl/status.h"
#include "report/report_classification.h"
#include "report/report_json.h"
#include "report/report_number.h"
#include "report/report_provenance.h"
#include "report/report_roc.h"
#include "report/report_writer.h"

/* The text must be what was added; frees it. */
static void expect_text(meso_text *text, const char *expected)
{
    assert_false(text->out_of_memory);
    assert_string_equal(text->bytes ? text->bytes : "", expected);
    meso_text_free(text);
}

/* ---- scikit-learn's report ---- */

/* Scores that give the confusion matrix [truth][called]. */
static meso_metrics metrics_of(size_t confusion[2][2])
{
    enum { room = 2000 };
    static double p_real[room], p_fake[room];
    static unsigned char real[room];
    meso_metrics metrics = MESO_INIT(meso_metrics);
    size_t n = 0;
    for (size_t truth = 0; truth < 2; truth++) {
        for (size_t k = 0; k < confusion[truth][0] + confusion[truth][1]; k++, n++) {
            real[n] = (unsigned char)truth;
            p_real[n] = k < confusion[truth][0] ? 0.25 : 0.75;
            p_fake[n] = 1 - p_real[n];
        }
    }
    const meso_scores scores = {p_real, p_fake, real, NULL, n};
    assert_int_equal(meso_metrics_compute(&scores, 0.5, &metrics, NULL), MESO_OK);
    return metrics;
}

static report_class class_row(const char *name, const meso_class_metrics *m)
{
    return (report_class){name, m->precision, m->recall, m->f1, m->support};
}

static void classification(size_t confusion[2][2], const char *fake, const char *real,
                           meso_text *out)
{
    const meso_metrics m = metrics_of(confusion);
    const report_class classes[] = {class_row(fake, &m.per_class[0]),
                                    class_row(real, &m.per_class[1])};
    const report_class averages[] = {class_row("macro avg", &m.macro_average),
                                     class_row("weighted avg", &m.weighted_average)};
    report_classification(classes, 2, m.accuracy, averages, 2, out);
}

/* Two published models; texts as scikit-learn prints them. */
static void classification_is_scikit_learns(void **state)
{
    (void)state;
    meso_text text = {0};
    classification((size_t[2][2]){{730, 43}, {30, 1142}}, "0", "1", &text);
    expect_text(&text, "              precision    recall  f1-score   support\n"
                       "\n"
                       "           0       0.96      0.94      0.95       773\n"
                       "           1       0.96      0.97      0.97      1172\n"
                       "\n"
                       "    accuracy                           0.96      1945\n"
                       "   macro avg       0.96      0.96      0.96      1945\n"
                       "weighted avg       0.96      0.96      0.96      1945\n");
    classification((size_t[2][2]){{671, 102}, {77, 1095}}, "0", "1", &text);
    expect_text(&text, "              precision    recall  f1-score   support\n"
                       "\n"
                       "           0       0.90      0.87      0.88       773\n"
                       "           1       0.91      0.93      0.92      1172\n"
                       "\n"
                       "    accuracy                           0.91      1945\n"
                       "   macro avg       0.91      0.90      0.90      1945\n"
                       "weighted avg       0.91      0.91      0.91      1945\n");
}

/* A long name widens the column; a class that is never called has no precision. */
static void classification_widens(void **state)
{
    (void)state;
    meso_text text = {0};
    classification((size_t[2][2]){{0, 1}, {0, 3}}, "gefälscht und neu", "real", &text);
    expect_text(&text, "                   precision    recall  f1-score   support\n"
                       "\n"
                       "gefälscht und neu        n/a      0.00      0.00         1\n"
                       "             real       0.75      1.00      0.86         3\n"
                       "\n"
                       "         accuracy                           0.75         4\n"
                       "        macro avg       0.75      0.50      0.43         4\n"
                       "     weighted avg       0.75      0.75      0.64         4\n");
}

/* ---- tables ---- */

static const report_column columns[] = {
    COLUMN_TEXT("file", "File"),
    COLUMN_NUMBER("p", "P", 3),
    COLUMN_COUNT("n", "Count"),
    COLUMN_TEXT("note", "Note"),
};

static report_table hostile_table(void)
{
    report_table table = {.columns = columns, .n_columns = 4};
    const struct {
        const char *file;
        double p;
        size_t n;
        const char *note;
    } rows[] = {{"=1+1,\"x\"", 0.123456789012, 7, "a|b*"},
                {"é\n\xff", NAN, 123456, NULL},
                {"-", -1e-20, 0, "'s"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        REPORT_ROW(&table, rows[i].file, rows[i].p, rows[i].n, rows[i].note);
    assert_false(table.out_of_memory);
    return table;
}

static void table_as_text(void **state)
{
    (void)state;
    report_table table = hostile_table();
    meso_text text = {0};
    report_table_text(&table, &text);
    expect_text(&text, "File            P   Count  Note\n"
                       "=1+1,\"x\"    0.123       7  a|b*\n"
                       "é\\x0A\\xFF     n/a  123456\n"
                       "-          -0.000       0  's\n");
    report_table_markdown(&table, &text);
    expect_text(&text, "| File | P | Count | Note |\n"
                       "| --- | ---: | ---: | --- |\n"
                       "| =1+1,\"x\" | 0.123 | 7 | a\\|b\\* |\n"
                       "| é\\\\x0A\\\\xFF | n/a | 123456 |  |\n"
                       "| - | -0.000 | 0 | 's |\n");
    report_table_free(&table);
}

static void table_as_csv(void **state)
{
    (void)state;
    report_table table = hostile_table();
    meso_text text = {0};
    report_table_csv(&table, &text);
    expect_text(&text, "file,p,n,note\r\n"
                       "\"'=1+1,\"\"x\"\"\",0.123456789,7,a|b*\r\n"
                       "\"é\n\xff\",,123456,\r\n"
                       "'-,-1e-20,0,''s\r\n");
    report_table_free(&table);
    report_table_csv(&table, &text); /* without rows */
    expect_text(&text, "file,p,n,note\r\n");
}

static void table_as_json(void **state)
{
    (void)state;
    report_table table = hostile_table();
    json_t *rows = report_table_json(&table);
    meso_text text = {0};
    report_json_write(rows, REPORT_JSON_LINE, &text);
    expect_text(
        &text, "[{\"file\": \"=1+1,\\\"x\\\"\", \"p\": 0.123456789, \"n\": 7, \"note\": \"a|b*\"}, "
               "{\"file\": \"é\\\\x0A\\\\xFF\", \"p\": null, \"n\": 123456, \"note\": null}, "
               "{\"file\": \"-\", \"p\": -1e-20, \"n\": 0, \"note\": \"'s\"}]");
    json_decref(rows);
    report_table_free(&table);
}

/* What a spreadsheet would run as a formula. */
static void csv_guards_formulas(void **state)
{
    static const char *const rows[][2] = {
        {"=1", "'=1"},     {"+1", "'+1"}, {"-1", "'-1"},  {"@x", "'@x"}, {"\t=1", "'\t=1"},
        {"\r", "\"'\r\""}, {"'a", "''a"}, {"a=1", "a=1"}, {"", ""},      {"a\nb", "\"a\nb\""}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_text text = {0};
        meso_csv_field(rows[i][0], &text);
        expect_text(&text, rows[i][1]);
    }
}

/* ---- numbers and names ---- */

static void check_numbers(void)
{
    char out[REPORT_NUMBER_SIZE];
    assert_string_equal(report_exact(0.1, out), "0.1");
    assert_string_equal(report_exact(1.0 / 3, out), "0.333333333");
    assert_string_equal(report_exact(1e-20 / 3, out), "3.33333333e-21");
    assert_string_equal(report_exact(NAN, out), "");
    assert_string_equal(report_exact(-INFINITY, out), "");
    assert_string_equal(report_fixed(0.125, 2, out), "0.12");
    assert_string_equal(report_fixed(1234.5, 0, out), "1234");
    assert_string_equal(report_fixed(NAN, 2, out), "n/a");
    assert_string_equal(report_fixed(-1.5e300, 9, out), "-1.5e+300");
    assert_true(strlen(report_fixed(-9.9e16, 20, out)) < REPORT_NUMBER_SIZE);
    /* Nine digits give every float back. */
    assert_true(strtof(report_exact((double)0.1f, out), NULL) == 0.1f);
}

static void numbers_have_a_point(void **state)
{
    (void)state;
    check_numbers();
    /* Locales are a matter of the machine; where there is one with a comma, nothing changes. */
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") || setlocale(LC_NUMERIC, "fr_FR.UTF-8")) {
        char out[REPORT_NUMBER_SIZE];
        assert_string_equal(report_exact(0.5, out), "0.5");
        assert_string_equal(report_fixed(-2.25, 1, out), "-2.2");
        setlocale(LC_NUMERIC, "C");
    }
}

static void names_lose_no_byte(void **state)
{
    (void)state;
    meso_text text = {0};
    meso_builder object = meso_build_object();
    report_build_file(&object, "a\xff\n\\.jpg");
    meso_build_number(&object, "p", 1.0 / 3);
    meso_build_number(&object, "q", NAN);
    report_json_write(object.json, REPORT_JSON_LINE, &text);
    expect_text(&text, "{\"file\": \"a\\\\xFF\\\\x0A\\\\x5C.jpg\", "
                       "\"file_bytes\": \"61ff0a5c2e6a7067\", \"p\": 0.333333333, \"q\": null}");
    json_decref(object.json);

    object = meso_build_object();
    report_build_file(&object, "ü\n\"\\.jpg");
    report_json_put(meso_build_end(&object), &text);
    expect_text(&text, "{\n  \"file\": \"ü\\n\\\"\\\\.jpg\"\n}\n");
}

static void a_value_that_is_missing_travels_up(void **state)
{
    (void)state;
    meso_text text = {0};
    meso_builder list = meso_build_list(), row = meso_build_object();
    meso_build_text(&row, "name", "\xff");
    meso_build_text(&row, "other", NULL);
    meso_build_count(&row, "n", 3);
    meso_build_flag(&row, "warn", 2);
    meso_build_number(&row, "auc", INFINITY);
    meso_build_add(&list, meso_build_end(&row));
    json_t *document = meso_build_end(&list);
    report_json_write(document, REPORT_JSON_LINE, &text);
    expect_text(&text, "[{\"name\": \"\\\\xFF\", \"other\": null, \"n\": 3, \"warn\": true, "
                       "\"auc\": null}]");
    assert_true(isnan(meso_json_number_of(json_array_get(document, 0), "auc")));
    assert_true(meso_json_number_of(json_array_get(document, 0), "n") == 3);
    json_decref(document);

    row = meso_build_object();
    meso_build_set(&row, "pairs", NULL);
    meso_build_count(&row, "n", 3); /* what succeeds later hides nothing */
    list = meso_build_list();
    meso_build_add(&list, meso_build_end(&row));
    meso_build_add(&list, json_null());
    assert_null(meso_build_end(&list));
}

/* ---- the writer ---- */

static void write_report(report_form form, const char *const *expected)
{
    const report_provenance provenance = {.seed = "7"};
    report_writer writer = {.form = form, .page.title = "T"};
    REPORT_TABLE(table, COLUMN_TEXT("file", "file"), COLUMN_NUMBER("p", "P", 2));
    report_writer_section(&writer, "First");
    report_writer_paragraph(&writer, "%d files.", 1);
    report_writer_table(&writer, "None", &table);
    REPORT_ROW(&table, "a|b", 0.125);
    report_writer_table(&writer, "Some", &table);
    assert_int_equal(table.n_cells, 0);
    report_writer_finish(&writer, &provenance);
    for (const char *at = writer.out.bytes; *expected; expected++) {
        at = strstr(at, *expected);
        if (!at)
            fail_msg("\"%s\" is missing in %s", *expected, writer.out.bytes);
    }
    assert_null(strstr(writer.out.bytes, "None"));
    meso_text_free(&writer.out);
}

static void one_report_in_three_forms(void **state)
{
    (void)state;
    write_report(REPORT_AS_TEXT,
                 (const char *[]){"== First\n1 files.\n\nSome\nfile     P\na|b   0.12\n",
                                  "\n== Where these figures come from\n", "seed", "7\n", NULL});
    write_report(REPORT_AS_MARKDOWN,
                 (const char *[]){"\n## First\n\n1 files.\n\n\nSome\n\n| file | P |\n",
                                  "| a\\|b | 0.12 |\n\n", "```\n", "seed", "7\n```\n", NULL});
    write_report(REPORT_AS_HTML,
                 (const char *[]){"<h1>T</h1>", "<h2>First</h2>", "<p>1 files.</p>", "Some",
                                  "<td>a|b</td><td class=\"right\">0.12</td>", "seed", NULL});
}

/* ---- provenance ---- */

static void provenance_says_what_is_known(void **state)
{
    (void)state;
    const report_provenance provenance = {
        .device = "cpu \xff", .net = "meso4", .command = "a '\\.'", .seed = ""};
    json_t *object = report_provenance_json(&provenance);
    assert_string_equal(json_string_value(json_object_get(object, "version")), meso_version());
    assert_string_equal(json_string_value(json_object_get(object, "commit")), meso_commit());
    assert_string_equal(json_string_value(json_object_get(object, "device")), "cpu \\xFF");
    assert_int_equal(json_object_size(object), 5); /* those, net and command: no unknown field */
    json_decref(object);

    meso_text text = {0};
    report_provenance_text(&provenance, &text);
    assert_non_null(strstr(text.bytes, "  device        cpu \\xFF\n"));
    assert_non_null(strstr(text.bytes, "  command       a '\\.'\n"));
    meso_text_free(&text);
}

static void command_lines_can_be_typed_again(void **state)
{
    (void)state;
    char *argv[] = {"mesocl", "a b", "", "it's", "--x=1", "$HOME", "\\.jpg", "it's\n\xff\\"};
    meso_text text = {0};
    report_command_line(8, argv, &text);
    expect_text(&text,
                "mesocl 'a b' '' 'it'\\''s' --x=1 '$HOME' '\\.jpg' $'it\\x27s\\x0A\\xFF\\x5C'");
}

/* ---- SVG ---- */

/* Well-formed enough: every tag that is opened is closed in order. Returns the number of tags. */
static size_t check_tags(const char *svg)
{
    const char *open[16];
    size_t depth = 0, n = 0;
    for (const char *at = strchr(svg, '<'); at; at = strchr(at + 1, '<'), n++) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        assert_true(memchr(at + 1, '<', (size_t)(end - at - 1)) == NULL);
        if (at[1] == '/') {
            assert_true(depth > 0);
            size_t length = (size_t)(end - at - 2);
            assert_memory_equal(open[--depth], at + 2, length);
        } else if (end[-1] != '/') {
            assert_true(depth < 16);
            open[depth++] = at + 1;
        }
    }
    assert_int_equal(depth, 0);
    return n;
}

static void roc_is_plain_svg(void **state)
{
    (void)state;
    const report_roc_point points[] = {{0, 0}, {0, 0.5}, {0.25, 0.75}, {1, 1}};
    report_roc roc = {.title = "a&b<script>\"\xff\xEF\xBF\xBF\x1b",
                      .points = points,
                      .n_points = 4,
                      .auc = 0.8125,
                      .auc_low = NAN,
                      .auc_high = NAN,
                      .eer = 0.25,
                      .eer_threshold = 0.5};
    meso_text text = {0};
    report_roc_svg(&roc, &text);
    assert_true(check_tags(text.bytes) > 30);
    assert_non_null(
        strstr(text.bytes, "ROC: a&amp;b&lt;script&gt;&quot;\\xFF\\uFFFF\\x1B</title>"));
    assert_null(strstr(text.bytes, "<script"));
    assert_null(strstr(text.bytes, "href"));
    assert_null(strstr(text.bytes, "url("));
    /* The one address in it is the name of SVG's namespace. */
    assert_ptr_equal(strstr(strstr(text.bytes, "http") + 1, "http"), NULL);
    assert_non_null(
        strstr(text.bytes, "M76.00 584.00L76.00 334.00L201.00 209.00L576.00 84.00\"/>"));
    assert_non_null(strstr(text.bytes, "<circle class=\"eer\" cx=\"201.00\" cy=\"209.00\""));
    assert_non_null(strstr(text.bytes, ">0.8125</tspan></text>"));
    assert_non_null(strstr(text.bytes, ">0.2500</tspan> at P(real) = 0.5000"));
    assert_non_null(strstr(text.bytes, "prefers-color-scheme: dark"));
    meso_text_free(&text);

    char title[201];
    memset(title, 'x', 200);
    memcpy(title + 192, "the end", 8);
    roc.title = title;
    roc.auc_low = 0.75, roc.auc_high = 0.875;
    report_roc_svg(&roc, &text);
    assert_non_null(strstr(text.bytes, ">…xxx"));
    assert_non_null(strstr(text.bytes, "xthe end</text>"));
    assert_non_null(strstr(text.bytes, " (95 %: 0.7500–0.8750)"));
    meso_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(classification_is_scikit_learns),
                                       cmocka_unit_test(classification_widens),
                                       cmocka_unit_test(table_as_text),
                                       cmocka_unit_test(table_as_csv),
                                       cmocka_unit_test(table_as_json),
                                       cmocka_unit_test(csv_guards_formulas),
                                       cmocka_unit_test(numbers_have_a_point),
                                       cmocka_unit_test(names_lose_no_byte),
                                       cmocka_unit_test(a_value_that_is_missing_travels_up),
                                       cmocka_unit_test(one_report_in_three_forms),
                                       cmocka_unit_test(provenance_says_what_is_known),
                                       cmocka_unit_test(command_lines_can_be_typed_again),
                                       cmocka_unit_test(roc_is_plain_svg)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

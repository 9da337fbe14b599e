/* SPDX-License-Identifier: Apache-2.0
 *
 * HTML reports: whatever stands in a name, the page has its elements and no others, and its data
 * are the JSON that was meant.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report_html.h"

/* Each would break out of text, of an attribute, of a script, or reach a terminal. */
static const char *const hostile[] = {"<script>alert(1)</script>",
                                      "</script><script>x()</script>",
                                      "\" onload=\"x()",
                                      "<!-- <script>",
                                      "\x1b[2J\nline",
                                      "\xff\xfe",
                                      "&lt;",
                                      "]]>",
                                      "=cmd",
                                      "' onload='x()"};
enum { n_hostile = sizeof hostile / sizeof hostile[0] };

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

static const report_column columns[] = {{"name", "Name", REPORT_LEFT, REPORT_TEXT, 0},
                                        {"p", "P", REPORT_RIGHT, REPORT_NUMBER, 3}};

/* Every element of a page, with the name wherever a name can stand. */
static void make_page(const char *name, meso_text *out)
{
    report_html page = {.title = name, .subtitle = name};
    report_table table = {.columns = columns, .n_columns = 2};
    const double x[] = {1, 2, 3}, y[] = {0.5, NAN, 0.25};
    const char *const names[] = {name, "b", "c"};
    const report_series series[] = {{name, REPORT_SERIES_LINE, x, y, 3, names},
                                    {NULL, REPORT_SERIES_POINTS, x, y, 3, NULL}};
    const report_series bars = {"n", REPORT_SERIES_BARS, NULL, y, 3, NULL};
    const report_chart lines = {
        .title = name, .x = {name, 1, 0, 0}, .y = {"P", 0, 0, 1}, .series = series, .n_series = 2};
    const report_chart histogram = {
        .title = "bars", .categories = names, .n_categories = 3, .series = &bars, .n_series = 1};
    const report_matrix matrix = {.caption = name,
                                  .row_title = name,
                                  .column_title = name,
                                  .rows = names,
                                  .columns = names,
                                  .n_rows = 1,
                                  .n_columns = 3,
                                  .values = y,
                                  .lows = y,
                                  .highs = x,
                                  .digits = 2,
                                  .colour_to = 0.5};
    const report_figure figure = {name, name, name};
    const report_provenance provenance = {.dataset = name, .device = "cpu"};
    REPORT_ROW(&table, name, 0.12345);
    report_html_section(&page, name);
    report_html_paragraph(&page, name);
    report_html_figures(&page, &figure, 1);
    report_html_chart(&page, &lines);
    report_html_chart(&page, &histogram);
    report_html_table(&page, name, &table);
    report_html_section(&page, "second");
    report_html_matrix(&page, &matrix);
    report_html_provenance(&page, &provenance);
    report_html_finish(&page, out);
    report_table_free(&table);
    assert_false(out->out_of_memory);
    assert_null(page.body.bytes);
}

/* The scripts' own text is the build's and the same in each page: it does not count. */
static char *body_of(meso_text *page)
{
    char *start = strstr(page->bytes, "<body>");
    char *end = strstr(page->bytes, "<noscript>");
    assert_non_null(start);
    assert_non_null(end);
    *end = '\0';
    return start;
}

static void names_stay_text(void **state)
{
    (void)state;
    meso_text plain = {0};
    make_page("plain", &plain);
    const char *expected = body_of(&plain);
    for (size_t i = 0; i < n_hostile; i++) {
        meso_text page = {0};
        make_page(hostile[i], &page);
        const char *body = body_of(&page);
        assert_int_equal(count(body, "<") - count(body, "<wbr>"), count(expected, "<"));
        /* in JSON a quote has a backslash before it */
        assert_int_equal(count(body, "\"") - count(body, "\\\""), count(expected, "\""));
        assert_int_equal(count(body, "</script>"), 2);
        assert_null(strchr(body, '\x1b'));
        assert_null(strchr(body, '\xff'));
        meso_text_free(&page);
    }
    meso_text_free(&plain);
}

/* Tags that must be closed, closed as often as opened. */
static void page_is_balanced(void **state)
{
    (void)state;
    static const char *const tags[] = {"html",  "head", "body",   "section", "div",   "table",
                                       "tr",    "td",   "figure", "script",  "style", "thead",
                                       "tbody", "dl",   "h2",     "canvas"};
    meso_text page = {0};
    make_page("plain", &page);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        char open[16], open_with[16], close[16];
        snprintf(open, sizeof open, "<%s>", tags[i]);
        snprintf(open_with, sizeof open_with, "<%s ", tags[i]);
        snprintf(close, sizeof close, "</%s>", tags[i]);
        assert_true(count(page.bytes, close) > 0);
        assert_int_equal(count(page.bytes, open) + count(page.bytes, open_with),
                         count(page.bytes, close));
    }
    meso_text_free(&page);
}

static json_t *first_data(const char *page)
{
    static const char tag[] = "<script type=\"application/json\">";
    const char *start = strstr(page, tag) + strlen(tag);
    const char *end = strstr(start, "</script>");
    json_t *data = json_loadb(start, (size_t)(end - start), JSON_DECODE_ANY, NULL);
    assert_non_null(data);
    return data;
}

static void data_are_json(void **state)
{
    (void)state;
    meso_text page = {0};
    make_page("</script>", &page);
    json_t *data = first_data(page.bytes);
    const json_t *series = json_array_get(json_object_get(data, "series"), 0);
    const json_t *y = json_object_get(series, "y");
    assert_string_equal(json_string_value(json_object_get(series, "name")), "</script>");
    assert_string_equal(json_string_value(json_object_get(series, "style")), "line");
    assert_true(json_number_value(json_array_get(y, 2)) == 0.25);
    assert_true(json_is_null(json_array_get(y, 1)));
    assert_true(json_is_true(json_object_get(json_object_get(data, "x"), "log")));
    assert_true(json_is_null(json_object_get(json_object_get(data, "x"), "low")));
    assert_true(json_number_value(json_object_get(json_object_get(data, "y"), "high")) == 1);
    json_decref(data);
    meso_text_free(&page);
}

/* No address of another place is loaded, and the policy lets only the page's own scripts run. */
static void page_needs_no_network(void **state)
{
    (void)state;
    meso_text page = {0};
    make_page("plain", &page);
    const char *policy = strstr(page.bytes, "default-src 'none'; script-src 'nonce-");
    assert_non_null(policy);
    char nonce[33] = "";
    memcpy(nonce, policy + strlen("default-src 'none'; script-src 'nonce-"), 32);
    assert_int_equal(strspn(nonce, "0123456789abcdef"), 32);
    assert_int_equal(count(page.bytes, nonce), 5); /* twice in the policy, a style, two scripts */
    assert_null(strstr(page.bytes, " src="));
    assert_null(strstr(page.bytes, " href="));
    assert_null(strstr(page.bytes, "@import"));
    assert_non_null(strstr(page.bytes, "Chart.js v3"));
    assert_non_null(strstr(page.bytes, "Released under the MIT License"));
    meso_text_free(&page);
}

static void matrix_is_coloured(void **state)
{
    (void)state;
    meso_text page = {0};
    make_page("plain", &page);
    assert_non_null(strstr(page.bytes, "<td class=\"heat h10\">0.50<small>0.50–1.00</small></td>"));
    assert_non_null(strstr(page.bytes, "<td class=\"heat h0\">n/a</td>"));
    assert_non_null(strstr(page.bytes, "<td class=\"heat h5\">0.25<small>0.25–3.00</small></td>"));
    meso_text_free(&page);
}

/* Behind slashes, and nowhere else. */
static void paths_may_break(void **state)
{
    (void)state;
    meso_text page = {0};
    make_page("/a b/c.jpg", &page);
    assert_non_null(strstr(page.bytes, "<td>/<wbr>a b/<wbr>c.jpg</td>"));
    assert_int_equal(count(page.bytes, "<wbr>"), 2);
    meso_text_free(&page);
}

/* Without a chart there is no script at all. */
static void text_alone_has_no_script(void **state)
{
    (void)state;
    meso_text out = {0};
    report_html page = {.title = "t"};
    report_html_section(&page, "s");
    report_html_paragraph(&page, "a");
    report_html_finish(&page, &out);
    assert_non_null(strstr(out.bytes, "<p>a</p>"));
    assert_null(strstr(out.bytes, "<script"));
    meso_text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stay_text),
        cmocka_unit_test(page_is_balanced),
        cmocka_unit_test(data_are_json),
        cmocka_unit_test(page_needs_no_network),
        cmocka_unit_test(matrix_is_coloured),
        cmocka_unit_test(paths_may_break),
        cmocka_unit_test(text_alone_has_no_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

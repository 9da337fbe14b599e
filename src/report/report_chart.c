/* SPDX-License-Identifier: Apache-2.0
 *
 * A chart as an empty canvas and the JSON data that report_charts.js draws into it.
 */

#include "report/report_html.h"
#include "report/report_json.h"
#include "report/report_number.h"

static json_t *names(const char *const *values, size_t n)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < n; i++)
        meso_build_add(&list, meso_json_text(values[i] ? values[i] : ""));
    return meso_build_end(&list);
}

static json_t *axis_json(const report_axis *axis)
{
    int is_set = axis->low != 0 || axis->high != 0;
    return json_pack("{s:o, s:b, s:o, s:o}", "title",
                     meso_json_text(axis->title ? axis->title : ""), "log", axis->logarithmic,
                     "low", is_set ? meso_json_number(axis->low) : json_null(), "high",
                     is_set ? meso_json_number(axis->high) : json_null());
}

static json_t *series_json(const report_series *series)
{
    static const char *const styles[] = {
        [REPORT_SERIES_LINE] = "line",   [REPORT_SERIES_DASHED] = "dashed",
        [REPORT_SERIES_STEPS] = "steps", [REPORT_SERIES_POINTS] = "points",
        [REPORT_SERIES_BARS] = "bars",
    };
    return json_pack("{s:o, s:s, s:o, s:o, s:o}", "name",
                     series->name ? meso_json_text(series->name) : json_null(), "style",
                     styles[series->style], "x",
                     series->x ? meso_json_numbers(series->x, series->n) : json_null(), "y",
                     meso_json_numbers(series->y, series->n), "labels",
                     series->labels ? names(series->labels, series->n) : json_null());
}

static json_t *chart_json(const report_chart *chart)
{
    meso_builder all = meso_build_list();
    for (size_t i = 0; i < chart->n_series; i++)
        meso_build_add(&all, series_json(&chart->series[i]));
    return json_pack(
        "{s:o, s:o, s:o, s:o}", "x", axis_json(&chart->x), "y", axis_json(&chart->y), "categories",
        chart->categories ? names(chart->categories, chart->n_categories) : json_null(), "series",
        meso_build_end(&all));
}

/* JSON inside a script element: "<" stands in strings alone, and as \u003c it cannot end the
 * element or begin a comment. */
static void add_data(const report_chart *chart, meso_text *out)
{
    meso_text json = {0};
    json_t *document = chart_json(chart);
    report_json_write(document, REPORT_JSON_LINE, &json);
    json_decref(document);
    out->out_of_memory |= json.out_of_memory;
    meso_text_add(out, "<script type=\"application/json\">");
    for (const char *s = json.bytes; s && *s; s++) {
        if (*s == '<')
            meso_text_add(out, "\\u003c");
        else
            meso_text_add_n(out, s, 1);
    }
    meso_text_add(out, "</script>");
    meso_text_free(&json);
}

void report_html_chart(report_html *page, const report_chart *chart)
{
    meso_text *out = &page->body;
    if (!page->in_charts)
        meso_text_add(out, "<div class=\"charts\">\n");
    page->in_charts = 1;
    page->n_charts++;
    meso_text_add(out, "<figure><figcaption>");
    report_markup(chart->title, out);
    meso_text_format(out, "</figcaption><div class=\"plot%s\"><canvas role=\"img\" aria-label=\"",
                     chart->square ? " square" : "");
    report_markup(chart->title, out);
    meso_text_add(out, "\"></canvas>");
    add_data(chart, out);
    meso_text_add(out, "</div></figure>\n");
}

void report_html_picture(report_html *page, const report_picture *picture)
{
    meso_text *out = &page->body;
    if (!page->in_charts)
        meso_text_add(out, "<div class=\"charts\">\n");
    page->in_charts = 1;
    meso_text_add(out, "<figure><figcaption>");
    report_markup(picture->caption, out);
    meso_text_format(out,
                     "</figcaption><svg class=\"picture\" role=\"img\" viewBox=\"0 0 %u %u\" "
                     "shape-rendering=\"crispEdges\">\n",
                     picture->width, picture->height);
    for (unsigned y = 0; y < picture->height; y++)
        for (unsigned x = 0; x < picture->width; x++) {
            unsigned v = picture->grey[y * picture->width + x];
            meso_text_format(out,
                             "<rect x=\"%u\" y=\"%u\" width=\"1\" height=\"1\" "
                             "fill=\"#%02x%02x%02x\"/>",
                             x, y, v, v, v);
        }
    meso_text_add(out, "</svg></figure>\n");
}

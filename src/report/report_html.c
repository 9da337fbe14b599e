/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_html.h"

#include <math.h>
#include <string.h>

#include "base/embedded.h"
#include "base/file.h"
#include "mesocl/status.h"
#include "report/report_number.h"

enum { heat_levels = 10 }; /* classes .h1 … .h10 of report_page.css */

static const char *embedded(const char *name)
{
    const meso_embedded *file = meso_embedded_page;
    while (strcmp(file->name, name) != 0)
        file++;
    return file->text;
}

static void end_charts(report_html *page)
{
    if (page->in_charts)
        meso_text_add(&page->body, "</div>\n");
    page->in_charts = 0;
}

static void end_section(report_html *page)
{
    end_charts(page);
    if (page->in_section)
        meso_text_add(&page->body, "</section>\n");
    page->in_section = 0;
}

static void add_element(const char *tag, const char *text, meso_text *out)
{
    meso_text_format(out, "<%s>", tag);
    report_markup(text, out);
    meso_text_format(out, "</%s>\n", tag);
}

void report_html_section(report_html *page, const char *title)
{
    end_section(page);
    page->in_section = 1;
    meso_text_add(&page->body, "<section>\n");
    add_element("h2", title, &page->body);
}

void report_html_paragraph(report_html *page, const char *text)
{
    end_charts(page);
    add_element("p", text, &page->body);
}

void report_html_figures(report_html *page, const report_figure *figures, size_t n)
{
    end_charts(page);
    meso_text_add(&page->body, "<div class=\"figures\">\n");
    for (size_t i = 0; i < n; i++) {
        meso_text_add(&page->body, "<div>");
        add_element("span", figures[i].name, &page->body);
        add_element("b", figures[i].value, &page->body);
        if (figures[i].note)
            add_element("span", figures[i].note, &page->body);
        meso_text_add(&page->body, "</div>\n");
    }
    meso_text_add(&page->body, "</div>\n");
}

static void begin_table(report_html *page, const char *caption)
{
    end_charts(page);
    meso_text_add(&page->body, "<div class=\"scroll\"><table>\n");
    if (caption)
        add_element("caption", caption, &page->body);
    meso_text_add(&page->body, "<thead><tr>");
}

static const char *align_class(const report_column *column)
{
    return column->align == REPORT_RIGHT ? " class=\"right\"" : "";
}

/* A path may break behind each slash: whole, it would push other columns off a narrow screen. */
static void add_cell_text(const char *text, meso_text *out)
{
    meso_text markup = {0};
    meso_text_add(&markup, "");
    report_markup_printable(text, &markup);
    const char *part = markup.bytes ? markup.bytes : "";
    for (size_t n; part[n = strcspn(part, "/")]; part += n + 1) {
        meso_text_add_n(out, part, n + 1);
        meso_text_add(out, "<wbr>");
    }
    meso_text_add(out, part);
    out->out_of_memory |= markup.out_of_memory;
    meso_text_free(&markup);
}

void report_html_table(report_html *page, const char *caption, const report_table *table)
{
    meso_text shown = {0};
    begin_table(page, caption);
    for (size_t c = 0; c < table->n_columns; c++) {
        meso_text_format(&page->body, "<th%s>", align_class(&table->columns[c]));
        report_markup(table->columns[c].title, &page->body);
        meso_text_add(&page->body, "</th>");
    }
    meso_text_add(&page->body, "</tr></thead>\n<tbody>\n");
    for (size_t row = 0; row < report_table_rows(table); row++) {
        meso_text_add(&page->body, "<tr>");
        for (size_t c = 0; c < table->n_columns; c++) {
            shown.length = 0;
            meso_text_add(&shown, "");
            report_table_show(table, row, c, &shown);
            meso_text_format(&page->body, "<td%s>", align_class(&table->columns[c]));
            add_cell_text(shown.bytes ? shown.bytes : "", &page->body);
            meso_text_add(&page->body, "</td>");
        }
        meso_text_add(&page->body, "</tr>\n");
    }
    meso_text_add(&page->body, "</tbody>\n</table></div>\n");
    page->body.out_of_memory |= shown.out_of_memory | table->out_of_memory;
    meso_text_free(&shown);
}

/* 0 (no colour) … heat_levels. */
static int heat_of(const report_matrix *matrix, double value)
{
    double share = (value - matrix->colour_from) / (matrix->colour_to - matrix->colour_from);
    if (!(share > 0))
        return 0;
    return (int)lround(heat_levels * (share < 1 ? share : 1));
}

static void add_cell(const report_matrix *matrix, size_t i, meso_text *out)
{
    char a[REPORT_NUMBER_SIZE], b[REPORT_NUMBER_SIZE];
    meso_text_format(out, "<td class=\"heat h%d\">%s", heat_of(matrix, matrix->values[i]),
                     report_fixed(matrix->values[i], matrix->digits, a));
    if (matrix->lows && matrix->highs && isfinite(matrix->lows[i]) && isfinite(matrix->highs[i]))
        meso_text_format(out, "<small>%s–%s</small>",
                         report_fixed(matrix->lows[i], matrix->digits, a),
                         report_fixed(matrix->highs[i], matrix->digits, b));
    meso_text_add(out, "</td>");
}

void report_html_matrix(report_html *page, const report_matrix *matrix)
{
    meso_text *out = &page->body;
    begin_table(page, matrix->caption);
    meso_text_add(out, "<th>");
    report_markup(matrix->row_title, out);
    meso_text_add(out, " ↓ ");
    report_markup(matrix->column_title, out);
    meso_text_add(out, " →</th>");
    for (size_t c = 0; c < matrix->n_columns; c++)
        add_element("th", matrix->columns[c], out);
    meso_text_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t r = 0; r < matrix->n_rows; r++) {
        meso_text_add(out, "<tr>");
        add_element("th", matrix->rows[r], out);
        for (size_t c = 0; c < matrix->n_columns; c++)
            add_cell(matrix, r * matrix->n_columns + c, out);
        meso_text_add(out, "</tr>\n");
    }
    meso_text_add(out, "</tbody>\n</table></div>\n");
}

static void add_provenance(const char *key, const char *value, void *user)
{
    meso_text *out = user;
    meso_text_format(out, "<dt>%s</dt><dd>", key);
    report_markup_printable(value, out);
    meso_text_add(out, "</dd>\n");
}

void report_html_provenance(report_html *page, const report_provenance *provenance)
{
    end_charts(page);
    meso_text_add(&page->body, "<dl>\n");
    if (report_provenance_each(provenance, add_provenance, &page->body) != 0)
        page->body.out_of_memory = 1;
    meso_text_add(&page->body, "</dl>\n");
}

static void add_script(const char *nonce, const char *name, meso_text *out)
{
    meso_text_format(out, "<script nonce=\"%s\">\n", nonce);
    meso_text_add(out, embedded(name));
    meso_text_add(out, "</script>\n");
}

/* The policy forbids every connection, and every script and style but those that bear the nonce. It
 * is the hash of the page, so nothing that stands in the page can have known it. */
static void add_head(const report_html *page, const char *nonce, meso_text *out)
{
    meso_text_format(out,
                     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "script-src 'nonce-%s'; style-src 'nonce-%s'; base-uri 'none'; "
                     "form-action 'none'\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
                     nonce, nonce);
    add_element("title", page->title, out);
    meso_text_format(out, "<style nonce=\"%s\">\n", nonce);
    meso_text_add(out, embedded("report_page"));
    meso_text_add(out, "</style>\n</head>\n<body>\n");
    add_element("h1", page->title, out);
    if (page->subtitle) {
        meso_text_add(out, "<p class=\"subtitle\">");
        report_markup(page->subtitle, out);
        meso_text_add(out, "</p>\n");
    }
}

void report_html_finish(report_html *page, meso_text *out)
{
    char nonce[33];
    end_section(page);
    meso_hash_hex(page->body.bytes, page->body.length, nonce);
    add_head(page, nonce, out);
    meso_text_add_n(out, page->body.bytes, page->body.length);
    meso_text_format(out, "<p class=\"generator\">MesoCL %s, commit %s</p>\n", meso_version(),
                     meso_commit());
    if (page->n_charts > 0) {
        meso_text_add(out,
                      "<noscript><p>The charts of this page need JavaScript.</p></noscript>\n");
        add_script(nonce, "chart", out);
        add_script(nonce, "report_charts", out);
    }
    meso_text_add(out, "</body>\n</html>\n");
    out->out_of_memory |= page->body.out_of_memory;
    meso_text_free(&page->body);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A report as one HTML file that opens without a network: text, tables, matrices and charts, light
 * or dark as the reader's system is, for narrow and wide screens and for paper. Chart.js draws the
 * charts (report_chart.c, with small pictures); the build puts it in.
 *
 *   report_html page = {.title = "Training run", .subtitle = "meso4 on data/Train"};
 *   report_html_section(&page, "Curves");
 *   report_html_paragraph(&page, "Loss falls.");
 *   report_html_chart(&page, &chart);
 *   report_html_table(&page, "Every epoch", &table);
 *   report_html_provenance(&page, &provenance);
 *   report_html_finish(&page, &out);
 *   if (out.out_of_memory) …
 *   status = meso_file_write("report.html", out.bytes, out.length, error);
 *
 * Every string may hold any bytes, such as those of a file name: what HTML, scripts or a terminal
 * could take for more than text is escaped here. Numbers that are not finite are gaps in charts and
 * "n/a" in matrices. Nothing is kept by reference after a call returns, but for title and subtitle.
 */
#ifndef MESO_REPORT_HTML_H
#define MESO_REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "report/report_provenance.h"
#include "report/report_table.h"

/* Starts from {.title, .subtitle}; the rest zero. */
typedef struct report_html {
    const char *title;
    const char *subtitle; /* NULL: none */
    meso_text body;
    int in_section, in_charts;
    size_t n_charts;
} report_html;

/* Begins a section; it ends where the next one begins, or at the end of the page. */
void report_html_section(report_html *page, const char *title);
void report_html_paragraph(report_html *page, const char *text);

/* caption may be NULL. A table that is too wide scrolls by itself. */
void report_html_table(report_html *page, const char *caption, const report_table *table);
void report_html_provenance(report_html *page, const report_provenance *provenance);

/* A few figures in large type, side by side: {"accuracy", "0.8881", "0.8613–0.9142"}. */
typedef struct report_figure {
    const char *name, *value;
    const char *note; /* NULL: none */
} report_figure;
void report_html_figures(report_html *page, const report_figure *figures, size_t n);

/* A table of numbers whose cells are coloured by value: a confusion matrix, trained on × tested on.
 */
typedef struct report_matrix {
    const char *caption;                  /* NULL: none */
    const char *row_title, *column_title; /* what rows and columns are: "truth", "called" */
    const char *const *rows;              /* [n_rows] */
    const char *const *columns;           /* [n_columns] */
    size_t n_rows, n_columns;
    const double *values;          /* [n_rows][n_columns] */
    const double *lows, *highs;    /* the same shape: intervals in small type; NULL: none */
    int digits;                    /* behind the point */
    double colour_from, colour_to; /* values without colour and of full colour */
} report_matrix;
void report_html_matrix(report_html *page, const report_matrix *matrix);

typedef enum report_series_style {
    REPORT_SERIES_LINE,
    REPORT_SERIES_DASHED, /* a line to compare with: chance, a bound */
    REPORT_SERIES_STEPS,  /* a line that jumps: a learning rate */
    REPORT_SERIES_POINTS,
    REPORT_SERIES_BARS /* the chart must have categories */
} report_series_style;

typedef struct report_series {
    const char *name; /* in the legend; NULL keeps it out of it */
    report_series_style style;
    const double *x; /* [n]; NULL where the chart has categories */
    const double *y; /* [n] */
    size_t n;
    const char *const *labels; /* [n] of points, shown under the pointer; NULL: none */
} report_series;

typedef struct report_axis {
    const char *title;
    int logarithmic;  /* values ≤ 0 are gaps */
    double low, high; /* both 0: from the data */
} report_axis;

/* Lines (curves, a ROC), bars (a histogram), points on logarithmic axes (a roofline), or several of
 * them in one chart. */
typedef struct report_chart {
    const char *title;
    report_axis x, y;
    const char *const *categories; /* [n_categories] names along x; NULL: x is a number */
    size_t n_categories;
    const report_series *series;
    size_t n_series;
    int square;
} report_chart;

/* Charts that follow each other stand side by side where there is room. */
void report_html_chart(report_html *page, const report_chart *chart);

/* Appends the whole document and frees what the page held. */
void report_html_finish(report_html *page, meso_text *out);

/* A small grey picture, drawn as SVG: nothing that a page would have to load. */
typedef struct report_picture {
    const char *caption;
    const uint8_t *grey; /* [height][width] */
    unsigned width, height;
} report_picture;

/* Pictures and charts that follow each other stand side by side where there is room. */
void report_html_picture(report_html *page, const report_picture *picture);

#endif

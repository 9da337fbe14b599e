/* SPDX-License-Identifier: Apache-2.0 */
#include "facts_report.h"

#include <stdlib.h>

#include "data/list/labels.h"
#include "report/report_html.h"

/* A chart with a line for each class of each dataset; y: [2 n_sets], each of `bins` numbers. */
static void draw(report_html *page, const report_chart *frame, const study_facts *facts,
                 const double *x, const double *const *y, size_t bins)
{
    size_t n = 2 * facts->n_sets;
    report_chart chart = *frame;
    report_series *series = calloc(n, sizeof *series);
    meso_text *names = calloc(n, sizeof *names);
    for (size_t i = 0; series && names && i < n; i++) {
        meso_text_format(&names[i], "%s %s", facts->sets[i / 2].name, meso_label_name(i % 2));
        series[i] = (report_series){.name = names[i].bytes,
                                    .style = i % 2 ? REPORT_SERIES_LINE : REPORT_SERIES_DASHED,
                                    .x = x,
                                    .y = y[i],
                                    .n = bins};
        page->body.out_of_memory |= names[i].out_of_memory;
    }
    chart.series = series;
    chart.n_series = n;
    page->body.out_of_memory |= !series || !names;
    if (!page->body.out_of_memory)
        report_html_chart(page, &chart);
    for (size_t i = 0; names && i < n; i++)
        meso_text_free(&names[i]);
    free(names);
    free(series);
}

void db_histograms(report_html *page, const study_facts *facts)
{
    const double **y = calloc(2 * facts->n_sets, sizeof *y);
    double x[STUDY_HISTOGRAM_BINS];
    page->body.out_of_memory |= !y;
    for (int p = 0; y && p < STUDY_N_PROPERTIES; p++) {
        const char *title = study_properties[p].title;
        const report_chart frame = {
            .title = title, .x = {.title = title}, .y = {.title = "share of images"}};
        double low = facts->low[p], range = facts->high[p] - low;
        for (int k = 0; k < STUDY_HISTOGRAM_BINS; k++)
            x[k] = low + range * (k + 0.5) / STUDY_HISTOGRAM_BINS;
        for (size_t i = 0; i < 2 * facts->n_sets; i++)
            y[i] = facts->sets[i / 2].histogram[i % 2][p];
        if (range > 0) /* else the tables say all of it */
            draw(page, &frame, facts, x, y, STUDY_HISTOGRAM_BINS);
    }
    free(y);
}

static void spectra(report_html *page, const study_dataset *datasets, const study_facts *facts)
{
    static const report_chart frame = {.title = "Radial power spectrum, mean of log10",
                                       .x = {.title = "cycles a pixel"},
                                       .y = {.title = "log10 power"}};
    size_t n = 2 * facts->n_sets;
    double x[STUDY_SPECTRUM_BINS], *means = calloc(n * STUDY_SPECTRUM_BINS, sizeof *means);
    const double **y = calloc(n, sizeof *y);
    page->body.out_of_memory |= !means || !y;
    for (int k = 0; k < STUDY_SPECTRUM_BINS; k++)
        x[k] = (k + 0.5) / (2.0 * STUDY_SPECTRUM_BINS);
    for (size_t i = 0; means && y && i < n; i++) {
        y[i] = means + i * STUDY_SPECTRUM_BINS;
        study_mean_spectrum(&datasets[i / 2], (meso_label)(i % 2), means + i * STUDY_SPECTRUM_BINS);
    }
    if (means && y)
        draw(page, &frame, facts, x, y, STUDY_SPECTRUM_BINS);
    free(means);
    free(y);
}

/* Mean real minus mean fake, times 5, on mid grey. */
static void difference_of(const double *fake, const double *real, uint8_t *out)
{
    for (int k = 0; k < STUDY_THUMB_PIXELS; k++) {
        double v = 128 + 10 * (real[k] - fake[k]) / 2;
        out[k] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static void mean_pictures(report_html *page, const study_dataset *dataset)
{
    double means[2][STUDY_THUMB_PIXELS];
    uint8_t grey[3][STUDY_THUMB_PIXELS];
    static const char *const names[3] = {"mean fake", "mean real", "real − fake, × 5"};
    for (int label = 0; label < 2; label++) {
        study_mean_thumb(dataset, (meso_label)label, means[label]);
        for (int k = 0; k < STUDY_THUMB_PIXELS; k++)
            grey[label][k] = (uint8_t)(means[label][k] + 0.5);
    }
    difference_of(means[MESO_FAKE], means[MESO_REAL], grey[2]);
    for (int i = 0; i < 3; i++) {
        meso_text caption = {0};
        meso_text_format(&caption, "%s: %s", dataset->name, names[i]);
        const report_picture picture = {caption.bytes, grey[i], STUDY_THUMB_SIDE, STUDY_THUMB_SIDE};
        if (!caption.out_of_memory)
            report_html_picture(page, &picture);
        meso_text_free(&caption);
    }
}

void db_stats_charts(report_html *page, const study_dataset *datasets, const study_facts *facts)
{
    report_html_section(page, "Distributions");
    report_html_paragraph(page,
                          "Dashed lines are fakes. The outermost bins hold all that lies beyond.");
    db_histograms(page, facts);
    spectra(page, datasets, facts);
    report_html_section(page, "Mean pictures");
    report_html_paragraph(page,
                          "Means of 16×16 grey thumbnails: what framing and background have in "
                          "common. A difference in shape is a difference in framing.");
    for (size_t d = 0; d < facts->n_sets; d++)
        mean_pictures(page, &datasets[d]);
}

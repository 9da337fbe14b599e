/* SPDX-License-Identifier: Apache-2.0 */
#include "stats_charts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataset_class.h"
#include "report/report_picture.h"
#include "study/scan/summary.h"

/* A chart has a line for each class of each dataset. */
typedef struct lines {
    report_series *series; /* [2n] */
    meso_text *names;      /* [2n] */
    double *x, *y;         /* [bins], [2n][bins] */
    size_t n, bins;
} lines;

static int lines_create(const study_dataset *datasets, size_t n, size_t bins, lines *l)
{
    *l = (lines){.series = calloc(2 * n, sizeof *l->series),
                 .names = calloc(2 * n, sizeof *l->names),
                 .x = calloc(bins, sizeof *l->x),
                 .y = calloc(2 * n * bins, sizeof *l->y),
                 .n = 2 * n,
                 .bins = bins};
    if (!l->series || !l->names || !l->x || !l->y)
        return 0;
    BENCH_FOR_CLASSES (d, label, n) {
        size_t k = 2 * d + (size_t)label;
        meso_text_format(&l->names[k], "%s %s", datasets[d].name, meso_label_name(label));
        l->series[k] = (report_series){.name = l->names[k].bytes,
                                       .style = label ? REPORT_SERIES_LINE : REPORT_SERIES_DASHED,
                                       .x = l->x,
                                       .y = l->y + k * bins,
                                       .n = bins};
    }
    return 1;
}

static void lines_free(lines *l)
{
    for (size_t k = 0; l->names && k < l->n; k++)
        meso_text_free(&l->names[k]);
    free(l->series);
    free(l->names);
    free(l->x);
    free(l->y);
}

static void histogram(report_html *page, const study_dataset *datasets, size_t n, lines *l,
                      study_property property)
{
    double low, high;
    if (!study_bounds(datasets, n, property, &low, &high) || !(high > low))
        return; /* it does not vary: the tables say all of it */
    for (size_t k = 0; k < l->bins; k++)
        l->x[k] = low + (high - low) * ((double)k + 0.5) / (double)l->bins;
    BENCH_FOR_CLASSES (d, label, n) {
        double *values = malloc((datasets[d].files.n_class[label] + 1) * sizeof *values);
        size_t n_values =
            values ? study_values(&datasets[d], (meso_label)label, property, values) : 0;
        study_histogram(values, n_values, low, high, l->y + (2 * d + (size_t)label) * l->bins);
        free(values);
    }
    const report_chart chart = {.title = study_properties[property].title,
                                .x = {.title = study_properties[property].title},
                                .y = {.title = "share of images"},
                                .series = l->series,
                                .n_series = l->n};
    report_html_chart(page, &chart);
}

static void spectra(report_html *page, const study_dataset *datasets, size_t n)
{
    lines l;
    if (lines_create(datasets, n, STUDY_SPECTRUM_BINS, &l)) {
        for (size_t k = 0; k < l.bins; k++)
            l.x[k] = ((double)k + 0.5) / (2.0 * STUDY_SPECTRUM_BINS);
        BENCH_FOR_CLASSES (d, label, n)
            for (size_t k = 0; k < l.bins; k++) {
                double sum = 0;
                size_t count = 0;
                for (size_t i = 0; i < datasets[d].files.n_items; i++) {
                    float value = datasets[d].images[i].spectrum[k];
                    if (!study_usable(&datasets[d], i) || isnan(value) ||
                        datasets[d].files.items[i].label != (meso_label)label)
                        continue;
                    sum += value;
                    count++;
                }
                l.y[(2 * d + (size_t)label) * l.bins + k] = count ? sum / (double)count : NAN;
            }
        const report_chart chart = {.title = "Radial power spectrum, mean of log10",
                                    .x = {.title = "cycles a pixel"},
                                    .y = {.title = "log10 power"},
                                    .series = l.series,
                                    .n_series = l.n};
        report_html_chart(page, &chart);
    }
    lines_free(&l);
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

void bench_stats_charts(report_html *page, const study_dataset *datasets, size_t n)
{
    lines l;
    report_html_section(page, "Distributions");
    report_html_paragraph(page,
                          "Dashed lines are fakes. The outermost bins hold all that lies beyond.");
    if (lines_create(datasets, n, STUDY_HISTOGRAM_BINS, &l))
        for (int p = 0; p < STUDY_N_PROPERTIES; p++)
            histogram(page, datasets, n, &l, (study_property)p);
    lines_free(&l);
    spectra(page, datasets, n);
    report_html_section(page, "Mean pictures");
    report_html_paragraph(page,
                          "Means of 16×16 grey thumbnails: what framing and background have in "
                          "common. A difference in shape is a difference in framing.");
    for (size_t d = 0; d < n; d++)
        mean_pictures(page, &datasets[d]);
}

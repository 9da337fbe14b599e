/* SPDX-License-Identifier: Apache-2.0 */
#include "report_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "evaluate_metrics.h"
#include "report/report_number.h"

enum { n_bins = 10, n_resamples = 1000, n_worst = 12 };

/* Fractions of 1 on both axes. */
#define UNIT_AXIS(name) \
    {                   \
        (name), 0, 0, 1 \
    }

static meso_status add_roc(report_writer *w, const meso_scores *scores, const meso_metrics *m,
                           meso_error *error)
{
    meso_status status = MESO_OK;
    static const double corners[] = {0, 1};
    meso_roc_point *points = NULL;
    size_t n = 0;
    double *xy = NULL;
    char name[64], auc[REPORT_NUMBER_SIZE];
    if (!isfinite(m->auc)) /* one class only */
        return MESO_OK;
    MESO_TRY(meso_metrics_roc(scores, &points, sizeof *points, &n, error));
    MESO_REQUIRE_MEMORY(xy = calloc(2 * n, sizeof *xy), error);
    for (size_t i = 0; i < n; i++) {
        xy[i] = points[i].false_positive_rate;
        xy[n + i] = points[i].true_positive_rate;
    }
    snprintf(name, sizeof name, "AUC %s", report_fixed(m->auc, 4, auc));
    const report_series series[] = {
        {name, REPORT_SERIES_LINE, xy, xy + n, n, NULL},
        {"chance", REPORT_SERIES_DASHED, corners, corners, 2, NULL},
    };
    const report_chart chart = {.title = "ROC",
                                .x = UNIT_AXIS("fakes called real"),
                                .y = UNIT_AXIS("reals called real"),
                                .series = series,
                                .n_series = 2,
                                .square = 1};
    report_html_chart(&w->page, &chart);
out:
    meso_free(points);
    free(xy);
    return status;
}

static meso_status add_calibration(report_writer *w, const meso_scores *scores, meso_error *error)
{
    static const double corners[] = {0, 1};
    meso_calibration_bin bins[n_bins];
    double x[n_bins], y[n_bins], off;
    char labels[n_bins][48], name[96], number[REPORT_NUMBER_SIZE];
    const char *texts[n_bins];
    size_t n = 0;
    MESO_CHECK(meso_metrics_calibration(scores, n_bins, bins, &off, error));
    for (size_t b = 0; b < n_bins; b++) {
        if (bins[b].n == 0)
            continue;
        x[n] = bins[b].p_real;
        y[n] = bins[b].real;
        snprintf(labels[n], sizeof labels[n], "%zu images, real", bins[b].n);
        texts[n] = labels[n];
        n++;
    }
    snprintf(name, sizeof name, "off by %s on average", report_fixed(off, 4, number));
    const report_series series[] = {
        {name, REPORT_SERIES_LINE, x, y, n, NULL},
        {"calibrated", REPORT_SERIES_DASHED, corners, corners, 2, NULL},
        {NULL, REPORT_SERIES_POINTS, x, y, n, texts},
    };
    const report_chart chart = {.title = "Calibration: is P(real) the share of reals?",
                                .x = UNIT_AXIS("P(real), mean of the images in a tenth"),
                                .y = UNIT_AXIS("part of them that is real"),
                                .series = series,
                                .n_series = 3,
                                .square = 1};
    report_html_chart(&w->page, &chart);
    return MESO_OK;
}

static void add_histogram(report_writer *w, const meso_scores *scores)
{
    enum { n_parts = 20 };
    char labels[n_parts][8];
    const char *texts[n_parts];
    double counts[2][n_parts] = {{0}};
    for (size_t i = 0; i < scores->n; i++) {
        size_t part = (size_t)(scores->p_real[i] * n_parts);
        counts[scores->real[i] != 0][part < n_parts ? part : n_parts - 1]++;
    }
    for (size_t b = 0; b < n_parts; b++) {
        snprintf(labels[b], sizeof labels[b], "0.%02zu", b * 100 / n_parts);
        texts[b] = labels[b];
    }
    const report_series series[] = {
        {"fakes", REPORT_SERIES_BARS, NULL, counts[0], n_parts, NULL},
        {"reals", REPORT_SERIES_BARS, NULL, counts[1], n_parts, NULL},
    };
    const report_chart chart = {.title = "Scores",
                                .x = {"P(real), from", 0, 0, 0},
                                .y = {"images", 0, 0, 0},
                                .categories = texts,
                                .n_categories = n_parts,
                                .series = series,
                                .n_series = 2};
    report_html_chart(&w->page, &chart);
}

static void add_confusion(report_writer *w, const meso_metrics *m)
{
    static const char *const names[] = {"fake", "real"};
    double counts[4];
    for (size_t i = 0; i < 4; i++)
        counts[i] = (double)m->confusion[i >> 1][i & 1];
    double most = fmax((double)m->per_class[0].support, (double)m->per_class[1].support);
    const report_matrix matrix = {.caption = "Confusion matrix: images, at P(real) > 0.5",
                                  .row_title = "is",
                                  .column_title = "called",
                                  .rows = names,
                                  .columns = names,
                                  .n_rows = 2,
                                  .n_columns = 2,
                                  .values = counts,
                                  .colour_to = most};
    report_html_matrix(&w->page, &matrix);
}

static void add_metrics(report_writer *w, const meso_metrics *m,
                        const meso_metrics_intervals *intervals, const char *units)
{
    REPORT_TABLE(table, COLUMN_TEXT("metric", ""), COLUMN_NUMBER("value", "value", 4),
                 COLUMN_NUMBER("low", "95 % from", 4), COLUMN_NUMBER("high", "to", 4));
    for (size_t i = 0; i < meso_n_metric_rows; i++) {
        const tool_metric_row *row = &meso_metric_rows[i];
        meso_interval interval = meso_metric_interval(row, intervals);
        REPORT_ROW(&table, row->title, meso_metric_value(row, m), interval.low, interval.high);
    }
    report_writer_table(w, NULL, &table);
    report_writer_paragraph(w,
                            "Intervals: percentile bootstrap, %zu resamples of %zu %s. They do not "
                            "know that the best epoch was chosen.",
                            intervals->n_resamples, intervals->n_units, units);
}

typedef struct mistake {
    double p_true;
    size_t image;
} mistake;

static int by_p_true(const void *left, const void *right)
{
    const mistake *a = left, *b = right;
    if (a->p_true != b->p_true)
        return a->p_true < b->p_true ? -1 : 1;
    return (a->image > b->image) - (a->image < b->image);
}

static meso_status add_worst(report_writer *w, const meso_run_folder *f, meso_error *error)
{
    meso_status status = MESO_OK;
    REPORT_TABLE(table, COLUMN_TEXT("file", "file"), COLUMN_TEXT("label", "is"),
                 COLUMN_NUMBER("p_real", "P(real)", 4));
    mistake *all = calloc(f->n_scores, sizeof *all);
    MESO_REQUIRE_MEMORY(all, error);
    for (size_t i = 0; i < f->n_scores; i++)
        all[i] = (mistake){f->real[i] ? f->p_real[i] : f->p_fake[i], i};
    qsort(all, f->n_scores, sizeof *all, by_p_true);
    for (size_t n = 0; n < n_worst && n < f->n_scores && all[n].p_true <= 0.5; n++)
        REPORT_ROW(&table, f->files.items[all[n].image].path,
                   f->real[all[n].image] ? "real" : "fake", f->p_real[all[n].image]);
    report_writer_table(w, "Furthest from the truth", &table);
out:
    free(all);
    return status;
}

static void add_figures(report_writer *w, const meso_run_folder *f, const meso_metrics *m,
                        const meso_metrics_intervals *v)
{
    char texts[8][REPORT_NUMBER_SIZE], notes[4][128];
    snprintf(notes[0], sizeof notes[0], "95 %%: %s–%s", report_fixed(v->accuracy.low, 4, texts[0]),
             report_fixed(v->accuracy.high, 4, texts[1]));
    snprintf(notes[1], sizeof notes[1], "95 %%: %s–%s", report_fixed(v->auc.low, 4, texts[0]),
             report_fixed(v->auc.high, 4, texts[1]));
    snprintf(notes[2], sizeof notes[2], "of %zu", f->history.n);
    snprintf(notes[3], sizeof notes[3], "of %zu", m->n);
    snprintf(texts[4], sizeof texts[4], "%lld",
             (long long)json_integer_value(json_object_get(f->metrics, "best_epoch")));
    snprintf(texts[5], sizeof texts[5], "%zu", m->correct);
    const report_figure figures[] = {
        {"accuracy", report_fixed(m->accuracy, 4, texts[2]), notes[0]},
        {"AUC", report_fixed(m->auc, 4, texts[3]), notes[1]},
        {"images correct", texts[5], notes[3]},
        {"best epoch", texts[4], notes[2]},
    };
    report_html_figures(&w->page, figures, sizeof figures / sizeof figures[0]);
}

meso_status tool_report_result(report_writer *w, const meso_run_folder *f, meso_error *error)
{
    const meso_scores scores = meso_run_folder_scores(f);
    const char *set = json_string_value(json_object_get(f->metrics, "set"));
    meso_metrics m = MESO_INIT(meso_metrics);
    meso_metrics_intervals intervals = MESO_INIT(meso_metrics_intervals);
    int on_training = set && strcmp(set, "training") == 0;
    report_writer_section(w, on_training ? "Best weights on the training set"
                                         : "Best weights on the validation set");
    if (f->n_scores == 0) {
        report_writer_paragraph(w, "The run is not complete: mesocl train --resume continues it.");
        return MESO_OK;
    }
    MESO_CHECK(meso_metrics_compute(&scores, 0.5, &m, error));
    MESO_CHECK(meso_metrics_bootstrap(&scores, 0.5, n_resamples, 0, &intervals, error));
    add_figures(w, f, &m, &intervals);
    if (json_is_false(json_object_get(f->metrics, "learned")))
        report_writer_paragraph(
            w, "The run did not learn: one answer for every picture would do as well.");
    if (on_training)
        report_writer_paragraph(
            w, "These pictures were trained on: the figures say nothing of others.");
    MESO_CHECK(add_roc(w, &scores, &m, error));
    MESO_CHECK(add_calibration(w, &scores, error));
    add_histogram(w, &scores);
    add_confusion(w, &m);
    add_metrics(w, &m, &intervals, f->group ? "groups" : "images");
    return add_worst(w, f, error);
}

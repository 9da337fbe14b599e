/* SPDX-License-Identifier: Apache-2.0 */
#include "report_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/report_number.h"

/* ---- curves ---- */

/* A column of the history as a new array; NULL where there is not one number in it. */
static double *column_of(const meso_history *history, const char *name)
{
    const meso_field *column = meso_field_find(meso_history_columns, MESO_N_HISTORY_COLUMNS, name);
    double *values = calloc(history->n + 1, sizeof *values);
    int any = 0;
    for (size_t i = 0; values && i < history->n; i++) {
        values[i] = meso_history_cell(&history->records[i], column);
        any |= isfinite(values[i]);
    }
    if (any)
        return values;
    free(values);
    return NULL;
}

typedef struct curve_chart {
    const char *title, *y_title;
    const char *columns[2], *names[2]; /* the second may be NULL */
    report_series_style style;
    int logarithmic;
} curve_chart;

static void add_curves(report_writer *w, const meso_history *history, const curve_chart *chart,
                       const double *epochs)
{
    double *values[2] = {NULL, NULL};
    report_series series[2];
    size_t n = 0;
    for (size_t i = 0; i < 2 && chart->columns[i]; i++) {
        values[i] = column_of(history, chart->columns[i]);
        if (values[i])
            series[n++] =
                (report_series){chart->names[i], chart->style, epochs, values[i], history->n, NULL};
    }
    const report_chart drawn = {
        .title = chart->title,
        .x = {"epoch", 0, history->n > 1 ? 1 : 0, history->n > 1 ? (double)history->n : 2},
        .y = {chart->y_title, chart->logarithmic, 0, 0},
        .series = series,
        .n_series = n};
    if (n > 0)
        report_html_chart(&w->page, &drawn);
    free(values[0]);
    free(values[1]);
}

static void add_history(report_writer *w, const meso_run_folder *f)
{
    static const curve_chart charts[] = {
        {"Loss",
         "mean over images",
         {"loss", "val_loss"},
         {"training", "validation"},
         REPORT_SERIES_LINE,
         0},
        {"Accuracy",
         "part of images",
         {"accuracy", "val_accuracy"},
         {"training", "validation"},
         REPORT_SERIES_LINE,
         0},
        {"Area under the ROC",
         "AUC",
         {"val_auc", NULL},
         {"validation", NULL},
         REPORT_SERIES_LINE,
         0},
        {"Learning rate",
         "of the epoch's last step",
         {"learning_rate", NULL},
         {"rate", NULL},
         REPORT_SERIES_STEPS,
         1},
    };
    double *epochs = calloc(f->history.n + 1, sizeof *epochs);
    report_writer_section(w, "Curves");
    if (f->history.n == 0)
        report_writer_paragraph(w, "No epoch has ended yet.");
    for (size_t i = 0; epochs && i < f->history.n; i++)
        epochs[i] = (double)f->history.records[i].epoch;
    for (size_t i = 0; epochs && f->history.n > 0 && i < sizeof charts / sizeof charts[0]; i++)
        add_curves(w, &f->history, &charts[i], epochs);
    w->out.out_of_memory |= epochs == NULL;
    free(epochs);
}

static void add_epochs(report_writer *w, const meso_run_folder *f)
{
    REPORT_TABLE(table, COLUMN_COUNT("epoch", "epoch"), COLUMN_COUNT("step", "steps"),
                 COLUMN_NUMBER("loss", "loss", 4), COLUMN_NUMBER("accuracy", "accuracy", 4),
                 COLUMN_NUMBER("val_loss", "val. loss", 4),
                 COLUMN_NUMBER("val_accuracy", "val. accuracy", 4),
                 COLUMN_NUMBER("val_auc", "val. AUC", 4), COLUMN_NUMBER("rate", "learning rate", 8),
                 COLUMN_NUMBER("speed", "images/s", 0));
    if (f->history.n == 0)
        return;
    report_writer_section(w, "Epochs");
    for (size_t i = 0; i < f->history.n; i++) {
        const meso_train_record *r = &f->history.records[i];
        REPORT_ROW(&table, r->epoch, r->step, r->loss, r->accuracy, r->val_loss, r->val_accuracy,
                   r->val_auc, r->learning_rate, r->images_per_second);
    }
    report_writer_table(w, NULL, &table);
}

/* ---- origin ---- */

/* "" where it is missing or null; valid until the next call. */
static const char *value_text(const json_t *value)
{
    static char text[REPORT_NUMBER_SIZE];
    if (json_is_string(value))
        return json_string_value(value);
    return json_is_number(value) ? report_exact(json_number_value(value), text) : "";
}

static void add_options(report_writer *w, const meso_run_folder *f)
{
    REPORT_TABLE(table, COLUMN_TEXT("option", "option"), COLUMN_TEXT("value", "value"));
    const char *key;
    json_t *value;
    report_writer_section(w, "Options");
    json_object_foreach (json_object_get(f->config, "options"), key, value) {
        if (json_is_null(value) || strcmp(key, "command") == 0)
            continue;
        REPORT_ROW(&table, key, value_text(value));
    }
    report_writer_table(w, NULL, &table);
}

static const char *text_of(const meso_run_folder *f, const char *key)
{
    return json_string_value(json_object_get(f->config, key));
}

static const char *option_of(const meso_run_folder *f, const char *key)
{
    return json_string_value(json_object_get(json_object_get(f->config, "options"), key));
}

static void add_provenance(report_writer *w, const meso_run_folder *f)
{
    char seed[24];
    const char *data = option_of(f, "data"), *manifest = option_of(f, "manifest");
    snprintf(seed, sizeof seed, "%llu",
             (unsigned long long)json_integer_value(
                 json_object_get(json_object_get(f->config, "options"), "seed")));
    const report_provenance provenance = {
        .device = text_of(f, "device"),
        .driver = text_of(f, "driver"),
        .platform = text_of(f, "platform"),
        .decoders = text_of(f, "decoders"),
        .resize = REPORT_RESIZE,
        .net = text_of(f, "net"),
        .weights = option_of(f, "init"),
        .weights_hash = text_of(f, "init_hash"),
        .dataset = data ? data : manifest,
        .dataset_hash = text_of(f, "data_hash"),
        .seed = seed,
        .command = option_of(f, "command"),
    };
    report_writer_section(w, "Provenance");
    report_writer_paragraph(
        w,
        "Trained by version %s, commit %s, with %s kernels. Below: the program of this "
        "report, and what the run recorded.",
        value_text(json_object_get(f->config, "version")),
        value_text(json_object_get(f->config, "commit")),
        value_text(json_object_get(f->config, "kernels")));
    report_html_provenance(&w->page, &provenance);
}

meso_status tool_report_page(const char *run, const meso_run_folder *f, meso_text *out,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text title = {0}, subtitle = {0};
    const char *data = option_of(f, "data"), *manifest = option_of(f, "manifest");
    meso_text_format(&title, "Training run %s", run);
    meso_text_format(&subtitle, "%s on %s, %lld images", text_of(f, "net") ? text_of(f, "net") : "",
                     data       ? data
                     : manifest ? manifest
                                : "",
                     (long long)json_integer_value(json_object_get(f->config, "n_train")));
    MESO_REQUIRE_MEMORY(title.bytes && subtitle.bytes, error);
    report_writer writer = {
        .form = REPORT_AS_HTML, .page.title = title.bytes, .page.subtitle = subtitle.bytes};
    status = tool_report_result(&writer, f, error);
    add_history(&writer, f);
    add_epochs(&writer, f);
    add_options(&writer, f);
    add_provenance(&writer, f);
    report_html_finish(&writer.page, &writer.out);
    *out = writer.out;
out:
    meso_text_free(&title);
    meso_text_free(&subtitle);
    return status;
}

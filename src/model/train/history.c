/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/history.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_builder.h"

/* epoch and step stand before these. */
const meso_history_column meso_history_columns[] = {
    {"learning_rate", offsetof(meso_train_record, learning_rate)},
    {"loss", offsetof(meso_train_record, loss)},
    {"accuracy", offsetof(meso_train_record, accuracy)},
    {"val_loss", offsetof(meso_train_record, val_loss)},
    {"val_accuracy", offsetof(meso_train_record, val_accuracy)},
    {"val_auc", offsetof(meso_train_record, val_auc)},
    {"seconds", offsetof(meso_train_record, seconds)},
    {"images_per_second", offsetof(meso_train_record, images_per_second)},
    {NULL, 0},
};

enum { max_history = 1 << 28 };

double meso_history_cell(const meso_train_record *record, const meso_history_column *column)
{
    return *(const double *)((const char *)record + column->offset);
}

static double *cell_of(meso_train_record *record, const meso_history_column *column)
{
    return (double *)((char *)record + column->offset);
}

double meso_history_value(const meso_train_record *record, meso_monitor monitor)
{
    for (const meso_history_column *c = meso_history_columns; c->name; c++)
        if (strcmp(c->name, meso_monitor_name(monitor)) == 0)
            return meso_history_cell(record, c);
    return NAN;
}

meso_status meso_history_add(meso_history *history, const meso_train_record *record,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_train_record *larger =
        realloc(history->records, (history->n + 1) * sizeof *history->records);
    MESO_REQUIRE_MEMORY(larger, error);
    history->records = larger;
    history->records[history->n++] = *record;
out:
    return status;
}

void meso_history_free(meso_history *history)
{
    free(history->records);
    *history = (meso_history){0};
}

static json_t *json_of(const meso_train_record *record)
{
    json_t *row = json_pack("{s:I, s:I}", "epoch", (json_int_t)record->epoch, "step",
                            (json_int_t)record->step);
    for (const meso_history_column *c = meso_history_columns; row && c->name; c++) {
        double value = meso_history_cell(record, c);
        json_object_set_new(row, c->name, meso_json_number(value));
    }
    return row;
}

void meso_history_jsonl(const meso_history *history, meso_text *out)
{
    for (size_t i = 0; i < history->n; i++) {
        json_t *row = json_of(&history->records[i]);
        meso_json_write(row, JSON_COMPACT | JSON_REAL_PRECISION(9), out);
        meso_text_add(out, "\n");
        json_decref(row);
    }
}

void meso_history_csv(const meso_history *history, meso_text *out)
{
    meso_text_add(out, "epoch,step");
    for (const meso_history_column *c = meso_history_columns; c->name; c++)
        meso_text_format(out, ",%s", c->name);
    meso_text_add(out, "\r\n");
    for (size_t i = 0; i < history->n; i++) {
        const meso_train_record *record = &history->records[i];
        meso_text_format(out, "%zu,%llu", record->epoch, (unsigned long long)record->step);
        for (const meso_history_column *c = meso_history_columns; c->name; c++) {
            meso_text_add(out, ",");
            meso_json_write_number(meso_history_cell(record, c), out);
        }
        meso_text_add(out, "\r\n");
    }
}

/* One line; 0 where it is not what json_of wrote. */
static int read_record(const char *line, size_t n, size_t epoch, meso_train_record *record)
{
    json_t *row = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *step = json_object_get(row, "step");
    int ok = json_integer_value(json_object_get(row, "epoch")) == (json_int_t)epoch &&
             json_is_integer(step);
    record->epoch = epoch;
    record->step = (uint64_t)json_integer_value(step);
    for (const meso_history_column *c = meso_history_columns; ok && c->name; c++) {
        const json_t *value = json_object_get(row, c->name);
        ok = json_is_number(value) || json_is_null(value);
        *cell_of(record, c) = json_is_number(value) ? json_number_value(value) : NAN;
    }
    json_decref(row);
    return ok;
}

meso_status meso_history_read(const char *path, size_t n_epochs, meso_history *history,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    void *bytes = NULL;
    size_t n = 0;
    MESO_TRY(meso_file_read(path, max_history, &bytes, &n, NULL, error));
    const char *line = bytes;
    for (size_t epoch = 1; epoch <= n_epochs; epoch++) {
        meso_train_record record;
        size_t length = strcspn(line, "\n");
        MESO_REQUIRE(read_record(line, length, epoch, &record), error, MESO_ERROR_DATA,
                     "%s:%zu: not the history of epoch %zu", MESO_PRINTABLE(path), epoch, epoch);
        MESO_TRY(meso_history_add(history, &record, error));
        line += length + (line[length] == '\n');
    }
out:
    free(bytes);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_builder.h"

#define COLUMN(kind, member) MESO_FIELD(meso_train_record, #member, kind, member, 0, 0, NULL)

const meso_field meso_history_columns[MESO_N_HISTORY_COLUMNS] = {
    COLUMN(WHOLE, epoch),        COLUMN(WHOLE, step),
    COLUMN(REAL, learning_rate), COLUMN(REAL, loss),
    COLUMN(REAL, accuracy),      COLUMN(REAL, val_loss),
    COLUMN(REAL, val_accuracy),  COLUMN(REAL, val_auc),
    COLUMN(REAL, seconds),       COLUMN(REAL, images_per_second)};

enum { max_history = 1 << 28 };

double meso_history_cell(const meso_train_record *record, const meso_field *column)
{
    return *(const double *)((const char *)record + column->offset);
}

double meso_history_value(const meso_train_record *record, meso_monitor monitor)
{
    return meso_history_cell(record, meso_field_find(meso_history_columns, MESO_N_HISTORY_COLUMNS,
                                                     meso_monitor_name(monitor)));
}

meso_status meso_history_add(meso_history *history, const meso_train_record *record,
                             meso_error *error)
{
    meso_train_record *larger =
        realloc(history->records, (history->n + 1) * sizeof *history->records);
    MESO_DEMAND_MEMORY(larger, error);
    history->records = larger;
    history->records[history->n++] = *record;
    return MESO_OK;
}

void meso_history_free(meso_history *history)
{
    free(history->records);
    *history = (meso_history){0};
}

void meso_history_jsonl(const meso_history *history, meso_text *out)
{
    for (size_t i = 0; i < history->n; i++) {
        json_t *row =
            meso_fields_to_json(meso_history_columns, MESO_N_HISTORY_COLUMNS, &history->records[i]);
        meso_json_write(row, JSON_COMPACT | JSON_REAL_PRECISION(9), out);
        meso_text_add(out, "\n");
        json_decref(row);
    }
}

void meso_history_csv(const meso_history *history, meso_text *out)
{
    for (int c = 0; c < MESO_N_HISTORY_COLUMNS; c++)
        meso_text_format(out, "%s%s", c ? "," : "", meso_history_columns[c].key);
    meso_text_add(out, "\r\n");
    for (size_t i = 0; i < history->n; i++) {
        const meso_train_record *record = &history->records[i];
        meso_text_format(out, "%zu,%llu", record->epoch, (unsigned long long)record->step);
        for (int c = MESO_FIRST_HISTORY_NUMBER; c < MESO_N_HISTORY_COLUMNS; c++) {
            meso_text_add(out, ",");
            meso_json_write_number(meso_history_cell(record, &meso_history_columns[c]), out);
        }
        meso_text_add(out, "\r\n");
    }
}

static int read_record(const char *line, size_t n, size_t epoch, meso_train_record *record)
{
    json_t *row = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    int ok = meso_fields_from_json(meso_history_columns, MESO_N_HISTORY_COLUMNS, row, record,
                                   NULL) == MESO_OK;
    json_decref(row);
    return ok && record->epoch == epoch;
}

meso_status meso_history_read(const char *path, size_t n_epochs, meso_history *history,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    void *bytes = NULL;
    size_t n = 0;
    MESO_TRY(meso_file_read(path, max_history, &bytes, &n, NULL, error));
    const char *line = bytes;
    for (size_t epoch = 1; n_epochs ? epoch <= n_epochs : strchr(line, '\n') != NULL; epoch++) {
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

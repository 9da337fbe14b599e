/* SPDX-License-Identifier: Apache-2.0
 *
 * What each epoch of a run came to: in memory, as JSONL and CSV (history.c), for TensorBoard
 * (tensorboard.c).
 */
#ifndef MESO_MODEL_HISTORY_H
#define MESO_MODEL_HISTORY_H

#include "base/fields.h"
#include "base/text.h"
#include "mesocl/train.h"

typedef struct meso_history {
    meso_train_record *records; /* epochs 1, 2, … */
    size_t n;
} meso_history;

/* Errors: MEMORY. */
meso_status meso_history_add(meso_history *history, const meso_train_record *record,
                             meso_error *error);
void meso_history_free(meso_history *history);

void meso_history_jsonl(const meso_history *history, meso_text *out);
void meso_history_csv(const meso_history *history, meso_text *out);

/* Reads JSONL into an empty history: epochs 1 … n_epochs, whatever follows; 0: all whole lines.
 * Errors: DATA (with the line), NO_INPUT, IO, MEMORY. */
meso_status meso_history_read(const char *path, size_t n_epochs, meso_history *history,
                              meso_error *error);

/* The value that a monitor means; not AUTO. */
double meso_history_value(const meso_train_record *record, meso_monitor monitor);

/* The columns, for whoever writes them elsewhere: whole numbers, and from the first number on
 * doubles. */
enum { MESO_FIRST_HISTORY_NUMBER = 2, MESO_N_HISTORY_COLUMNS = 10 };
extern const meso_field meso_history_columns[MESO_N_HISTORY_COLUMNS];
double meso_history_cell(const meso_train_record *record, const meso_field *column);

/* TensorBoard takes one event file, records appended epoch by epoch.
 *
 * The bytes that begin an event file. step: from which on this file's values count: those of
 * earlier files at and after it are void (a run that was resumed). */
void meso_tensorboard_begin(double unix_time, uint64_t step, meso_text *out);

/* The bytes of an epoch: a scalar for each value that is a number, at the epoch. */
void meso_tensorboard_epoch(double unix_time, const meso_train_record *record, meso_text *out);

/* CRC-32C (Castagnoli). */
uint32_t meso_crc32c(const void *bytes, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalars for TensorBoard: one event file, records appended epoch by epoch.
 */
#ifndef MESO_MODEL_TENSORBOARD_H
#define MESO_MODEL_TENSORBOARD_H

#include "base/text.h"
#include "model/train/history.h"

/* The bytes that begin an event file. step: from which on this file's values count: those of
 * earlier files at and after it are void (a run that was resumed). */
void meso_tensorboard_begin(double unix_time, uint64_t step, meso_text *out);

/* The bytes of an epoch: a scalar for each value that is a number, at the epoch. */
void meso_tensorboard_epoch(double unix_time, const meso_train_record *record, meso_text *out);

/* CRC-32C (Castagnoli). */
uint32_t meso_crc32c(const void *bytes, size_t n);

#endif

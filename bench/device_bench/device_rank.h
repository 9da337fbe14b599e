/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BENCH_DEVICE_RANK_H
#define MESO_BENCH_DEVICE_RANK_H

#include <jansson.h>

#include "base/text.h"
#include "runtime/preference.h"

/* Ranks the document's devices in one direction, "predict" or "train", by the geometric mean of
 * their rates, each beside the best rate of that row, over the rows that all of them have; appends
 * a line for each. Returns the row of the first in "devices", or NULL. */
const json_t *bench_rank_devices(const json_t *document, const char *direction, meso_text *out);

/* Remembers that device for --device auto, and how fast each device trains. Errors: CREATE, IO,
 * MEMORY. */
meso_status bench_pick(const json_t *document, const json_t *best,
                       char path[MESO_PREFERENCE_PATH_SIZE], meso_error *error);

#endif

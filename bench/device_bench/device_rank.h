/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BENCH_DEVICE_RANK_H
#define MESO_BENCH_DEVICE_RANK_H

#include <jansson.h>

#include "base/text.h"

/* Ranks the document's devices by the geometric mean of their rates, each beside the best rate of
 * that row, over the rows that all of them have; appends a line for each. Returns the row of the
 * first in "devices", or NULL. */
const json_t *bench_rank_devices(const json_t *document, meso_text *out);

#endif

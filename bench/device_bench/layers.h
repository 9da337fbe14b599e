/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a call's time goes: every kernel of every layer.
 */
#ifndef MESO_BENCH_LAYERS_H
#define MESO_BENCH_LAYERS_H

#include "work.h"

/* Profiles calls of one batch size for about `seconds`. *layers: [{"layer", "kernel", "launches" of
 * a call, "multiply_adds" of an image as a direct convolution and "bytes" that it must move
 * at least (null: not known), "host_timer", "samples" in seconds an image}], in the order of
 * launch. */
meso_status bench_layers_run(bench_work *work, size_t batch, double seconds, json_t **layers,
                             meso_error *error);

#endif

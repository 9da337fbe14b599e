/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a call's time goes: every kernel of every layer.
 */
#ifndef MESO_BENCH_LAYERS_H
#define MESO_BENCH_LAYERS_H

#include "measure/samples.h"
#include "measure/work.h"
#include "mesocl/device.h"
#include "runtime/device.h"

/* Of calls of one batch size. */
typedef struct bench_layers {
    bench_work *work;
    size_t batch, calls; /* images of a call, calls of a round */
    meso_profile_mode mode;
    meso_profile_row *first; /* [n] what the first round, which only warms up, launched */
    size_t n;
    bench_samples *samples;          /* [n] seconds an image, one for each round */
    bench_samples idle[MESO_N_IDLE]; /* the same, of when none of them runs; empty: not known */
} bench_layers;

/* Warms up. Launches are timed as they run, and one by one where the driver's stamps make no sense.
 * `layers` is to be closed in any case. */
meso_status bench_layers_open(bench_work *work, size_t batch, size_t calls, size_t n_rounds,
                              bench_layers *layers, meso_error *error);
meso_status bench_layers_round(bench_layers *layers, meso_error *error); /* at most n_rounds */

/* [{"layer", "kernel", "launches" of a call, "multiply_adds" of an image as a direct convolution
 * and "bytes" that it must move at least (null: not known), "host_timer", "samples" in seconds an
 * image}], in the order of launch. */
json_t *bench_layers_json(const bench_layers *layers);

/* Rows of the same shape: the parts of a call in which no kernel runs. */
json_t *bench_layers_idle_json(const bench_layers *layers);
void bench_layers_close(bench_layers *layers); /* a zeroed one is allowed */

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A strip plan at work on a device. Its sizes come from strip_tuning.c.
 */
#ifndef MESO_NET_STRIP_RUN_H
#define MESO_NET_STRIP_RUN_H

#include "net/strip/strip.h"
#include "net/tensor.h"
#include "runtime/device.h"
#include "runtime/program.h"
#include "runtime/tuning.h"

/* Rows to choose among, best first. */
typedef struct meso_strip_tunings {
    meso_strip_tuning rows[MESO_N_STRIP_TUNINGS];
    size_t n;
} meso_strip_tunings;

/* The user's row of a family, for this device and net; else the shipped ones. Errors go to the
 * device, here and below. */
meso_status meso_strip_choose(meso_device *device, const meso_net *net,
                              const meso_tuning_family *family, meso_strip_tunings *rows);

/* Finds what can be fused with each row, compiles what the writer writes for it, and keeps the plan
 * of the row that the compiler took. */
meso_status meso_strip_build(meso_device *device, const meso_net *net,
                             const meso_strip_tunings *tunings, meso_strip_writer *writer,
                             meso_program *program, meso_strip_plan *plan);

typedef struct meso_strip_run meso_strip_run;

/* Finds what can be fused, compiles it, transforms and uploads the filters. params: the net's
 * parameters in its order, on the host. n_lanes: at most so many, 0 for all. *run is NULL where
 * nothing can be fused. */
meso_status meso_strip_create(meso_device *device, const meso_net *net, const float *const *params,
                              size_t n_lanes, const meso_strip_tunings *tunings,
                              meso_strip_run **run);
void meso_strip_close(meso_strip_run *run); /* NULL is allowed */

const meso_strip_plan *meso_strip_get_plan(const meso_strip_run *run);
size_t meso_strip_n_lanes(const meso_strip_run *run);

/* Room for the logits of n images at once, of a plan with a head. */
meso_status meso_strip_reserve(meso_strip_run *run, size_t n);

/* Enqueues n images from pixels [n][height][width][3] of 8 bits (is_float = 0), or floats, split
 * over the lanes. With a head the logits come with meso_strip_logits; else the output goes to
 * `planar`, and the caller waits with meso_device_finish_all. pixels must stay until then. */
meso_status meso_strip_enqueue(meso_strip_run *run, const meso_buffer *pixels, int is_float,
                               size_t n, const meso_tensor_view *planar);

/* The same for n images on the lane in use alone, of a plan with a head. The logits
 * [n][outputs] pass through the caller's buffer `results` and are in `logits` when `done` has been
 * waited for; until then all of these must stay. n ≥ 1. */
meso_status meso_strip_start(meso_strip_run *run, const meso_buffer *pixels, int is_float, size_t n,
                             const meso_buffer *results, float *logits, meso_event *done);

/* Waits for the n images that were enqueued and copies their logits [n][outputs]. */
meso_status meso_strip_logits(meso_strip_run *run, size_t n, float *logits);

#endif

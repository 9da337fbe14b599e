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

/* The user's row of a family, for this device and net; 0: there is none. */
int meso_strip_find_tuned(const meso_device *device, const meso_net *net,
                          const meso_tuning_family *family, meso_strip_tuned *tuned);

/* Finds what can be fused with each tuning row (only: with this one), compiles what the writer
 * writes for it, and keeps the plan of the row that the compiler took. Errors go to the device. */
meso_status meso_strip_build(meso_device *device, const meso_net *net, int exact,
                             const meso_strip_tuning *only, meso_strip_writer *writer,
                             meso_program *program, meso_strip_plan *plan);

typedef struct meso_strip_run meso_strip_run;

/* Finds what can be fused, compiles it, transforms and uploads the filters. params: the net's
 * parameters in its order, on the host. n_lanes: at most so many, 0 for all. only: this tuning row
 * and no other, for tests, which outlives the run and is taken on any device; NULL: the table's.
 * *run is NULL where the device is no CPU with vectors or nothing can be fused. Errors go to the
 * device. */
meso_status meso_strip_create(meso_device *device, const meso_net *net, const float *const *params,
                              int exact, size_t n_lanes, const meso_strip_tuning *only,
                              meso_strip_run **run);
void meso_strip_close(meso_strip_run *run); /* NULL is allowed */

const meso_strip_plan *meso_strip_get_plan(const meso_strip_run *run);
size_t meso_strip_n_lanes(const meso_strip_run *run);

/* Enqueues n images from pixels [n][height][width][3] of 8 bits (is_float = 0), or floats, split
 * over the lanes. With a head the logits come with meso_strip_logits; else the output goes to
 * `planar`, and the caller waits with meso_strip_wait. pixels must stay until then. n ≤
 * MESO_STRIP_MAX_IMAGES. */
enum { MESO_STRIP_MAX_IMAGES = 512 };
meso_status meso_strip_enqueue(meso_strip_run *run, const meso_buffer *pixels, int is_float,
                               size_t n, const meso_tensor_view *planar);
meso_status meso_strip_wait(meso_strip_run *run);

/* The same for n images on one lane alone, of a plan with a head. The logits
 * [n][outputs] pass through the caller's buffer `results` and are in `logits` when `done` has been
 * waited for; until then all of these must stay. n ≥ 1. */
meso_status meso_strip_start(meso_strip_run *run, size_t lane, const meso_buffer *pixels,
                             int is_float, size_t n, const meso_buffer *results, float *logits,
                             meso_event *done);

/* Waits for the n images that were enqueued and copies their logits [n][outputs]. */
meso_status meso_strip_logits(meso_strip_run *run, size_t n, float *logits);

#endif

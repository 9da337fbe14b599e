/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan: the steps of a net for batches up to a size, with the buffers they use. Buffers are
 * shared by tensors that are never needed at the same time.
 */
#ifndef MESO_NET_PLAN_H
#define MESO_NET_PLAN_H

#include "net/op/op.h"
#include "net/product.h"
#include "net/tile/tile.h"

typedef struct meso_plan meso_plan;

/* Plans the net and allocates its activations. params: one buffer for each of the net's parameters,
 * in its order, kept by the caller while the plan lives. tiles: blocks of this net in the place of
 * their layers' plain kernels, likewise kept; NULL: none. Errors go to the device. */
meso_status meso_plan_create(meso_device *device, const meso_net *net, size_t max_batch,
                             const meso_buffer *params, meso_tile_run *tiles, meso_plan **plan);
void meso_plan_close(meso_plan *plan); /* NULL is allowed */

/* What is computed by CLBlast; see meso_products_describe. */
void meso_plan_describe(const meso_plan *plan, char text[MESO_PRODUCTS_TEXT]);

/* Copies n images [n][height][width][channels] in: 8-bit pixels, divided as the net says, or
 * floats. */
meso_status meso_plan_load_rgb8(meso_plan *plan, const uint8_t *pixels, size_t n);
meso_status meso_plan_load_f32(meso_plan *plan, const float *values, size_t n);

/* Where the caller enqueues n images of floats itself, on the queue that runs the plan. */
const meso_buffer *meso_plan_floats(meso_plan *plan, size_t n);

/* Enqueues the net up to and with layer `last` for n pictures that are on the device, of 8-bit
 * pixels or of floats, on the queue that runs the plan. The output passes through `results` and is
 * in `out` when `done` has been waited for; until then all of these must stay. */
meso_status meso_plan_start(meso_plan *plan, const meso_buffer *pictures, int is_float, size_t last,
                            size_t n, const meso_buffer *results, float *out, meso_event *done);

/* The tensor that layer i's output is, for a fused part that writes it in the plan's place. */
meso_tensor_view meso_plan_view(const meso_plan *plan, size_t i);

/* Runs n images from layer `first` (0: what was loaded; else layer first − 1 has been written to
 * its view) up to and with layer `last`, whose output comes back as [n][height][width][channels].
 * With tiles, first is 0 and last no layer inside a block. */
meso_status meso_plan_run(meso_plan *plan, size_t first, size_t last, size_t n, float *out);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan: the steps of a net with the buffers they use. Buffers are shared by tensors that are
 * never needed at the same time.
 */
#ifndef MESO_NET_PLAN_H
#define MESO_NET_PLAN_H

#include "net/op/op.h"
#include "net/product.h"
#include "runtime/tuning.h"

/* Layers that one kernel computes, in the place of their plain ones. */
typedef struct meso_plan_block {
    const char *name;    /* the layer that profiles show */
    size_t source, last; /* the layers that it reads and whose output it writes */
} meso_plan_block;

/* What a block reads: a tensor; or, where its source is the net's input, pictures. */
typedef enum meso_plan_input {
    MESO_PLAN_TENSOR,
    MESO_PLAN_PIXELS,
    MESO_PLAN_FLOATS,
    MESO_PLAN_N_INPUTS
} meso_plan_input;

typedef struct meso_plan_blocks {
    const meso_plan_block *of[MESO_MAX_LAYERS]; /* that a layer is part of, or NULL */
    /* For n images of `in`; of pictures only the buffer counts. */
    meso_status (*enqueue)(const struct meso_plan_blocks *blocks, const meso_plan_block *block,
                           meso_plan_input kind, const meso_tensor_view *in,
                           const meso_tensor_view *out, size_t n);
} meso_plan_blocks;

typedef struct meso_plan meso_plan;

/* params: the net's in its order, on the host; they are copied. blocks: of this net, kept by the
 * caller while the plan lives; NULL: none. Errors go to the device, here and below. */
meso_status meso_plan_create(meso_device *device, const meso_net *net, const float *const *params,
                             const meso_plan_blocks *blocks, meso_plan **plan);
void meso_plan_close(meso_plan *plan); /* NULL is allowed */

/* Room for n images, at least, as calls make it, too; 0 gives it back, as an error does. */
meso_status meso_plan_reserve(meso_plan *plan, size_t n);

/* What is computed by CLBlast; see meso_products_describe. */
void meso_plan_describe(const meso_plan *plan, char text[MESO_PRODUCTS_TEXT]);

/* The same as a row of tuning; 0 for other families than CLBlast's. */
int meso_plan_tuning(const meso_plan *plan, const meso_tuning_family *family, int *values);

/* Enqueues the net up to and with layer `last`, on the queue that runs the plan. The output passes
 * through `results` and is in `out` when `done` has been waited for; until then all of these must
 * stay, and the pictures. */
meso_status meso_plan_start(meso_plan *plan, const meso_pictures *pictures, size_t last,
                            const meso_buffer *results, float *out, meso_event *done);

/* The tensor that layer i's output is, for a fused part that writes it in the plan's place. */
meso_tensor_view meso_plan_view(const meso_plan *plan, size_t i);

/* Runs the pictures through layers `first` (0: all; else of them only the number counts, and layer
 * first − 1 has been written to its view) to `last`, whose output comes back as
 * [n][height][width][channels]. With blocks, first is 0 and last no layer inside one. */
meso_status meso_plan_run(meso_plan *plan, const meso_pictures *pictures, size_t first, size_t last,
                          float *out);

#endif

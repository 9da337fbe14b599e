/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tensors training keeps, and which gradients share memory (train_plan.c); which layers it
 * does together (fused_pairs.c).
 *
 * Values are kept from forward to backward; ops that can, write over their input. A gradient is
 * needed from the last layer that reads its tensor (backward comes there first) to the layer that
 * made it; then its memory serves another tensor of the same geometry, so that the zeros around it
 * stay.
 */
#ifndef MESO_NET_TRAIN_PLAN_H
#define MESO_NET_TRAIN_PLAN_H

#include "net/op/op.h"

enum { MESO_NO_SLOT = -1 };

/* Layers that training does together with the one right behind: which ops, where, by which kernels.
 * Between the two nothing is stored that one launch can keep to itself. Sums and results are those
 * of the two one after the other. */
typedef struct meso_fused_pair {
    const meso_op *first, *next;
    /* Whether their settings allow it. NULL: always. */
    int (*fits)(const meso_layer *first, const meso_layer *next);
    int in_place;  /* 1: next writes over first's output; 0: the tensor between is never stored */
    int continues; /* 1: only where first is the next of another pair, whose forward does all */
    /* In place of the train.apply of both. NULL: first's own does it. */
    meso_train_part forward;
    /* measure and apply in place of first's, and of all of next's. No apply: each does its own. */
    meso_train_parts backward;
} meso_fused_pair;

/* NULL where these two are no pair. */
const meso_fused_pair *meso_fused_pair_of(const meso_layer *first, const meso_layer *next);

/* What is decided for a layer and its output. */
typedef struct meso_train_place {
    size_t source; /* the layer that its tensor is named by: itself, or the one it writes over */
    int used;      /* the loss depends on it */
    int trained;   /* it depends on a parameter that is trained: backward runs */
    int pad;       /* zeros around the tensor; of the source alone */
    int slot;      /* of the tensor's gradient; of the source alone */
    const meso_fused_pair *pair; /* with the next layer, or NULL */
    int add[MESO_MAX_INPUTS];    /* 1: the input's gradient has been begun by a later layer */
} meso_train_place;

typedef struct meso_train_slot {
    meso_shape shape;
    int pad;
} meso_train_slot;

typedef struct meso_train_plan {
    const meso_net *net;
    size_t logits; /* the layer whose output the loss takes */
    meso_train_place places[MESO_MAX_LAYERS];
    meso_train_slot slots[MESO_MAX_LAYERS];
    size_t n_slots;
} meso_train_plan;

/* Is the layer's output never stored, because the next layer takes it as it comes? It has no
 * gradient then either. */
static inline int meso_train_is_passed_on(const meso_train_plan *plan, size_t layer)
{
    const meso_fused_pair *pair = plan->places[layer].pair;
    return pair && !pair->in_place;
}

/* frozen: by layer. */
void meso_train_plan_make(const meso_net *net, const unsigned char *frozen, size_t logits,
                          meso_train_plan *plan);

#endif

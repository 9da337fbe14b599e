/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tensors training keeps, and which gradients share memory.
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

/* What is decided for a layer and its output. */
typedef struct meso_train_place {
    size_t source; /* the layer that its tensor is named by: itself, or the one it writes over */
    int used;      /* the loss depends on it */
    int trained;   /* it depends on a parameter that is trained: backward runs */
    int pad;       /* zeros around the tensor; of the source alone */
    int slot;      /* of the tensor's gradient; of the source alone */
    int pooled;    /* batch norm that goes into the next layer, a max-pooling:
                    * src/net/train/norm_pool.h;    it has no value and no gradient of its own */
    int finishes;  /* bias, or ReLU over it, that the convolution in front computes in forward */
    int add[MESO_MAX_INPUTS]; /* 1: the input's gradient has been begun by a later layer */
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

/* frozen: by layer. */
void meso_train_plan_make(const meso_net *net, const unsigned char *frozen, size_t logits,
                          meso_train_plan *plan);

#endif

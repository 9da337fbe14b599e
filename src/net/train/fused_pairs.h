/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that training does together with the one right behind: which ops, where, by which kernels.
 * Between the two nothing is stored that one launch can keep to itself. Sums and results are those
 * of the two one after the other.
 */
#ifndef MESO_NET_FUSED_PAIRS_H
#define MESO_NET_FUSED_PAIRS_H

#include "net/op/op.h"

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

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the rewrite pass share: walking a net from layer to layer (walk.c) and
 * finding an inception block (inception.c) and a head (strip_blocks.c).
 */
#ifndef MESO_NET_STRIP_FIND_H
#define MESO_NET_STRIP_FIND_H

#include "net/strip/strip.h"

/* The layer's only reader if it is of that op, else NULL; also where `layer` is NULL. */
const meso_layer *meso_strip_follow(const meso_net *net, const meso_layer *layer,
                                    const struct meso_op *op);

/* The same for an activation that never falls: only then may the maximum be taken before it. */
const meso_layer *meso_strip_follow_activation(const meso_net *net, const meso_layer *layer);

int meso_strip_is_square(const int pair[2], int side);

/* The largest divisor of n that is at most `most`, and at least 1. */
int meso_strip_divisor(int n, int most);

/* The layers of the inception block that reads `from`, without any sizes of strips; 0: none. */
int meso_strip_find_branches(const meso_net *net, const meso_layer *from, meso_strip_block *block);

/* Flatten, dense, bias, activation, dense, bias behind `from`; 0: other layers. */
int meso_strip_find_head(const meso_net *net, const meso_layer *from, meso_strip_head *head);

/* The inception block that begins at `from`; 0 where the layers or sizes do not fit. */
int meso_strip_find_inception(const meso_net *net, const meso_layer *from,
                              const meso_strip_tuning *tuning, meso_strip_block *block);

#endif

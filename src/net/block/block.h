/* SPDX-License-Identifier: Apache-2.0
 *
 * Which layers of a net make a block that one kernel can compute, whatever computes it: find.c,
 * inception.c; walk.c goes from layer to layer, block_cost.c says what one image comes to.
 */
#ifndef MESO_NET_BLOCK_H
#define MESO_NET_BLOCK_H

#include "net/net.h"

enum { MESO_MAX_BLOCKS = 16, MESO_MAX_BRANCHES = 8, MESO_MAX_DILATION = 3 };

/* A convolution of stride 1 that keeps the picture's size, with its bias. */
typedef struct meso_block_conv {
    const meso_layer *layer, *bias;
    int channels, taps, dilation;
    int method, filter_block; /* how strips compute it (net/strip/strip.h); 0 when it is found */
} meso_block_conv;

/* Each convolution has a bias and the block's activation. */
typedef struct meso_block_branch {
    meso_block_conv reduce; /* 1 × 1 in front of conv; layer NULL: none */
    meso_block_conv conv;   /* behind reduce 3 × 3, dilated or not; else 1 × 1 */
} meso_block_branch;

/* Convolution, bias, activation, batch norm, max-pool. In an inception block several branches stand
 * in front of batch norm, and their concat. */
typedef struct meso_block {
    const meso_layer *from; /* the layer that it reads */
    const meso_layer *conv; /* that batch norm's channels come from: convolution or concat */
    const meso_layer *activation, *norm, *pool;
    int pool_size;
    meso_block_branch branches[MESO_MAX_BRANCHES];
    size_t n_branches; /* 1: of one convolution, 3 × 3 or 5 × 5; more: an inception block */
} meso_block;

/* Flatten, dense, bias, activation, dense, bias; dropouts between them count as nothing. */
typedef struct meso_head {
    const meso_layer *flatten, *hidden, *hidden_bias, *activation, *output, *output_bias;
} meso_head;

/* 0 where the layers are others. conv may be NULL, or any layer. */
int meso_block_find(const meso_net *net, const meso_layer *conv, meso_block *block);
int meso_block_find_inception(const meso_net *net, const meso_layer *from, meso_block *block);
int meso_block_find_head(const meso_net *net, const meso_layer *from, meso_head *head);

/* Parts of a block: returns the activation of the convolution `layer`, or NULL. */
const meso_layer *meso_block_find_conv(const meso_net *net, const meso_layer *layer,
                                       meso_block_conv *conv);
/* Batch norm and pool behind the layer. */
int meso_block_find_end(const meso_net *net, const meso_layer *layer, meso_block *block);

/* That of a block with one. */
static inline const meso_block_conv *meso_block_only_conv(const meso_block *block)
{
    return &block->branches[0].conv;
}

/* The 1 × 1 convolution that a branch of an inception block begins with. */
static inline const meso_block_conv *meso_block_first_conv(const meso_block_branch *branch)
{
    return branch->reduce.layer ? &branch->reduce : &branch->conv;
}

/* How many times layers read `layer`; *reader, where not NULL, becomes the last of them. */
size_t meso_block_readers(const meso_net *net, const meso_layer *layer, const meso_layer **reader);

/* The layer's only reader if it is of that op, else NULL; also where `layer` is NULL. */
const meso_layer *meso_block_follow(const meso_net *net, const meso_layer *layer,
                                    const struct meso_op *op);

/* The same for an activation that never falls: only then may the maximum be taken before it. */
const meso_layer *meso_block_follow_activation(const meso_net *net, const meso_layer *layer);

/* The values of a layer's i-th parameter. */
static inline const float *meso_block_param(const float *const *params, const meso_layer *layer,
                                            size_t i)
{
    return params[layer->first_param + i];
}
/* Batch norm of channel k as a scale, which is returned, and a shift. */
double meso_block_fold_norm(const meso_layer *norm, const float *const *params, size_t k,
                            double *shift);

/* Of one image: multiply-adds, and the bytes that are read, value_bytes for each value, and
 * written. */
double meso_block_multiply_adds(const meso_net *net, const meso_block *block);
double meso_block_bytes(const meso_block *block, size_t value_bytes);
double meso_head_multiply_adds(const meso_net *net, const meso_head *head);

/* The largest divisor of n that is at most `most`, and at least 1. */
int meso_divisor(int n, int most);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of one convolution, and heads.
 */
#include "net/block/block.h"
#include "net/op/op.h"

static int is_square(const int pair[2], int side)
{
    return pair[0] == side && pair[1] == side;
}

const meso_layer *meso_block_find_conv(const meso_net *net, const meso_layer *layer,
                                       meso_block_conv *conv)
{
    if (!layer || layer->op != &meso_op_conv)
        return NULL;
    const meso_window *w = &layer->set.conv.window;
    *conv = (meso_block_conv){.layer = layer,
                              .bias = meso_block_follow(net, layer, &meso_op_bias),
                              .channels = net->layers[layer->inputs[0]].shape.c,
                              .taps = w->size[0],
                              .dilation = w->dilation[0]};
    const int pad = conv->taps / 2 * conv->dilation;
    const int keeps_size = is_square(w->size, conv->taps) && is_square(w->stride, 1) &&
                           is_square(w->dilation, conv->dilation) && is_square(w->before, pad) &&
                           is_square(w->after, pad);
    return keeps_size ? meso_block_follow_activation(net, conv->bias) : NULL;
}

int meso_block_find_end(const meso_net *net, const meso_layer *layer, meso_block *block)
{
    block->norm = meso_block_follow(net, layer, &meso_op_batch_norm);
    block->pool = meso_block_follow(net, block->norm, &meso_op_max_pool);
    if (!block->pool)
        return 0;
    const meso_window *pool = &block->pool->set.max_pool.window;
    block->pool_size = pool->size[0];
    return is_square(pool->size, block->pool_size) && is_square(pool->stride, block->pool_size) &&
           is_square(pool->before, 0);
}

int meso_block_find(const meso_net *net, const meso_layer *conv, meso_block *block)
{
    *block = (meso_block){.conv = conv, .n_branches = 1};
    meso_block_conv *found = &block->branches[0].conv;
    block->activation = meso_block_find_conv(net, conv, found);
    if (!block->activation || (found->taps != 3 && found->taps != 5) || found->dilation != 1 ||
        !meso_block_find_end(net, block->activation, block))
        return 0;
    block->from = &net->layers[conv->inputs[0]];
    return block->pool_size == 2 || block->pool_size == 4;
}

int meso_block_find_head(const meso_net *net, const meso_layer *from, meso_head *head)
{
    const meso_layer *layer;
    head->flatten = meso_block_follow(net, from, &meso_op_flatten);
    layer = meso_block_follow(net, head->flatten, &meso_op_dropout);
    head->hidden = meso_block_follow(net, layer ? layer : head->flatten, &meso_op_dense);
    head->hidden_bias = meso_block_follow(net, head->hidden, &meso_op_bias);
    head->activation = meso_block_follow_activation(net, head->hidden_bias);
    layer = meso_block_follow(net, head->activation, &meso_op_dropout);
    head->output = meso_block_follow(net, layer ? layer : head->activation, &meso_op_dense);
    head->output_bias = meso_block_follow(net, head->output, &meso_op_bias);
    return head->output_bias != NULL;
}

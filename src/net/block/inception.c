/* SPDX-License-Identifier: Apache-2.0
 *
 * Inception blocks: branches that all read one tensor, each a 1 × 1 convolution or a 1 × 1 and
 * behind it a 3 × 3 one, dilated or not; each convolution with bias and the same activation; their
 * concat; batch norm; max-pool 2 × 2.
 */
#include "net/block/block.h"
#include "net/op/op.h"

static const meso_layer *input_of(const meso_net *net, const meso_layer *layer)
{
    return &net->layers[layer->inputs[0]];
}

/* Activations that the same ACTIVATE macro computes. */
static int same_activation(const meso_layer *a, const meso_layer *b)
{
    if (a->op != b->op)
        return 0;
    if (a->op == &meso_op_relu)
        return !(a->set.relu.cap < b->set.relu.cap || a->set.relu.cap > b->set.relu.cap);
    double x = a->op == &meso_op_elu ? a->set.elu.alpha : a->set.leaky_relu.slope;
    double y = a->op == &meso_op_elu ? b->set.elu.alpha : b->set.leaky_relu.slope;
    return !(x < y || x > y);
}

/* Its activation must be like *activation where that is known. Returns it, or NULL. */
static const meso_layer *find_conv(const meso_net *net, const meso_layer *layer,
                                   const meso_layer **activation, meso_block_conv *conv)
{
    const meso_layer *end = meso_block_find_conv(net, layer, conv);
    if (!end || (conv->taps != 1 && conv->taps != 3) || conv->dilation > MESO_MAX_DILATION ||
        (*activation && !same_activation(end, *activation)))
        return NULL;
    *activation = end;
    return end;
}

/* The branch that begins at the convolution `layer`; returns the concat behind it. */
static const meso_layer *find_branch(const meso_net *net, const meso_layer *layer,
                                     const meso_layer **activation, meso_block_branch *branch)
{
    meso_block_conv *conv = &branch->conv, *reduce = &branch->reduce;
    const meso_layer *end = find_conv(net, layer, activation, conv);
    if (!end || conv->taps != 1)
        return NULL;
    const meso_layer *second = meso_block_follow(net, end, &meso_op_conv);
    if (second) {
        *reduce = *conv;
        end = find_conv(net, second, activation, conv);
        if (!end || conv->taps != 3)
            return NULL;
    }
    return meso_block_follow(net, end, &meso_op_concat);
}

/* The inputs of a concat are its branches' ends: sorts them by their place in it. 0 where the
 * concat has other inputs. */
static int order_branches(const meso_net *net, const meso_layer *concat, meso_block *block)
{
    for (size_t k = 0; k < concat->n_inputs; k++) {
        const meso_layer *bias = input_of(net, &net->layers[concat->inputs[k]]);
        size_t i = k;
        while (i < block->n_branches && block->branches[i].conv.bias != bias)
            i++;
        if (i == block->n_branches)
            return 0;
        meso_block_branch branch = block->branches[i];
        block->branches[i] = block->branches[k];
        block->branches[k] = branch;
    }
    return concat->n_inputs == block->n_branches;
}

/* Each layer that reads `from` begins a branch, and all end in the same concat: block->conv. */
static int find_branches(const meso_net *net, const meso_layer *from, meso_block *block)
{
    size_t position = (size_t)(from - net->layers), n = meso_block_readers(net, from, NULL);
    if (n < 2 || n > MESO_MAX_BRANCHES)
        return 0;
    for (size_t i = 0; i < net->n_layers && block->n_branches < n; i++) {
        const meso_layer *layer = &net->layers[i];
        if (layer->n_inputs != 1 || layer->inputs[0] != position)
            continue;
        const meso_layer *concat =
            find_branch(net, layer, &block->activation, &block->branches[block->n_branches]);
        if (!concat || (block->conv && concat != block->conv))
            return 0;
        block->conv = concat;
        block->n_branches++;
    }
    return block->n_branches == n && order_branches(net, block->conv, block);
}

int meso_block_find_inception(const meso_net *net, const meso_layer *from, meso_block *block)
{
    *block = (meso_block){.from = from};
    return find_branches(net, from, block) && meso_block_find_end(net, block->conv, block) &&
           block->pool_size == 2;
}

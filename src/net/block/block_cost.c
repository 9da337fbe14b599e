/* SPDX-License-Identifier: Apache-2.0 */
#include "net/block/block.h"
#include "net/op/op.h"

static double multiply_adds(const meso_net *net, const meso_layer *layer)
{
    meso_layer_info info = MESO_INIT(meso_layer_info);
    if (layer)
        meso_net_layer(net, (size_t)(layer - net->layers), &info, NULL);
    return (double)info.multiply_adds;
}

double meso_block_multiply_adds(const meso_net *net, const meso_block *block)
{
    double sum = 0;
    for (size_t i = 0; i < block->n_branches; i++)
        sum += multiply_adds(net, block->branches[i].reduce.layer) +
               multiply_adds(net, block->branches[i].conv.layer);
    return sum;
}

double meso_block_bytes(const meso_block *block, size_t value_bytes)
{
    return (double)(meso_shape_size(block->from->shape) * value_bytes +
                    meso_shape_size(block->pool->shape) * sizeof(float));
}

double meso_head_multiply_adds(const meso_net *net, const meso_head *head)
{
    return multiply_adds(net, head->hidden) + multiply_adds(net, head->output);
}

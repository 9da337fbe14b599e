/* SPDX-License-Identifier: Apache-2.0
 *
 * From layer to layer of a net.
 */
#include "net/block/block.h"
#include "net/op/op.h"

/* The one layer that reads `layer`; NULL where none or several do. */
static const meso_layer *only_reader(const meso_net *net, const meso_layer *layer)
{
    const meso_layer *reader = NULL;
    size_t position = (size_t)(layer - net->layers);
    for (size_t i = position + 1; i < net->n_layers; i++)
        for (size_t k = 0; k < net->layers[i].n_inputs; k++)
            if (net->layers[i].inputs[k] == position) {
                if (reader)
                    return NULL;
                reader = &net->layers[i];
            }
    return reader;
}

const meso_layer *meso_block_follow(const meso_net *net, const meso_layer *layer, const meso_op *op)
{
    const meso_layer *next = layer ? only_reader(net, layer) : NULL;
    return next && next->op == op ? next : NULL;
}

const meso_layer *meso_block_follow_activation(const meso_net *net, const meso_layer *layer)
{
    const meso_layer *next = layer ? only_reader(net, layer) : NULL;
    if (!next)
        return NULL;
    int rises = next->op == &meso_op_relu ||
                (next->op == &meso_op_leaky_relu && next->set.leaky_relu.slope >= 0) ||
                (next->op == &meso_op_elu && next->set.elu.alpha >= 0);
    return rises ? next : NULL;
}

int meso_divisor(int n, int most)
{
    int divisor = most < 1 ? 1 : most;
    while (n % divisor)
        divisor--;
    return divisor;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * From layer to layer of a net, and to the values of their parameters.
 */
#include <math.h>

#include "net/block/block.h"
#include "net/op/op.h"

size_t meso_block_readers(const meso_net *net, const meso_layer *layer, const meso_layer **reader)
{
    size_t n = 0, position = (size_t)(layer - net->layers);
    for (size_t i = position + 1; i < net->n_layers; i++)
        for (size_t k = 0; k < net->layers[i].n_inputs; k++)
            if (net->layers[i].inputs[k] == position) {
                n++;
                if (reader)
                    *reader = &net->layers[i];
            }
    return n;
}

static const meso_layer *only_reader(const meso_net *net, const meso_layer *layer)
{
    const meso_layer *reader = NULL;
    return layer && meso_block_readers(net, layer, &reader) == 1 ? reader : NULL;
}

const meso_layer *meso_block_follow(const meso_net *net, const meso_layer *layer, const meso_op *op)
{
    const meso_layer *next = only_reader(net, layer);
    return next && next->op == op ? next : NULL;
}

const meso_layer *meso_block_follow_activation(const meso_net *net, const meso_layer *layer)
{
    const meso_layer *next = only_reader(net, layer);
    if (!next)
        return NULL;
    int rises = next->op == &meso_op_relu ||
                (next->op == &meso_op_leaky_relu && next->set.leaky_relu.slope >= 0) ||
                (next->op == &meso_op_elu && next->set.elu.alpha >= 0);
    return rises ? next : NULL;
}

double meso_block_fold_norm(const meso_layer *norm, const float *const *params, size_t k,
                            double *shift)
{
    const float *const *p = params + norm->first_param;
    const double scale = p[0][k] / sqrt(p[3][k] + norm->set.batch_norm.epsilon);
    *shift = p[1][k] - p[2][k] * scale;
    return scale;
}

int meso_divisor(int n, int most)
{
    int divisor = most < 1 ? 1 : most;
    while (n % divisor)
        divisor--;
    return divisor;
}

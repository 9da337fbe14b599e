/* SPDX-License-Identifier: Apache-2.0
 *
 * Which nets the fused training step fits, and the sizes that follow.
 */
#include <math.h>

#include "net/block/block.h"
#include "net/op/op.h"
#include "net/train/strip_train.h"

enum { filters_aligned = 8 };

static int is_plain_relu(const meso_layer *layer)
{
    return layer->op == &meso_op_relu && isinf(layer->set.relu.cap);
}

static int fits_block(const meso_strip_plan *plan, size_t i)
{
    const meso_strip_block *block = &plan->blocks[i];
    const meso_block_conv *conv = meso_block_only_conv(&block->layers);
    const int filters = conv->layer->shape.c;
    if (block->bands || !is_plain_relu(block->layers.activation) || filters % filters_aligned ||
        filters > MESO_STRIP_MAX_TRAINED_CHANNELS)
        return 0;
    return i == 0 ? meso_strip_takes_pixels(plan)
                  : conv->taps == 5 && conv->method == MESO_STRIP_WINOGRAD_YX;
}

static int fits_head(const meso_net *net, const meso_strip_plan *plan)
{
    const meso_head *head = &plan->head;
    if (!head->flatten || head->output->set.dense.units != 1 ||
        head->hidden->set.dense.units > MESO_STRIP_MAX_TRAINED_CHANNELS ||
        (!is_plain_relu(head->activation) && head->activation->op != &meso_op_leaky_relu))
        return 0;
    const meso_layer *end = meso_block_follow(net, head->output_bias, &meso_op_sigmoid);
    return end == &net->layers[net->n_layers - 1];
}

int meso_strip_train_fits(const meso_net *net, const meso_strip_plan *plan, meso_loss loss)
{
    if (plan->n_blocks < 2 || loss == MESO_LOSS_CCE || !fits_head(net, plan))
        return 0;
    for (size_t i = 0; i < plan->n_blocks; i++)
        if (!fits_block(plan, i))
            return 0;
    return meso_shape_size(plan->blocks[plan->n_blocks - 1].out.shape) % 4 == 0;
}

size_t meso_strip_train_place(const meso_net *net, size_t i)
{
    const size_t unit = MESO_STRIP_VALUES_ALIGNED;
    size_t place = 0;
    for (size_t k = 0; k < i; k++)
        place += (net->params[k].n_values + unit - 1) / unit * unit;
    return place;
}

const meso_layer *meso_strip_train_dropout(const meso_net *net, const meso_layer *layer)
{
    const meso_layer *next = meso_block_follow(net, layer, &meso_op_dropout);
    return next && next->set.dropout.rate > 0 ? next : NULL;
}

size_t meso_strip_train_parts(const meso_strip_plan *plan, size_t block)
{
    size_t tiles = meso_strip_items(&plan->blocks[block]);
    return block == 0 ? tiles / (size_t)plan->tuning.first_tile_rows : tiles;
}

int meso_strip_train_back_block(const meso_strip_plan *plan, size_t block)
{
    const meso_strip_shape *in = &plan->blocks[block].in;
    int tiles = meso_strip_pixels_per_lane(in, plan->tuning.lanes) / 4;
    return meso_divisor(in->shape.c, plan->tuning.accumulators / tiles);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The rewrite pass: which layers of a net become fused blocks.
 */
#include "net/block/block.h"
#include "net/op/op.h"

/* Strips for a shape, whole or as halves; 0 where it fits neither. Tiles are of four columns and
 * rows. */
static int fit_strips(meso_shape shape, int lanes, meso_strip_shape *strips)
{
    *strips = (meso_strip_shape){.shape = shape};
    if (shape.h % 4 == 0 && shape.w % (4 * lanes) == 0)
        return 1;
    strips->halves = 1;
    return shape.h % 8 == 0 && shape.w % (2 * lanes) == 0;
}

/* The method's block of filters: as many as the accumulators allow that divide their number. */
static int fit_filters(const meso_strip_block *block, const meso_strip_tuning *tuning)
{
    int phases = meso_strip_phases(&block->in, tuning->lanes);
    int each = block->method == MESO_STRIP_DIRECT       ? 2
               : block->method == MESO_STRIP_WINOGRAD_Y ? 2 * (block->taps + 3)
                                                        : phases / 4;
    int filters = tuning->accumulators / each;
    if (block->method == MESO_STRIP_WINOGRAD_YX && block->taps == 3)
        filters = tuning->first_filters;
    return meso_strip_divisor(block->conv->shape.c, filters);
}

/* The block that begins at a convolution reading `from`; 0 where the layers or sizes do not fit. */
static int find_block(const meso_net *net, const meso_layer *from, const meso_strip_tuning *tuning,
                      meso_strip_block *block)
{
    *block = (meso_strip_block){0};
    block->conv = meso_strip_follow(net, from, &meso_op_conv);
    block->bias = meso_strip_follow(net, block->conv, &meso_op_bias);
    block->activation = meso_strip_follow_activation(net, block->bias);
    block->norm = meso_strip_follow(net, block->activation, &meso_op_batch_norm);
    block->pool = meso_strip_follow(net, block->norm, &meso_op_max_pool);
    if (!block->pool || !fit_strips(from->shape, tuning->lanes, &block->in))
        return 0;
    const meso_window *conv = &block->conv->set.conv.window;
    const meso_window *pool = &block->pool->set.max_pool.window;
    block->taps = conv->size[0];
    block->pool_size = pool->size[0];
    if ((block->taps != 3 && block->taps != 5) || !meso_strip_is_square(conv->size, block->taps) ||
        !meso_strip_is_square(conv->stride, 1) || !meso_strip_is_square(conv->dilation, 1) ||
        !meso_strip_is_square(conv->before, block->taps / 2) ||
        !meso_strip_is_square(conv->after, block->taps / 2) ||
        (block->pool_size != 2 && block->pool_size != 4) ||
        !meso_strip_is_square(pool->size, block->pool_size) ||
        !meso_strip_is_square(pool->stride, block->pool_size) ||
        !meso_strip_is_square(pool->before, 0))
        return 0;
    block->method = block->taps == 3 ? tuning->method_3 : tuning->method_5;
    block->in.pad = block->taps / 2;
    block->filter_block = fit_filters(block, tuning);
    block->out = (meso_strip_shape){.shape = block->pool->shape, .halves = block->in.halves};
    return 1;
}

int meso_strip_find_head(const meso_net *net, const meso_layer *from, meso_strip_head *head)
{
    const meso_layer *layer;
    head->flatten = meso_strip_follow(net, from, &meso_op_flatten);
    layer = meso_strip_follow(net, head->flatten, &meso_op_dropout);
    head->hidden = meso_strip_follow(net, layer ? layer : head->flatten, &meso_op_dense);
    head->hidden_bias = meso_strip_follow(net, head->hidden, &meso_op_bias);
    head->activation = meso_strip_follow_activation(net, head->hidden_bias);
    layer = meso_strip_follow(net, head->activation, &meso_op_dropout);
    head->output = meso_strip_follow(net, layer ? layer : head->activation, &meso_op_dense);
    head->output_bias = meso_strip_follow(net, head->output, &meso_op_bias);
    return head->output_bias != NULL;
}

void meso_strip_find(const meso_net *net, const meso_strip_tuning *tuning, meso_strip_plan *plan)
{
    const meso_layer *from = &net->layers[0];
    *plan = (meso_strip_plan){.tuning = *tuning};
    while (plan->n_blocks < MESO_MAX_BLOCKS) {
        meso_strip_block *block = &plan->blocks[plan->n_blocks];
        meso_strip_block *before = plan->n_blocks ? block - 1 : NULL;
        /* Behind a block in halves the rows at the seam would have to be exchanged: nothing asks
         * for it. */
        if ((before && before->in.halves) ||
            !(find_block(net, from, tuning, block) ||
              meso_strip_find_inception(net, from, tuning, block)) ||
            (!before && block->in.halves))
            break;
        if (before) {
            block->in.gap = 1;
            before->out.pad = block->in.pad;
            before->out.gap = block->in.gap;
            before->out.halves = block->in.halves;
        }
        from = block->pool;
        plan->n_blocks++;
    }
    if (plan->n_blocks == 0)
        return;
    meso_strip_head *head = &plan->head;
    if (!meso_strip_find_head(net, from, head) || head->hidden->set.dense.units % tuning->lanes ||
        meso_shape_size(from->shape) % 4)
        *head = (meso_strip_head){0};
    const meso_layer *last = plan->head.flatten ? plan->head.output_bias : from;
    plan->last = (size_t)(last - net->layers);
}

int meso_strip_takes_pixels(const meso_strip_plan *plan)
{
    const meso_strip_block *first = &plan->blocks[0];
    return first->taps == 3 && first->pool_size == 2 && first->in.shape.c == 3 &&
           first->method == MESO_STRIP_WINOGRAD_YX && !first->out.halves &&
           first->in.shape.h % (4 * plan->tuning.first_tile_rows) == 0;
}

size_t meso_strip_place(const meso_strip_shape *s, int lanes, int c, int y, int x)
{
    int phases = meso_strip_phases(s, lanes), strips = s->halves ? lanes / 2 : lanes;
    int half_rows = s->halves ? s->shape.h / 2 : s->shape.h;
    int row = y % half_rows + s->pad, lane = y / half_rows * strips + x / phases;
    size_t vector = (size_t)row * (size_t)meso_strip_stride(s, lanes) + (size_t)c * (size_t)phases +
                    (size_t)(x % phases);
    return vector * (size_t)lanes + (size_t)lane;
}

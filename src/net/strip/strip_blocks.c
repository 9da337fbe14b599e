/* SPDX-License-Identifier: Apache-2.0
 *
 * The rewrite pass: which blocks of a net become fused ones, and in which sizes.
 */
#include "net/op/op.h"
#include "net/strip/strip.h"

enum { band_rows = 8 };

/* Strips for a shape, whole or as halves; 0 where it fits neither. Tiles are of four columns and
 * rows. */
static int fit_strips(meso_shape shape, int lanes, meso_strip_shape *strips)
{
    *strips = (meso_strip_shape){.shape = shape};
    if (shape.h % 4 == 0 && shape.w % (4 * lanes) == 0)
        return 1;
    strips->two_halves = 1;
    return shape.h % 8 == 0 && shape.w % (2 * lanes) == 0;
}

static int fit_block(const meso_strip_tuning *tuning, meso_strip_block *block)
{
    meso_block_conv *conv = &block->layers.branches[0].conv;
    if (!fit_strips(block->layers.from->shape, tuning->lanes, &block->in))
        return 0;
    const int each[] = {[MESO_STRIP_DIRECT] = 2,
                        [MESO_STRIP_WINOGRAD_Y] = 2 * (conv->taps + 3),
                        [MESO_STRIP_WINOGRAD_YX] =
                            meso_strip_pixels_per_lane(&block->in, tuning->lanes) / 4};
    conv->method = conv->taps == 3 ? tuning->method_3 : tuning->method_5;
    const int filters = conv->method == MESO_STRIP_WINOGRAD_YX && conv->taps == 3
                            ? tuning->first_filters
                            : tuning->accumulators / each[conv->method];
    conv->filter_block = meso_divisor(conv->layer->shape.c, filters);
    block->in.pad = conv->taps / 2;
    block->out =
        (meso_strip_shape){.shape = block->layers.pool->shape, .two_halves = block->in.two_halves};
    return 1;
}

/* Winograd where a band's eight rows are whole tiles of four rows that stand `dilation` apart, and
 * eight phases of columns likewise; the filters side by side are what the method's sums allow. */
static void fit_conv(const meso_strip_tuning *tuning, int phases, meso_block_conv *conv)
{
    conv->method = MESO_STRIP_DIRECT;
    if (conv->taps == 3 && band_rows % (4 * conv->dilation) == 0)
        conv->method = tuning->method_3;
    if (conv->method == MESO_STRIP_WINOGRAD_YX && phases % 8)
        conv->method = MESO_STRIP_WINOGRAD_Y;
    const int most[] = {[MESO_STRIP_DIRECT] = tuning->accumulators / 4,
                        [MESO_STRIP_WINOGRAD_Y] = tuning->accumulators / 8,
                        [MESO_STRIP_WINOGRAD_YX] = tuning->first_filters};
    conv->filter_block = meso_divisor(conv->layer->shape.c, most[conv->method]);
}

static int fit_inception(const meso_strip_tuning *tuning, meso_strip_block *block)
{
    const meso_shape in = block->layers.from->shape;
    const int phases = in.w / tuning->lanes;
    if (in.h % band_rows || in.w % (2 * tuning->lanes) || phases <= MESO_MAX_DILATION)
        return 0;
    for (size_t i = 0; i < block->layers.n_branches; i++) {
        meso_block_branch *branch = &block->layers.branches[i];
        if (branch->reduce.layer)
            branch->reduce.filter_block =
                meso_divisor(branch->reduce.layer->shape.c, tuning->accumulators / 2);
        fit_conv(tuning, phases, &branch->conv);
    }
    block->in = (meso_strip_shape){.shape = in};
    block->out = (meso_strip_shape){.shape = block->layers.pool->shape};
    block->bands = meso_divisor(in.h / band_rows, tuning->first_tile_rows);
    return 1;
}

/* The block that reads `from`; 0 where the layers or sizes do not fit. */
static int find_block(const meso_net *net, const meso_layer *from, const meso_strip_tuning *tuning,
                      meso_strip_block *block)
{
    meso_block *layers = &block->layers;
    *block = (meso_strip_block){0};
    if (meso_block_find(net, meso_block_follow(net, from, &meso_op_conv), layers))
        return fit_block(tuning, block);
    return meso_block_find_inception(net, from, layers) && fit_inception(tuning, block);
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
        if ((before && before->in.two_halves) || !find_block(net, from, tuning, block) ||
            (!before && block->in.two_halves))
            break;
        if (before) {
            block->in.gap = 1;
            before->out.pad = block->in.pad;
            before->out.gap = block->in.gap;
            before->out.two_halves = block->in.two_halves;
        }
        from = block->layers.pool;
        plan->n_blocks++;
    }
    if (plan->n_blocks == 0)
        return;
    meso_head *head = &plan->head;
    if (!meso_block_find_head(net, from, head) || head->hidden->set.dense.units % tuning->lanes ||
        meso_shape_size(from->shape) % 4)
        *head = (meso_head){0};
    const meso_layer *last = plan->head.flatten ? plan->head.output_bias : from;
    plan->last = (size_t)(last - net->layers);
}

int meso_strip_takes_pixels(const meso_strip_plan *plan)
{
    const meso_strip_block *first = &plan->blocks[0];
    const meso_block_conv *conv = meso_block_only_conv(&first->layers);
    return !first->bands && conv->taps == 3 && first->layers.pool_size == 2 &&
           first->in.shape.c == 3 && conv->method == MESO_STRIP_WINOGRAD_YX &&
           !first->out.two_halves && first->in.shape.h % (4 * plan->tuning.first_tile_rows) == 0;
}

size_t meso_strip_offset(const meso_strip_shape *s, int lanes, int c, int y, int x)
{
    int phases = meso_strip_pixels_per_lane(s, lanes), strips = s->two_halves ? lanes / 2 : lanes;
    int half_rows = s->two_halves ? s->shape.h / 2 : s->shape.h;
    int row = y % half_rows + s->pad, lane = y / half_rows * strips + x / phases;
    size_t vector = (size_t)row * (size_t)meso_strip_stride(s, lanes) + (size_t)c * (size_t)phases +
                    (size_t)(x % phases);
    return vector * (size_t)lanes + (size_t)lane;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The rewrite pass for inception blocks: branches that all read one tensor, each a 1 × 1
 * convolution or a 1 × 1 and behind it a 3 × 3 one, dilated or not; each convolution with bias and
 * the same activation; their concat; batch norm; max-pool 2 × 2.
 */
#include "net/block/block.h"
#include "net/op/op.h"

enum { band_rows = 8, max_dilation = 3 };

static size_t count_readers(const meso_net *net, const meso_layer *layer)
{
    size_t n = 0, position = (size_t)(layer - net->layers);
    for (size_t i = 0; i < net->n_layers; i++)
        for (size_t k = 0; k < net->layers[i].n_inputs; k++)
            n += net->layers[i].inputs[k] == position;
    return n;
}

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

/* Convolution, bias and activation from `layer` on, whose activation must be like *activation where
 * that is known. Returns the activation, NULL where something does not fit. */
static const meso_layer *find_conv(const meso_net *net, const meso_layer *layer,
                                   const meso_layer **activation, meso_strip_conv *conv)
{
    if (layer->op != &meso_op_conv)
        return NULL;
    const meso_window *w = &layer->set.conv.window;
    const meso_layer *bias = meso_strip_follow(net, layer, &meso_op_bias);
    const meso_layer *end = meso_strip_follow_activation(net, bias);
    *conv = (meso_strip_conv){.layer = layer,
                              .bias = bias,
                              .channels = input_of(net, layer)->shape.c,
                              .taps = w->size[0],
                              .dilation = w->dilation[0]};
    int pad = conv->taps / 2 * conv->dilation;
    if (!end || (conv->taps != 1 && conv->taps != 3) ||
        !meso_strip_is_square(w->size, conv->taps) ||
        !meso_strip_is_square(w->dilation, conv->dilation) || conv->dilation > max_dilation ||
        !meso_strip_is_square(w->stride, 1) || !meso_strip_is_square(w->before, pad) ||
        !meso_strip_is_square(w->after, pad) || (*activation && !same_activation(end, *activation)))
        return NULL;
    *activation = end;
    return end;
}

/* Winograd where a band's eight rows are whole tiles of four rows that stand `dilation` apart, and
 * eight phases of columns likewise; the filters side by side are what the method's sums allow. */
static void fit_method(meso_strip_conv *conv, int phases, const meso_strip_tuning *tuning)
{
    int filters = conv->layer->shape.c;
    conv->method = MESO_STRIP_DIRECT;
    if (conv->taps == 3 && band_rows % (4 * conv->dilation) == 0)
        conv->method = tuning->method_3;
    if (conv->method == MESO_STRIP_WINOGRAD_YX && phases % 8)
        conv->method = MESO_STRIP_WINOGRAD_Y;
    const int most[] = {[MESO_STRIP_DIRECT] = tuning->accumulators / 4,
                        [MESO_STRIP_WINOGRAD_Y] = tuning->accumulators / 8,
                        [MESO_STRIP_WINOGRAD_YX] = tuning->first_filters};
    conv->filter_block = meso_strip_divisor(filters, most[conv->method]);
}

/* The branch that begins at the convolution `layer`; returns the concat behind it. */
static const meso_layer *find_branch(const meso_net *net, const meso_layer *layer,
                                     const meso_layer **activation, meso_strip_branch *branch)
{
    meso_strip_conv *conv = &branch->conv, *reduce = &branch->reduce;
    const meso_layer *end = find_conv(net, layer, activation, conv);
    if (!end || conv->taps != 1)
        return NULL;
    const meso_layer *second = meso_strip_follow(net, end, &meso_op_conv);
    if (second) {
        *reduce = *conv;
        end = find_conv(net, second, activation, conv);
        if (!end || conv->taps != 3)
            return NULL;
    }
    return meso_strip_follow(net, end, &meso_op_concat);
}

/* The inputs of a concat are its branches' ends: sorts them by their place in it. 0 where the
 * concat has other inputs. */
static int order_branches(const meso_net *net, const meso_layer *concat, meso_strip_block *block)
{
    for (size_t k = 0; k < concat->n_inputs; k++) {
        const meso_layer *bias = input_of(net, &net->layers[concat->inputs[k]]);
        size_t i = k;
        while (i < block->n_branches && block->branches[i].conv.bias != bias)
            i++;
        if (i == block->n_branches)
            return 0;
        meso_strip_branch branch = block->branches[i];
        block->branches[i] = block->branches[k];
        block->branches[k] = branch;
    }
    return concat->n_inputs == block->n_branches;
}

/* Each layer that reads `from` begins a branch, and all end in the same concat: block->conv. */
static int find_branches(const meso_net *net, const meso_layer *from, meso_strip_block *block)
{
    size_t position = (size_t)(from - net->layers), n = count_readers(net, from);
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

int meso_strip_find_branches(const meso_net *net, const meso_layer *from, meso_strip_block *block)
{
    *block = (meso_strip_block){.in = {.shape = from->shape}, .pool_size = 2};
    if (!find_branches(net, from, block))
        return 0;
    block->norm = meso_strip_follow(net, block->conv, &meso_op_batch_norm);
    block->pool = meso_strip_follow(net, block->norm, &meso_op_max_pool);
    if (!block->pool)
        return 0;
    const meso_window *pool = &block->pool->set.max_pool.window;
    block->out.shape = block->pool->shape;
    return meso_strip_is_square(pool->size, 2) && meso_strip_is_square(pool->stride, 2) &&
           meso_strip_is_square(pool->before, 0);
}

int meso_strip_find_inception(const meso_net *net, const meso_layer *from,
                              const meso_strip_tuning *tuning, meso_strip_block *block)
{
    const meso_shape in = from->shape;
    const int phases = in.w / tuning->lanes;
    if (in.h % band_rows || in.w % (2 * tuning->lanes) || phases <= max_dilation ||
        !meso_strip_find_branches(net, from, block))
        return 0;
    for (size_t i = 0; i < block->n_branches; i++) {
        meso_strip_conv *reduce = &block->branches[i].reduce;
        if (reduce->layer)
            reduce->filter_block =
                meso_strip_divisor(reduce->layer->shape.c, tuning->accumulators / 2);
        fit_method(&block->branches[i].conv, phases, tuning);
    }
    block->bands = meso_strip_divisor(in.h / band_rows, tuning->first_tile_rows);
    return 1;
}

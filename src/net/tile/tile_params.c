/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters in the order in which GPUs' kernels take them.
 */
#include <stdlib.h>
#include <string.h>

#include "net/tile/tile.h"

/* [row][column][channel][filter] → [channel][row][column][filter] of filters first … first + n − 1,
 * with zeros for those beyond the last. negate[k]: filter k's sign is turned; NULL: none. Returns
 * the end. */
static float *order_filters(const meso_block_conv *conv, const float *kernel, int first, int n,
                            const int *negate, float *to)
{
    const int filters = conv->layer->shape.c, window = conv->taps * conv->taps;
    for (int c = 0; c < conv->channels; c++)
        for (int t = 0; t < window; t++)
            for (int k = first; k < first + n; k++, to++)
                if (k < filters)
                    *to =
                        kernel[((size_t)t * (size_t)conv->channels + (size_t)c) * (size_t)filters +
                               (size_t)k] *
                        (negate && negate[k] ? -1.0f : 1.0f);
    return to;
}

static void block_params(const meso_tile_block *block, const float *const *params,
                         meso_tile_params *made)
{
    const size_t n = (size_t)block->layers.conv->shape.c;
    const size_t room = (size_t)(block->filter_groups * block->filters);
    const meso_block_conv *conv = meso_block_only_conv(&block->layers);
    int *negate = calloc(n, sizeof *negate);
    made->n_filters = room * (size_t)(block->in.c * block->taps * block->taps);
    made->n_affine = 4 * room;
    made->affine = calloc(made->n_affine, sizeof *made->affine);
    float *to = made->filters =
        negate && made->affine ? calloc(made->n_filters, sizeof *made->filters) : NULL;
    for (size_t k = 0; to && k < n; k++) {
        double shift, scale = meso_block_fold_norm(block->layers.norm, params, k, &shift);
        negate[k] = scale < 0; /* the smallest of a window counts: the largest of its negatives */
        made->affine[k] = meso_block_param(params, conv->bias, 0)[k];
        made->affine[room + k] = (float)scale;
        made->affine[2 * room + k] = (float)shift;
        made->affine[3 * room + k] = negate[k] ? -1 : 1;
    }
    for (int g = 0; to && g < block->filter_groups; g++)
        to = order_filters(conv, meso_block_param(params, conv->layer, 0), g * block->filters,
                           block->filters, negate, to);
    free(negate);
}

static int reduced_of(const meso_tile_block *block, size_t branch)
{
    return meso_block_first_conv(&block->layers.branches[branch])->layer->shape.c;
}

int meso_tile_all_reduced(const meso_tile_block *block)
{
    int n = 0;
    for (size_t i = 0; i < block->layers.n_branches; i++)
        n += reduced_of(block, i);
    return n;
}

size_t meso_tile_pass(const meso_tile_block *block, size_t first, int *reduced)
{
    size_t i = first;
    for (*reduced = 0; i < block->layers.n_branches; i++) {
        if (*reduced + reduced_of(block, i) > block->channels)
            break;
        *reduced += reduced_of(block, i);
    }
    return i;
}

size_t meso_tile_n_inception_values(const meso_tile_block *block)
{
    size_t n = (size_t)(meso_tile_all_reduced(block) * (block->in.c + 1));
    for (size_t i = 0; i < block->layers.n_branches; i++) {
        const meso_block_conv *conv = &block->layers.branches[i].conv;
        if (conv->taps > 1)
            n += (size_t)(conv->taps * conv->taps * conv->channels * conv->layer->shape.c);
    }
    return n;
}

/* Filters and biases of the 1 × 1 convolutions of a pass, side by side. Returns the end. */
static float *order_pass(const meso_tile_block *block, const float *const *params, size_t first,
                         size_t end, int n, float *to)
{
    float *bias = to + block->in.c * n, *next = bias + n;
    for (size_t i = first; i < end; i++) {
        const meso_block_conv *conv = meso_block_first_conv(&block->layers.branches[i]);
        const int filters = conv->layer->shape.c;
        for (int c = 0; c < block->in.c; c++)
            memcpy(to + c * n, meso_block_param(params, conv->layer, 0) + c * filters,
                   (size_t)filters * sizeof *to);
        memcpy(bias, meso_block_param(params, conv->bias, 0), (size_t)filters * sizeof *bias);
        to += filters;
        bias += filters;
    }
    return next;
}

/* The 1 × 1 convolutions, pass by pass; then the 3 × 3 ones. */
static void order_branches(const meso_tile_block *block, const float *const *params, float *to)
{
    int reduced;
    for (size_t i = 0, end; i < block->layers.n_branches; i = end) {
        end = meso_tile_pass(block, i, &reduced);
        to = order_pass(block, params, i, end, reduced, to);
    }
    for (size_t i = 0; i < block->layers.n_branches; i++) {
        const meso_block_branch *branch = &block->layers.branches[i];
        const meso_block_conv *conv = &branch->conv;
        for (int k = 0; branch->reduce.layer && k < conv->layer->shape.c; k += block->filters)
            to = order_filters(conv, meso_block_param(params, conv->layer, 0), k,
                               meso_tile_together(block, branch, k), NULL, to);
    }
}

static void inception_params(const meso_tile_block *block, const float *const *params,
                             meso_tile_params *made)
{
    const size_t n = (size_t)block->layers.conv->shape.c;
    size_t k = 0;
    made->n_filters = meso_tile_n_inception_values(block);
    made->n_affine = 3 * n;
    made->filters = calloc(made->n_filters, sizeof *made->filters);
    made->affine = calloc(made->n_affine, sizeof *made->affine);
    if (!made->filters || !made->affine)
        return;
    order_branches(block, params, made->filters);
    for (size_t i = 0; i < block->layers.n_branches; i++) {
        const meso_block_conv *conv = &block->layers.branches[i].conv;
        for (size_t j = 0; j < (size_t)conv->layer->shape.c; j++, k++) {
            double shift;
            made->affine[k] = meso_block_param(params, conv->bias, 0)[j];
            made->affine[n + k] =
                (float)meso_block_fold_norm(block->layers.norm, params, k, &shift);
            made->affine[2 * n + k] = (float)shift;
        }
    }
}

/* The hidden kernel [input in Keras' order: row, column, channel][unit] → [unit][input as it lies:
 * channel, row, column]; the other three behind one another. */
static void head_params(const meso_tile_block *block, const float *const *params,
                        meso_tile_params *made)
{
    const meso_head *head = &block->head;
    const size_t units = (size_t)head->hidden->set.dense.units;
    const size_t outputs = (size_t)head->output->set.dense.units;
    const size_t inputs = meso_shape_size(block->in), channels = (size_t)block->in.c;
    const size_t plane = inputs / channels;
    const float *kernel = meso_block_param(params, head->hidden, 0);
    made->n_filters = inputs * units;
    made->n_affine = units + units * outputs + outputs;
    made->filters = calloc(made->n_filters, sizeof *made->filters);
    float *to = made->affine = calloc(made->n_affine, sizeof *made->affine);
    if (!made->filters || !to)
        return;
    for (size_t u = 0; u < units; u++)
        for (size_t i = 0; i < inputs; i++)
            made->filters[u * inputs + i] = kernel[(i % plane * channels + i / plane) * units + u];
    memcpy(to, meso_block_param(params, head->hidden_bias, 0), units * sizeof *to);
    memcpy(to + units, meso_block_param(params, head->output, 0), units * outputs * sizeof *to);
    memcpy(to + units + units * outputs, meso_block_param(params, head->output_bias, 0),
           outputs * sizeof *to);
}

meso_tile_params meso_tile_make_params(const meso_tile_block *block, const float *const *params)
{
    static void (*const makers[MESO_TILE_N_KINDS])(const meso_tile_block *, const float *const *,
                                                   meso_tile_params *) = {
        [MESO_TILE_BLOCK] = block_params,
        [MESO_TILE_INCEPTION] = inception_params,
        [MESO_TILE_HEAD] = head_params};
    meso_tile_params made = {0};
    makers[block->kind](block, params, &made);
    return made;
}

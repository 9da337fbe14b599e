/* SPDX-License-Identifier: Apache-2.0
 *
 * Which layers of a net tiles compute, and in which sizes.
 */
#include <math.h>
#include <stdlib.h>

#include "net/op.h"
#include "net/strip_find.h"
#include "net/tile.h"

/* Fewer would read the border more often than the tile. */
enum { least_items = 16, most_images = 8, constant_bytes = 1 << 16 };

/* Not measured on a GPU yet: about 70 registers, 15 KB of local memory for four channels of a 5 × 5
 * block, pairs of columns read without bank conflicts. */
const meso_tile_tuning meso_tile_shipped = {
    .width = 16, .items = 128, .filters = 8, .channels = 4, .local = 1};

/* clang-format off */
const meso_tuning_family meso_tuning_tiles = {"tiles", 1, {
    {"width",    4, {4, 8, 16, 32}},
    {"items",    5, {16, 32, 64, 128, 256}},
    {"filters",  3, {4, 8, 16}},
    {"channels", 4, {1, 2, 4, 8}},
    {"local",    2, {0, 1}}}};
/* clang-format on */

void meso_tile_tuning_values(const meso_tile_tuning *row, int *values)
{
    const int all[] = {row->width, row->items, row->filters, row->channels, row->local};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        values[i] = all[i];
}

static int find_layers(const meso_net *net, const meso_layer *conv, meso_tile_block *block)
{
    *block = (meso_tile_block){.conv = conv};
    block->bias = meso_strip_follow(net, conv, &meso_op_bias);
    block->activation = meso_strip_follow_activation(net, block->bias);
    block->norm = meso_strip_follow(net, block->activation, &meso_op_batch_norm);
    block->pool = meso_strip_follow(net, block->norm, &meso_op_max_pool);
    if (!block->pool)
        return 0;
    const meso_window *window = &conv->set.conv.window, *pool = &block->pool->set.max_pool.window;
    block->taps = window->size[0];
    block->pool_size = pool->size[0];
    block->source = conv->inputs[0];
    block->last = (size_t)(block->pool - net->layers);
    block->in = net->layers[block->source].shape;
    return (block->taps == 3 || block->taps == 5) &&
           meso_strip_is_square(window->size, block->taps) &&
           meso_strip_is_square(window->stride, 1) && meso_strip_is_square(window->dilation, 1) &&
           meso_strip_is_square(window->before, block->taps / 2) &&
           meso_strip_is_square(window->after, block->taps / 2) &&
           (block->pool_size == 2 || block->pool_size == 4) &&
           meso_strip_is_square(pool->size, block->pool_size) &&
           meso_strip_is_square(pool->stride, block->pool_size) &&
           meso_strip_is_square(pool->before, 0);
}

size_t meso_tile_scratch(const meso_tile_block *block)
{
    const int rows = 2 * block->group_y + block->taps - 1;
    const int floats = block->images * block->channels * rows * block->stride;
    const int items = block->group_x * block->group_y * block->images;
    const int tile = (floats + block->filters - 1) / block->filters;
    return (size_t)(block->pool_size == 4 && items > tile ? items : tile);
}

static size_t local_bytes(const meso_tile_block *block)
{
    const int window = block->taps * block->taps;
    return sizeof(float) * (size_t)block->filters *
           (meso_tile_scratch(block) + (size_t)(block->local ? block->channels * window : 0));
}

/* Local memory has a bank for each of 32 floats, and half of a row of 32 work-items reads pairs of
 * them at once: where its work-items stand in several rows, these must lie in different banks. */
static void set_stride(meso_tile_block *block)
{
    block->stride = 2 * block->group_x + block->taps - 1;
    while (block->group_x < 16 && block->stride % 16 != block->group_x)
        block->stride += 2;
}

/* The largest power of two that is at most `most`, and not twice as large as needed. */
static int fit_side(int most, int needed, int least)
{
    int side = least;
    while (2 * side <= most && side < needed)
        side *= 2;
    return side;
}

/* A work-group no larger than the device allows or the picture needs: then of several pictures. */
static int fit_group(const meso_tile_tuning *tuning, size_t most, size_t local_memory,
                     meso_tile_block *block)
{
    const meso_shape out = block->pool->shape;
    const int half = block->pool_size / 2; /* work-items on a side of a window */
    int items = tuning->items;
    while ((size_t)items > most)
        items /= 2;
    if (items < least_items)
        return 0;
    block->group_x = fit_side(tuning->width < items ? tuning->width : items, out.w * half, 2);
    block->group_y = fit_side(items / block->group_x, out.h * half, half);
    block->images = fit_side(items / block->group_x / block->group_y, most_images, 1);
    block->local = tuning->local;
    block->channels = meso_strip_divisor(block->in.c, tuning->channels);
    set_stride(block);
    while (local_bytes(block) > local_memory) {
        if (block->images > 1)
            block->images /= 2;
        else if (block->channels > 1)
            block->channels = meso_strip_divisor(block->in.c, block->channels - 1);
        else if (block->group_y > half)
            block->group_y /= 2;
        else
            return 0;
    }
    return block->group_x * block->group_y * block->images >= least_items;
}

static int fit_filters(const meso_tile_tuning *tuning, meso_tile_block *block)
{
    const int n = block->conv->shape.c, window = block->taps * block->taps;
    block->filters = tuning->filters;
    while (block->filters > 4 && block->filters / 2 >= n)
        block->filters /= 2;
    block->filter_groups = (n + block->filters - 1) / block->filters;
    return block->filter_groups * block->filters * block->in.c * window * (int)sizeof(float) <=
           constant_bytes;
}

size_t meso_tile_find(const meso_net *net, const meso_tile_tuning *tuning, size_t most,
                      size_t local_memory, meso_tile_block blocks[MESO_MAX_BLOCKS])
{
    size_t n = 0;
    for (size_t i = 0; i < net->n_layers && n < MESO_MAX_BLOCKS; i++) {
        const meso_layer *layer = &net->layers[i];
        meso_tile_tuning row = *tuning;
        if (layer->op != &meso_op_conv || !find_layers(net, layer, &blocks[n]))
            continue;
        if (!fit_filters(&row, &blocks[n]))
            row.local = 1;
        n += (size_t)fit_group(&row, most, local_memory, &blocks[n]);
    }
    return n;
}

/* [row][column][channel][filter] → the kernel's order. negate[k]: filter k's sign is turned. */
static void order_filters(const meso_tile_block *block, const float *kernel, const int *negate,
                          float *to)
{
    const int n = block->conv->shape.c, channels = block->in.c, window = block->taps * block->taps;
    for (int g = 0; g < block->filter_groups; g++)
        for (int c = 0; c < channels; c++)
            for (int t = 0; t < window; t++)
                for (int i = 0, k = g * block->filters; i < block->filters; i++, k++, to++)
                    if (k < n)
                        *to = kernel[((size_t)t * (size_t)channels + (size_t)c) * (size_t)n +
                                     (size_t)k] *
                              (negate[k] ? -1.0f : 1.0f);
}

void meso_tile_params(const meso_tile_block *block, const float *const *params, float **filters,
                      size_t *n_filters, float **affine, size_t *n_affine)
{
    const size_t n = (size_t)block->conv->shape.c;
    const size_t room = (size_t)(block->filter_groups * block->filters);
    const float *const *norm = params + block->norm->first_param;
    const double epsilon = block->norm->set.batch_norm.epsilon;
    int *negate = calloc(n, sizeof *negate);
    *n_filters = room * (size_t)(block->in.c * block->taps * block->taps);
    *n_affine = 4 * room;
    *affine = calloc(*n_affine, sizeof **affine);
    *filters = negate && *affine ? calloc(*n_filters, sizeof **filters) : NULL;
    for (size_t k = 0; *filters && k < n; k++) {
        const double scale = norm[0][k] / sqrt(norm[3][k] + epsilon);
        negate[k] = scale < 0; /* the smallest of a window counts: the largest of its negatives */
        (*affine)[k] = params[block->bias->first_param][k];
        (*affine)[room + k] = (float)scale;
        (*affine)[2 * room + k] = (float)(norm[1][k] - norm[2][k] * scale);
        (*affine)[3 * room + k] = negate[k] ? -1 : 1;
    }
    if (*filters)
        order_filters(block, params[block->conv->first_param], negate, *filters);
    free(negate);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which layers of a net tiles compute, and in which sizes.
 */
#include "net/tile/tile.h"

/* Fewer work-items would read the border more often than the tile; for more units a dense layer has
 * enough work-items of its own. */
enum { least_items = 16, most_images = 8, most_units = 32 };

/* Not measured on a GPU yet. In general: about 66 registers, 15 KB of local memory for four
 * channels of a 5 × 5 block, pairs of columns read without bank conflicts. AMD's compiler brings
 * __constant filters into scalar registers; from local memory it fetches them ahead into 256
 * vector registers, which leaves a SIMD of gfx90a one wave. */
static const struct {
    unsigned vendor; /* 0: any other */
    meso_tile_tuning row;
} shipped[] = {
    {0x1002, {.width = 16, .items = 128, .filters = 16, .channels = 4, .local = 0}},
    {0, {.width = 16, .items = 128, .filters = 8, .channels = 4, .local = 1}},
};

meso_tile_tuning meso_tile_shipped(unsigned vendor)
{
    size_t i = 0;
    while (shipped[i].vendor && shipped[i].vendor != vendor)
        i++;
    return shipped[i].row;
}

meso_tile_tuning meso_tile_few(const meso_tile_tuning *row)
{
    return (meso_tile_tuning){
        .width = 8, .items = 32, .filters = 4, .channels = row->channels, .local = row->local};
}

/* clang-format off */
const meso_tuning_family meso_tuning_tiles = {"tiles", 1, {
    {"width",    4, {4, 8, 16, 32}},
    {"items",    5, {16, 32, 64, 128, 256}},
    {"filters",  3, {4, 8, 16}},
    {"channels", 4, {1, 2, 4, 8}},
    {"local",    2, {0, 1}}}};
/* clang-format on */

size_t meso_tile_scratch(const meso_tile_block *block)
{
    const int rows = 2 * block->group_y + block->taps - 1;
    const int floats = block->images * block->channels * rows * block->stride;
    const int items = block->group_x * block->group_y * block->images;
    const int tile = (floats + block->filters - 1) / block->filters;
    return (size_t)(block->layers.pool_size == 4 && items > tile ? items : tile);
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
static int fit_group(const meso_tile_tuning *tuning, const meso_tile_limits *limits,
                     meso_tile_block *block)
{
    const meso_shape out = block->layers.pool->shape;
    const int half = block->layers.pool_size / 2; /* work-items on a side of a window */
    const int items = tuning->items;
    block->wide = out.w * half;
    block->high = out.h * half;
    block->group_x = fit_side(tuning->width < items ? tuning->width : items, block->wide, 2);
    block->group_y = fit_side(items / block->group_x, block->high, half);
    block->images = fit_side(items / block->group_x / block->group_y, most_images, 1);
    set_stride(block);
    while (local_bytes(block) > limits->local_bytes) {
        if (block->images > 1)
            block->images /= 2;
        else if (block->kind == MESO_TILE_BLOCK && block->channels > 1)
            block->channels = meso_divisor(block->in.c, block->channels - 1);
        else if (block->group_y > half)
            block->group_y /= 2;
        else
            return 0;
    }
    return block->group_x * block->group_y * block->images >= least_items;
}

static void fit_filters(const meso_tile_tuning *tuning, size_t constant_bytes,
                        meso_tile_block *block)
{
    const int n = block->layers.conv->shape.c, window = block->taps * block->taps;
    block->filters = tuning->filters;
    while (block->filters > 4 && block->filters / 2 >= n)
        block->filters /= 2;
    block->filter_groups = (n + block->filters - 1) / block->filters;
    const int n_values = block->filter_groups * block->filters * block->in.c * window;
    block->local = tuning->local || (size_t)n_values * sizeof(float) > constant_bytes;
}

/* What is known before sizes are chosen. */
static meso_tile_block begin(const meso_net *net, meso_tile_kind kind, const meso_layer *from,
                             const meso_layer *named, const meso_layer *last)
{
    return (meso_tile_block){
        .kind = kind,
        .part = {named->name, (size_t)(from - net->layers), (size_t)(last - net->layers)},
        .in = from->shape,
        .filter_groups = 1};
}

/* The block that begins at a convolution. */
static int find_block(const meso_net *net, const meso_layer *layer, const meso_tile_tuning *tuning,
                      const meso_tile_limits *limits, meso_tile_block *block)
{
    meso_block found;
    if (!meso_block_find(net, layer, &found))
        return 0;
    *block = begin(net, MESO_TILE_BLOCK, found.from, found.conv, found.pool);
    block->layers = found;
    block->taps = meso_block_only_conv(&found)->taps;
    fit_filters(tuning, limits->constant_bytes, block);
    block->channels = meso_divisor(block->in.c, tuning->channels);
    return fit_group(tuning, limits, block);
}

/* The inception block that reads a layer. Its filters are few, and always __constant. */
static int find_inception(const meso_net *net, const meso_layer *from,
                          const meso_tile_tuning *tuning, const meso_tile_limits *limits,
                          meso_tile_block *block)
{
    meso_block found;
    if (!meso_block_find_inception(net, from, &found))
        return 0;
    *block = begin(net, MESO_TILE_INCEPTION, from, found.conv, found.pool);
    block->layers = found;
    block->taps = 1;
    block->filters = tuning->filters;
    block->channels = tuning->local ? meso_tile_all_reduced(block) : tuning->channels;
    for (size_t i = 0; i < found.n_branches; i++) {
        const meso_block_branch *branch = &found.branches[i];
        const int widest = branch->reduce.layer ? 2 * branch->conv.dilation + 1 : 1;
        const int reduced = meso_block_first_conv(branch)->layer->shape.c;
        block->taps = widest > block->taps ? widest : block->taps;
        block->channels = reduced > block->channels ? reduced : block->channels;
    }
    return meso_tile_n_inception_values(block) * sizeof(float) <= limits->constant_bytes &&
           fit_group(tuning, limits, block);
}

/* The head that reads a layer, one image for a work-group. */
static int find_head(const meso_net *net, const meso_layer *from, const meso_tile_tuning *tuning,
                     const meso_tile_limits *limits, meso_tile_block *block)
{
    meso_head head;
    if (from == net->layers || !meso_block_find_head(net, from, &head) ||
        head.hidden->set.dense.units > most_units)
        return 0;
    const size_t item_bytes = sizeof(float) * (size_t)head.hidden->set.dense.units;
    int items = fit_side(tuning->items, (int)meso_shape_size(from->shape), least_items);
    while ((size_t)items * item_bytes > limits->local_bytes)
        items /= 2;
    *block = begin(net, MESO_TILE_HEAD, from, head.output_bias, head.output_bias);
    block->head = head;
    block->layers.activation = head.activation;
    block->wide = block->group_x = items;
    block->high = block->group_y = block->images = 1;
    return items >= least_items;
}

size_t meso_tile_find(const meso_net *net, const meso_tile_tuning *tuning,
                      const meso_tile_limits *limits, meso_tile_block blocks[MESO_MAX_BLOCKS])
{
    static int (*const finders[MESO_TILE_N_KINDS])(
        const meso_net *, const meso_layer *, const meso_tile_tuning *, const meso_tile_limits *,
        meso_tile_block *) = {find_block, find_inception, find_head};
    size_t n = 0;
    for (size_t i = 0; i < net->n_layers; i++) {
        meso_tile_tuning row = *tuning;
        while ((size_t)row.items > limits[i].items)
            row.items /= 2;
        for (size_t k = 0; k < MESO_TILE_N_KINDS && n < MESO_MAX_BLOCKS; k++)
            if (row.items >= least_items &&
                finders[k](net, &net->layers[i], &row, &limits[i], &blocks[n]))
                blocks[n++].found_at = i;
    }
    return n;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The program for GPUs: the templates of cl/ with each kernel's sizes defined in front.
 */
#include "net/kernel_text.h"
#include "net/op/op.h"
#include "net/tile/tile.h"
#include "runtime/program.h"

const char *const meso_tile_templates[MESO_TILE_N_KINDS] = {[MESO_TILE_BLOCK] = "tile_block",
                                                            [MESO_TILE_INCEPTION] =
                                                                "tile_inception",
                                                            [MESO_TILE_HEAD] = "tile_head"};

typedef struct size_name {
    const char *name;
    int value;
} size_name;

static void define(meso_text *source, const size_name *sizes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        meso_kernel_define(source, sizes[i].name, sizes[i].value);
}
#define DEFINE(source, ...)                          \
    define(source, (const size_name[]){__VA_ARGS__}, \
           sizeof((const size_name[]){__VA_ARGS__}) / sizeof(size_name))

/* What the templates of pictures share. */
static void define_tile(meso_text *source, const meso_tile_block *block)
{
    const meso_shape in = block->in, out = block->layers.pool->shape;
    DEFINE(source, {"TAPS", block->taps}, {"FILTERS", block->layers.conv->shape.c},
           {"GROUP_Y", block->group_y}, {"IMAGES", block->images}, {"TILE_STRIDE", block->stride},
           {"CLIPPED",
            out.h * block->layers.pool_size > in.h || out.w * block->layers.pool_size > in.w});
}

static meso_status write_block(meso_text *source, const meso_tile_block *block, const char *name,
                               meso_error *error)
{
    (void)name;
    define_tile(source, block);
    DEFINE(source, {"POOL", block->layers.pool_size}, {"FILTERS_OF_ITEM", block->filters},
           {"FILTER_GROUPS", block->filter_groups}, {"CHUNK", block->channels},
           {"SCRATCH", (int)meso_tile_scratch(block)}, {"LOCAL_FILTERS", block->local});
    meso_text_format(source, "#define vec float%d\n#define FILTER_SPACE %s\n", block->filters,
                     block->local ? "__global" : "__constant");
    return meso_source_add(source, meso_tile_templates[block->kind], error);
}

/* Where a piece of a branch stands among all: its first channel, filter and value. */
typedef struct position {
    int channel, filter, value;
} position;

/* The function for some filters of a branch, and in `calls` its call. */
static meso_status write_piece(meso_text *source, meso_text *calls, const meso_block_branch *branch,
                               const char *name, const position *at, int filters, meso_error *error)
{
    static const char *const names[] = {
        "BRANCH", "BRANCH_CHANNELS", "BRANCH_FILTERS", "FIRST_FILTER", "DILATION", "vec", NULL};
    meso_text_format(source, "#define BRANCH %s_%d\n#define vec float4\n", name, at->filter);
    DEFINE(source, {"BRANCH_CHANNELS", branch->conv.channels}, {"BRANCH_FILTERS", filters},
           {"FIRST_FILTER", at->filter},
           {"DILATION", branch->reduce.layer ? branch->conv.dilation : 0});
    meso_status status = meso_kernel_add(source, "tile_branch", names, error);
    meso_text_format(calls,
                     " %s_%d(window + %d * TILE_ROWS * (TILE_STRIDE / 2), filters + %d, affine, "
                     "to, PLANE(out_t), right, below);",
                     name, at->filter, at->channel, at->value);
    return status;
}

static meso_status write_inception(meso_text *source, const meso_tile_block *block,
                                   const char *name, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text calls = {0};
    position at = {.value = block->channels * (block->in.c + 1)};
    define_tile(source, block);
    meso_kernel_define(source, "REDUCED", block->channels);
    for (size_t i = 0; i < block->layers.n_branches; i++) {
        const meso_block_branch *branch = &block->layers.branches[i];
        const int n = branch->conv.layer->shape.c, is_reduced = branch->reduce.layer != NULL;
        for (int k = 0; k < n; k += block->filters) {
            const int filters = meso_tile_together(block, branch, k);
            MESO_TRY(write_piece(source, &calls, branch, name, &at, filters, error));
            at.filter += filters;
            at.channel += is_reduced ? 0 : filters;
            at.value += is_reduced ? branch->conv.channels * 9 * filters : 0;
        }
        at.channel += is_reduced ? branch->conv.channels : 0;
    }
    MESO_REQUIRE(!calls.out_of_memory, error, MESO_ERROR_MEMORY, "out of memory");
    meso_text_format(source, "#define vec float\n#define BRANCHES%s\n", calls.bytes);
    MESO_TRY(meso_source_add(source, meso_tile_templates[block->kind], error));
out:
    meso_text_free(&calls);
    return status;
}

static meso_status write_head(meso_text *source, const meso_tile_block *block, const char *name,
                              meso_error *error)
{
    (void)name;
    DEFINE(source, {"UNITS", block->head.hidden->set.dense.units},
           {"OUTPUTS", block->head.output->set.dense.units});
    meso_text_add(source, "#define vec float\n");
    return meso_source_add(source, meso_tile_templates[block->kind], error);
}

meso_status meso_tile_write(meso_text *source, const meso_net *net, const meso_tile_block *block,
                            meso_plan_input input, const char *name, meso_error *error)
{
    static meso_status (*const writers[MESO_TILE_N_KINDS])(meso_text *, const meso_tile_block *,
                                                           const char *, meso_error *) = {
        [MESO_TILE_BLOCK] = write_block,
        [MESO_TILE_INCEPTION] = write_inception,
        [MESO_TILE_HEAD] = write_head};
    static const char *const names[] = {
        "NAME",        "in_value",        "UNIT",          "ACTIVATE",
        "IN_CHANNELS", "HEIGHT_OF_IN",    "WIDTH_OF_IN",   "GROUP_X",
        "GROUP_Y",     "IMAGES",          "INTERLEAVED",   "vec",
        "TAPS",        "FILTERS",         "TILE_STRIDE",   "CLIPPED",
        "POOL",        "FILTERS_OF_ITEM", "FILTER_GROUPS", "CHUNK",
        "SCRATCH",     "LOCAL_FILTERS",   "FILTER_SPACE",  "REDUCED",
        "BRANCHES",    "UNITS",           "OUTPUTS",       NULL};
    const double unit = input == MESO_PLAN_PIXELS ? 1 / net->layers[0].set.input.divide : 1;
    meso_text_format(source,
                     "#define NAME %s\n#define in_value %s\n#define UNIT " MESO_FLOAT_CONSTANT "\n",
                     name, input == MESO_PLAN_PIXELS ? "uchar" : "float", MESO_FLOAT_VALUE(unit));
    DEFINE(source, {"IN_CHANNELS", block->in.c}, {"HEIGHT_OF_IN", block->in.h},
           {"WIDTH_OF_IN", block->in.w}, {"GROUP_X", block->group_x},
           {"INTERLEAVED", input != MESO_PLAN_TENSOR});
    meso_kernel_define_activation(source, block->layers.activation);
    meso_status status = writers[block->kind](source, block, name, error);
    meso_kernel_undefine(source, names);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The program for GPUs: the templates of cl/ with each kernel's sizes defined in front.
 */
#include "net/kernel_text.h"
#include "net/op/op.h"
#include "net/tile/tile.h"

const char *const meso_tile_templates[MESO_TILE_N_KINDS] = {[MESO_TILE_BLOCK] = "tile_block",
                                                            [MESO_TILE_INCEPTION] =
                                                                "tile_inception",
                                                            [MESO_TILE_HEAD] = "tile_head"};

/* What the templates of pictures share. */
static void define_tile(meso_text *source, const meso_tile_block *block)
{
    const meso_shape in = block->in, out = block->layers.pool->shape;
    MESO_DEFINE(source, {"TAPS", block->taps}, {"FILTERS", block->layers.conv->shape.c},
                {"GROUP_Y", block->group_y}, {"IMAGES", block->images},
                {"TILE_STRIDE", block->stride},
                {"CLIPPED",
                 out.h * block->layers.pool_size > in.h || out.w * block->layers.pool_size > in.w});
}

static meso_status write_block(meso_text *source, const meso_tile_block *block, const char *name,
                               meso_error *error)
{
    (void)name;
    (void)error;
    define_tile(source, block);
    MESO_DEFINE(source, {"POOL", block->layers.pool_size}, {"FILTERS_OF_ITEM", block->filters},
                {"FILTER_GROUPS", block->filter_groups}, {"CHUNK", block->channels},
                {"SCRATCH", (int)meso_tile_scratch(block)}, {"LOCAL_FILTERS", block->local});
    meso_text_format(source, "#define vec float%d\n#define FILTER_SPACE %s\n", block->filters,
                     block->local ? "__global" : "__constant");
    return MESO_OK;
}

/* Where a piece of a branch stands among all: its first channel, filter and value. */
typedef struct position {
    int channel, filter, value;
} position;

/* The function for some filters of a branch, and in `calls` its call. */
static meso_status write_piece(meso_text *source, meso_text *calls, const meso_block_branch *branch,
                               const char *name, const position *at, int filters, meso_error *error)
{
    const size_t from = source->length;
    meso_text_format(source, "#define BRANCH %s_%d\n#define vec float4\n", name, at->filter);
    MESO_DEFINE(source, {"BRANCH_CHANNELS", branch->conv.channels}, {"BRANCH_FILTERS", filters},
                {"FIRST_FILTER", at->filter},
                {"DILATION", branch->reduce.layer ? branch->conv.dilation : 0});
    meso_status status = meso_kernel_add(source, from, "tile_branch", error);
    meso_text_format(calls,
                     " %s_%d(own + %d * TILE_ROWS * (TILE_STRIDE / 2), filters + %d, affine, "
                     "to, PLANE(out_t), right, below);",
                     name, at->filter, at->channel, at->value);
    return status;
}

/* The function for the 1 × 1 convolutions of a pass of `reduced` channels, and its call. */
static meso_status write_reduce(meso_text *source, meso_text *calls, const char *name,
                                size_t first_branch, int reduced, int value, meso_error *error)
{
    const size_t from = source->length;
    meso_text_format(source, "#define REDUCE %s_from_%zu\n#define vec float\n", name, first_branch);
    MESO_DEFINE(source, {"REDUCED", reduced});
    meso_status status = meso_kernel_add(source, from, "tile_reduce", error);
    meso_text_format(calls,
                     " %s %s_from_%zu(in, in_t, filters + %d, (__local float *)pairs, item, top, "
                     "left, first, n); barrier(CLK_LOCAL_MEM_FENCE);",
                     first_branch ? "barrier(CLK_LOCAL_MEM_FENCE);" : "", name, first_branch,
                     value);
    return status;
}

/* The branches of a pass, whose `reduced` channels are in local memory. */
static meso_status write_branches(meso_text *source, meso_text *calls, const meso_tile_block *block,
                                  const char *name, size_t first, size_t end, int reduced,
                                  position *at, meso_error *error)
{
    at->channel = 0;
    meso_text_format(calls, " if (wanted) { __local const float2 *own = window + image * %d;",
                     reduced * (2 * block->group_y + block->taps - 1) * (block->stride / 2));
    for (size_t i = first; i < end; i++) {
        const meso_block_branch *branch = &block->layers.branches[i];
        const int n = branch->conv.layer->shape.c, is_reduced = branch->reduce.layer != NULL;
        for (int k = 0; k < n; k += block->filters) {
            const int filters = meso_tile_together(block, branch, k);
            MESO_CHECK(write_piece(source, calls, branch, name, at, filters, error));
            at->filter += filters;
            at->channel += is_reduced ? 0 : filters;
            at->value += is_reduced ? branch->conv.channels * 9 * filters : 0;
        }
        at->channel += is_reduced ? branch->conv.channels : 0;
    }
    meso_text_add(calls, " }");
    return MESO_OK;
}

static meso_status write_inception(meso_text *source, const meso_tile_block *block,
                                   const char *name, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text calls = {0};
    position at = {0};
    int value = 0, reduced;
    define_tile(source, block);
    MESO_DEFINE(source, {"MOST_REDUCED", block->channels});
    at.value = meso_tile_all_reduced(block) * (block->in.c + 1);
    for (size_t i = 0, end; i < block->layers.n_branches; i = end) {
        end = meso_tile_pass(block, i, &reduced);
        MESO_TRY(write_reduce(source, &calls, name, i, reduced, value, error));
        MESO_TRY(write_branches(source, &calls, block, name, i, end, reduced, &at, error));
        value += reduced * (block->in.c + 1);
    }
    MESO_REQUIRE_MEMORY(!calls.out_of_memory, error);
    meso_text_format(source, "#define PASSES%s\n", calls.bytes);
out:
    meso_text_free(&calls);
    return status;
}

static meso_status write_head(meso_text *source, const meso_tile_block *block, const char *name,
                              meso_error *error)
{
    (void)name;
    (void)error;
    MESO_DEFINE(source, {"UNITS", block->head.hidden->set.dense.units},
                {"OUTPUTS", block->head.output->set.dense.units});
    meso_text_add(source, "#define vec float\n");
    return MESO_OK;
}

meso_status meso_tile_write(meso_text *source, const meso_net *net, const meso_tile_block *block,
                            meso_plan_input input, const char *name, meso_error *error)
{
    static meso_status (*const writers[MESO_TILE_N_KINDS])(meso_text *, const meso_tile_block *,
                                                           const char *, meso_error *) = {
        [MESO_TILE_BLOCK] = write_block,
        [MESO_TILE_INCEPTION] = write_inception,
        [MESO_TILE_HEAD] = write_head};
    const size_t from = source->length;
    const double unit = input == MESO_PLAN_PIXELS ? 1 / net->layers[0].set.input.divide : 1;
    meso_text_format(source,
                     "#define NAME %s\n#define in_value %s\n#define UNIT " MESO_FLOAT_CONSTANT "\n",
                     name, input == MESO_PLAN_PIXELS ? "uchar" : "float", MESO_FLOAT_VALUE(unit));
    MESO_DEFINE(source, {"IN_CHANNELS", block->in.c}, {"HEIGHT_OF_IN", block->in.h},
                {"WIDTH_OF_IN", block->in.w}, {"GROUP_X", block->group_x},
                {"INTERLEAVED", input != MESO_PLAN_TENSOR}, {"BYTES", input == MESO_PLAN_PIXELS});
    meso_kernel_define_activation(source, block->layers.activation);
    MESO_CHECK(writers[block->kind](source, block, name, error));
    return meso_kernel_add(source, from, meso_tile_templates[block->kind], error);
}

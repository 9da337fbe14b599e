/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan's program: the templates of cl/ with each block's sizes defined in front. All tuning rows
 * stand in one source behind #if, so that the compiler, which alone knows the instruction set it
 * compiles for, takes one, and one build is enough.
 */
#include "net/kernel_text.h"
#include "net/op/op.h"
#include "net/strip/strip.h"
#include "runtime/program.h"

/* Sizes that every block's template knows. */
static void define_sizes(meso_text *source, const meso_strip_plan *plan,
                         const meso_strip_block *block)
{
    MESO_DEFINE(source, {"IN_CHANNELS", block->in.shape.c}, {"FILTERS", block->out.shape.c},
                {"PHASES", meso_strip_pixels_per_lane(&block->in, plan->tuning.lanes)},
                {"IN_ROWS", meso_strip_rows(&block->in)},
                {"IN_STRIDE", meso_strip_stride(&block->in, plan->tuning.lanes)},
                {"IN_PAD", block->in.pad}, {"OUT_ROWS", meso_strip_rows(&block->out)},
                {"OUT_STRIDE", meso_strip_stride(&block->out, plan->tuning.lanes)},
                {"OUT_PAD", block->out.pad},
                {"OUT_HALVES", block->out.two_halves && !block->in.two_halves});
    meso_kernel_define_activation(source, block->layers.activation);
}

static void define_method(meso_text *source, const meso_block_conv *conv)
{
    MESO_DEFINE(source, {"METHOD_DIRECT", conv->method == MESO_STRIP_DIRECT},
                {"METHOD_WINOGRAD_Y", conv->method == MESO_STRIP_WINOGRAD_Y},
                {"METHOD_WINOGRAD_YX", conv->method == MESO_STRIP_WINOGRAD_YX},
                {"FILTER_BLOCK", conv->filter_block});
}

static meso_status add_block(meso_text *source, const meso_strip_plan *plan, size_t i,
                             meso_error *error)
{
    const meso_strip_block *block = &plan->blocks[i];
    const meso_block_conv *conv = meso_block_only_conv(&block->layers);
    const size_t from = source->length;
    meso_text_format(source, "#define NAME block_%zu\n", i);
    MESO_DEFINE(source, {"TAPS", conv->taps}, {"POOL", block->layers.pool_size},
                {"HALVES", block->in.two_halves});
    define_sizes(source, plan, block);
    define_method(source, conv);
    return meso_kernel_add(source, from, "strip_block", error);
}

/* A function for each branch and the kernel that calls them. */
static meso_status add_inception(meso_text *source, const meso_strip_plan *plan, size_t i,
                                 meso_error *error)
{
    const meso_strip_block *block = &plan->blocks[i];
    meso_status status = MESO_OK;
    meso_text calls = {0};
    size_t first_value = 0;
    int first_filter = 0;
    const size_t from = source->length;
    define_sizes(source, plan, block);
    MESO_DEFINE(source, {"IN_HEIGHT", block->in.shape.h}, {"BANDS", block->bands});
    const size_t to = source->length;
    for (size_t k = 0; k < block->layers.n_branches; k++) {
        const meso_block_conv *conv = &block->layers.branches[k].conv;
        const meso_block_conv *reduce = &block->layers.branches[k].reduce;
        const size_t from_here = source->length;
        meso_text_format(source, "#define BRANCH(part) block_%zu_branch_%zu_##part\n", i, k);
        MESO_DEFINE(source, {"BRANCH_FILTERS", conv->layer->shape.c},
                    {"FIRST_FILTER", first_filter},
                    {"REDUCED", reduce->layer ? reduce->layer->shape.c : 0},
                    {"REDUCED_BLOCK", reduce->filter_block}, {"TAPS", conv->taps},
                    {"DILATION", conv->dilation});
        define_method(source, conv);
        MESO_TRY(meso_kernel_add(source, from_here, "strip_inception", error));
        meso_text_format(&calls,
                         "    block_%zu_branch_%zu_run(item * BANDS, n, in, out, filters + %zu, "
                         "affine);\n",
                         i, k, first_value);
        first_filter += conv->layer->shape.c;
        first_value += meso_strip_n_branch_values(&block->layers.branches[k]);
    }
    MESO_REQUIRE_MEMORY(!calls.out_of_memory, error);
    meso_text_format(source,
                     "inline void step_block_%zu(const int item, const int n, strips_in in,\n"
                     "    strips_out out, floats_in filters, floats_in affine)\n{\n%s}\n"
                     "KERNEL block_%zu(strips_in in, strips_out out, floats_in filters,\n"
                     "    floats_in affine)\n{\n    step_block_%zu(get_global_id(0), "
                     "get_global_id(1), in, out, filters, affine);\n}\n",
                     i, calls.bytes, i, i);
    meso_kernel_end(source, from, to);
out:
    meso_text_free(&calls);
    return status;
}

static meso_status add_first(meso_text *source, const meso_strip_plan *plan, meso_error *error)
{
    const meso_strip_block *block = &plan->blocks[0];
    const size_t from = source->length;
    meso_text_add(source, "#define NAME first_block\n");
    MESO_DEFINE(source, {"FILTERS", block->out.shape.c}, {"OUT_ROWS", meso_strip_rows(&block->out)},
                {"OUT_STRIDE", meso_strip_stride(&block->out, plan->tuning.lanes)},
                {"OUT_PAD", block->out.pad},
                {"FILTER_BLOCK", meso_block_only_conv(&block->layers)->filter_block},
                {"TILE_ROWS", plan->tuning.first_tile_rows});
    meso_kernel_define_activation(source, block->layers.activation);
    return meso_kernel_add(source, from, "strip_first", error);
}

/* What follows the last block: the head, or the way back to planar tensors. */
static meso_status add_end(meso_text *source, const meso_strip_plan *plan, meso_error *error)
{
    const meso_strip_shape *out = &plan->blocks[plan->n_blocks - 1].out;
    const size_t from = source->length;
    if (plan->head.flatten) {
        meso_text_add(source, "#define NAME head\n");
        MESO_DEFINE(source, {"INPUTS", (int)meso_shape_size(out->shape)},
                    {"UNITS", plan->head.hidden->set.dense.units},
                    {"OUTPUTS", plan->head.output->set.dense.units});
        meso_kernel_define_activation(source, plan->head.activation);
        return meso_kernel_add(source, from, "strip_head", error);
    }
    meso_text_add(source, "#define NAME planar\n");
    MESO_DEFINE(source, {"ROWS", meso_strip_rows(out)}, {"IN_PAD", out->pad},
                {"IN_CHANNELS", out->shape.c},
                {"PHASES", meso_strip_pixels_per_lane(out, plan->tuning.lanes)},
                {"HALVES", out->two_halves});
    return meso_kernel_add(source, from, "strip_planar", error);
}

/* For devices that no queue splits by core: each work-item brings whole images through all blocks,
 * one after another, in scratch of its own, so that the cores meet once for a batch and not once
 * for a block. Argument order: enqueue_chain() of src/net/strip/strip_run.c. */
static void add_chain(meso_text *source, const meso_strip_plan *plan)
{
    const int takes_pixels = meso_strip_takes_pixels(plan);
    const size_t n = plan->n_blocks;
    meso_text_add(source, "#if CHAIN\n"
                          "KERNEL chain(__global const uchar *pixels, const int n, __global float "
                          "*logits,\n    floats_in hidden, floats_in hidden_bias, floats_in "
                          "output, floats_in output_bias,\n    __global vec *tensor_0");
    for (size_t i = 0; i < n; i++)
        meso_text_format(source,
                         ",\n    __global vec *tensor_%zu, floats_in filters_%zu, floats_in "
                         "affine_%zu",
                         i + 1, i, i);
    meso_text_add(source, ")\n{\n    const int own = get_global_id(0);\n"
                          "    ROLLED for (int i = own; i < n; i += get_global_size(0)) {\n");
    if (!takes_pixels)
        meso_text_format(source,
                         "        ROLLED for (int k = 0; k < %d; k++)\n"
                         "            step_strip_pack_u8(k, own, pixels, tensor_0, i - own);\n",
                         plan->blocks[0].in.shape.h);
    for (size_t i = 0; i < n; i++)
        if (i == 0 && takes_pixels)
            meso_text_format(source,
                             "        ROLLED for (int k = 0; k < %zu; k++)\n"
                             "            step_first_block(k, own, pixels, tensor_1, filters_0, "
                             "affine_0, i - own);\n",
                             meso_strip_first_items(plan));
        else
            meso_text_format(source,
                             "        ROLLED for (int k = 0; k < %zu; k++)\n"
                             "            step_block_%zu(k, own, tensor_%zu, tensor_%zu, "
                             "filters_%zu, affine_%zu);\n",
                             meso_strip_items(&plan->blocks[i]), i, i, i + 1, i, i);
    meso_text_format(source,
                     "        step_head(own, (floats_in)tensor_%zu, hidden, hidden_bias, output, "
                     "output_bias,\n                  logits, i - own);\n    }\n}\n#endif\n",
                     n);
}

meso_status meso_strip_write_layout(meso_text *source, const meso_strip_plan *plan,
                                    meso_error *error)
{
    const meso_strip_shape *picture = &plan->blocks[0].in;
    MESO_DEFINE(source, {"LANES", plan->tuning.lanes}, {"PICTURE_HEIGHT", picture->shape.h},
                {"PICTURE_CHANNELS", picture->shape.c},
                {"PICTURE_PHASES", meso_strip_pixels_per_lane(picture, plan->tuning.lanes)},
                {"PICTURE_PAD", picture->pad});
    MESO_CHECK(meso_source_add(source, "strip", error));
    return meso_source_add(source, "strip_picture", error);
}

meso_status meso_strip_write(meso_text *source, const meso_net *net, const meso_strip_plan *plan,
                             meso_error *error)
{
    (void)net;
    MESO_CHECK(meso_strip_write_layout(source, plan, error));
    if (meso_strip_takes_pixels(plan))
        MESO_CHECK(add_first(source, plan, error));
    for (size_t i = 0; i < plan->n_blocks; i++)
        MESO_CHECK((plan->blocks[i].bands ? add_inception : add_block)(source, plan, i, error));
    MESO_CHECK(add_end(source, plan, error));
    if (meso_strip_covers_net(plan))
        add_chain(source, plan);
    return MESO_OK;
}

meso_status meso_strip_source(const meso_net *net, const meso_strip_plan *plans, size_t n,
                              meso_strip_writer *writer, meso_text *source, meso_error *error)
{
    MESO_CHECK(meso_source_add(source, "prelude", error));
    for (size_t i = 0; i < n; i++) {
        meso_text_format(source, "%s %s\n", i ? "#elif" : "#if", plans[i].tuning.condition);
        /* Says which row was compiled; never launched. */
        meso_text_format(source, "__kernel void row_%s(void) {}\n", plans[i].tuning.name);
        if (plans[i].n_blocks > 0)
            MESO_CHECK(writer(source, net, &plans[i], error));
    }
    meso_text_add(source, "#endif\n");
    MESO_DEMAND_MEMORY(!source->out_of_memory, error);
    return MESO_OK;
}

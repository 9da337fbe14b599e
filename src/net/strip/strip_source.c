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
    meso_kernel_define(source, "IN_CHANNELS", block->in.shape.c);
    meso_kernel_define(source, "FILTERS", block->out.shape.c);
    meso_kernel_define(source, "PHASES", meso_strip_phases(&block->in, plan->tuning.lanes));
    meso_kernel_define(source, "IN_ROWS", meso_strip_rows(&block->in));
    meso_kernel_define(source, "IN_STRIDE", meso_strip_stride(&block->in, plan->tuning.lanes));
    meso_kernel_define(source, "IN_PAD", block->in.pad);
    meso_kernel_define(source, "OUT_ROWS", meso_strip_rows(&block->out));
    meso_kernel_define(source, "OUT_STRIDE", meso_strip_stride(&block->out, plan->tuning.lanes));
    meso_kernel_define(source, "OUT_PAD", block->out.pad);
    meso_kernel_define(source, "OUT_HALVES", block->out.halves && !block->in.halves);
    meso_kernel_define_activation(source, block->layers.activation);
}
#define SIZE_NAMES                                                                    \
    "IN_CHANNELS", "FILTERS", "PHASES", "IN_ROWS", "IN_STRIDE", "IN_PAD", "OUT_ROWS", \
        "OUT_STRIDE", "OUT_PAD", "OUT_HALVES", "ACTIVATE"

static void define_method(meso_text *source, const meso_block_conv *conv)
{
    meso_kernel_define(source, "METHOD_DIRECT", conv->method == MESO_STRIP_DIRECT);
    meso_kernel_define(source, "METHOD_WINOGRAD_Y", conv->method == MESO_STRIP_WINOGRAD_Y);
    meso_kernel_define(source, "METHOD_WINOGRAD_YX", conv->method == MESO_STRIP_WINOGRAD_YX);
    meso_kernel_define(source, "FILTER_BLOCK", conv->filter_block);
}
#define METHOD_NAMES "METHOD_DIRECT", "METHOD_WINOGRAD_Y", "METHOD_WINOGRAD_YX", "FILTER_BLOCK"

static meso_status add_block(meso_text *source, const meso_strip_plan *plan, size_t i,
                             meso_error *error)
{
    static const char *const names[] = {SIZE_NAMES, METHOD_NAMES, "NAME", "TAPS",
                                        "POOL",     "HALVES",     NULL};
    const meso_strip_block *block = &plan->blocks[i];
    const meso_block_conv *conv = meso_block_only_conv(&block->layers);
    meso_text_format(source, "#define NAME block_%zu\n", i);
    meso_kernel_define(source, "TAPS", conv->taps);
    meso_kernel_define(source, "POOL", block->layers.pool_size);
    meso_kernel_define(source, "HALVES", block->in.halves);
    define_sizes(source, plan, block);
    define_method(source, conv);
    return meso_kernel_add(source, "strip_block", names, error);
}

/* A function for each branch and the kernel that calls them. */
static meso_status add_inception(meso_text *source, const meso_strip_plan *plan, size_t i,
                                 meso_error *error)
{
    static const char *const branch_names[] = {METHOD_NAMES,    "BRANCH",   "BRANCH_FILTERS",
                                               "FIRST_FILTER",  "REDUCED",  "TAPS",
                                               "REDUCED_BLOCK", "DILATION", NULL};
    static const char *const names[] = {SIZE_NAMES, "IN_HEIGHT", "BANDS", NULL};
    const meso_strip_block *block = &plan->blocks[i];
    meso_status status = MESO_OK;
    meso_text calls = {0};
    size_t first_value = 0;
    int first_filter = 0;
    define_sizes(source, plan, block);
    meso_kernel_define(source, "IN_HEIGHT", block->in.shape.h);
    meso_kernel_define(source, "BANDS", block->bands);
    for (size_t k = 0; k < block->layers.n_branches; k++) {
        const meso_block_conv *conv = &block->layers.branches[k].conv;
        const meso_block_conv *reduce = &block->layers.branches[k].reduce;
        meso_text_format(source, "#define BRANCH(part) block_%zu_branch_%zu_##part\n", i, k);
        meso_kernel_define(source, "BRANCH_FILTERS", conv->layer->shape.c);
        meso_kernel_define(source, "FIRST_FILTER", first_filter);
        meso_kernel_define(source, "REDUCED", reduce->layer ? reduce->layer->shape.c : 0);
        meso_kernel_define(source, "REDUCED_BLOCK", reduce->filter_block);
        meso_kernel_define(source, "TAPS", conv->taps);
        meso_kernel_define(source, "DILATION", conv->dilation);
        define_method(source, conv);
        MESO_TRY(meso_kernel_add(source, "strip_inception", branch_names, error));
        meso_text_format(&calls,
                         "    block_%zu_branch_%zu_run(item * BANDS, n, in, out, filters + %zu, "
                         "affine);\n",
                         i, k, first_value);
        first_filter += conv->layer->shape.c;
        first_value += meso_strip_n_branch_values(&block->layers.branches[k]);
    }
    MESO_REQUIRE(!calls.out_of_memory, error, MESO_ERROR_MEMORY, "out of memory");
    meso_text_format(source,
                     "inline void step_block_%zu(const int item, const int n, strips_in in,\n"
                     "    strips_out out, floats_in filters, floats_in affine)\n{\n%s}\n"
                     "KERNEL block_%zu(strips_in in, strips_out out, floats_in filters,\n"
                     "    floats_in affine)\n{\n    step_block_%zu(get_global_id(0), "
                     "get_global_id(1), in, out, filters, affine);\n}\n",
                     i, calls.bytes, i, i);
    meso_kernel_undefine(source, names);
out:
    meso_text_free(&calls);
    return status;
}

static meso_status add_first(meso_text *source, const meso_strip_plan *plan, meso_error *error)
{
    static const char *const names[] = {"NAME",         "FILTERS",   "OUT_ROWS",
                                        "OUT_STRIDE",   "OUT_PAD",   "ACTIVATE",
                                        "FILTER_BLOCK", "TILE_ROWS", NULL};
    const meso_strip_block *block = &plan->blocks[0];
    meso_text_add(source, "#define NAME first_block\n");
    meso_kernel_define(source, "FILTERS", block->out.shape.c);
    meso_kernel_define(source, "OUT_ROWS", meso_strip_rows(&block->out));
    meso_kernel_define(source, "OUT_STRIDE", meso_strip_stride(&block->out, plan->tuning.lanes));
    meso_kernel_define(source, "OUT_PAD", block->out.pad);
    meso_kernel_define(source, "FILTER_BLOCK", meso_block_only_conv(&block->layers)->filter_block);
    meso_kernel_define(source, "TILE_ROWS", plan->tuning.first_tile_rows);
    meso_kernel_define_activation(source, block->layers.activation);
    return meso_kernel_add(source, "strip_first", names, error);
}

/* What follows the last block: the head, or the way back to planar tensors. */
static meso_status add_end(meso_text *source, const meso_strip_plan *plan, meso_error *error)
{
    static const char *const head_names[] = {"NAME",    "INPUTS",   "UNITS",
                                             "OUTPUTS", "ACTIVATE", NULL};
    static const char *const planar_names[] = {"NAME",   "ROWS",   "IN_PAD", "IN_CHANNELS",
                                               "PHASES", "HALVES", NULL};
    const meso_strip_shape *out = &plan->blocks[plan->n_blocks - 1].out;
    if (plan->head.flatten) {
        meso_text_add(source, "#define NAME head\n");
        meso_kernel_define(source, "INPUTS", (int)meso_shape_size(out->shape));
        meso_kernel_define(source, "UNITS", plan->head.hidden->set.dense.units);
        meso_kernel_define(source, "OUTPUTS", plan->head.output->set.dense.units);
        meso_kernel_define_activation(source, plan->head.activation);
        return meso_kernel_add(source, "strip_head", head_names, error);
    }
    meso_text_add(source, "#define NAME planar\n");
    meso_kernel_define(source, "ROWS", meso_strip_rows(out));
    meso_kernel_define(source, "IN_PAD", out->pad);
    meso_kernel_define(source, "IN_CHANNELS", out->shape.c);
    meso_kernel_define(source, "PHASES", meso_strip_phases(out, plan->tuning.lanes));
    meso_kernel_define(source, "HALVES", out->halves);
    return meso_kernel_add(source, "strip_planar", planar_names, error);
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
    meso_status status = MESO_OK;
    const meso_strip_shape *picture = &plan->blocks[0].in;
    meso_kernel_define(source, "LANES", plan->tuning.lanes);
    meso_kernel_define(source, "PICTURE_HEIGHT", picture->shape.h);
    meso_kernel_define(source, "PICTURE_CHANNELS", picture->shape.c);
    meso_kernel_define(source, "PICTURE_PHASES", meso_strip_phases(picture, plan->tuning.lanes));
    meso_kernel_define(source, "PICTURE_PAD", picture->pad);
    MESO_TRY(meso_source_add(source, "strip", error));
    MESO_TRY(meso_source_add(source, "strip_picture", error));
out:
    return status;
}

meso_status meso_strip_write(meso_text *source, const meso_net *net, const meso_strip_plan *plan,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    (void)net;
    MESO_TRY(meso_strip_write_layout(source, plan, error));
    if (meso_strip_takes_pixels(plan))
        MESO_TRY(add_first(source, plan, error));
    for (size_t i = 0; i < plan->n_blocks; i++)
        MESO_TRY((plan->blocks[i].bands ? add_inception : add_block)(source, plan, i, error));
    MESO_TRY(add_end(source, plan, error));
    if (meso_strip_chains(plan))
        add_chain(source, plan);
out:
    return status;
}

meso_status meso_strip_source(const meso_net *net, const meso_strip_plan *plans, size_t n,
                              meso_strip_writer *writer, meso_text *source, meso_error *error)
{
    meso_status status = MESO_OK;
    MESO_TRY(meso_source_add(source, "prelude", error));
    for (size_t i = 0; i < n; i++) {
        meso_text_format(source, "%s %s\n", i ? "#elif" : "#if", plans[i].tuning.condition);
        /* Says which row was compiled; never launched. */
        meso_text_format(source, "__kernel void row_%s(void) {}\n", plans[i].tuning.name);
        if (plans[i].n_blocks > 0)
            MESO_TRY(writer(source, net, &plans[i], error));
    }
    meso_text_add(source, "#endif\n");
    MESO_REQUIRE(!source->out_of_memory, error, MESO_ERROR_MEMORY, "out of memory");
out:
    return status;
}

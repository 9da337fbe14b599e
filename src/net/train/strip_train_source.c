/* SPDX-License-Identifier: Apache-2.0
 *
 * The program of the fused training step: the templates of cl/ with each block's sizes in front.
 */
#include <math.h>

#include "net/block/block.h"
#include "net/kernel_text.h"
#include "net/op/op.h"
#include "net/train/strip_train.h"
#include "runtime/program.h"

static void add_table(meso_text *source, const char *name, int taps,
                      double rows[MESO_STRIP_MAX_POINTS][MESO_STRIP_MAX_TAPS])
{
    meso_text_format(source, "__constant float %s_%d[%d][%d] = {", name, taps, taps + 3, taps);
    for (int i = 0; i < taps + 3; i++)
        for (int k = 0; k < taps; k++)
            meso_text_format(source, "%s" MESO_FLOAT_CONSTANT "%s", k ? ", " : "{",
                             MESO_FLOAT_VALUE(rows[i][k]), k == taps - 1 ? "}, " : "");
    meso_text_add(source, "};\n");
}

/* Winograd's transform as constants: rounded from double precision; and exact, in two parts. */
static void add_transform(meso_text *source, int taps)
{
    double rows[MESO_STRIP_MAX_POINTS][MESO_STRIP_MAX_TAPS], divisors[MESO_STRIP_MAX_POINTS];
    meso_strip_transform(taps, rows);
    add_table(source, "transform", taps, rows);
    meso_strip_powers(taps, rows, divisors);
    add_table(source, "powers", taps, rows);
    meso_text_format(source, "__constant float divisors_%d[] = {", taps);
    for (int i = 0; i < taps + 3; i++)
        meso_text_format(source, MESO_FLOAT_CONSTANT ", ", MESO_FLOAT_VALUE(divisors[i]));
    meso_text_add(source, "};\n");
}

static void define_place(meso_text *source, const meso_net *net, const char *name,
                         const meso_layer *layer)
{
    MESO_DEFINE(source, {name, (int)meso_strip_train_place(net, layer->first_param)});
}

/* What all templates of a block know. */
static void define_block(meso_text *source, const meso_net *net, const meso_strip_plan *plan,
                         const meso_strip_block *block)
{
    const int lanes = plan->tuning.lanes;
    const meso_block_conv *conv = meso_block_only_conv(&block->layers);
    MESO_DEFINE(source, {"FILTERS", block->out.shape.c}, {"OUT_ROWS", meso_strip_rows(&block->out)},
                {"OUT_STRIDE", meso_strip_stride(&block->out, lanes)}, {"OUT_PAD", block->out.pad});
    define_place(source, net, "FIRST_FILTER", conv->layer);
    define_place(source, net, "FIRST_BIAS", conv->bias);
}

/* The first block, from pictures of 8 bits and of floats. */
static meso_status add_first(meso_text *source, const meso_net *net, const meso_strip_plan *plan,
                             int floats, meso_error *error)
{
    const meso_strip_block *block = &plan->blocks[0];
    const int at_once = meso_block_only_conv(&block->layers)->filter_block;
    const size_t from = source->length;
    define_block(source, net, plan, block);
    meso_text_format(source, "#define FIRST_BLOCK(part) first_%s_##part\n", floats ? "f32" : "u8");
    MESO_DEFINE(source, {"FLOATS", floats});
    meso_text_format(source, "#define DIVIDE " MESO_FLOAT_CONSTANT "\n",
                     MESO_FLOAT_VALUE(net->layers[0].set.input.divide));
    MESO_DEFINE(source, {"FILTER_BLOCK", at_once});
    /* Nine sums for each filter. */
    MESO_DEFINE(source, {"WEIGHT_BLOCK", meso_divisor(at_once, plan->tuning.accumulators / 8)},
                {"PART_TILES", plan->tuning.first_tile_rows});
    return meso_kernel_add(source, from, "strip_train_first", error);
}

static meso_status add_product(meso_text *source, const char *name, int in, int out, int at_once,
                               meso_error *error)
{
    const size_t from = source->length;
    meso_text_format(source, "#define CORE BLOCK(%s)\n", name);
    MESO_DEFINE(source, {"CORE_IN", in}, {"CORE_OUT", out}, {"CORE_BLOCK", at_once});
    return meso_kernel_add(source, from, "strip_train_core", error);
}

static meso_status add_block(meso_text *source, const meso_net *net, const meso_strip_plan *plan,
                             size_t i, meso_error *error)
{
    const meso_strip_block *block = &plan->blocks[i];
    const int lanes = plan->tuning.lanes, channels = block->in.shape.c,
              filters = block->out.shape.c, units = lanes < 8 ? lanes : 8;
    const size_t from = source->length;
    define_block(source, net, plan, block);
    meso_text_format(source, "#define BLOCK(part) block_%zu_##part\n", i);
    MESO_DEFINE(
        source, {"POOL", block->layers.pool_size}, {"IN_CHANNELS", channels},
        {"PHASES", meso_strip_pixels_per_lane(&block->in, lanes)},
        {"TILE_ROWS", (int)meso_strip_items(block)}, {"IN_ROWS", meso_strip_rows(&block->in)},
        {"IN_STRIDE", meso_strip_stride(&block->in, lanes)}, {"IN_PAD", block->in.pad},
        {"OUT_HALVES", block->out.two_halves && !block->in.two_halves},
        {"HALVES", block->in.two_halves},
        {"CHANNEL_BLOCK", meso_divisor(channels, plan->tuning.accumulators / (filters / units))});
    const size_t to = source->length;
    MESO_CHECK(meso_source_add(source, "strip_train_block", error));
    MESO_CHECK(add_product(source, "product", channels, filters,
                           meso_block_only_conv(&block->layers)->filter_block, error));
    MESO_CHECK(meso_source_add(source, "strip_train_forward", error));
    MESO_CHECK(add_product(source, "product_back", filters, channels,
                           meso_strip_train_back_block(plan, i), error));
    MESO_CHECK(meso_source_add(source, "strip_train_backward", error));
    meso_kernel_end(source, from, to);
    return MESO_OK;
}

static void define_dropout(meso_text *source, const meso_net *net, const meso_layer *layer,
                           const char *prefix)
{
    const double rate = layer ? layer->set.dropout.rate : 0;
    meso_text_format(source, "#define %s_DROPOUT %d\n", prefix,
                     layer ? (int)(layer - net->layers) : 0);
    meso_text_format(source, "#define %s_THRESHOLD %uu\n", prefix, (unsigned)ceil(rate * 0x1p32));
    meso_text_format(source, "#define %s_SCALE " MESO_FLOAT_CONSTANT "\n", prefix,
                     MESO_FLOAT_VALUE(1 / (1 - rate)));
}

static meso_status add_head(meso_text *source, const meso_net *net, const meso_strip_plan *plan,
                            meso_error *error)
{
    const meso_strip_shape *in = &plan->blocks[plan->n_blocks - 1].out;
    const meso_head *head = &plan->head;
    const size_t from = source->length;
    meso_text_add(source, "#define NAME train_head\n");
    MESO_DEFINE(source, {"FILTERS", in->shape.c}, {"IN_ROWS", meso_strip_rows(in)},
                {"PHASES", meso_strip_pixels_per_lane(in, plan->tuning.lanes)},
                {"HALVES", in->two_halves}, {"HIDDEN", head->hidden->set.dense.units});
    const double slope =
        head->activation->op == &meso_op_leaky_relu ? head->activation->set.leaky_relu.slope : 0;
    meso_text_format(source, "#define HIDDEN_SLOPE " MESO_FLOAT_CONSTANT "\n",
                     MESO_FLOAT_VALUE(slope));
    define_place(source, net, "HIDDEN_KERNEL", head->hidden);
    define_place(source, net, "HIDDEN_BIAS", head->hidden_bias);
    define_place(source, net, "OUTPUT_KERNEL", head->output);
    define_place(source, net, "OUTPUT_BIAS", head->output_bias);
    define_dropout(source, net, meso_strip_train_dropout(net, head->flatten), "INPUT");
    define_dropout(source, net, meso_strip_train_dropout(net, head->activation), "HIDDEN");
    return meso_kernel_add(source, from, "strip_train_head", error);
}

meso_status meso_strip_train_write(meso_text *source, const meso_net *net,
                                   const meso_strip_plan *plan, meso_error *error)
{
    if (!meso_strip_train_fits(net, plan, MESO_LOSS_MSE))
        return MESO_OK;
    MESO_DEFINE(source, {"GROUP", MESO_TRAIN_GROUP},
                {"PARAMETERS", (int)meso_strip_train_place(net, net->n_params)});
    add_transform(source, 3);
    add_transform(source, 5);
    MESO_CHECK(meso_strip_write_layout(source, plan, error));
    MESO_CHECK(meso_source_add(source, "strip_train", error));
    MESO_CHECK(meso_source_add(source, "strip_train_norm", error));
    MESO_CHECK(meso_source_add(source, "train_move", error));
    MESO_CHECK(meso_source_add(source, "strip_train_update", error));
    MESO_CHECK(add_first(source, net, plan, 0, error));
    MESO_CHECK(add_first(source, net, plan, 1, error));
    for (size_t i = 1; i < plan->n_blocks; i++)
        MESO_CHECK(add_block(source, net, plan, i, error));
    return add_head(source, net, plan, error);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * GPUs' kernels on a device: one program for all blocks of a net.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tile/tile.h"
#include "runtime/program.h"

typedef struct tile_kernels {
    char names[MESO_PLAN_N_INPUTS][32];
    meso_kernel kernels[MESO_PLAN_N_INPUTS]; /* those that the block needs */
    meso_buffer filters, affine;
} tile_kernels;

/* The blocks of a net in one set of sizes. */
typedef struct tile_set {
    meso_tile_block blocks[MESO_MAX_BLOCKS]; /* group_x 0: none */
    tile_kernels made[MESO_MAX_BLOCKS];
    size_t n_blocks;
    meso_program program;
} tile_set;

struct meso_tile_run {
    meso_plan_blocks of; /* stands first */
    meso_device *device;
    const meso_net *net;
    meso_tile_tuning tuning;
    char name[32];       /* of the tuning */
    tile_set usual, few; /* `few` has the same blocks at the same places, or none there */
};

static int needs(const meso_tile_block *block, int kind)
{
    return block->group_x > 0 && (kind == MESO_PLAN_TENSOR) == (block->part.source != 0);
}

static meso_status build(meso_tile_run *run, tile_set *set)
{
    meso_status status = MESO_OK;
    meso_error *error = meso_device_error_slot(run->device);
    meso_text source = {0};
    MESO_TRY(meso_source_add(&source, "prelude", error));
    MESO_TRY(meso_source_add(&source, "tile", error));
    for (size_t i = 0; i < set->n_blocks; i++)
        for (int kind = 0; kind < MESO_PLAN_N_INPUTS; kind++) {
            static const char *const from[] = {"", "_of_pixels", "_of_floats"};
            char *name = set->made[i].names[kind];
            snprintf(name, sizeof set->made[i].names[kind], "%s_%zu%s%s",
                     meso_tile_templates[set->blocks[i].kind], i, set == &run->few ? "_few" : "",
                     from[kind]);
            if (needs(&set->blocks[i], kind))
                MESO_TRY(meso_tile_write(&source, run->net, &set->blocks[i], (meso_plan_input)kind,
                                         name, error));
        }
    MESO_TRY(meso_program_build(run->device, &source, &set->program));
out:
    meso_text_free(&source);
    return status;
}

static void forget(tile_set *set)
{
    for (size_t i = 0; i < MESO_MAX_BLOCKS; i++) {
        for (int kind = 0; kind < MESO_PLAN_N_INPUTS; kind++)
            meso_kernel_release(&set->made[i].kernels[kind]);
        meso_buffer_release(&set->made[i].filters);
        meso_buffer_release(&set->made[i].affine);
    }
    meso_program_release(&set->program);
}

static size_t group_items(const meso_tile_block *block)
{
    return (size_t)(block->group_x * block->group_y * block->images);
}

static size_t quotient(size_t n, int divisor)
{
    return (n + (size_t)divisor - 1) / (size_t)divisor;
}

static size_t n_groups(const meso_tile_block *block, size_t n)
{
    return quotient((size_t)block->wide, block->group_x) *
           quotient((size_t)block->high, block->group_y) * quotient(n, block->images) *
           (size_t)block->filter_groups;
}

/* Whether n images leave half of the device's compute units without a work-group: work-items with
 * half the filters, twice as many, still have a unit's schedulers for themselves. */
static int is_few(const meso_tile_run *run, const meso_tile_block *block, size_t n)
{
    return 2 * n_groups(block, n) <= meso_device_get_info(run->device)->compute_units;
}

/* *can becomes the number of work-items that the block's kernels can all have, at most as many as
 * it wants; 0: one lacks local memory. */
static meso_status make_kernels(meso_tile_run *run, tile_set *set, size_t i, size_t *can)
{
    const meso_tile_block *block = &set->blocks[i];
    tile_kernels *made = &set->made[i];
    const size_t group[3] = {(size_t)block->group_x, (size_t)block->group_y, (size_t)block->images};
    *can = group_items(block);
    for (int kind = 0; kind < MESO_PLAN_N_INPUTS; kind++) {
        size_t most;
        if (!needs(block, kind))
            continue;
        MESO_CHECK(meso_program_group_kernel(run->device, &set->program, made->names[kind],
                                             "btbbbti", group, &made->kernels[kind], &most));
        *can = most < *can ? most : *can;
    }
    return MESO_OK;
}

/* Finds the blocks that the set is for. */
static void find(const meso_tile_run *run, const meso_tile_limits *limits, tile_set *set)
{
    const meso_tile_tuning row = set == &run->few ? meso_tile_few(&run->tuning) : run->tuning;
    meso_tile_block found[MESO_MAX_BLOCKS];
    const size_t n = meso_tile_find(run->net, &row, limits, found);
    set->n_blocks = 0;
    if (set == &run->usual) {
        memcpy(set->blocks, found, sizeof found);
        set->n_blocks = n;
        return;
    }
    memset(set->blocks, 0, sizeof set->blocks);
    for (size_t i = 0; i < run->usual.n_blocks; i++)
        for (size_t k = 0; k < n; k++) {
            const meso_tile_block *usual = &run->usual.blocks[i];
            if (usual->kind == MESO_TILE_BLOCK && found[k].part.last == usual->part.last &&
                is_few(run, usual, 1)) {
                set->blocks[i] = found[k];
                set->n_blocks = i + 1;
            }
        }
}

/* Makes the kernels, and lowers the limits of blocks whose kernels turn out not to have all that
 * the device has: compilers keep local memory for themselves and run out of registers. *lowered:
 * how many these are. */
static meso_status fit(meso_tile_run *run, tile_set *set, meso_tile_limits *limits, size_t *lowered)
{
    *lowered = 0;
    for (size_t i = 0; i < set->n_blocks; i++) {
        meso_tile_limits *l = &limits[set->blocks[i].found_at];
        size_t can;
        MESO_CHECK(make_kernels(run, set, i, &can));
        if (can == group_items(&set->blocks[i]))
            continue;
        if (can > 0)
            l->items = can;
        else
            l->local_bytes /= 2;
        ++*lowered;
    }
    return MESO_OK;
}

/* Finds and compiles, anew where blocks have to do with less. */
static meso_status make_blocks(meso_tile_run *run, tile_set *set)
{
    meso_status status = MESO_OK;
    const meso_device_info *info = meso_device_get_info(run->device);
    meso_tile_limits *limits = calloc(run->net->n_layers, sizeof *limits);
    MESO_REQUIRE_MEMORY(limits, meso_device_error_slot(run->device));
    for (size_t i = 0; i < run->net->n_layers; i++)
        limits[i] = (meso_tile_limits){info->max_work_group, info->local_memory_bytes,
                                       meso_device_constant_bytes(run->device)};
    for (size_t lowered = 1; lowered > 0;) {
        forget(set);
        find(run, limits, set);
        if (set->n_blocks > 0)
            MESO_TRY(build(run, set));
        MESO_TRY(fit(run, set, limits, &lowered));
    }
out:
    free(limits);
    return status;
}

static meso_status upload(meso_tile_run *run, tile_set *set, size_t i, const float *const *params)
{
    meso_status status = MESO_OK;
    meso_device *device = run->device;
    tile_kernels *made = &set->made[i];
    meso_tile_params p = meso_tile_make_params(&set->blocks[i], params);
    MESO_REQUIRE_MEMORY(p.filters && p.affine, meso_device_error_slot(device));
    MESO_TRY(meso_buffer_create_filled(device, p.filters, p.n_filters * sizeof *p.filters,
                                       &made->filters));
    MESO_TRY(
        meso_buffer_create_filled(device, p.affine, p.n_affine * sizeof *p.affine, &made->affine));
out:
    free(p.filters);
    free(p.affine);
    return status;
}

static meso_status make_set(meso_tile_run *run, tile_set *set, const float *const *params)
{
    MESO_CHECK(make_blocks(run, set));
    for (size_t i = 0; i < set->n_blocks; i++)
        if (set->blocks[i].group_x > 0)
            MESO_CHECK(upload(run, set, i, params));
    return MESO_OK;
}

/* A block's layers are those between its source and its last one. */
static void mark_layers(meso_tile_run *run, const meso_plan_block *block)
{
    const meso_plan_block **of = run->of.of;
    of[block->last] = block;
    for (size_t i = block->last; i > block->source; i--)
        for (size_t k = 0; of[i] == block && k < run->net->layers[i].n_inputs; k++)
            if (run->net->layers[i].inputs[k] != block->source)
                of[run->net->layers[i].inputs[k]] = block;
}

static meso_status enqueue(const meso_plan_blocks *blocks, const meso_plan_block *part,
                           meso_plan_input kind, const meso_tensor_view *in,
                           const meso_tensor_view *out, size_t n)
{
    const meso_tile_run *run = (const meso_tile_run *)blocks;
    const size_t i = (size_t)((const meso_tile_block *)part - run->usual.blocks);
    const tile_set *set = &run->usual;
    if (run->few.blocks[i].group_x > 0 && is_few(run, &set->blocks[i], n))
        set = &run->few;
    const meso_tile_block *block = &set->blocks[i];
    const tile_kernels *made = &set->made[i];
    const size_t images = (size_t)block->images;
    const int is_head = block->kind == MESO_TILE_HEAD;
    const double multiply_adds = is_head ? meso_head_multiply_adds(run->net, &block->head)
                                         : meso_block_multiply_adds(run->net, &block->layers);
    const size_t value_bytes = kind == MESO_PLAN_PIXELS ? 1 : sizeof(float);
    meso_device_cost(run->device, (double)n * multiply_adds,
                     is_head ? NAN : (double)n * meso_block_bytes(&block->layers, value_bytes));
    return meso_launch_kernel(
        run->device, &made->kernels[kind],
        MESO_GLOBAL(block->wide, block->high,
                    (n + images - 1) / images * (size_t)block->filter_groups * images),
        MESO_ARGS(MESO_VIEW(in), &made->filters, &made->affine, MESO_VIEW(out), (int)n));
}

meso_status meso_tile_create(meso_device *device, const meso_net *net, const float *const *params,
                             const meso_tile_tuning *only, meso_tile_run **run)
{
    meso_status status = MESO_OK;
    const meso_device_info *info = meso_device_get_info(device);
    int tuned[MESO_MAX_TUNABLES];
    meso_tile_run *r = calloc(1, sizeof *r);
    *run = NULL;
    MESO_REQUIRE_MEMORY(r, meso_device_error_slot(device));
    r->of.enqueue = enqueue;
    r->device = device;
    r->net = net;
    r->tuning = only ? *only : meso_tile_shipped(meso_device_vendor_id(device));
    if (!only && meso_device_local_is_global(device))
        r->tuning.local = 0; /* a copy that is read no faster */
    snprintf(r->name, sizeof r->name, "tiles");
    if (!only && meso_tuning_of(info, &meso_tuning_tiles, net->name, tuned)) {
        r->tuning = (meso_tile_tuning){tuned[0], tuned[1], tuned[2], tuned[3], tuned[4]};
        snprintf(r->name, sizeof r->name, "tiles_%d_%d_%d_%d_%d", tuned[0], tuned[1], tuned[2],
                 tuned[3], tuned[4]);
    }
    MESO_TRY(make_set(r, &r->usual, params));
    MESO_TRY(make_set(r, &r->few, params));
    for (size_t i = 0; i < r->usual.n_blocks; i++)
        mark_layers(r, &r->usual.blocks[i].part);
    if (r->usual.n_blocks > 0) {
        *run = r;
        r = NULL;
    }
out:
    meso_tile_close(r);
    return status;
}

void meso_tile_close(meso_tile_run *run)
{
    if (!run)
        return;
    forget(&run->usual);
    forget(&run->few);
    free(run);
}

void meso_tile_tuning_values(const meso_tile_run *run, int *values)
{
    const meso_tile_tuning *row = &run->tuning;
    const int all[] = {row->width, row->items, row->filters, row->channels, row->local};
    memcpy(values, all, sizeof all);
}

const char *meso_tile_tuning_name(const meso_tile_run *run)
{
    return run->name;
}

size_t meso_tile_n_layers(const meso_tile_run *run)
{
    size_t n = 0;
    for (size_t i = 0; i < run->net->n_layers; i++)
        n += run->of.of[i] != NULL;
    return n;
}

const meso_plan_blocks *meso_tile_blocks(const meso_tile_run *run)
{
    return &run->of;
}

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

struct meso_tile_run {
    meso_plan_blocks of; /* stands first */
    meso_device *device;
    const meso_net *net;
    meso_tile_tuning tuning;
    char name[32]; /* of the tuning */
    meso_tile_block blocks[MESO_MAX_BLOCKS];
    tile_kernels made[MESO_MAX_BLOCKS];
    size_t n_blocks;
    meso_program program;
};

static int needs(const meso_tile_block *block, int kind)
{
    return (kind == MESO_PLAN_TENSOR) == (block->part.source != 0);
}

static meso_status build(meso_tile_run *run)
{
    meso_status status = MESO_OK;
    meso_error *error = meso_device_error_slot(run->device);
    meso_text source = {0};
    MESO_TRY(meso_source_add(&source, "prelude", error));
    MESO_TRY(meso_source_add(&source, "tile", error));
    for (size_t i = 0; i < run->n_blocks; i++)
        for (int kind = 0; kind < MESO_PLAN_N_INPUTS; kind++) {
            static const char *const from[] = {"", "_of_pixels", "_of_floats"};
            char *name = run->made[i].names[kind];
            snprintf(name, sizeof run->made[i].names[kind], "%s_%zu%s",
                     meso_tile_templates[run->blocks[i].kind], i, from[kind]);
            if (needs(&run->blocks[i], kind))
                MESO_TRY(meso_tile_write(&source, run->net, &run->blocks[i], (meso_plan_input)kind,
                                         name, error));
        }
    MESO_TRY(meso_program_build(run->device, &source, &run->program));
out:
    meso_text_free(&source);
    return status;
}

static void forget(meso_tile_run *run)
{
    for (size_t i = 0; i < MESO_MAX_BLOCKS; i++) {
        for (int kind = 0; kind < MESO_PLAN_N_INPUTS; kind++)
            meso_kernel_release(&run->made[i].kernels[kind]);
        meso_buffer_release(&run->made[i].filters);
        meso_buffer_release(&run->made[i].affine);
    }
    meso_program_release(&run->program);
}

static size_t group_items(const meso_tile_block *block)
{
    return (size_t)(block->group_x * block->group_y * block->images);
}

/* *can becomes the number of work-items of the kernel that can have the fewest, if they are fewer
 * than it wants; 0: it lacks local memory. */
static meso_status make_kernels(meso_tile_run *run, size_t i, size_t *can)
{
    const meso_tile_block *block = &run->blocks[i];
    tile_kernels *made = &run->made[i];
    const size_t group[3] = {(size_t)block->group_x, (size_t)block->group_y, (size_t)block->images};
    for (int kind = 0; kind < MESO_PLAN_N_INPUTS; kind++) {
        size_t most;
        if (!needs(block, kind))
            continue;
        MESO_CHECK(meso_program_group_kernel(run->device, &run->program, made->names[kind],
                                             "btbbbti", group, &made->kernels[kind], &most));
        if (most < group_items(block) && most < *can)
            *can = most;
    }
    return MESO_OK;
}

/* Finds and compiles, anew with less where a kernel turns out not to have all that the device has:
 * compilers keep local memory for themselves and run out of registers. */
static meso_status make_blocks(meso_tile_run *run)
{
    const meso_device_info *info = meso_device_get_info(run->device);
    size_t most = info->max_work_group, local = info->local_memory_bytes, can = 0;
    while (can < most) {
        forget(run);
        run->n_blocks = meso_tile_find(run->net, &run->tuning, most, local, run->blocks);
        if (run->n_blocks > 0)
            MESO_CHECK(build(run));
        can = most;
        for (size_t i = 0; i < run->n_blocks; i++)
            MESO_CHECK(make_kernels(run, i, &can));
        if (can == 0)
            local /= 2;
        else if (can < most)
            most = can, can = 0;
    }
    return MESO_OK;
}

static meso_status upload(meso_tile_run *run, size_t i, const float *const *params)
{
    meso_status status = MESO_OK;
    meso_device *device = run->device;
    tile_kernels *made = &run->made[i];
    meso_tile_params p = meso_tile_make_params(&run->blocks[i], params);
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
    const meso_tile_block *block = (const meso_tile_block *)part;
    const tile_kernels *made = &run->made[block - run->blocks];
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
    snprintf(r->name, sizeof r->name, "tiles");
    if (!only && meso_tuning_of(info, &meso_tuning_tiles, net->name, tuned)) {
        r->tuning = (meso_tile_tuning){tuned[0], tuned[1], tuned[2], tuned[3], tuned[4]};
        snprintf(r->name, sizeof r->name, "tiles_%d_%d_%d_%d_%d", tuned[0], tuned[1], tuned[2],
                 tuned[3], tuned[4]);
    }
    MESO_TRY(make_blocks(r));
    for (size_t i = 0; i < r->n_blocks; i++) {
        MESO_TRY(upload(r, i, params));
        mark_layers(r, &r->blocks[i].part);
    }
    if (r->n_blocks > 0) {
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
    forget(run);
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of prediction's paths, and those of its rows that are a plan: of plain kernels, on any
 * device, and with tiles in it, where strips are not made: on GPUs, on CPUs whose driver knows no
 * vectors (there tiles take a third of the plain path's time), for nets that strips cannot compute.
 */
#include "net/infer.h"

#include <stdlib.h>

#include "net/tile/tile.h"

/* Meso-4's last block has 4 work-groups a picture: 256 of them fill the units of a large GPU seven
 * times over, 64 those of a small one. */
enum { plain_batch = 8, tiled_batch = 64, large_batch = 256, many_units = 64, slots = 3 };

typedef struct plan_run {
    meso_tile_run *tiles; /* NULL: none */
    meso_plan *plan;
    size_t tiled_batch; /* that the device likes */
} plan_run;

static void close_plan(void *opaque)
{
    plan_run *run = opaque;
    if (!run)
        return;
    meso_plan_close(run->plan);
    meso_tile_close(run->tiles);
    free(run);
}

static meso_status create(meso_device *device, const meso_net *net,
                          const meso_infer_settings *settings, meso_path path, void **opaque)
{
    meso_status status = MESO_OK;
    const int tiled = path != MESO_PATH_PLAIN;
    plan_run *run = NULL;
    *opaque = NULL;
    run = calloc(1, sizeof *run);
    MESO_REQUIRE_MEMORY(run, meso_device_error_slot(device));
    run->tiled_batch =
        meso_device_get_info(device)->compute_units > many_units ? large_batch : tiled_batch;
    if (tiled)
        MESO_TRY(meso_tile_create(device, net, settings->params, NULL, &run->tiles));
    if (tiled && !run->tiles)
        goto out;
    MESO_TRY(meso_plan_create(device, net, settings->params,
                              tiled ? meso_tile_blocks(run->tiles) : NULL, &run->plan));
    *opaque = run;
    run = NULL;
out:
    close_plan(run);
    return status;
}

static meso_status reserve(void *run, size_t n)
{
    return meso_plan_reserve(((plan_run *)run)->plan, n);
}

static meso_status compute(void *run, const meso_pictures *pictures, size_t last, float *out)
{
    return meso_plan_run(((plan_run *)run)->plan, pictures, 0, last, out);
}

static meso_status start(void *run, const meso_pictures *pictures, size_t last,
                         const meso_buffer *results, float *out, meso_event *done)
{
    return meso_plan_start(((plan_run *)run)->plan, pictures, last, results, out, done);
}

static void describe(const void *opaque, meso_infer_about *about)
{
    const plan_run *run = opaque;
    *about = (meso_infer_about){.tuning = "",
                                .n_lanes = 1,
                                .any_layer = !run->tiles,
                                .batch = plain_batch,
                                .n_slots = slots,
                                .slot_batch = SIZE_MAX,
                                .most_in_slot = SIZE_MAX};
    if (run->tiles) {
        about->tuning = meso_tile_tuning_name(run->tiles);
        about->n_fused_layers = meso_tile_n_layers(run->tiles);
        about->batch = run->tiled_batch;
        about->starts = about->copies = 1;
    }
    meso_plan_describe(run->plan, about->clblast);
}

static int tuning(const void *opaque, const meso_tuning_family *family, int *values)
{
    const plan_run *run = opaque;
    if (!run->tiles || family != &meso_tuning_tiles)
        return meso_plan_tuning(run->plan, family, values);
    meso_tile_tuning_values(run->tiles, values);
    return 1;
}

static const meso_infer_kind plan = {create, reserve, compute, start, describe, tuning, close_plan};

/* Best first; the last one computes every net on every device. Tiles transform nothing: there is no
 * rounding that an exact path could save. */
static const struct {
    meso_path path;
    const meso_infer_kind *kind;
} rows[] = {{MESO_PATH_FUSED, &meso_infer_strips},
            {MESO_PATH_EXACT, &meso_infer_strips},
            {MESO_PATH_FUSED, &plan},
            {MESO_PATH_EXACT, &plan},
            {MESO_PATH_PLAIN, &plan}};
enum { n_rows = sizeof rows / sizeof rows[0] };

meso_status meso_infer_open(meso_device *device, const meso_net *net, meso_path wanted,
                            const meso_infer_settings *settings, meso_infer *infer)
{
    meso_status status = MESO_OK;
    *infer = (meso_infer){0};
    for (size_t i = 0; i < n_rows && !infer->run && status == MESO_OK; i++)
        if (rows[i].path == wanted || i == n_rows - 1) {
            *infer = (meso_infer){rows[i].path, rows[i].kind, NULL};
            status = infer->kind->create(device, net, settings, rows[i].path, &infer->run);
        }
    return status;
}

void meso_infer_close(meso_infer *infer)
{
    if (infer->kind)
        infer->kind->close(infer->run);
    *infer = (meso_infer){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of prediction's paths, and those of its rows that are a plan: of plain kernels, on any
 * device, and with tiles in it, on GPUs.
 */
#include "net/infer.h"

#include <stdlib.h>

#include "net/tile/tile.h"

enum { plain_batch = 8, tiled_batch = 64, slots = 3 };

typedef struct plan_run {
    meso_tile_run *tiles; /* NULL: none */
    meso_plan *plan;
    size_t last;
} plan_run;

static void close_plan(void *opaque)
{
    plan_run *run = opaque;
    meso_plan_close(run->plan);
    meso_tile_close(run->tiles);
    free(run);
}

static meso_status create(meso_device *device, const meso_net *net,
                          const meso_infer_settings *settings, int tiled, void **opaque)
{
    meso_status status = MESO_OK;
    plan_run *run = calloc(1, sizeof *run);
    *opaque = NULL;
    MESO_REQUIRE_MEMORY(run, meso_device_error_slot(device));
    run->last = settings->last;
    if (tiled)
        MESO_TRY(meso_tile_create(device, net, settings->params, NULL, &run->tiles));
    if (tiled && !run->tiles)
        goto out;
    MESO_TRY(meso_plan_create(device, net, settings->params,
                              tiled ? meso_tile_blocks(run->tiles) : NULL, &run->plan));
    *opaque = run;
    run = NULL;
out:
    if (run)
        close_plan(run);
    return status;
}

static meso_status create_plain(meso_device *device, const meso_net *net,
                                const meso_infer_settings *settings, void **run)
{
    return create(device, net, settings, 0, run);
}

static meso_status create_tiled(meso_device *device, const meso_net *net,
                                const meso_infer_settings *settings, void **run)
{
    *run = NULL;
    if (!meso_tile_suits(meso_device_get_info(device)))
        return MESO_OK;
    return create(device, net, settings, 1, run);
}

static meso_status reserve(void *run, size_t n)
{
    return meso_plan_reserve(((plan_run *)run)->plan, n);
}

static meso_status compute(void *run, const meso_pictures *pictures, size_t last, float *out)
{
    return meso_plan_run(((plan_run *)run)->plan, pictures, 0, last, out);
}

static meso_status start(void *opaque, const meso_pictures *pictures, const meso_buffer *results,
                         float *out, meso_event *done)
{
    plan_run *run = opaque;
    return meso_plan_start(run->plan, pictures, run->last, results, out, done);
}

static void describe(const void *opaque, meso_infer_about *about)
{
    const plan_run *run = opaque;
    *about = (meso_infer_about){.tuning = run->tiles ? meso_tile_tuning_name(run->tiles) : "",
                                .n_fused_layers = run->tiles ? meso_tile_n_layers(run->tiles) : 0,
                                .n_lanes = 1,
                                .batch = run->tiles ? tiled_batch : plain_batch,
                                .starts = run->tiles != NULL,
                                .copies = run->tiles != NULL,
                                .n_slots = slots,
                                .slot_batch = SIZE_MAX,
                                .most_in_slot = SIZE_MAX};
    meso_plan_describe(run->plan, about->clblast);
}

static int tuning(const void *opaque, const meso_tuning_family *family, int *values)
{
    const plan_run *run = opaque;
    if (!run->tiles || family != &meso_tuning_tiles)
        return meso_plan_tuning(run->plan, family, values);
    meso_tile_tuning_values(meso_tile_get_tuning(run->tiles), values);
    return 1;
}

static const meso_infer_path plain = {.path = MESO_PATH_PLAIN,
                                      .any_layer = 1,
                                      .create = create_plain,
                                      .reserve = reserve,
                                      .compute = compute,
                                      .start = start,
                                      .describe = describe,
                                      .tuning = tuning,
                                      .close = close_plan};
static const meso_infer_path tiles = {.path = MESO_PATH_FUSED,
                                      .create = create_tiled,
                                      .reserve = reserve,
                                      .compute = compute,
                                      .start = start,
                                      .describe = describe,
                                      .tuning = tuning,
                                      .close = close_plan};
/* Tiles transform nothing: there is no rounding to save. */
static const meso_infer_path tiles_exact = {.path = MESO_PATH_EXACT,
                                            .create = create_tiled,
                                            .reserve = reserve,
                                            .compute = compute,
                                            .start = start,
                                            .describe = describe,
                                            .tuning = tuning,
                                            .close = close_plan};

/* Best first; the last one computes every net on every device. */
static const meso_infer_path *const paths[] = {&meso_infer_strips, &meso_infer_strips_exact, &tiles,
                                               &tiles_exact, &plain};
enum { n_paths = sizeof paths / sizeof paths[0] };

meso_status meso_infer_open(meso_device *device, const meso_net *net, meso_path wanted,
                            const meso_infer_settings *settings, meso_infer *infer)
{
    meso_status status = MESO_OK;
    *infer = (meso_infer){0};
    for (size_t i = 0; i < n_paths && !infer->run && status == MESO_OK; i++)
        if (paths[i]->path == wanted || i == n_paths - 1) {
            infer->path = paths[i];
            status = paths[i]->create(device, net, settings, &infer->run);
        }
    return status;
}

void meso_infer_close(meso_infer *infer)
{
    if (infer->run)
        infer->path->close(infer->run);
    *infer = (meso_infer){0};
}

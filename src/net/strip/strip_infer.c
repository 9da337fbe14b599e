/* SPDX-License-Identifier: Apache-2.0
 *
 * Strips as rows of prediction's table: the fused part, and behind it what has no fused kernel on
 * the plain path.
 */
#include <stdlib.h>

#include "net/infer.h"
#include "net/strip/strip_run.h"

enum {
    batch = 32,
    slots_of_lane = 3,
    slot_batch = 8,   /* enough that waiting and waking cost little, and few wait for the last */
    most_in_slot = 64 /* more only take memory */
};

typedef struct strip_infer {
    meso_device *device;
    const meso_net *net;
    meso_strip_run *strips;
    meso_plan *rest; /* behind the strips; NULL: nothing */
} strip_infer;

static void close_strips(void *opaque)
{
    strip_infer *run = opaque;
    if (!run)
        return;
    meso_strip_close(run->strips);
    meso_plan_close(run->rest);
    free(run);
}

static meso_status create(meso_device *device, const meso_net *net,
                          const meso_infer_settings *settings, meso_path path, void **opaque)
{
    meso_status status = MESO_OK;
    meso_strip_tunings tunings;
    *opaque = NULL;
    if (!meso_device_has_vectors(device))
        return MESO_OK;
    strip_infer *run = calloc(1, sizeof *run);
    MESO_REQUIRE_MEMORY(run, meso_device_error_slot(device));
    run->device = device;
    run->net = net;
    MESO_TRY(meso_strip_choose(device, net, &meso_tuning_fused, &tunings));
    for (size_t i = 0; path == MESO_PATH_EXACT && i < tunings.n; i++)
        meso_strip_make_exact(&tunings.rows[i]);
    MESO_TRY(meso_strip_create(device, net, settings->params, settings->n_lanes, &tunings,
                               &run->strips));
    if (!run->strips)
        goto out;
    const meso_strip_plan *plan = meso_strip_get_plan(run->strips);
    if (!plan->head.flatten || plan->last != settings->last)
        MESO_TRY(meso_plan_create(device, net, settings->params, NULL, &run->rest));
    *opaque = run;
    run = NULL;
out:
    close_strips(run);
    return status;
}

static meso_status reserve(void *opaque, size_t n)
{
    strip_infer *run = opaque;
    return run->rest ? meso_plan_reserve(run->rest, n) : meso_strip_reserve(run->strips, n);
}

static meso_status compute(void *opaque, const meso_pictures *pictures, size_t last, float *out)
{
    meso_status status = MESO_OK;
    strip_infer *run = opaque;
    const size_t end = meso_strip_get_plan(run->strips)->last;
    meso_tensor_view planar = {0};
    meso_buffer given = {0};
    MESO_TRY(reserve(run, pictures->n));
    if (run->rest)
        planar = meso_plan_view(run->rest, end);
    if (pictures->values)
        MESO_TRY(meso_buffer_wrap(run->device, (void *)pictures->values,
                                  meso_pictures_bytes(pictures, run->net->layers[0].shape),
                                  &given));
    else /* lanes' queues know nothing of the whole device's */
        MESO_TRY(meso_device_finish(run->device));
    MESO_TRY(meso_strip_enqueue(run->strips, pictures->values ? &given : pictures->buffer,
                                pictures->is_float, pictures->n, run->rest ? &planar : NULL));
    if (run->rest) {
        MESO_TRY(meso_device_finish_all(run->device));
        MESO_TRY(meso_plan_run(run->rest, pictures, end + 1, last, out));
    } else {
        MESO_TRY(meso_strip_logits(run->strips, pictures->n, out));
    }
out:
    if (status != MESO_OK)
        meso_device_finish_all(run->device); /* nothing may read the caller's memory any more */
    meso_buffer_release(&given);
    return status;
}

static meso_status start(void *opaque, const meso_pictures *pictures, size_t last,
                         const meso_buffer *results, float *out, meso_event *done)
{
    strip_infer *run = opaque;
    (void)last;
    return meso_strip_start(run->strips, pictures->buffer, pictures->is_float, pictures->n, results,
                            out, done);
}

static void describe(const void *opaque, meso_infer_about *about)
{
    const strip_infer *run = opaque;
    const meso_strip_plan *plan = meso_strip_get_plan(run->strips);
    const size_t n_lanes = meso_strip_n_lanes(run->strips);
    *about = (meso_infer_about){.tuning = plan->tuning.name,
                                .n_fused_layers = plan->last + 1,
                                .n_lanes = n_lanes,
                                .batch = batch,
                                .starts = !run->rest,
                                .n_slots = slots_of_lane * (run->rest ? 1 : n_lanes),
                                .slot_batch = run->rest ? SIZE_MAX : slot_batch,
                                .most_in_slot = run->rest ? SIZE_MAX : most_in_slot};
    if (run->rest)
        meso_plan_describe(run->rest, about->clblast);
}

static int tuning(const void *opaque, const meso_tuning_family *family, int *values)
{
    const strip_infer *run = opaque;
    if (family != &meso_tuning_fused)
        return run->rest && meso_plan_tuning(run->rest, family, values);
    meso_strip_tuning_values(family, &meso_strip_get_plan(run->strips)->tuning, values);
    return 1;
}

const meso_infer_kind meso_infer_strips = {create,   reserve, compute,     start,
                                           describe, tuning,  close_strips};

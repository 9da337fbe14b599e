/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include <math.h>
#include <stdlib.h>

#include "report/report_json.h"

enum { most_calls = 256 }; /* of a round: each launch keeps an event */

static json_t *row_json(const bench_layers *layers, size_t i)
{
    const meso_profile_row *row = &layers->first[i];
    const double images = (double)(layers->calls * layers->batch);
    return json_pack("{s:s s:s s:o s:o s:o s:b s:o}", "layer", row->span, "kernel", row->kernel,
                     "launches", meso_json_number((double)row->n_launches / (double)layers->calls),
                     "multiply_adds", meso_json_number(row->multiply_adds / images), "bytes",
                     meso_json_number(row->bytes / images), "host_timer", row->host_timer,
                     "samples", bench_samples_json(&layers->samples[i]));
}

/* Calls under the profiler. */
static meso_status take_round(const bench_layers *layers, meso_profile_row **rows, size_t *n,
                              meso_error *error)
{
    bench_work *work = layers->work;
    meso_status status = MESO_OK;
    MESO_TRY(meso_device_profile(work->device, layers->mode, error));
    for (size_t i = 0; i < layers->calls; i++) {
        MESO_TRY(meso_device_mark_call(work->device, error));
        MESO_TRY(bench_work_call(work, layers->batch, error));
    }
    MESO_TRY(meso_device_mark_call(work->device, error));
    MESO_TRY(meso_device_get_profile(work->device, rows, sizeof **rows, n, error));
out:
    meso_device_profile(work->device, MESO_PROFILE_OFF, NULL);
    return status;
}

static int any_host_timer(const meso_profile_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].host_timer)
            return 1;
    return 0;
}

meso_status bench_layers_open(bench_work *work, size_t batch, size_t calls, size_t n_rounds,
                              bench_layers *layers, meso_error *error)
{
    *layers = (bench_layers){.work = work,
                             .batch = batch,
                             .calls = calls < most_calls ? calls : most_calls,
                             .mode = MESO_PROFILE_RUNNING};
    MESO_CHECK(take_round(layers, &layers->first, &layers->n, error));
    if (any_host_timer(layers->first, layers->n))
        layers->mode = MESO_PROFILE_ALONE; /* the host's clock needs a launch for itself */
    layers->samples = calloc(layers->n + 1, sizeof *layers->samples);
    MESO_DEMAND_MEMORY(layers->samples, error);
    for (size_t i = 0; i < layers->n; i++)
        MESO_DEMAND_MEMORY(bench_samples_reserve(&layers->samples[i], n_rounds), error);
    for (int i = 0; i < MESO_N_IDLE; i++)
        MESO_DEMAND_MEMORY(bench_samples_reserve(&layers->idle[i], n_rounds), error);
    return MESO_OK;
}

meso_status bench_layers_round(bench_layers *layers, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_profile_row *rows = NULL;
    const double images = (double)(layers->calls * layers->batch);
    double idle[MESO_N_IDLE];
    size_t n;
    MESO_TRY(take_round(layers, &rows, &n, error));
    MESO_REQUIRE(n == layers->n, error, MESO_ERROR_INTERNAL, "calls launch different kernels");
    if (layers->mode == MESO_PROFILE_RUNNING && any_host_timer(rows, n))
        goto out; /* times are lacking */
    for (size_t i = 0; i < n; i++)
        bench_samples_add(&layers->samples[i], rows[i].seconds / images);
    meso_device_get_idle(layers->work->device, idle);
    for (int i = 0; i < MESO_N_IDLE && isfinite(idle[i]); i++)
        bench_samples_add(&layers->idle[i], idle[i] / images);
out:
    meso_free(rows);
    return status;
}

json_t *bench_layers_json(const bench_layers *layers)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < layers->n; i++)
        json_array_append_new(rows, row_json(layers, i));
    return rows;
}

json_t *bench_layers_idle_json(const bench_layers *layers)
{
    static const char *const names[MESO_N_IDLE] = {[MESO_IDLE_BEFORE] = "before the first kernel",
                                                   [MESO_IDLE_BETWEEN] = "between kernels",
                                                   [MESO_IDLE_AFTER] = "after the last kernel"};
    json_t *rows = json_array();
    for (int i = 0; i < MESO_N_IDLE && layers->idle[i].n > 0; i++)
        json_array_append_new(rows, json_pack("{s:s s:s s:i s:n s:n s:b s:o}", "layer",
                                              "launches and waiting", "kernel", names[i],
                                              "launches", 0, "multiply_adds", "bytes", "host_timer",
                                              0, "samples", bench_samples_json(&layers->idle[i])));
    return rows;
}

void bench_layers_close(bench_layers *layers)
{
    for (size_t i = 0; layers->samples && i < layers->n; i++)
        bench_samples_free(&layers->samples[i]);
    for (int i = 0; i < MESO_N_IDLE; i++)
        bench_samples_free(&layers->idle[i]);
    free(layers->samples);
    meso_free(layers->first);
    *layers = (bench_layers){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "child.h"
#include "drivers.h"
#include "energy.h"
#include "layers.h"
#include "measure/samples.h"
#include "measure/work.h"
#include "mesocl/device.h"
#include "mesocl/stream.h"
#include "peak.h"
#include "report/report_json.h"

enum { least_rounds = 5, most_warm_up = 40, most_calls = 1 << 14, most_slots = 1 << 10 };

/* The clock and the scheduler are finer than 1 % of the one, and 5 % of the other, which is for
 * runs that have to be short. */
static const double sample_seconds = 0.1, shortest_sample = 0.02;
static const double stable = 0.03; /* warm when two samples differ by less than this part */

typedef struct bench_case {
    size_t batch;               /* pictures in a call */
    size_t n_calls;             /* in a sample */
    bench_samples images_per_s; /* one value for each round */
    meso_stream *stream;        /* as mesocl predict has one, where that is wanted */
    size_t slots[most_slots];   /* of it */
    bench_samples stream_images_per_s;
    bench_samples call_ms; /* each call, as many as there is room for */
    bench_layers layers;   /* where they are wanted */
    double joules;         /* of all samples; NaN: not known */
    size_t images;         /* in them */
} bench_case;

typedef struct bench_net {
    bench_work work;
    bench_peak peak;
    bench_energy energy;
    bench_case cases[BENCH_MAX_CASES];
    size_t n_cases, n_rounds;
    double sample_seconds;
    double step_started, slowest_step; /* a step: a sample, or kernels or peaks of one round */
    bench_samples peak_gflops, copy_gbs, launch_us, launch_alone_us; /* one value for each round */
    double open_seconds, first_call_seconds;
} bench_net;

/* As many as for so long. */
static size_t n_rounds_of(const bench_spec *spec)
{
    const size_t n = (size_t)(spec->seconds / sample_seconds);
    return n < least_rounds ? least_rounds : n;
}

/* Opening, the first call, the check; then each batch size, and the rounds. */
size_t bench_net_n_steps(const bench_spec *spec)
{
    return 3 + (spec->check_only ? 0 : spec->n_batches + n_rounds_of(spec));
}

/* A step is done, and the next takes as long as may be. */
static void end_long_step(void)
{
    tool_child_step();
    tool_child_announce(BENCH_PATIENCE);
}

/* The parent hears how long the next step may take: several times what such a one takes. */
static void announce(double step_seconds)
{
    tool_child_announce(5 + 5 * step_seconds);
}

static void begin_step(bench_net *bench)
{
    announce(bench->slowest_step);
    bench->step_started = meso_seconds();
}

static void end_step(bench_net *bench)
{
    bench->slowest_step = fmax(bench->slowest_step, meso_seconds() - bench->step_started);
}

/* One sample: n_calls calls through the pictures. */
static meso_status take_sample(bench_net *bench, bench_case *c, double *seconds, meso_error *error)
{
    double started = meso_seconds(), before = started, now;
    for (size_t i = 0; i < c->n_calls; i++) {
        MESO_CHECK(bench_work_call(&bench->work, c->batch, error));
        now = meso_seconds();
        if (c->call_ms.n < c->call_ms.capacity)
            bench_samples_add(&c->call_ms, 1e3 * (now - before));
        before = now;
    }
    *seconds = before - started;
    return MESO_OK;
}

/* Finds how many calls make a sample, then repeats it until two in a row agree. */
static meso_status warm_up(bench_net *bench, bench_case *c, meso_error *error)
{
    double seconds, before = 0;
    tool_child_announce(BENCH_PATIENCE); /* the first call may compile */
    for (c->n_calls = 1;; c->n_calls *= 2) {
        MESO_CHECK(take_sample(bench, c, &seconds, error));
        announce(seconds);
        if (seconds >= bench->sample_seconds || c->n_calls >= most_calls)
            break;
    }
    for (int i = 0; i < most_warm_up && fabs(seconds - before) > stable * seconds; i++) {
        before = seconds;
        MESO_CHECK(take_sample(bench, c, &seconds, error));
        announce(seconds);
    }
    bench->slowest_step = fmax(bench->slowest_step, seconds);
    c->call_ms.n = 0;
    return MESO_OK;
}

static meso_status measure_peaks(bench_net *bench, meso_error *error)
{
    meso_status status = MESO_OK;
    bench_peaks peaks;
    begin_step(bench);
    status = bench_peak_measure(&bench->peak, &peaks);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(bench->work.device));
    end_step(bench);
    bench_samples_add(&bench->peak_gflops, peaks.gflops);
    bench_samples_add(&bench->copy_gbs, peaks.copy_gbs);
    bench_samples_add(&bench->launch_us, peaks.launch_us);
    bench_samples_add(&bench->launch_alone_us, peaks.launch_alone_us);
out:
    return status;
}

/* n batches through the stream, all slots at work and waited for in turn. What slots hold stays
 * from one to the next: filling them is no part of this. */
static meso_status run_stream(bench_net *bench, bench_case *c, size_t n, meso_error *error)
{
    const size_t n_slots = meso_stream_n_slots(c->stream);
    uint8_t *pixels;
    for (size_t i = 0; i < n + n_slots; i++) {
        size_t *slot = &c->slots[i % n_slots];
        if (i >= n_slots && i - n_slots < n)
            MESO_CHECK(meso_stream_wait(c->stream, *slot, bench->work.p, error));
        if (i >= n)
            continue;
        MESO_CHECK(meso_stream_map(c->stream, slot, &pixels, error));
        MESO_CHECK(meso_stream_submit(c->stream, *slot, meso_stream_batch(c->stream), error));
    }
    return MESO_OK;
}

static meso_status open_stream(bench_net *bench, bench_case *c, meso_error *error)
{
    const meso_model_info info = bench_work_info(&bench->work);
    const size_t bytes = 3 * (size_t)info.width * info.height;
    uint8_t *pixels;
    MESO_CHECK(meso_stream_open(bench->work.model, 0, c->batch, &c->stream, error));
    const size_t n_slots = meso_stream_n_slots(c->stream);
    MESO_DEMAND(n_slots <= most_slots, error, MESO_ERROR_INTERNAL, "%zu slots", n_slots);
    for (size_t i = 0; i < n_slots; i++) {
        MESO_CHECK(meso_stream_map(c->stream, &c->slots[i], &pixels, error));
        memcpy(pixels, bench->work.pixels, meso_stream_batch(c->stream) * bytes);
        MESO_CHECK(meso_stream_submit(c->stream, c->slots[i], 1, error));
        MESO_CHECK(meso_stream_wait(c->stream, c->slots[i], bench->work.p, error));
    }
    return run_stream(bench, c, n_slots, error); /* what lanes alone need is compiled */
}

static meso_status take_stream_sample(bench_net *bench, bench_case *c, meso_error *error)
{
    const size_t batch = meso_stream_batch(c->stream);
    const size_t n = (c->batch * c->n_calls + batch - 1) / batch;
    begin_step(bench);
    const double started = meso_seconds();
    MESO_CHECK(run_stream(bench, c, n, error));
    bench_samples_add(&c->stream_images_per_s, (double)(n * batch) / (meso_seconds() - started));
    end_step(bench);
    return MESO_OK;
}

static meso_status run_round(bench_net *bench, meso_error *error)
{
    meso_status status = MESO_OK;
    double seconds;
    for (size_t i = 0; i < bench->n_cases; i++) {
        bench_case *c = &bench->cases[i];
        begin_step(bench);
        bench_energy_start(&bench->energy);
        MESO_TRY(take_sample(bench, c, &seconds, error));
        c->joules += bench_energy_stop(&bench->energy);
        c->images += c->batch * c->n_calls;
        end_step(bench);
        bench_samples_add(&c->images_per_s, (double)(c->batch * c->n_calls) / seconds);
        if (c->stream)
            MESO_TRY(take_stream_sample(bench, c, error));
        if (!bench->work.spec->layers)
            continue;
        begin_step(bench);
        MESO_TRY(bench_layers_round(&c->layers, error));
        end_step(bench);
    }
    status = measure_peaks(bench, error);
out:
    return status;
}

static meso_status reserve(bench_net *bench, meso_error *error)
{
    int enough = bench_samples_reserve(&bench->peak_gflops, bench->n_rounds) &&
                 bench_samples_reserve(&bench->copy_gbs, bench->n_rounds) &&
                 bench_samples_reserve(&bench->launch_us, bench->n_rounds) &&
                 bench_samples_reserve(&bench->launch_alone_us, bench->n_rounds);
    for (size_t i = 0; i < bench->n_cases; i++)
        enough = enough && bench_samples_reserve(&bench->cases[i].images_per_s, bench->n_rounds) &&
                 bench_samples_reserve(&bench->cases[i].stream_images_per_s, bench->n_rounds) &&
                 bench_samples_reserve(&bench->cases[i].call_ms, most_calls);
    MESO_DEMAND_MEMORY(enough, error);
    return MESO_OK;
}

/* Opens everything; the first call is timed alone, because drivers compile in it. */
static meso_status prepare(bench_net *bench, const bench_spec *spec, meso_device *device,
                           meso_error *error)
{
    meso_status status = MESO_OK;
    unsigned units = meso_device_get_info(device)->compute_units;
    double started = meso_seconds();
    MESO_TRY(bench_work_open(spec, device, &bench->work, error));
    bench->open_seconds = meso_seconds() - started;
    bench->n_cases = spec->n_batches;
    for (size_t i = 0; i < spec->n_batches; i++)
        bench->cases[i].batch = spec->batches[i];
    end_long_step();
    started = meso_seconds();
    MESO_TRY(bench_work_call(&bench->work, spec->batches[0], error));
    bench->first_call_seconds = meso_seconds() - started;
    end_long_step();
    if (spec->check)
        MESO_TRY(bench_work_check(&bench->work, error));
    end_long_step();
    status = bench_peak_open(device, spec->n_threads ? spec->n_threads : units, &bench->peak);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(device));
    bench->sample_seconds =
        fmax(shortest_sample, fmin(sample_seconds, spec->seconds / least_rounds));
    bench->n_rounds = n_rounds_of(spec);
    MESO_TRY(reserve(bench, error));
out:
    return status;
}

static json_t *case_json(const bench_net *bench, size_t i)
{
    const bench_case *c = &bench->cases[i];
    bench_summary calls = bench_samples_summary(&c->call_ms);
    return json_pack(
        "{s:I s:I s:o s:o s:o s:o s:o s:o s:o s:o}", "batch", (json_int_t)c->batch,
        "calls_per_sample", (json_int_t)c->n_calls, "samples", bench_samples_json(&c->images_per_s),
        "stream_samples", bench_samples_json(&c->stream_images_per_s), "latency_p50_ms",
        meso_json_number(calls.median), "latency_p90_ms", meso_json_number(calls.p90),
        "latency_p99_ms", meso_json_number(calls.p99), "joules_per_image",
        meso_json_number(c->images > 0 ? c->joules / (double)c->images : NAN), "layers",
        bench_layers_json(&c->layers), "launches", bench_layers_idle_json(&c->layers));
}

static json_t *found_json(const bench_net *bench)
{
    const bench_work *work = &bench->work;
    const meso_device_info *device = meso_device_get_info(work->device);
    const meso_net *net = work->net;
    const meso_model_info info = bench_work_info(work);
    json_t *cases = json_array();
    double multiply_adds = 0;
    for (size_t i = 0; i < meso_net_n_layers(net); i++) {
        meso_layer_info layer = MESO_INIT(meso_layer_info);
        meso_net_layer(net, i, &layer, NULL);
        multiply_adds += (double)layer.multiply_adds;
    }
    for (size_t i = 0; i < bench->n_cases; i++)
        json_array_append_new(cases, case_json(bench, i));
    return json_pack(
        "{s:o s:o s:o s:s s:s s:s s:s s:s s:s s:s s:o s:I s:i s:o s:o s:o s:o s:i s:o s:o s:o s:o "
        "s:s s:o}",
        "device", meso_json_text(device->name), "driver", meso_json_text(device->driver),
        "platform", meso_json_text(device->platform_name), "type",
        meso_device_type_name(device->type), "net", info.net_name, "weights",
        info.weights_hash[0] ? work->spec->net : "", "weights_hash", info.weights_hash, "direction",
        work->trainer ? "train" : "predict", "path", bench_work_path(work), "tuning", info.tuning,
        "clblast", meso_json_text(info.clblast), "lanes", (json_int_t)info.n_lanes, "threads",
        (int)(work->spec->n_threads ? work->spec->n_threads : device->compute_units),
        "multiply_adds", meso_json_number(multiply_adds), "largest_difference",
        meso_json_number(work->spec->check ? work->difference : NAN), "open_seconds",
        meso_json_number(bench->open_seconds), "first_call_seconds",
        meso_json_number(bench->first_call_seconds), "peak_vector_width", bench->peak.width,
        "peak_samples", bench_samples_json(&bench->peak_gflops), "copy_samples",
        bench_samples_json(&bench->copy_gbs), "launch_samples",
        bench_samples_json(&bench->launch_us), "launch_alone_samples",
        bench_samples_json(&bench->launch_alone_us), "energy_counter", bench->energy.source,
        "cases", cases);
}

static void bench_net_free(bench_net *bench)
{
    bench_peak_close(&bench->peak);
    bench_energy_close(&bench->energy);
    bench_samples_free(&bench->peak_gflops);
    bench_samples_free(&bench->copy_gbs);
    bench_samples_free(&bench->launch_us);
    bench_samples_free(&bench->launch_alone_us);
    for (size_t i = 0; i < bench->n_cases; i++) {
        bench_samples_free(&bench->cases[i].images_per_s);
        bench_samples_free(&bench->cases[i].call_ms);
        bench_samples_free(&bench->cases[i].stream_images_per_s);
        meso_stream_close(bench->cases[i].stream);
        bench_layers_close(&bench->cases[i].layers);
    }
    bench_work_close(&bench->work);
}

static meso_status measure(bench_net *bench, meso_error *error)
{
    for (size_t i = 0; i < bench->n_cases; i++) {
        bench_case *c = &bench->cases[i];
        MESO_CHECK(warm_up(bench, c, error));
        tool_child_step();
        if (!bench->work.spec->layers)
            continue;
        tool_child_announce(BENCH_PATIENCE);
        if (bench->work.model)
            MESO_CHECK(open_stream(bench, c, error));
        bench->step_started = meso_seconds();
        MESO_CHECK(bench_layers_open(&bench->work, c->batch, c->n_calls, bench->n_rounds,
                                     &c->layers, error));
        end_step(bench);
    }
    for (size_t i = 0; i < bench->n_rounds; i++) {
        MESO_CHECK(run_round(bench, error));
        tool_child_step();
    }
    return MESO_OK;
}

meso_status bench_net_run(const bench_spec *spec, json_t **found, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_device *device = NULL;
    bench_net bench = {0};
    *found = NULL;
    MESO_TRY(meso_device_open(spec->device, &device, error));
    tool_say_compiling();
    bench_energy_open(meso_device_get_info(device), &bench.energy);
    MESO_TRY(prepare(&bench, spec, device, error));
    if (!spec->check_only)
        MESO_TRY(measure(&bench, error));
    *found = found_json(&bench);
    MESO_REQUIRE_MEMORY(*found, error);
out:
    bench_net_free(&bench);
    meso_device_close(device);
    return status;
}

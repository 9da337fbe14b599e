/* SPDX-License-Identifier: Apache-2.0
 *
 * Every device has its process; all begin at one time, which the machine's clock tells each.
 */
#include "together.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "child.h"
#include "measure/work.h"
#include "mesocl/device.h"
#include "report/report_json.h"

enum { most_jobs = 64 };

static const double stream_seconds = 2; /* that the stream takes, as far as rates tell */

static void wait_until(double time)
{
    while (meso_seconds() < time)
        ; /* awake: a thread that sleeps is late */
}

/* Warm before `begin`, then `batches` calls. The answer: when the last of them had ended. */
static meso_status run_share(const bench_spec *spec, double begin, json_int_t batches, double *end,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_device *device = NULL;
    bench_work work = {0};
    MESO_TRY(meso_device_open(spec->device, &device, error));
    MESO_TRY(bench_work_open(spec, device, &work, error));
    for (int i = 0; i < 4 || meso_seconds() < begin - 0.5; i++)
        MESO_TRY(bench_work_call(&work, spec->batches[0], error));
    MESO_REQUIRE(meso_seconds() < begin, error, MESO_ERROR_DEVICE,
                 "was not ready when the stream began");
    tool_child_announce(begin - meso_seconds() + 2 * stream_seconds + 6);
    wait_until(begin);
    for (json_int_t i = 0; i < batches; i++)
        MESO_TRY(bench_work_call(&work, spec->batches[0], error));
    *end = meso_seconds();
out:
    bench_work_close(&work);
    meso_device_close(device);
    return status;
}

meso_status bench_together_child(const json_t *argument, meso_text *answer, meso_error *error)
{
    meso_status status = MESO_OK;
    bench_spec spec;
    double end = 0;
    MESO_TRY(bench_spec_unpack((json_t *)argument, &spec, error));
    MESO_TRY(run_share(&spec, json_number_value(json_object_get(argument, "begin")),
                       json_integer_value(json_object_get(argument, "calls")), &end, error));
    meso_text_format(answer, "[%.9f]", end);
out:
    return status;
}

/* The rate and the way to warmth of a job alone. */
static const json_t *result_of(const bench_plan *plan, const bench_job *job, size_t batch,
                               const json_t *document)
{
    const meso_device_info *device = &plan->drivers->devices[job->device];
    const json_t *result;
    size_t i;
    json_array_foreach(json_object_get(document, "results"), i, result)
    {
        const char *name = json_string_value(json_object_get(result, "device_id"));
        char id[32];
        snprintf(id, sizeof id, "%u:%u", device->platform, device->index);
        if (name && strcmp(name, id) == 0 &&
            (size_t)json_integer_value(json_object_get(result, "batch")) == batch)
            return result;
    }
    return NULL;
}

/* What one device is given, and its process. */
typedef struct share {
    const json_t *alone; /* its result */
    double rate;
    json_int_t calls;
    char *argument;
    char device[32];
    tool_child child;
} share;

static meso_status find_rates(const bench_plan *plan, size_t batch, const json_t *document,
                              share *shares, meso_error *error)
{
    meso_status status = MESO_OK;
    for (size_t i = 0; i < plan->n_jobs; i++) {
        const bench_job *job = &plan->jobs[i];
        shares[i].alone = result_of(plan, job, batch, document);
        shares[i].rate = json_number_value(json_object_get(shares[i].alone, "images_per_s"));
        MESO_REQUIRE(shares[i].rate > 0, error, MESO_ERROR_DEVICE,
                     "%s was not measured alone, so it has no share of the stream",
                     plan->drivers->devices[job->device].name);
    }
out:
    return status;
}

/* Until every process is open and warm, as long as that took before, and twice that. */
static double warm_seconds(const bench_plan *plan, const share *shares)
{
    double longest = 0;
    for (size_t i = 0; i < plan->n_jobs; i++)
        longest = fmax(
            longest, json_number_value(json_object_get(shares[i].alone, "open_seconds")) +
                         json_number_value(json_object_get(shares[i].alone, "first_call_seconds")));
    return 3 + 2 * longest * (double)plan->n_jobs;
}

static meso_status prepare(const bench_plan *plan, size_t i, size_t batch, double begin, share *s,
                           meso_error *error)
{
    meso_status status = MESO_OK;
    const bench_job *job = &plan->jobs[i];
    bench_spec spec = job->spec;
    tool_drivers_local_name(plan->drivers, job->device, s->device);
    spec.device = s->device;
    spec.batches[0] = batch;
    spec.n_batches = 1;
    s->calls = (json_int_t)ceil(stream_seconds * s->rate / (double)batch);
    json_t *document = bench_spec_json(&spec);
    json_object_set_new(document, "begin", json_real(begin));
    json_object_set_new(document, "calls", json_integer(s->calls));
    s->argument = document ? json_dumps(document, JSON_COMPACT) : NULL;
    json_decref(document);
    MESO_REQUIRE_MEMORY(s->argument, error);
    s->child =
        (tool_child){.work = BENCH_CHILD,
                     .vendors = plan->drivers->rows[plan->drivers->owners[job->device]].vendors,
                     .argument = s->argument,
                     .idle_limit = BENCH_IDLE_LIMIT};
out:
    return status;
}

static meso_status read_ends(const bench_plan *plan, const tool_child *children, double *last,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    *last = 0;
    for (size_t i = 0; i < plan->n_jobs; i++) {
        const tool_child *child = &children[i];
        MESO_REQUIRE(child->error.status == MESO_OK && child->answer.bytes, error,
                     MESO_ERROR_DEVICE, "%s: %s", plan->drivers->devices[plan->jobs[i].device].name,
                     child->error.text);
        json_t *answer = json_loads(child->answer.bytes, 0, NULL);
        *last = fmax(*last, json_number_value(json_array_get(answer, 0)));
        json_decref(answer);
    }
out:
    return status;
}

static json_t *together_json(const bench_plan *plan, const share *shares, size_t batch,
                             double seconds)
{
    double images = 0, sum = 0;
    json_t *parts = json_array();
    for (size_t i = 0; i < plan->n_jobs; i++) {
        images += (double)shares[i].calls * (double)batch;
        sum += shares[i].rate;
    }
    for (size_t i = 0; i < plan->n_jobs; i++)
        json_array_append_new(parts,
                              meso_json_number((double)shares[i].calls * (double)batch / images));
    return json_pack("{s:o s:o s:o s:I s:o}", "images_per_s", meso_json_number(images / seconds),
                     "sum_of_parts", meso_json_number(sum), "efficiency",
                     meso_json_number(images / seconds / sum), "batch", (json_int_t)batch, "shares",
                     parts);
}

meso_status bench_together(const bench_plan *plan, json_t *document, meso_error *error)
{
    meso_status status = MESO_OK;
    share shares[most_jobs] = {{0}};
    tool_child children[most_jobs];
    double last, begin;
    MESO_REQUIRE(plan->n_jobs >= 2 && plan->n_jobs <= most_jobs, error, MESO_ERROR_ARGUMENT,
                 "%zu devices: from 2 to %d can work together", plan->n_jobs, most_jobs);
    size_t batch = plan->jobs[0].spec.batches[plan->jobs[0].spec.n_batches - 1];
    MESO_TRY(find_rates(plan, batch, document, shares, error));
    begin = meso_seconds() + warm_seconds(plan, shares);
    for (size_t i = 0; i < plan->n_jobs; i++) {
        MESO_TRY(prepare(plan, i, batch, begin, &shares[i], error));
        children[i] = shares[i].child;
    }
    tool_children_run(children, plan->n_jobs, BENCH_PATIENCE);
    status = read_ends(plan, children, &last, error);
    if (status == MESO_OK)
        json_object_set_new(document, "together", together_json(plan, shares, batch, last - begin));
    for (size_t i = 0; i < plan->n_jobs; i++)
        meso_text_free(&children[i].answer);
out:
    for (size_t i = 0; i < most_jobs; i++)
        free(shares[i].argument);
    return status;
}

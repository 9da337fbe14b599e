/* SPDX-License-Identifier: Apache-2.0
 *
 * Every device has its process; all begin at one time, which the machine's clock tells each.
 */
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_builder.h"
#include "child.h"
#include "measure/work.h"
#include "mesocl/device.h"

enum { most_jobs = 64 };

static const double stream_seconds = 2; /* that the stream takes, as far as rates tell */

static void wait_until(double time)
{
    while (meso_seconds() < time)
        ; /* awake: a thread that sleeps is late */
}

meso_status bench_together_child(const bench_spec *spec, const json_t *question, json_t **answer,
                                 meso_error *error)
{
    meso_status status = MESO_OK;
    const double begin = json_number_value(json_object_get(question, "begin"));
    const json_int_t n_calls = json_integer_value(json_object_get(question, "calls"));
    meso_device *device = NULL;
    bench_work work = {0};
    MESO_TRY(meso_device_open(spec->device, &device, error));
    MESO_TRY(bench_work_open(spec, device, &work, error));
    for (int i = 0; i < 4 || meso_seconds() < begin - 0.5; i++)
        MESO_TRY(bench_work_call(&work, spec->batches[0], error)); /* until all are warm */
    MESO_REQUIRE(meso_seconds() < begin, error, MESO_ERROR_DEVICE,
                 "was not ready when the stream began");
    tool_child_announce(begin - meso_seconds() + 2 * stream_seconds + 6);
    wait_until(begin);
    for (json_int_t i = 0; i < n_calls; i++)
        MESO_TRY(bench_work_call(&work, spec->batches[0], error));
    *answer = json_real(meso_seconds() - begin);
out:
    bench_work_close(&work);
    meso_device_close(device);
    return status;
}

/* The rate and the way to warmth of a job alone. */
static const json_t *result_of(const bench_plan *plan, const bench_job *job, size_t batch,
                               const json_t *document)
{
    const meso_device_info *device = &plan->drivers->devices[job->device];
    const json_t *result;
    size_t i;
    json_array_foreach (json_object_get(document, "results"), i, result) {
        const char *name = json_string_value(json_object_get(result, "device_id"));
        char id[32];
        snprintf(id, sizeof id, "%u:%u", device->platform, device->index);
        if (name && strcmp(name, id) == 0 &&
            (size_t)json_integer_value(json_object_get(result, "batch")) == batch)
            return result;
    }
    return NULL;
}

/* What one device is given. */
typedef struct share {
    const json_t *alone; /* its result */
    double rate;
    json_int_t calls;
} share;

static meso_status find_rates(const bench_plan *plan, size_t batch, const json_t *document,
                              share *shares, meso_error *error)
{
    for (size_t i = 0; i < plan->n_jobs; i++) {
        const bench_job *job = &plan->jobs[i];
        shares[i].alone = result_of(plan, job, batch, document);
        shares[i].rate = json_number_value(json_object_get(shares[i].alone, "images_per_s"));
        MESO_DEMAND(shares[i].rate > 0, error, MESO_ERROR_DEVICE,
                    "%s was not measured alone, so it has no share of the stream",
                    plan->drivers->devices[job->device].name);
    }
    return MESO_OK;
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

/* What the process of a job is asked. */
static json_t *make_question(const bench_plan *plan, size_t i, size_t batch, double begin, share *s)
{
    const bench_job *job = &plan->jobs[i];
    bench_spec spec = job->spec;
    char device[32];
    tool_drivers_local_name(plan->drivers, job->device, device);
    spec.device = device;
    spec.batches[0] = batch;
    spec.n_batches = 1;
    s->calls = (json_int_t)ceil(stream_seconds * s->rate / (double)batch);
    json_t *question = bench_spec_json(&spec);
    json_object_set_new(question, "begin", json_real(begin));
    json_object_set_new(question, "calls", json_integer(s->calls));
    return question;
}

/* *seconds: until the last of all had ended. */
static meso_status run_shares(const bench_plan *plan, size_t batch, share *shares, double *seconds,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    tool_child children[most_jobs] = {{0}};
    json_t *questions[most_jobs] = {0}, *answers[most_jobs] = {0};
    const double begin = meso_seconds() + warm_seconds(plan, shares);
    for (size_t i = 0; i < plan->n_jobs; i++) {
        const size_t owner = plan->drivers->owners[plan->jobs[i].device];
        questions[i] = make_question(plan, i, batch, begin, &shares[i]);
        children[i] = (tool_child){.work = BENCH_CHILD,
                                   .vendors = plan->drivers->rows[owner].vendors,
                                   .idle_limit = BENCH_IDLE_LIMIT};
    }
    tool_children_ask(children, questions, answers, plan->n_jobs, BENCH_PATIENCE);
    *seconds = 0;
    for (size_t i = 0; i < plan->n_jobs; i++) {
        *seconds = fmax(*seconds, json_number_value(answers[i]));
        MESO_REQUIRE(answers[i], error, MESO_ERROR_DEVICE, "%s: %s",
                     plan->drivers->devices[plan->jobs[i].device].name, children[i].error.text);
    }
out:
    for (size_t i = 0; i < plan->n_jobs; i++) {
        json_decref(questions[i]);
        json_decref(answers[i]);
    }
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
    share shares[most_jobs] = {{0}};
    double seconds;
    MESO_DEMAND(plan->n_jobs >= 2 && plan->n_jobs <= most_jobs, error, MESO_ERROR_ARGUMENT,
                "%zu devices: from 2 to %d can work together", plan->n_jobs, most_jobs);
    size_t batch = plan->jobs[0].spec.batches[plan->jobs[0].spec.n_batches - 1];
    MESO_CHECK(find_rates(plan, batch, document, shares, error));
    MESO_CHECK(run_shares(plan, batch, shares, &seconds, error));
    json_object_set_new(document, "together", together_json(plan, shares, batch, seconds));
    return MESO_OK;
}

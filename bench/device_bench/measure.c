/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <stdlib.h>

#include "base/json_builder.h"
#include "child.h"
#include "common.h"
#include "device_bench.h"

meso_status bench_measure_child(json_t *question, json_t **answer, meso_error *error)
{
    meso_status status = MESO_OK;
    bench_spec spec;
    MESO_TRY(bench_spec_unpack(question, &spec, error));
    status = json_object_get(question, "begin")
                 ? bench_together_child(&spec, question, answer, error)
                 : bench_net_run(&spec, answer, error);
out:
    return status;
}

/* PoCL takes the number of its threads from the environment before the first OpenCL call, which the
 * plain path, on the whole device, goes by. */
static void limit_threads(unsigned n)
{
    char number[16];
    snprintf(number, sizeof number, "%u", n);
    if (n > 0)
        setenv("POCL_MAX_PTHREAD_COUNT", number, 1);
    else
        unsetenv("POCL_MAX_PTHREAD_COUNT");
}

/* One job in one process. *found is NULL where it failed: see error. */
static meso_status run_child(const bench_plan *plan, const bench_job *job, int check,
                             json_t **found, meso_error *error)
{
    char device[32];
    bench_spec spec = job->spec;
    const tool_driver *driver = &plan->drivers->rows[plan->drivers->owners[job->device]];
    tool_drivers_local_name(plan->drivers, job->device, device);
    spec.device = device;
    spec.check = check;
    json_t *document = bench_spec_json(&spec);
    tool_child child = {.work = BENCH_CHILD,
                        .vendors = driver->vendors,
                        .idle_limit = BENCH_IDLE_LIMIT,
                        .progress = plan->progress};
    limit_threads(spec.n_threads);
    tool_children_ask(&child, &document, found, 1, BENCH_PATIENCE);
    json_decref(document);
    *error = child.error;
    return child.error.status;
}

/* "0:1", which also tells two devices of one name apart. */
static json_t *device_id(const bench_plan *plan, const bench_job *job)
{
    const meso_device_info *device = &plan->drivers->devices[job->device];
    return json_sprintf("%u:%u", device->platform, device->index);
}

static json_t *failure_json(const bench_plan *plan, const bench_job *job, const meso_error *error)
{
    const meso_device_info *device = &plan->drivers->devices[job->device];
    return json_pack("{s:o s:s s:s s:o s:i}", "device", meso_json_text(device->name), "net",
                     job->spec.net, "direction", job->spec.train ? "train" : "predict", "reason",
                     meso_json_text(error->text), "exit_code",
                     meso_status_exit_code(error->status));
}

size_t bench_plan_n_steps(const bench_plan *plan)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->n_jobs; i++)
        n += bench_net_n_steps(&plan->jobs[i].spec);
    return n * plan->n_processes;
}

/* Of every process on the device of one job, in the order they ran. */
static json_t *peaks_beside(const bench_plan *plan, json_t *const *found, const bench_job *job)
{
    json_t *peaks = json_array();
    for (size_t p = 0; p < plan->n_processes; p++)
        for (size_t i = 0; i < plan->n_jobs; i++) {
            json_t *samples = json_object_get(json_array_get(found[i], p), "peak_samples");
            if (samples && plan->jobs[i].device == job->device)
                json_array_append(peaks, samples);
        }
    return peaks;
}

meso_status bench_measure_plan(const bench_plan *plan, json_t **document, meso_error *error)
{
    meso_status status = MESO_OK;
    json_t **found = calloc(plan->n_jobs + 1, sizeof(json_t *)); /* lists, a process each */
    json_t *failures = json_array();
    size_t n_steps = 0;
    *document = NULL;
    MESO_REQUIRE_MEMORY(found && failures, error);
    for (size_t i = 0; i < plan->n_jobs; i++)
        found[i] = json_array();
    for (size_t p = 0; p < plan->n_processes; p++)
        for (size_t i = 0; i < plan->n_jobs; i++) {
            json_t *one = NULL;
            meso_error reason = {0};
            n_steps += bench_net_n_steps(&plan->jobs[i].spec);
            if (json_array_size(found[i]) < p)
                continue; /* it has failed */
            if (run_child(plan, &plan->jobs[i], p == 0, &one, &reason) == MESO_OK)
                json_array_append_new(found[i], one);
            else
                json_array_append_new(failures, failure_json(plan, &plan->jobs[i], &reason));
            if (plan->progress)
                tool_progress_update(plan->progress, n_steps);
        }
    *document = json_pack("{s:s s:o s:o s:O}", "schema", BENCH_SCHEMA, "devices", json_array(),
                          "results", json_array(), "failures", failures);
    MESO_REQUIRE_MEMORY(*document, error);
    for (size_t i = 0; i < plan->n_jobs; i++) {
        json_t *peaks = peaks_beside(plan, found, &plan->jobs[i]);
        if (json_array_size(found[i]) > 0)
            bench_merge(found[i], device_id(plan, &plan->jobs[i]), peaks, *document);
        json_decref(peaks);
    }
out:
    for (size_t i = 0; found && i < plan->n_jobs; i++)
        json_decref(found[i]);
    free(found);
    json_decref(failures);
    return status;
}

int bench_failures_code(const json_t *document)
{
    const json_t *first = json_array_get(json_object_get(document, "failures"), 0);
    return first ? (int)json_integer_value(json_object_get(first, "exit_code")) : 0;
}

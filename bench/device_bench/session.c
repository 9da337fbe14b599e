/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

#include "measure.h"
#include "mesocl/device.h"
#include "progress.h"
#include "report/report_json.h"
#include "report/report_writer.h"

static void say_failures(const json_t *document)
{
    const json_t *failure;
    size_t i;
    json_array_foreach (json_object_get(document, "failures"), i, failure)
        fprintf(stderr, "%s: %s on %s: %s\n", tool_program_name,
                json_string_value(json_object_get(failure, "net")),
                json_string_value(json_object_get(failure, "device")),
                json_string_value(json_object_get(failure, "reason")));
}

static int write_document(const bench_session *session, const json_t *document)
{
    meso_text out = {0}, page = {0};
    meso_error error = {0};
    if (session->json)
        report_json_write(document, REPORT_JSON_INDENTED, &out);
    else
        bench_output_table(document, session->rows,
                           session->csv        ? BENCH_CSV
                           : session->markdown ? BENCH_MARKDOWN
                                               : BENCH_TEXT,
                           &out);
    int end = tool_print(&out);
    if (end || !session->html)
        return end;
    bench_output_page(document, &page);
    return report_put(&page, session->html, &error) == MESO_OK ? 0 : tool_fail(&error);
}

/* What the whole run has in common; devices, drivers and weights stand in each row. */
static void add_provenance(json_t *document)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%d", BENCH_SEED);
    const report_provenance provenance = {.seed = seed, .command = tool_command()};
    json_object_set_new(document, "provenance", report_provenance_json(&provenance));
}

/* Runs the plan; *document is made, unless that fails. The exit code. */
static int run_plan(const bench_session *session, bench_plan *plan, json_t **document)
{
    tool_progress progress = {.what = "steps", .total = bench_plan_n_steps(plan)};
    meso_error error = {0};
    plan->progress = &progress;
    tool_progress_start(&progress);
    meso_status status = bench_measure_plan(plan, document, &error);
    tool_progress_end(&progress);
    if (status != MESO_OK)
        return tool_fail(&error);
    const int measured = json_array_size(json_object_get(*document, "results")) > 0;
    if (session->together && measured)
        status = bench_together(plan, *document, &error);
    add_provenance(*document);
    say_failures(*document);
    int failed = bench_failures_code(*document), end = failed;
    if (measured) {
        end = write_document(session, *document);
        end = end ? end : failed;
    }
    return status == MESO_OK ? end : tool_fail(&error);
}

/* Each spec on each device that was chosen. */
static meso_status make_jobs(const bench_session *session, const bench_spec *specs, size_t n,
                             bench_plan *plan, meso_error *error)
{
    const size_t n_devices = plan->drivers->n_matches;
    bench_job *jobs = calloc(n * n_devices, sizeof *jobs);
    MESO_DEMAND_MEMORY(jobs, error);
    for (size_t i = 0; i < n * n_devices; i++) {
        jobs[i] = (bench_job){specs[i / n_devices], plan->drivers->matches[i % n_devices]};
        jobs[i].spec.path = session->path;
        jobs[i].spec.n_threads = (unsigned)session->n_threads;
        jobs[i].spec.seconds = session->seconds;
    }
    plan->jobs = jobs;
    plan->n_jobs = n * n_devices;
    return MESO_OK;
}

int bench_session_run(const bench_session *session, const bench_spec *specs, size_t n,
                      json_t **document)
{
    meso_status status = MESO_OK;
    meso_error error = {0};
    tool_drivers drivers = {0};
    bench_plan plan = {.drivers = &drivers, .n_processes = session->n_processes};
    json_t *made = NULL;
    int end = 0;
    MESO_TRY(tool_drivers_find(&drivers, &error));
    MESO_TRY(tool_drivers_ask(&drivers, session->device, 0, &error));
    MESO_TRY(make_jobs(session, specs, n, &plan, &error));
    end = run_plan(session, &plan, &made);
out:
    if (document)
        *document = json_incref(made);
    json_decref(made);
    free(plan.jobs);
    tool_drivers_free(&drivers);
    return status == MESO_OK ? end : tool_fail(&error);
}

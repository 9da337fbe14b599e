/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

#include "measure.h"
#include "mesocl/device.h"
#include "output.h"
#include "progress.h"
#include "report/report_json.h"
#include "report/report_writer.h"

int bench_session_open(bench_session *session)
{
    meso_status status = MESO_OK;
    meso_error error = {0};
    MESO_TRY(tool_drivers_find(&session->drivers, &error));
    MESO_TRY(tool_drivers_ask(&session->drivers, session->device, 0, &error));
out:
    return status == MESO_OK ? -1 : tool_fail(&error);
}

void bench_session_fill(const bench_session *session, bench_spec *spec)
{
    spec->path = session->path;
    spec->n_threads = (unsigned)session->n_threads;
    spec->seconds = session->seconds;
}

int bench_session_add(bench_session *session, const bench_spec *spec)
{
    size_t n = session->n_jobs + session->drivers.n_matches;
    bench_job *jobs = realloc(session->jobs, (n + 1) * sizeof *jobs);
    if (!jobs)
        return 0;
    session->jobs = jobs;
    for (size_t i = 0; i < session->drivers.n_matches; i++)
        jobs[session->n_jobs++] = (bench_job){.spec = *spec, .device = session->drivers.matches[i]};
    return 1;
}

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

int bench_session_run(bench_session *session, json_t **document)
{
    tool_progress progress = {.what = "steps"};
    meso_error error = {0};
    json_t *made = NULL;
    const bench_plan plan = {.drivers = &session->drivers,
                             .jobs = session->jobs,
                             .n_jobs = session->n_jobs,
                             .n_processes = session->n_processes,
                             .progress = &progress};
    progress.total = bench_plan_n_steps(&plan);
    tool_progress_start(&progress);
    meso_status status = bench_measure_plan(&plan, &made, &error);
    tool_progress_end(&progress);
    if (status != MESO_OK)
        return tool_fail(&error);
    if (session->together && json_array_size(json_object_get(made, "results")) > 0)
        status = bench_together(&plan, made, &error);
    add_provenance(made);
    say_failures(made);
    int failed = bench_failures_code(made), end = failed;
    if (json_array_size(json_object_get(made, "results")) > 0) {
        end = write_document(session, made);
        end = end ? end : failed;
    }
    if (status != MESO_OK)
        end = tool_fail(&error);
    if (document)
        *document = made;
    else
        json_decref(made);
    return end;
}

void bench_session_close(bench_session *session)
{
    tool_drivers_free(&session->drivers);
    free(session->jobs);
}

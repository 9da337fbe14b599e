/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench run and report: a study from its plan to its reports.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "common.h"
#include "dataset_bench.h"
#include "drivers.h"
#include "options.h"
#include "runtime/device_list.h"
#include "study_results.h"
#include "study_run.h"

/* Reads what the jobs have left, and writes the reports. */
static int write_reports(db_study *study, int thumbnails)
{
    db_results results = {0};
    meso_error error = {0};
    char path[DB_PATH_SIZE];
    meso_status status = MESO_OK;
    if (!study->lists)
        status = db_study_load(study, &error);
    if (status == MESO_OK)
        status = db_results_create(study, &results, &error);
    if (status == MESO_OK)
        status = db_results_write(&results, thumbnails, &error);
    if (status == MESO_OK) {
        for (size_t i = 0; i < results.sentences.n; i++)
            printf("%s\n", results.sentences.lines[i]);
        printf("\nreport: %s\n", db_study_path(study, path, "study.html"));
        if (results.n_done < results.n_jobs)
            fprintf(stderr, "%s: %zu of %zu jobs are not done: continue with --resume %s\n",
                    tool_program_name, results.n_jobs - results.n_done, results.n_jobs,
                    MESO_PRINTABLE(study->folder));
    }
    db_results_free(&results);
    return status == MESO_OK ? 0 : tool_fail(&error);
}

/* Everything that is missing, then the reports. */
static int go_on(db_study *study, const db_run_options *options)
{
    meso_error error = {0};
    int code = -1;
    unsigned char *done = calloc(study_plan_n_jobs(&study->plan), 1);
    if (!done)
        return 70;
    if (db_study_lock(study, &error) != MESO_OK)
        code = tool_fail(&error);
    tool_interrupt_catch();
    if (code < 0)
        code = db_queue_prepare(study);
    if (code < 0) {
        size_t n = db_queue_done(study, done);
        fprintf(stderr, "%s: %zu of %zu jobs are done\n", tool_program_name, n,
                study_plan_n_jobs(&study->plan));
        code = db_queue_run(study, done, (size_t)options->n_parallel);
    }
    if (code == 75)
        fprintf(stderr, "%s: interrupted; dataset_bench run --resume %s continues\n",
                tool_program_name, MESO_PRINTABLE(study->folder));
    int partial = code == 70; /* what single jobs have not cost is worth a report */
    if (code < 0 || partial) {
        int written = write_reports(study, options->thumbnails);
        code = partial ? code : written;
    }
    free(done);
    return code;
}

/* The plan holds the numbers of a list of devices, so that a job that is resumed runs where it
 * would have run. */
static meso_status fix_devices(study_plan *plan, meso_error *error)
{
    meso_status status = MESO_OK;
    tool_drivers drivers = {0};
    meso_text numbers = {0};
    if (!meso_device_is_list(plan->device))
        return MESO_OK;
    MESO_TRY(tool_drivers_find(&drivers, error));
    MESO_TRY(tool_drivers_ask(&drivers, plan->device, 1, error));
    for (size_t i = 0; i < drivers.n_matches; i++) {
        const meso_device_info *device = &drivers.devices[drivers.matches[i]];
        meso_text_format(&numbers, "%s%u:%u", i ? "," : "", device->platform, device->index);
    }
    MESO_REQUIRE_MEMORY(numbers.bytes && !numbers.out_of_memory, error);
    json_object_set_new(plan->document, "device", json_string(numbers.bytes));
    plan->device = json_string_value(json_object_get(plan->document, "device"));
    MESO_REQUIRE_MEMORY(plan->device, error);
out:
    meso_text_free(&numbers);
    tool_drivers_free(&drivers);
    return status;
}

static meso_status begin(db_run_options *options, db_study *study, int *finished, meso_error *error)
{
    meso_status status = MESO_OK;
    study_plan plan = {0};
    db_sizes sizes;
    if (options->resume)
        return db_study_open(options->resume, study, error);
    MESO_TRY(db_run_options_plan(options, &plan, error));
    MESO_TRY(fix_devices(&plan, error));
    MESO_TRY(db_study_check(&plan, &sizes, error));
    *finished = options->dry_run;
    if (options->dry_run)
        status = db_study_dry_run(&plan, &sizes, error);
    else
        status = db_study_create(options->output, &plan, study, error);
out:
    study_plan_free(&plan);
    return status;
}

int db_cmd_run(int argc, char **argv)
{
    db_run_options options = {.overrides = json_object()};
    db_study study = {0};
    meso_error error = {0};
    int finished = 0;
    int code = db_run_options_parse(argc, argv, &options);
    if (code < 0 && begin(&options, &study, &finished, &error) != MESO_OK)
        code = tool_fail(&error);
    if (code < 0)
        code = finished ? 0 : go_on(&study, &options);
    db_study_close(&study);
    db_run_options_free(&options);
    return code;
}

static const char about[] =
    "Writes the reports of a study again, from what is stored in its folder:\n"
    "study_result.json, study_result.csv, study.md and study.html. Nothing is\n"
    "trained or scanned.";

static const char examples[] = "dataset_bench report study";

int db_cmd_report(int argc, char **argv)
{
    int thumbnails = 0;
    db_study study = {0};
    meso_error error = {0};
    const tool_option options[] = {
        OPT_FLAG("thumbnails", 0, thumbnails,
                 "show pictures in the report: the worst mistakes; they leave the datasets by it"),
        OPT_END};
    const tool_command_line line = {"report", "[options] FOLDER", about, options, examples, 1, 1};
    int code = tool_options_parse(&line, &argc, argv);
    if (code >= 0)
        return code;
    if (db_study_open(argv[0], &study, &error) != MESO_OK)
        code = tool_fail(&error);
    else
        code = write_reports(&study, thumbnails);
    db_study_close(&study);
    return code;
}

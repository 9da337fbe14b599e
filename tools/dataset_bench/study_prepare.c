/* SPDX-License-Identifier: Apache-2.0
 *
 * Before anything is trained: what is in the datasets, and is it still what it was?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json_builder.h"
#include "common.h"
#include "drivers.h"
#include "progress.h"
#include "study_folder.h"

static meso_status scan(const db_study *study, size_t set, meso_device *device,
                        study_dataset *dataset, meso_error *error)
{
    const study_source *source = study_plan_source(&study->plan, set);
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    study_scan_options scanning = STUDY_SCAN_OPTIONS_INIT;
    meso_dataset files = MESO_INIT(meso_dataset);
    tool_progress progress;
    char cache[DB_PATH_SIZE];
    options.group = source->group;
    options.fake = source->fake;
    options.real = source->real;
    meso_status status = meso_dataset_open(source->path, &options, &files, error);
    if (status != MESO_OK)
        return status;
    tool_tell_passed(source->name, &files);
    scanning.device = device;
    scanning.cache = db_study_path(study, cache, "scans");
    scanning.progress = tool_progress_show;
    scanning.user = &progress;
    progress = (tool_progress){.what = "images", .subject = source->name, .total = files.n_items};
    tool_progress_start(&progress);
    status = study_scan(source->name, source->path, &files, &scanning, dataset, error);
    tool_progress_end(&progress);
    return status;
}

static meso_status check_classes(const study_dataset *scan, meso_error *error)
{
    for (int c = 0; c < 2; c++)
        if (scan->n_usable[c] == 0)
            return meso_fail(
                error, MESO_ERROR_DATA,
                "dataset %s: no %s image of it can be read; dataset_bench check says why",
                scan->name, c == MESO_FAKE ? "fake" : "real");
    return MESO_OK;
}

/* Writes a set's list, or compares it with the one that is there. */
static meso_status keep_list(const db_study *study, size_t set, const study_list *list,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    const char *name = study_plan_source(&study->plan, set)->name;
    char path[DB_PATH_SIZE];
    study_list before = {0};
    db_study_path(study, path, "lists/%s.csv", name);
    if (access(path, F_OK) == 0) {
        MESO_TRY(study_list_read(path, &before, error));
        MESO_TRY(study_list_compare(&before, list, name, error));
        goto out;
    }
    if (set < study->plan.n_train) {
        char used[DB_PATH_SIZE];
        MESO_TRY(study_list_write_manifest(
            list, db_study_path(study, used, "lists/%s.used.csv", name), error));
    }
    MESO_TRY(study_list_write(list, path, error));
out:
    study_list_free(&before);
    return status;
}

static meso_status keep_lists(const db_study *study, const study_dataset *scans,
                              const size_t per_class[2], meso_error *error)
{
    static const size_t all[2] = {(size_t)-1, (size_t)-1};
    meso_status status = MESO_OK;
    for (size_t s = 0; s < study->plan.n_train + study->plan.n_test && status == MESO_OK; s++) {
        study_list list = {0};
        status =
            study_list_create(&scans[s], s < study->plan.n_train ? per_class : all, &list, error);
        if (status == MESO_OK)
            status = keep_list(study, s, &list, error);
        study_list_free(&list);
    }
    return status;
}

/* Facts that are there and can be read are those of these files: keep_lists() has compared them. */
static meso_status keep_facts(const db_study *study, const study_dataset *scans,
                              const size_t per_class[2], meso_error *error)
{
    meso_status status = MESO_OK;
    const study_plan *plan = &study->plan;
    tool_progress progress = {.what = "checks"};
    const study_facts_options options = {
        .n_train = plan->n_train, .progress = tool_progress_show, .user = &progress};
    study_facts facts = {0};
    char path[DB_PATH_SIZE];
    db_study_path(study, path, "facts.json");
    json_t *document = json_load_file(path, 0, NULL);
    if (study_facts_read(document, plan, &facts, NULL) == MESO_OK)
        goto out;
    json_decref(document);
    document = NULL;
    fprintf(stderr, "%s: looking for leakage and shortcuts\n", tool_program_name);
    status = study_facts_create(scans, plan->n_train + plan->n_test, &options, &facts, error);
    tool_progress_end(&progress);
    MESO_TRY(status);
    MESO_TRY(study_facts_transfer(scans, &facts, error));
    for (size_t s = 0; s < plan->n_train; s++)
        for (int c = 0; c < 2; c++)
            if (facts.sets[s].n_used[c] > per_class[c])
                facts.sets[s].n_used[c] = per_class[c];
    document = study_facts_json(&facts, scans);
    MESO_TRY(meso_json_save(document, JSON_COMPACT, path, error));
out:
    json_decref(document);
    study_facts_free(&facts);
    return status;
}

meso_status db_job_prepare(db_study *study, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n_sets = study->plan.n_train + study->plan.n_test, per_class[2];
    size_t n_usable[2 * STUDY_MAX_SETS][2];
    meso_device *device = NULL;
    tool_selector choice;
    study_dataset *scans = calloc(n_sets, sizeof *scans);
    MESO_REQUIRE_MEMORY(scans, error);
    MESO_TRY(tool_open_first(db_device_selector(&study->plan, 0, choice), &device, error));
    for (size_t s = 0; s < n_sets; s++) {
        MESO_TRY(scan(study, s, device, &scans[s], error));
        MESO_TRY(check_classes(&scans[s], error));
        memcpy(n_usable[s], scans[s].n_usable, sizeof n_usable[s]);
    }
    study_plan_per_class(&study->plan, n_usable, per_class);
    MESO_TRY(keep_lists(study, scans, per_class, error));
    MESO_TRY(keep_facts(study, scans, per_class, error));
out:
    for (size_t s = 0; scans && s < n_sets; s++)
        study_dataset_free(&scans[s]);
    free(scans);
    meso_device_close(device);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "study_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_builder.h"
#include "model/train/run_folder.h"

enum { n_parts = 4 };
static const char *const parts[n_parts] = {"lists", "jobs", "models", "runs"};

const char *db_study_path(const db_study *study, char path[DB_PATH_SIZE], const char *format, ...)
{
    va_list arguments;
    int n = snprintf(path, DB_PATH_SIZE, "%s/", study->folder);
    va_start(arguments, format);
    if (n > 0 && n < DB_PATH_SIZE)
        vsnprintf(path + n, DB_PATH_SIZE - (size_t)n, format, arguments);
    va_end(arguments);
    return path;
}

const char *db_job_path(const db_study *study, size_t job, const char *format,
                        char path[DB_PATH_SIZE])
{
    char name[STUDY_JOB_NAME_SIZE];
    study_job_name(&study->plan, study_plan_job(&study->plan, job), name);
    const char *mark = strstr(format, "%s");
    db_study_path(study, path, "%.*s%s%s", (int)(mark - format), format, name, mark + 2);
    return path;
}

meso_status db_study_open(const char *folder, db_study *study, meso_error *error)
{
    char path[DB_PATH_SIZE];
    *study = (db_study){.folder = folder};
    db_study_path(study, path, "study.json");
    if (access(path, F_OK) != 0)
        return meso_fail(error, MESO_ERROR_NO_INPUT,
                         "%s: no study is there (no study.json); of a run: mesocl report",
                         MESO_PRINTABLE(folder));
    return study_plan_read(path, NULL, &study->plan, error);
}

static void add_name(meso_text *names, const char *format, const char *name)
{
    const char *mark = strstr(format, "%s");
    meso_text_format(names, "%.*s%s%s", (int)(mark - format), format, name, mark + 2);
    meso_text_add_n(names, "", 1);
}

/* Everything that the plan of the study there leads to. */
static meso_status study_names(const char *folder, meso_text *names, meso_error *error)
{
    static const char *const own[] = {
        "study.json",        "facts.json",       "lock",     "scans/[0-9a-f]*.scan",
        "study_result.json", "study_result.csv", "study.md", "study.html"};
    static const char *const of_set[] = {"lists/%s.csv", "lists/%s.used.csv"};
    static const char *const of_job[] = {"jobs/%s.json", "jobs/%s.log", "models/%s.safetensors"};
    meso_status status = MESO_OK;
    db_study study = {0};
    char run[STUDY_JOB_NAME_SIZE + 64], name[STUDY_JOB_NAME_SIZE];
    MESO_TRY(db_study_open(folder, &study, error));
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        meso_text_add_n(names, own[i], strlen(own[i]) + 1);
    for (size_t s = 0; s < study.plan.n_train + study.plan.n_test; s++)
        for (size_t i = 0; i < sizeof of_set / sizeof of_set[0]; i++)
            add_name(names, of_set[i], study_plan_source(&study.plan, s)->name);
    for (size_t job = 0; job < study_plan_n_jobs(&study.plan); job++) {
        study_job_name(&study.plan, study_plan_job(&study.plan, job), name);
        for (size_t i = 0; i < sizeof of_job / sizeof of_job[0]; i++)
            add_name(names, of_job[i], name);
        for (const char *const *file = meso_run_names; *file; file++) {
            snprintf(run, sizeof run, "runs/%%s/%s", *file);
            add_name(names, run, name);
        }
    }
out:
    db_study_close(&study);
    return status;
}

const tool_result db_study_result = {"a study", "continue it with --resume, choose another folder",
                                     study_names};

meso_status db_study_create(const char *folder, study_plan *plan, db_study *study,
                            meso_error *error)
{
    char path[DB_PATH_SIZE];
    *study = (db_study){.folder = folder, .plan = *plan};
    *plan = (study_plan){0};
    MESO_CHECK(tool_result_begin(folder, &db_study_result, error));
    MESO_CHECK(meso_folder_make(folder, error));
    for (size_t i = 0; i < n_parts; i++)
        MESO_CHECK(meso_folder_make(db_study_path(study, path, "%s", parts[i]), error));
    /* The last: a folder with a plan is a study. */
    MESO_CHECK(meso_json_save(study->plan.document, JSON_INDENT(2),
                              db_study_path(study, path, "study.json"), error));
    return tool_result_end(error);
}

/* Do leaks name images that are there? */
static int facts_fit_lists(const db_study *study)
{
    int fit = 1;
    for (size_t i = 0; i < study->facts.n_pairs; i++) {
        const study_pair_facts *pair = &study->facts.pairs[i];
        for (size_t k = 0; k < pair->leaks.n; k++)
            fit &= pair->leaks.pairs[k].a < study->lists[pair->a].files.n_items &&
                   pair->leaks.pairs[k].b < study->lists[pair->b].files.n_items;
    }
    return fit;
}

meso_status db_study_load(db_study *study, meso_error *error)
{
    meso_status status = MESO_OK;
    char path[DB_PATH_SIZE];
    size_t n_sets = study->plan.n_train + study->plan.n_test;
    json_t *document = NULL;
    study->lists = calloc(n_sets, sizeof *study->lists);
    MESO_REQUIRE_MEMORY(study->lists, error);
    for (size_t s = 0; s < n_sets; s++)
        MESO_TRY(study_list_read(
            db_study_path(study, path, "lists/%s.csv", study_plan_source(&study->plan, s)->name),
            &study->lists[s], error));
    MESO_TRY(meso_json_read(db_study_path(study, path, "facts.json"), &document, error));
    MESO_TRY(study_facts_read(document, &study->plan, &study->facts, error));
    MESO_REQUIRE(facts_fit_lists(study), error, MESO_ERROR_DATA,
                 "%s: does not fit the lists of this study; remove it and --resume",
                 MESO_PRINTABLE(path));
out:
    json_decref(document);
    return status;
}

void db_study_close(db_study *study)
{
    for (size_t s = 0; study->lists && s < study->plan.n_train + study->plan.n_test; s++)
        study_list_free(&study->lists[s]);
    free(study->lists);
    study_facts_free(&study->facts);
    study_plan_free(&study->plan);
    *study = (db_study){0};
}

/* Files that a killed process had not finished. */
static void sweep(const char *folder)
{
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;
    while (open_folder && (entry = readdir(open_folder))) {
        size_t n = strlen(entry->d_name);
        if (n > 4 && strcmp(entry->d_name + n - 4, ".tmp") == 0)
            unlinkat(dirfd(open_folder), entry->d_name, 0);
    }
    if (open_folder)
        closedir(open_folder);
}

meso_status db_study_lock(const db_study *study, meso_error *error)
{
    char path[DB_PATH_SIZE];
    /* Never closed: the lock goes with the process. */
    int fd = open(db_study_path(study, path, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return meso_fail(error, MESO_ERROR_CREATE, "%s: %s", MESO_PRINTABLE(path), strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return meso_fail(error, MESO_ERROR_CREATE,
                         "%s: another process is working on this study; wait for it",
                         MESO_PRINTABLE(study->folder));
    for (size_t i = 0; i < n_parts; i++)
        sweep(db_study_path(study, path, "%s", parts[i]));
    sweep(study->folder);
    return MESO_OK;
}

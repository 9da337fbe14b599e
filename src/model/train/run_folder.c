/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/run_folder.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fields.h"
#include "base/file.h"
#include "base/json_builder.h"
#include "data/list/builder.h"
#include "data/list/csv.h"
#include "data/list/group.h"

const char *const meso_run_names[] = {"best.safetensors",
                                      "last.safetensors",
                                      "checkpoint-[0-9]*[0-9].safetensors",
                                      "config.json",
                                      "metrics.json",
                                      "validation.csv",
                                      "history.jsonl",
                                      "history.csv",
                                      "events.out.tfevents.*.mesocl.*",
                                      "report.html",
                                      NULL};

int meso_run_writes(const char *name)
{
    for (const char *const *pattern = meso_run_names; *pattern; pattern++)
        if (fnmatch(*pattern, name, 0) == 0)
            return 1;
    return 0;
}

enum { max_file = 1 << 30, n_columns = 5 };

static meso_status path_in(const char *run, const char *name, meso_text *path, meso_error *error)
{
    path->length = 0;
    meso_text_format(path, "%s/%s", run, name);
    return path->out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
}

/* ---- validation.csv ---- */

/* A name as it was before meso_csv_field guarded it. */
static const char *unguarded(const char *field)
{
    return field + (field[0] == '\'');
}

static meso_status take_row(meso_run_folder *f, const meso_csv *csv, meso_list_builder *builder,
                            meso_error *error)
{
    char *const *field = csv->fields;
    const size_t n = f->n_scores;
    const int real = csv->n_fields == n_columns && strcmp(field[1], "real") == 0;
    MESO_DEMAND(
        csv->n_fields == n_columns && (real || strcmp(field[1], "fake") == 0) &&
            meso_read_number(field[3], &f->p_fake[n]) &&
            meso_read_number(field[4], &f->p_real[n]) && f->p_real[n] >= 0 && f->p_real[n] <= 1,
        error, MESO_ERROR_DATA, "%s:%zu: not a row of validation.csv", csv->name, csv->line);
    MESO_CHECK(
        meso_list_add(builder, unguarded(field[0]), real ? MESO_REAL : MESO_FAKE, field[2], error));
    f->real[f->n_scores++] = (unsigned char)real;
    return MESO_OK;
}

/* A group's number is the row of its first picture. */
static meso_status number_groups(meso_run_folder *f, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_groups groups = {0};
    MESO_TRY(meso_groups_create(&f->files, 0, &groups, error));
    if (groups.n == 0 || (groups.n == 1 && !groups.groups[0].name[0])) /* the column is empty */
        goto out;
    MESO_REQUIRE_MEMORY(f->group = calloc(f->n_scores, sizeof *f->group), error);
    for (size_t i = 0; i < f->n_scores; i++)
        f->group[i] = groups.groups[groups.of_item[i]].first;
out:
    meso_groups_free(&groups);
    return status;
}

static meso_status read_scores(const char *path, meso_run_folder *f, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_list_builder builder = {&f->files, 0};
    void *bytes = NULL;
    size_t n = 0, n_lines = 1;
    meso_csv csv;
    MESO_TRY(meso_file_read(path, max_file, &bytes, &n, NULL, error));
    for (size_t i = 0; i < n; i++)
        n_lines += ((char *)bytes)[i] == '\n';
    f->p_real = calloc(n_lines, sizeof *f->p_real);
    f->p_fake = calloc(n_lines, sizeof *f->p_fake);
    f->real = calloc(n_lines, 1);
    MESO_REQUIRE_MEMORY(f->p_real && f->p_fake && f->real, error);
    meso_csv_start(&csv, bytes, n, MESO_PRINTABLE(path));
    MESO_TRY(meso_csv_next(&csv, error)); /* the header */
    MESO_TRY(meso_csv_next(&csv, error));
    while (csv.n_fields > 0) {
        MESO_TRY(take_row(f, &csv, &builder, error));
        MESO_TRY(meso_csv_next(&csv, error));
    }
    MESO_TRY(number_groups(f, error));
out:
    free(bytes);
    return status;
}

/* ---- the whole ---- */

meso_status meso_run_folder_read(const char *run, meso_run_folder *f, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    *f = (meso_run_folder){0};
    MESO_TRY(path_in(run, "config.json", &path, error));
    MESO_TRY(meso_json_read(path.bytes, &f->config, error));
    MESO_TRY(path_in(run, "history.jsonl", &path, error));
    if (access(path.bytes, F_OK) == 0) /* not before the first epoch's end */
        MESO_TRY(meso_history_read(path.bytes, 0, &f->history, error));
    MESO_TRY(path_in(run, "metrics.json", &path, error));
    if (access(path.bytes, F_OK) != 0) /* the run is not complete */
        goto out;
    MESO_TRY(meso_json_read(path.bytes, &f->metrics, error));
    MESO_TRY(path_in(run, "validation.csv", &path, error));
    MESO_TRY(read_scores(path.bytes, f, error));
out:
    meso_text_free(&path);
    return status;
}

void meso_run_folder_free(meso_run_folder *f)
{
    meso_dataset_close(&f->files);
    free(f->p_real);
    free(f->p_fake);
    free(f->real);
    free(f->group);
    meso_history_free(&f->history);
    json_decref(f->config);
    json_decref(f->metrics);
    *f = (meso_run_folder){0};
}

meso_scores meso_run_folder_scores(const meso_run_folder *f)
{
    return (meso_scores){f->p_real, f->p_fake, f->real, f->group, f->n_scores};
}

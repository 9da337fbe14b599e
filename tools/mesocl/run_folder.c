/* SPDX-License-Identifier: Apache-2.0 */
#include "run_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "data/list/csv.h"
#include "model/train/settings.h"
#include "report/report_number.h"

enum { max_json = 1 << 24, max_csv = 1 << 30, n_columns = 5 };

static meso_status path_in(const char *run, const char *name, meso_text *path, meso_error *error)
{
    path->length = 0;
    meso_text_format(path, "%s/%s", run, name);
    return path->out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
}

static meso_status read_json(const char *path, json_t **json, meso_error *error)
{
    meso_status status = MESO_OK;
    json_error_t fault;
    void *bytes = NULL;
    size_t n = 0;
    MESO_TRY(meso_file_read(path, max_json, &bytes, &n, NULL, error));
    *json = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &fault);
    MESO_REQUIRE(json_is_object(*json), error, MESO_ERROR_DATA, "%s:%d: no JSON object: %s",
                 MESO_PRINTABLE(path), fault.line, MESO_PRINTABLE(fault.text));
out:
    free(bytes);
    return status;
}

/* Epochs until the first line that is none. */
static size_t count_lines(const char *path)
{
    void *bytes = NULL;
    size_t n = 0, lines = 0;
    if (meso_file_read(path, max_json, &bytes, &n, NULL, NULL) == MESO_OK)
        for (size_t i = 0; i < n; i++)
            lines += ((char *)bytes)[i] == '\n';
    free(bytes);
    return lines;
}

/* ---- validation.csv ----------------------------------------------------------------------------
 */

/* A name as it was before report_csv_text guarded it. */
static const char *unguarded(const char *field)
{
    return field + (field[0] == '\'');
}

static meso_status grow(tool_run_folder *f, size_t capacity, meso_error *error)
{
    meso_status status = MESO_OK;
    tool_run_row *rows = realloc(f->rows, capacity * sizeof *rows);
    f->rows = rows ? rows : f->rows;
    double *p_real = realloc(f->p_real, capacity * sizeof *p_real);
    f->p_real = p_real ? p_real : f->p_real;
    double *p_fake = realloc(f->p_fake, capacity * sizeof *p_fake);
    f->p_fake = p_fake ? p_fake : f->p_fake;
    unsigned char *real = realloc(f->real, capacity);
    f->real = real ? real : f->real;
    size_t *group = realloc(f->group, capacity * sizeof *group);
    f->group = group ? group : f->group;
    MESO_REQUIRE(rows && p_real && p_fake && real && group, error, MESO_ERROR_MEMORY,
                 "out of memory");
out:
    return status;
}

/* train writes a group's pictures in order of name, so that equal names of a class mostly follow
 * each other; those that do not are found by looking back. */
static size_t number_of(const tool_run_folder *f, char **names, const char *name)
{
    size_t i = f->n_scores;
    while (i > 0 && strcmp(names[i - 1], name) != 0)
        i--;
    return i > 0 ? f->group[i - 1] : f->n_scores;
}

static int is_row(const meso_csv *csv, tool_run_folder *f, size_t n)
{
    char *const *field = csv->fields;
    if (csv->n_fields != n_columns)
        return 0;
    f->real[n] = strcmp(field[1], "real") == 0;
    return (f->real[n] || strcmp(field[1], "fake") == 0) &&
           meso_read_number(field[3], &f->p_fake[n]) && meso_read_number(field[4], &f->p_real[n]) &&
           f->p_real[n] >= 0 && f->p_real[n] <= 1;
}

static meso_status take_row(tool_run_folder *f, const meso_csv *csv, char **names,
                            meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = f->n_scores;
    MESO_REQUIRE(is_row(csv, f, n), error, MESO_ERROR_DATA, "%s:%zu: not a row of validation.csv",
                 csv->name, csv->line);
    f->group[n] = number_of(f, names, csv->fields[2]);
    names[n] = csv->fields[2]; /* lives in the text */
    f->rows[n] = (tool_run_row){strdup(unguarded(csv->fields[0])), f->group[n]};
    f->n_scores++;
    MESO_REQUIRE_MEMORY(f->rows[n].file, error);
out:
    return status;
}

static meso_status read_scores(const char *path, tool_run_folder *f, meso_error *error)
{
    meso_status status = MESO_OK;
    void *bytes = NULL;
    char **names = NULL;
    size_t n = 0, n_lines = 1;
    int any_group = 0;
    meso_csv csv;
    MESO_TRY(meso_file_read(path, max_csv, &bytes, &n, NULL, error));
    for (size_t i = 0; i < n; i++)
        n_lines += ((char *)bytes)[i] == '\n';
    MESO_REQUIRE_MEMORY(names = calloc(n_lines, sizeof *names), error);
    MESO_TRY(grow(f, n_lines, error));
    meso_csv_start(&csv, bytes, n, MESO_PRINTABLE(path));
    MESO_TRY(meso_csv_next(&csv, error)); /* the header */
    for (;;) {
        MESO_TRY(meso_csv_next(&csv, error));
        if (csv.n_fields == 0)
            break;
        MESO_TRY(take_row(f, &csv, names, error));
        any_group |= names[f->n_scores - 1][0] != '\0';
    }
    if (!any_group) {
        free(f->group);
        f->group = NULL;
    }
out:
    free(names);
    free(bytes);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

meso_status tool_run_folder_read(const char *run, tool_run_folder *f, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    *f = (tool_run_folder){0};
    MESO_TRY(path_in(run, "config.json", &path, error));
    MESO_TRY(read_json(path.bytes, &f->config, error));
    MESO_TRY(path_in(run, "history.jsonl", &path, error));
    if (access(path.bytes, F_OK) == 0) /* not before the first epoch's end */
        MESO_TRY(meso_history_read(path.bytes, count_lines(path.bytes), &f->history, error));
    MESO_TRY(path_in(run, "metrics.json", &path, error));
    if (access(path.bytes, F_OK) != 0) /* the run is not complete */
        goto out;
    MESO_TRY(read_json(path.bytes, &f->metrics, error));
    MESO_TRY(path_in(run, "validation.csv", &path, error));
    MESO_TRY(read_scores(path.bytes, f, error));
out:
    meso_text_free(&path);
    return status;
}

void tool_run_folder_free(tool_run_folder *f)
{
    for (size_t i = 0; i < f->n_scores; i++)
        free(f->rows[i].file);
    free(f->rows);
    free(f->p_real);
    free(f->p_fake);
    free(f->real);
    free(f->group);
    meso_history_free(&f->history);
    json_decref(f->config);
    json_decref(f->metrics);
    *f = (tool_run_folder){0};
}

meso_scores tool_run_folder_scores(const tool_run_folder *f)
{
    return (meso_scores){f->p_real, f->p_fake, f->real, f->group, f->n_scores};
}

const char *tool_run_config_text(const tool_run_folder *f, const char *key)
{
    static char text[REPORT_NUMBER_SIZE];
    const char *dot = strchr(key, '.');
    const json_t *object = f->config;
    if (dot) {
        char first[32];
        snprintf(first, sizeof first, "%.*s", (int)(dot - key), key);
        object = json_object_get(object, first);
        key = dot + 1;
    }
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        return json_string_value(value);
    return json_is_number(value) ? report_exact(json_number_value(value), text) : "";
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs.h"

#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "data/list/passed.h"
#include "model/train/run_folder.h"
#include "model/weights/weights.h"
#include "report/report_writer.h"

enum { most_outputs = 8 };

/* A file by what it is, not by what it is called; one that is not there yet by its folder. */
typedef struct place {
    int known, is_there;
    struct stat info; /* of the folder where it is not there */
    char name[256];   /* in the folder */
} place;

typedef struct output {
    const tool_option *option;
    const char *path;
    place place;
} output;

static output outputs[most_outputs];
static size_t n_outputs;

static place find_place(const char *path)
{
    place p = {0};
    char *folder = strdup(path), *name = strdup(path);
    p.is_there = stat(path, &p.info) == 0;
    p.known = p.is_there || (folder && stat(dirname(folder), &p.info) == 0);
    if (!p.is_there && name)
        snprintf(p.name, sizeof p.name, "%s", basename(name));
    free(folder);
    free(name);
    return p;
}

static int is_same(const place *a, const place *b)
{
    return a->known && b->known && a->info.st_dev == b->info.st_dev &&
           a->info.st_ino == b->info.st_ino && strcmp(a->name, b->name) == 0;
}

/* Is a path below a folder, or the folder itself? */
static int is_within(const char *path, const char *folder)
{
    char *inner = realpath(path, NULL), *outer = realpath(folder, NULL);
    size_t n = outer ? strlen(outer) : 0;
    int within = inner && outer && strncmp(inner, outer, n) == 0 &&
                 (inner[n] == '/' || inner[n] == '\0' || n == 1);
    free(inner);
    free(outer);
    return within;
}

int tool_output_within(const char *path, const char *folder)
{
    struct stat info;
    char *copy = strdup(path);
    const int within = copy && is_within(stat(path, &info) == 0 ? path : dirname(copy), folder);
    free(copy);
    return within;
}

/* Is the output a file of the run whose folder is read? Its report may be replaced. */
static int is_of_run(const output *o, const char *folder)
{
    DIR *dir = o->place.is_there ? opendir(folder) : NULL;
    int found = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat info;
        found |= meso_run_writes(entry->d_name) && strcmp(entry->d_name, "report.html") != 0 &&
                 fstatat(dirfd(dir), entry->d_name, &info, 0) == 0 &&
                 info.st_dev == o->place.info.st_dev && info.st_ino == o->place.info.st_ino;
    }
    if (dir)
        closedir(dir);
    return found;
}

static meso_status refuse(const output *o, const char *why, const char *path, meso_error *error)
{
    return meso_fail(error, MESO_ERROR_CREATE, "--%s %s %s %s: give another name", o->option->name,
                     MESO_PRINTABLE(o->path), why, MESO_PRINTABLE(path));
}

static meso_status check_input(const char *path, meso_error *error)
{
    const char *equals = strchr(path, '=');
    const place input = find_place(path);
    for (const output *o = outputs; o < outputs + n_outputs; o++) {
        if (input.is_there && is_same(&input, &o->place))
            return refuse(o, "is the input", path, error);
        if (o->place.is_there && meso_passed_is_image(o->path) && is_within(o->path, path))
            return refuse(o, "is a picture of the input", path, error); /* --limit hides some */
        if (is_of_run(o, path))
            return refuse(o, "is a file of the input", path, error);
        if (o->option->names == TOOL_NAMES_RESULT && is_within(path, o->path))
            return refuse(o, "holds the input", path, error);
    }
    return equals ? check_input(equals + 1, error) : MESO_OK; /* NAME=FOLDER */
}

static meso_status check_inputs(const tool_command_line *line, char *const *operands, size_t n,
                                meso_error *error)
{
    for (const tool_option *o = line->options; o->name; o++) {
        if (o->names != TOOL_NAMES_INPUT)
            continue;
        if (o->kind == TOOL_OPTION_TEXT && *o->value.text)
            MESO_CHECK(check_input(*o->value.text, error));
        for (size_t i = 0; o->kind == TOOL_OPTION_LIST && i < o->value.list->n; i++)
            MESO_CHECK(check_input(o->value.list->items[i], error));
    }
    for (size_t i = 0; i < n; i++)
        MESO_CHECK(check_input(operands[i], error));
    return MESO_OK;
}

/* What an option writes: NULL where it was not given; "-" of a switch. */
static const char *path_of(const tool_option *option)
{
    if (option->names < TOOL_NAMES_REPORT)
        return NULL;
    if (option->kind == TOOL_OPTION_FLAG)
        return *option->value.flag ? "-" : NULL;
    return *option->value.text;
}

/* One report at most gets standard output. */
static meso_status find_outputs(const tool_command_line *line, meso_error *error)
{
    const tool_option *taken = NULL;
    n_outputs = 0;
    for (const tool_option *o = line->options; o->name; o++) {
        const char *path = path_of(o);
        if (path && strcmp(path, "-") != 0 && n_outputs < most_outputs)
            outputs[n_outputs++] = (output){o, path, find_place(path)};
        if (!path || strcmp(path, "-") != 0)
            continue;
        MESO_DEMAND(o->names == TOOL_NAMES_REPORT, error, MESO_ERROR_ARGUMENT,
                    "--%s does not go to standard output: name a %s", o->name, o->argument);
        MESO_DEMAND(!taken, error, MESO_ERROR_ARGUMENT,
                    "--%s and --%s exclude each other: standard output is one", taken->name,
                    o->name);
        taken = o;
    }
    if (taken && taken->kind != TOOL_OPTION_FLAG)
        report_keep_stdout();
    return MESO_OK;
}

static meso_status check_model(const output *o, meso_error *error)
{
    static const char ending[] = ".safetensors";
    const size_t n_path = strlen(o->path), n_ending = sizeof ending - 1;
    const struct stat *info = &o->place.info;
    unsigned char head[MESO_HEAD_BYTES];
    MESO_DEMAND(n_path > n_ending && strcmp(o->path + n_path - n_ending, ending) == 0, error,
                MESO_ERROR_ARGUMENT, "--%s %s: a model file ends in %s", o->option->name,
                MESO_PRINTABLE(o->path), ending);
    if (!o->place.is_there || !S_ISREG(info->st_mode) || info->st_size == 0)
        return MESO_OK;
    MESO_DEMAND(tool_force, error, MESO_ERROR_CREATE,
                "%s is there already: give another name, or replace it with --force",
                MESO_PRINTABLE(o->path));
    MESO_DEMAND(meso_is_weights(head, meso_file_head(o->path, head, sizeof head)), error,
                MESO_ERROR_CREATE,
                "%s is no model file, so --force does not replace it: give another name, or "
                "remove it",
                MESO_PRINTABLE(o->path));
    return MESO_OK;
}

static meso_status check_output(const output *o, meso_error *error)
{
    const struct stat *at = &o->place.info;
    struct stat to;
    for (const output *other = outputs; other < o; other++)
        if (is_same(&o->place, &other->place))
            return refuse(o, "is the same file as", other->path, error);
    if (o->place.is_there && S_ISREG(at->st_mode) && fstat(1, &to) == 0 &&
        to.st_dev == at->st_dev && to.st_ino == at->st_ino)
        return refuse(o, "is the same file as", "standard output", error);
    if (o->option->names == TOOL_NAMES_RESULT)
        return tool_result_check(o->path, o->option->result, error);
    if (o->option->names == TOOL_NAMES_MODEL)
        MESO_CHECK(check_model(o, error));
    return meso_file_check_output(o->path, error);
}

static void recover(const char *path)
{
    const char *equals = strchr(path, '=');
    tool_result_recover(path);
    if (equals)
        tool_result_recover(equals + 1); /* NAME=FOLDER */
}

/* Every folder that is named, whether it is read or written. */
static void recover_folders(const tool_command_line *line, char *const *operands, size_t n)
{
    for (const tool_option *o = line->options; o->name; o++) {
        const int named = o->names == TOOL_NAMES_INPUT || o->names == TOOL_NAMES_RESULT;
        if (named && o->kind == TOOL_OPTION_TEXT && *o->value.text)
            recover(*o->value.text);
        for (size_t i = 0; named && o->kind == TOOL_OPTION_LIST && i < o->value.list->n; i++)
            recover(o->value.list->items[i]);
    }
    for (size_t i = 0; i < n; i++)
        recover(operands[i]);
}

meso_status tool_outputs_check(const tool_command_line *line, char *const *operands, size_t n,
                               meso_error *error)
{
    recover_folders(line, operands, n);
    MESO_CHECK(find_outputs(line, error));
    if (n_outputs > 0)
        MESO_CHECK(check_inputs(line, operands, n, error));
    for (size_t i = 0; i < n_outputs; i++)
        MESO_CHECK(check_output(&outputs[i], error));
    return MESO_OK;
}

meso_status tool_outputs_spare(const meso_dataset *files, meso_error *error)
{
    for (const output *o = outputs; o < outputs + n_outputs; o++)
        for (size_t i = 0; o->place.is_there && i < files->n_items; i++) {
            const place input = find_place(files->items[i].path);
            MESO_DEMAND(!input.is_there || !is_same(&input, &o->place), error, MESO_ERROR_CREATE,
                        "--%s %s is the picture %s: give another name", o->option->name,
                        MESO_PRINTABLE(o->path), MESO_PRINTABLE(files->items[i].path));
        }
    return MESO_OK;
}

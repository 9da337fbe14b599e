/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/manifest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/unicode.h"
#include "data/list/csv.h"
#include "data/list/group.h"
#include "data/list/labels.h"

enum { column_file, column_label, column_group, column_hash, n_columns };
static const char *const column_names[n_columns] = {"file", "label", "group", "hash"};
static const size_t absent = (size_t)-1;
static const size_t manifest_limit_bytes = (size_t)1 << 30;

typedef struct manifest {
    const meso_dataset_options *options;
    const regex_t *pattern;
    meso_list_builder *builder;
    meso_csv csv;
    const char *names[n_columns]; /* of the columns; the options may call the group otherwise */
    size_t columns[n_columns];    /* position in a record, or absent */
    size_t n_fields;              /* of the header */
    meso_error *error;
} manifest;

/* Fails with "file.csv:line: …". */
#define REQUIRE_LINE(condition, m, format, ...)                             \
    MESO_REQUIRE(condition, (m)->error, MESO_ERROR_DATA, "%s:%zu: " format, \
                 MESO_PRINTABLE((m)->csv.name), (m)->csv.line, __VA_ARGS__)

/* Blanks around names and labels are nobody's; those of a path may be its own. */
static char *trimmed(char *field)
{
    field += strspn(field, " ");
    size_t n = strlen(field);
    while (n > 0 && field[n - 1] == ' ')
        field[--n] = '\0';
    return field;
}

/* As spreadsheets leave it below the last row: ",,". */
static int is_empty(const meso_csv *csv)
{
    for (size_t i = 0; i < csv->n_fields; i++)
        if (*csv->fields[i])
            return 0;
    return 1;
}

static meso_status read_header(manifest *m)
{
    const meso_csv *csv = &m->csv;
    meso_status status = MESO_OK;
    for (size_t c = 0; c < n_columns; c++) {
        m->names[c] = column_names[c];
        m->columns[c] = absent;
    }
    if (m->options->group && !m->pattern)
        m->names[column_group] = m->options->group;
    MESO_TRY(meso_csv_next(&m->csv, m->error));
    m->n_fields = csv->n_fields;
    for (size_t i = 0; i < csv->n_fields; i++)
        for (size_t c = 0; c < n_columns; c++) {
            if (strcasecmp(trimmed(csv->fields[i]), m->names[c]) != 0)
                continue;
            REQUIRE_LINE(m->columns[c] == absent, m, "two columns are called %s",
                         MESO_PRINTABLE(m->names[c]));
            m->columns[c] = i;
        }
    for (size_t c = column_file; c <= column_label; c++)
        REQUIRE_LINE(m->columns[c] != absent, m,
                     "no column is called %s; the first line must name the columns file and label",
                     column_names[c]);
    REQUIRE_LINE(m->names[column_group] == column_names[column_group] ||
                     m->columns[column_group] != absent,
                 m, "no column is called %s; a group pattern would have a parenthesis",
                 MESO_PRINTABLE(m->names[column_group]));
    MESO_REQUIRE(!m->pattern || m->columns[column_group] == absent, m->error, MESO_ERROR_ARGUMENT,
                 "%s has a column group, so a group pattern cannot be used",
                 MESO_PRINTABLE(csv->name));
out:
    return status;
}

/* Without steps that go nowhere, so that one file has one name: "./a//b" is "a/b". ".." stays: it
 * may lead out of a link. */
static void add_path(meso_text *path, const char *file)
{
    size_t length;
    if (*file == '/')
        meso_text_add(path, "/");
    for (; *file; file += length) {
        while (*file == '/' || (file[0] == '.' && file[1] == '/' && file[2]))
            file++;
        length = strcspn(file, "/");
        length += file[length] == '/';
        meso_text_add_n(path, file, length);
    }
}

/* "a\\b.png" of Windows means a/b.png here, unless a file of that very name is there. */
static void turn_backslashes(meso_text *path)
{
    if (!path->bytes || !strchr(path->bytes, '\\') || access(path->bytes, F_OK) == 0)
        return;
    char *turned = strdup(path->bytes);
    for (char *c = turned; c && *c; c++)
        if (*c == '\\')
            *c = '/';
    if (turned && access(turned, F_OK) == 0)
        memcpy(path->bytes, turned, path->length);
    path->out_of_memory |= turned == NULL;
    free(turned);
}

/* Of the file that was added last. Other kinds of hashes are other people's. */
static meso_status add_hash(meso_list_builder *builder, const char *hash, meso_error *error)
{
    enum { n_digits = 32 };
    if (strlen(hash) != n_digits || strspn(hash, "0123456789abcdefABCDEF") != n_digits)
        return MESO_OK;
    return meso_list_copy(builder, hash, n_digits,
                          &builder->dataset->items[builder->dataset->n_items - 1].hash, error);
}

static meso_status add_record(manifest *m)
{
    meso_list_builder *builder = m->builder;
    char **fields = m->csv.fields;
    const char *file = NULL;
    const char *slash = strrchr(m->csv.name, '/');
    const char *group = NULL;
    meso_label label;
    meso_text path = {0}, found = {0};
    meso_status status = MESO_OK;

    REQUIRE_LINE(m->csv.n_fields == m->n_fields, m, "%zu fields where the header has %zu",
                 m->csv.n_fields, m->n_fields);
    file = fields[m->columns[column_file]];
    REQUIRE_LINE(*file, m, "the %s is empty", column_names[column_file]);
    const char *name = trimmed(fields[m->columns[column_label]]);
    label = meso_label_of(name, m->options);
    REQUIRE_LINE(label != MESO_UNLABELLED, m, "the label \"%s\" means neither fake nor real",
                 MESO_PRINTABLE(name));
    if (m->columns[column_group] != absent) {
        group = fields[m->columns[column_group]];
        REQUIRE_LINE(*group, m, "the %s is empty", column_names[column_group]);
    } else if (m->pattern) {
        MESO_TRY(meso_group_find(m->pattern, file, &found, m->error));
        group = found.bytes;
    }
    if (slash && file[0] != '/')
        meso_text_add_n(&path, m->csv.name, (size_t)(slash + 1 - m->csv.name));
    add_path(&path, file);
    turn_backslashes(&path);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, m->error);
    MESO_TRY(meso_list_add(builder, path.bytes, label, group, m->error));
    if (m->columns[column_hash] != absent)
        MESO_TRY(add_hash(builder, fields[m->columns[column_hash]], m->error));
out:
    meso_text_free(&path);
    meso_text_free(&found);
    return status;
}

static int compare_paths(const void *left, const void *right)
{
    const meso_dataset_item *a = left, *b = right;
    return strcmp(a->path, b->path);
}

/* A file in two lines would count twice, or stand in both classes. */
static meso_status check_unique(const manifest *m)
{
    meso_dataset *dataset = m->builder->dataset;
    qsort(dataset->items, dataset->n_items, sizeof *dataset->items, compare_paths);
    for (size_t i = 1; i < dataset->n_items; i++)
        MESO_DEMAND(strcmp(dataset->items[i - 1].path, dataset->items[i].path) != 0, m->error,
                    MESO_ERROR_DATA, "%s: %s is listed twice", MESO_PRINTABLE(m->csv.name),
                    MESO_PRINTABLE(dataset->items[i].path));
    return MESO_OK;
}

meso_status meso_manifest_read(const meso_dataset_options *options, const regex_t *pattern,
                               meso_list_builder *builder, meso_error *error)
{
    manifest m = {.options = options, .pattern = pattern, .builder = builder, .error = error};
    void *bytes = NULL;
    char *text = NULL;
    size_t n;
    meso_status status = MESO_OK;
    MESO_TRY(meso_file_read(options->manifest, manifest_limit_bytes, &bytes, &n, NULL, error));
    text = bytes;
    MESO_TRY(meso_to_utf8(&text, &n, options->manifest, error));
    meso_csv_start(&m.csv, text, n, options->manifest);
    meso_csv_find_separator(&m.csv);
    MESO_TRY(read_header(&m));
    for (;;) {
        MESO_TRY(meso_csv_next(&m.csv, error));
        if (m.csv.n_fields == 0)
            break;
        if (!is_empty(&m.csv))
            MESO_TRY(add_record(&m));
    }
    if (builder->dataset->n_items > 0)
        MESO_TRY(check_unique(&m));
out:
    free(text);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/builder.h"

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

enum { column_file, column_label, column_hash, n_columns };
static const char *const column_names[n_columns] = {"file", "label", "hash"};
static const size_t absent = (size_t)-1;
static const size_t manifest_limit_bytes = (size_t)1 << 30;

typedef struct manifest {
    const meso_dataset_options *options;
    const regex_t *pattern;
    meso_list_builder *builder;
    meso_csv csv;
    size_t columns[n_columns]; /* position in a record, or absent */
    size_t group_columns[meso_group_most_identities], n_group_columns;
    size_t n_fields; /* of the header */
    meso_error *error;
} manifest;

/* Fails with "file.csv:line: …". */
#define REQUIRE_LINE(condition, m, format, ...)                             \
    MESO_REQUIRE(condition, (m)->error, MESO_ERROR_DATA, "%s:%zu: " format, \
                 MESO_PRINTABLE((m)->csv.name), (m)->csv.line, __VA_ARGS__)

#define DEMAND_LINE(condition, m, format, ...)                             \
    MESO_DEMAND(condition, (m)->error, MESO_ERROR_DATA, "%s:%zu: " format, \
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

/* Finds a column by its name, which need not end with a NUL. */
static meso_status find_column(const manifest *m, const char *name, size_t n, size_t *column)
{
    *column = absent;
    for (size_t i = 0; i < m->csv.n_fields; i++) {
        if (strlen(m->csv.fields[i]) != n || strncasecmp(m->csv.fields[i], name, n) != 0)
            continue;
        DEMAND_LINE(*column == absent, m, "two columns are called %s",
                    MESO_PRINTABLE(m->csv.fields[i]));
        *column = i;
    }
    return MESO_OK;
}

/* The columns that the options name, else the one called group if there is one. */
static meso_status find_groups(manifest *m)
{
    const int named = m->options->group && !m->pattern;
    const char *name = named ? m->options->group : "group";
    for (size_t n, column; *name; name += n + (name[n] != 0)) {
        n = strcspn(name, ",");
        MESO_CHECK(find_column(m, name, n, &column));
        DEMAND_LINE(column != absent || !named, m,
                    "no column is called %s; a group pattern would have a parenthesis",
                    MESO_PRINTABLE(name));
        MESO_DEMAND(!m->pattern || column == absent, m->error, MESO_ERROR_ARGUMENT,
                    "%s has a column group, so a group pattern cannot be used",
                    MESO_PRINTABLE(m->csv.name));
        if (column != absent && m->n_group_columns < meso_group_most_identities)
            m->group_columns[m->n_group_columns++] = column;
    }
    return MESO_OK;
}

static meso_status read_header(manifest *m)
{
    MESO_CHECK(meso_csv_next(&m->csv, m->error));
    m->n_fields = m->csv.n_fields;
    for (size_t i = 0; i < m->n_fields; i++)
        m->csv.fields[i] = trimmed(m->csv.fields[i]);
    for (size_t c = 0; c < n_columns; c++) {
        MESO_CHECK(find_column(m, column_names[c], strlen(column_names[c]), &m->columns[c]));
        DEMAND_LINE(m->columns[c] != absent || c == column_hash, m,
                    "no column is called %s; the first line must name the columns file and label",
                    column_names[c]);
    }
    return find_groups(m);
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
    meso_label label;
    meso_text path = {0}, group = {0};
    meso_status status = MESO_OK;

    REQUIRE_LINE(m->csv.n_fields == m->n_fields, m, "%zu fields where the header has %zu",
                 m->csv.n_fields, m->n_fields);
    file = fields[m->columns[column_file]];
    REQUIRE_LINE(*file, m, "the %s is empty", column_names[column_file]);
    const char *name = trimmed(fields[m->columns[column_label]]);
    label = meso_label_of(name, m->options);
    REQUIRE_LINE(label != MESO_UNLABELLED, m, "the label \"%s\" means neither fake nor real",
                 MESO_PRINTABLE(name));
    for (size_t c = 0; c < m->n_group_columns; c++)
        meso_group_join(&group, fields[m->group_columns[c]], strlen(fields[m->group_columns[c]]));
    REQUIRE_LINE(m->n_group_columns == 0 || group.length > 0 || group.out_of_memory, m,
                 "the %s is empty", "group");
    if (m->pattern)
        MESO_TRY(meso_group_find(m->pattern, file, &group, m->error));
    if (slash && file[0] != '/')
        meso_text_add_n(&path, m->csv.name, (size_t)(slash + 1 - m->csv.name));
    add_path(&path, file);
    turn_backslashes(&path);
    meso_path_as_on_disk(&path);
    MESO_REQUIRE_MEMORY(!path.out_of_memory && !group.out_of_memory, m->error);
    MESO_TRY(meso_list_add(builder, path.bytes, label, group.bytes, m->error));
    if (m->columns[column_hash] != absent)
        MESO_TRY(add_hash(builder, fields[m->columns[column_hash]], m->error));
out:
    meso_text_free(&path);
    meso_text_free(&group);
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

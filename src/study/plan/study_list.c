/* SPDX-License-Identifier: Apache-2.0 */
#include "study/plan/study_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv_field.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "data/list/builder.h"
#include "data/list/csv.h"
#include "data/list/group.h"

enum { max_list_bytes = 1 << 30, n_list_columns = 5 };

static const char *const list_columns[n_list_columns] = {"file", "label", "group", "hash", "used"};

/* ---- building ---- */

/* Room for so many rows. */
static meso_status start(study_list *list, size_t n_rows, meso_error *error)
{
    *list = (study_list){.hash = calloc(n_rows + 1, sizeof *list->hash),
                         .used = calloc(n_rows + 1, sizeof *list->used)};
    return list->hash && list->used ? MESO_OK
                                    : meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
}

static meso_status add_row(study_list *list, meso_list_builder *builder,
                           const meso_dataset_item *item, const char *hash, int used,
                           meso_error *error)
{
    size_t n = list->files.n_items;
    MESO_CHECK(meso_list_add(builder, item->path, item->label, item->group, error));
    snprintf(list->hash[n], sizeof list->hash[n], "%.32s", hash);
    list->used[n] = used != 0;
    list->n_used[item->label] += list->used[n];
    list->files.n_class[item->label]++;
    return MESO_OK;
}

/* Numbers the recordings, the fakes' first: one that stands in both classes is two. */
static meso_status number_groups(study_list *list, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_groups groups = {0};
    MESO_TRY(meso_groups_create(&list->files, 1, &groups, error));
    list->group = groups.of_item;
    list->files.n_groups = groups.n;
    groups.of_item = NULL;
out:
    meso_groups_free(&groups);
    return status;
}

/* The list as it stands in its file; or what it says of the dataset itself. */
static void list_text(const study_list *list, int with_use, meso_text *out)
{
    meso_text_add(out, "file,label,group,hash,used\n");
    for (size_t i = 0; i < list->files.n_items; i++) {
        const meso_dataset_item *item = &list->files.items[i];
        meso_csv_exact(item->path, out);
        meso_text_add(out, item->label == MESO_FAKE ? ",fake," : ",real,");
        meso_csv_exact(item->group ? item->group : "", out);
        meso_text_format(out, ",%s,%d\n", list->hash[i], with_use && list->used[i]);
    }
}

/* Groups and the hash of the whole: after the last row. */
static meso_status finish(study_list *list, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text text = {0};
    MESO_TRY(number_groups(list, error));
    list_text(list, 0, &text);
    MESO_REQUIRE_MEMORY(!text.out_of_memory, error);
    meso_hash_hex(text.bytes, text.length, list->content_hash);
out:
    meso_text_free(&text);
    return status;
}

/* ---- from a scan ---- */

typedef struct drawn {
    const uint8_t *hash;
    size_t image;
} drawn;

static int compare_drawn(const void *left, const void *right)
{
    const drawn *a = left, *b = right;
    int order = memcmp(a->hash, b->hash, STUDY_HASH_BYTES);
    return order ? order : (a->image > b->image) - (a->image < b->image);
}

/* Marks the images of one class that take part. */
static meso_status choose(const study_dataset *dataset, meso_label label, size_t per_class,
                          unsigned char *chosen, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = 0;
    drawn *rows = calloc(dataset->files.n_items + 1, sizeof *rows);
    MESO_REQUIRE_MEMORY(rows, error);
    for (size_t i = 0; i < dataset->files.n_items; i++)
        if (dataset->files.items[i].label == label && study_usable(dataset, i))
            rows[n++] = (drawn){dataset->images[i].file_hash, i};
    qsort(rows, n, sizeof *rows, compare_drawn);
    for (size_t i = 0; i < n && i < per_class; i++)
        chosen[rows[i].image] = 1;
out:
    free(rows);
    return status;
}

meso_status study_list_create(const study_dataset *dataset, const size_t per_class[2],
                              study_list *list, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_list_builder builder = {&list->files, 0};
    unsigned char *chosen = calloc(dataset->files.n_items + 1, 1);
    MESO_TRY(start(list, dataset->files.n_items, error));
    MESO_REQUIRE_MEMORY(chosen, error);
    for (int label = 0; label < 2; label++)
        MESO_TRY(choose(dataset, (meso_label)label, per_class[label], chosen, error));
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        char hex[33];
        if (!study_usable(dataset, i))
            continue;
        study_hash_text(dataset->images[i].file_hash, hex);
        MESO_TRY(add_row(list, &builder, &dataset->files.items[i], hex, chosen[i], error));
    }
    MESO_TRY(finish(list, error));
out:
    free(chosen);
    if (status != MESO_OK)
        study_list_free(list);
    return status;
}

/* ---- files ---- */

meso_status study_list_write(const study_list *list, const char *path, meso_error *error)
{
    meso_text text = {0};
    list_text(list, 1, &text);
    return meso_file_write_text(path, &text, error);
}

meso_status study_list_write_manifest(const study_list *list, const char *path, meso_error *error)
{
    meso_text text = {0};
    meso_text_add(&text, list->group ? "file,group,label\n" : "file,label\n");
    for (size_t i = 0; i < list->files.n_items; i++) {
        const meso_dataset_item *item = &list->files.items[i];
        if (!list->used[i])
            continue;
        meso_csv_exact(item->path, &text);
        if (list->group) {
            meso_text_add(&text, ",");
            meso_csv_exact(item->group, &text);
        }
        meso_text_add(&text, item->label == MESO_FAKE ? ",fake\n" : ",real\n");
    }
    return meso_file_write_text(path, &text, error);
}

static meso_status read_row(study_list *list, meso_list_builder *builder, const meso_csv *csv,
                            meso_error *error)
{
    char *const *f = csv->fields;
    const int fake = strcmp(f[1], "fake") == 0;
    if (csv->n_fields != n_list_columns || (!fake && strcmp(f[1], "real") != 0) ||
        strlen(f[3]) != 32)
        return meso_fail(error, MESO_ERROR_DATA, "%s:%zu: not a row that a study has written",
                         csv->name, csv->line);
    const meso_dataset_item item = {f[0], fake ? MESO_FAKE : MESO_REAL, f[2][0] ? f[2] : NULL,
                                    NULL};
    return add_row(list, builder, &item, f[3], f[4][0] == '1', error);
}

static size_t count_lines(const char *bytes, size_t n)
{
    size_t n_lines = 1;
    for (size_t i = 0; i < n; i++)
        n_lines += bytes[i] == '\n';
    return n_lines;
}

meso_status study_list_read(const char *path, study_list *list, meso_error *error)
{
    meso_status status = MESO_OK;
    *list = (study_list){0};
    meso_list_builder builder = {&list->files, 0};
    void *bytes = NULL;
    size_t n = 0;
    meso_csv csv;
    MESO_TRY(meso_file_read(path, max_list_bytes, &bytes, &n, NULL, error));
    MESO_TRY(start(list, count_lines(bytes, n), error));
    meso_csv_start(&csv, bytes, n, MESO_PRINTABLE(path));
    MESO_TRY(meso_csv_next(&csv, error));
    MESO_REQUIRE(csv.n_fields == n_list_columns && strcmp(csv.fields[0], list_columns[0]) == 0,
                 error, MESO_ERROR_DATA, "%s: not a list that a study has written", csv.name);
    MESO_TRY(meso_csv_next(&csv, error));
    while (csv.n_fields > 0) {
        MESO_TRY(read_row(list, &builder, &csv, error));
        MESO_TRY(meso_csv_next(&csv, error));
    }
    MESO_TRY(finish(list, error));
out:
    free(bytes);
    if (status != MESO_OK)
        study_list_free(list);
    return status;
}

void study_list_free(study_list *list)
{
    meso_dataset_close(&list->files);
    free(list->hash);
    free(list->used);
    free(list->group);
    *list = (study_list){0};
}

/* ---- comparing ---- */

meso_status study_list_compare(const study_list *before, const study_list *now, const char *name,
                               meso_error *error)
{
    const meso_dataset_item *a = before->files.items, *b = now->files.items;
    size_t n_a = before->files.n_items, n_b = now->files.n_items, i = 0;
    const char *what = "", *path = "";
    if (strcmp(before->content_hash, now->content_hash) == 0)
        return MESO_OK;
    while (i < n_a && i < n_b && strcmp(a[i].path, b[i].path) == 0 &&
           strcmp(before->hash[i], now->hash[i]) == 0)
        i++;
    if (i < n_a && i < n_b && strcmp(a[i].path, b[i].path) == 0)
        path = a[i].path, what = " was changed";
    else if (i < n_a && (i == n_b || a[i].label < b[i].label || strcmp(a[i].path, b[i].path) < 0))
        path = a[i].path, what = " is gone";
    else if (i < n_b)
        path = b[i].path, what = " is new";
    return meso_fail(error, MESO_ERROR_DATA,
                     "dataset %s has changed since the study began: %zu images were usable, now "
                     "%zu%s%s%s; restore it, or start another study with another -o",
                     name, n_a, n_b, path[0] ? ", " : "", MESO_PRINTABLE(path), what);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * meso_dataset_open and meso_dataset_from_paths: scan or read, then label, group, sort, limit,
 * count.
 */
#include "mesocl/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/structs.h"
#include "base/text.h"
#include "base/unicode.h"
#include "data/list/builder.h"
#include "data/list/group.h"
#include "data/list/labels.h"
#include "data/list/layout.h"
#include "data/list/passed.h"

static int compare_items(const void *left, const void *right)
{
    const meso_dataset_item *a = left, *b = right;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    return strcmp(a->path, b->path);
}

static void sort_items(meso_dataset *dataset, size_t first)
{
    if (dataset->n_items > first)
        qsort(dataset->items + first, dataset->n_items - first, sizeof *dataset->items,
              compare_items);
}

/* Items are sorted: drops what lies behind the first max of each class (0: none), counts classes.
 */
static void limit_classes(meso_dataset *dataset, size_t max)
{
    size_t kept = 0;
    for (size_t i = 0; i < dataset->n_items; i++) {
        meso_label label = dataset->items[i].label;
        if (max && dataset->n_class[label] == max)
            continue;
        dataset->n_class[label]++;
        dataset->items[kept++] = dataset->items[i];
    }
    dataset->n_items = kept;
}

static meso_status scan_classes(const char *root, const meso_dataset_options *options,
                                const regex_t *pattern, meso_list_builder *builder,
                                meso_error *error)
{
    char *folders[2];
    meso_status status = meso_label_folders(root, options, folders, error);
    if (status != MESO_OK)
        return status;
    for (int label = 0; label < 2; label++) {
        size_t first = builder->dataset->n_items;
        MESO_TRY(meso_scan_folder(folders[label], (meso_label)label, builder, error));
        if (pattern)
            MESO_TRY(meso_group_items(pattern, first, strlen(folders[label]) + 1, builder, error));
    }
    const char *const names[2] = {strrchr(folders[0], '/') + 1, strrchr(folders[1], '/') + 1};
    MESO_TRY(meso_scan_beside(root, names, 2, builder, error));
out:
    free(folders[0]);
    free(folders[1]);
    return status;
}

/* For the end of a sentence that says that there are no images. */
static const char *add_passed(const meso_dataset *dataset, meso_text *text)
{
    meso_text said = {0};
    meso_passed_say(dataset, &said);
    meso_text_add(text, said.length ? "; passed over: " : "");
    meso_text_add(text, said.length ? said.bytes : "");
    meso_text_free(&said);
    return text->bytes ? text->bytes : "";
}

/* Nothing can be said about a class without images; what lies there instead may be the reason. */
static meso_status check_classes(const char *source, const meso_dataset *dataset, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n_empty = (dataset->n_class[0] == 0) + (dataset->n_class[1] == 0);
    meso_text text = {0};
    const char *passed = n_empty > 0 ? add_passed(dataset, &text) : "";
    MESO_REQUIRE(n_empty == 0 || dataset->n_unreadable == 0, error, MESO_ERROR_NO_INPUT,
                 "%s: no images, and a folder cannot be read: %s", MESO_PRINTABLE(source),
                 dataset->unreadable);
    MESO_REQUIRE(n_empty < 2, error, MESO_ERROR_NO_INPUT, "%s: no images%s", MESO_PRINTABLE(source),
                 passed);
    for (int label = 0; label < 2; label++)
        MESO_REQUIRE(dataset->n_class[label] > 0, error, MESO_ERROR_DATA,
                     "%s: no images of the class %s%s", MESO_PRINTABLE(source),
                     meso_label_name((meso_label)label), passed);
out:
    meso_text_free(&text);
    return status;
}

static meso_status check_arguments(const char *root, const meso_dataset_options *options,
                                   meso_error *error)
{
    MESO_DEMAND(!root != !options->manifest, error, MESO_ERROR_ARGUMENT,
                "give either a folder or a manifest");
    MESO_DEMAND(!root || *root, error, MESO_ERROR_ARGUMENT, "the folder's name is empty");
    MESO_DEMAND(!options->fake || !options->real || strcmp(options->fake, options->real) != 0,
                error, MESO_ERROR_ARGUMENT, "\"%s\" cannot be the name of both classes",
                MESO_PRINTABLE(options->fake));
    MESO_DEMAND((unsigned)options->layout < MESO_LAYOUT_N, error, MESO_ERROR_ARGUMENT,
                "%d is no layout", (int)options->layout);
    return MESO_OK;
}

/* Which one it is; one that is named is not doubted. */
static meso_status find_layout(const char *root, const meso_dataset_options *options,
                               meso_layout *layout, meso_error *error)
{
    const int others = options->manifest || options->fake || options->real;
    *layout = others ? MESO_LAYOUT_FOLDERS : options->layout;
    MESO_DEMAND(!others || options->layout <= MESO_LAYOUT_FOLDERS, error, MESO_ERROR_ARGUMENT,
                "%s: a layout says itself what is fake and real: no manifest and no class folders "
                "can be given with it",
                MESO_PRINTABLE(options->manifest ? options->manifest : root));
    return *layout == MESO_LAYOUT_AUTO ? meso_layout_find(root, layout, error) : MESO_OK;
}

static int is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

meso_status meso_dataset_open(const char *root, const meso_dataset_options *options,
                              meso_dataset *dataset, meso_error *error)
{
    meso_dataset_options o = MESO_INIT(meso_dataset_options);
    meso_dataset own = {0};
    meso_list_builder builder = {&own, 0};
    meso_groups groups = {0};
    regex_t compiled;
    const regex_t *pattern = NULL;
    meso_status status = MESO_OK;
    MESO_TRY(meso_struct_check(dataset, "meso_dataset", error));
    MESO_TRY(meso_struct_read(&o, sizeof o, options, "meso_dataset_options", error));
    MESO_TRY(check_arguments(root, &o, error));
    if (root && is_file(root))
        o.manifest = root;
    if (o.group && (!o.manifest || strchr(o.group, '('))) {
        MESO_TRY(meso_group_compile(o.group, &compiled, error));
        pattern = &compiled;
    }
    MESO_TRY(find_layout(root, &o, &own.layout, error));
    if (o.manifest)
        MESO_TRY(meso_manifest_read(&o, pattern, &builder, error));
    else if (own.layout != MESO_LAYOUT_FOLDERS)
        MESO_TRY(meso_layout_read(root, own.layout, pattern, &builder, error));
    else
        MESO_TRY(scan_classes(root, &o, pattern, &builder, error));
    sort_items(&own, 0);
    limit_classes(&own, o.max_per_class);
    MESO_TRY(check_classes(o.manifest ? o.manifest : root, &own, error));
    MESO_TRY(meso_groups_create(&own, 1, &groups, error));
    own.n_groups = groups.n;
    meso_struct_write(dataset, &own, sizeof own);
out:
    meso_groups_free(&groups);
    if (pattern)
        regfree(&compiled);
    if (status != MESO_OK)
        meso_dataset_close(&own);
    return status;
}

meso_status meso_dataset_from_paths(const char *const *paths, size_t n, meso_dataset *dataset,
                                    meso_error *error)
{
    meso_dataset own = {0};
    meso_list_builder builder = {&own, 0};
    struct stat info;
    meso_text text = {0}, path = {0};
    meso_status status = MESO_OK;
    MESO_TRY(meso_struct_check(dataset, "meso_dataset", error));
    for (size_t i = 0; i < n; i++) {
        size_t first = own.n_items;
        path.length = 0;
        meso_text_add(&path, paths[i]);
        meso_path_as_on_disk(&path);
        MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
        if (stat(path.bytes, &info) != 0 || !S_ISDIR(info.st_mode)) {
            MESO_TRY(meso_list_add(&builder, path.bytes, MESO_UNLABELLED, NULL, error));
            continue;
        }
        MESO_TRY(meso_scan_folder(path.bytes, MESO_UNLABELLED, &builder, error));
        sort_items(&own, first);
    }
    MESO_REQUIRE(n > 0, error, MESO_ERROR_NO_INPUT, "no files are given");
    MESO_REQUIRE(own.n_items > 0 || own.n_unreadable == 0, error, MESO_ERROR_NO_INPUT,
                 "no images, and a folder cannot be read: %s", own.unreadable);
    MESO_REQUIRE(own.n_items > 0, error, MESO_ERROR_NO_INPUT, "no images in %s%s%s",
                 MESO_PRINTABLE(paths[0]), n > 1 ? " and the other folders" : "",
                 add_passed(&own, &text));
    meso_struct_write(dataset, &own, sizeof own);
out:
    meso_text_free(&text);
    meso_text_free(&path);
    if (status != MESO_OK)
        meso_dataset_close(&own);
    return status;
}

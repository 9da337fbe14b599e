/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/builder.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "data/list/passed.h"

typedef struct folder_id {
    dev_t device;
    ino_t inode;
} folder_id;

typedef struct scan {
    meso_list_builder *builder;
    meso_label label;
    meso_text path;     /* of the folder being read; names are appended and cut off again */
    void *entered;      /* tsearch() tree of folder_id */
    const char *beside; /* images are counted under this name, not taken; NULL: they are taken */
    meso_error *error;
} scan;

static int compare_ids(const void *left, const void *right)
{
    const folder_id *a = left, *b = right;
    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return (a->inode > b->inode) - (a->inode < b->inode);
}

int meso_scan_by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int meso_scan_not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* All but the folder itself and the one above. */
static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* A link may lead anywhere; some file systems do not tell the type without stat. */
static int is_folder(const char *path, unsigned char type)
{
    struct stat info;
    if (type != DT_LNK && type != DT_UNKNOWN)
        return type == DT_DIR;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* *fresh tells whether the folder is entered for the first time. */
static meso_status enter(scan *s, const struct stat *info, int *fresh)
{
    folder_id *id = malloc(sizeof *id);
    void *node = NULL;
    if (id) {
        *id = (folder_id){info->st_dev, info->st_ino};
        node = tsearch(id, &s->entered, compare_ids);
    }
    *fresh = node && *(folder_id **)node == id;
    if (!*fresh)
        free(id);
    return node ? MESO_OK : meso_fail(s->error, MESO_ERROR_MEMORY, "out of memory");
}

static meso_status walk(scan *s);

static meso_status take_file(scan *s, const char *name)
{
    const int is_image = meso_passed_is_image(name);
    if (s->beside)
        return meso_passed_add(s->builder, MESO_PASSED_FOLDER, s->beside, is_image, s->error);
    return is_image ? meso_list_add(s->builder, s->path.bytes, s->label, NULL, s->error)
                    : meso_passed_file(s->builder, name, s->error);
}

static meso_status visit(scan *s, const struct dirent *entry)
{
    size_t length = s->path.length;
    const char *system = meso_passed_system(entry->d_name);
    if (system)
        return s->beside ? MESO_OK
                         : meso_passed_add(s->builder, MESO_PASSED_SYSTEM, system, 1, s->error);
    if (length == 0 || s->path.bytes[length - 1] != '/')
        meso_text_add(&s->path, "/");
    meso_text_add(&s->path, entry->d_name);
    MESO_DEMAND_MEMORY(!s->path.out_of_memory, s->error);
    if (is_folder(s->path.bytes, entry->d_type))
        MESO_CHECK(walk(s));
    else
        MESO_CHECK(take_file(s, entry->d_name));
    s->path.length = length;
    s->path.bytes[length] = '\0';
    return MESO_OK;
}

static void note_unreadable(const scan *s, int error_number)
{
    if (!s->beside)
        meso_list_unreadable(s->builder, s->path.bytes, error_number);
}

/* The folder's names are read and the folder closed before any of its folders is entered: depth
 * costs no file descriptors. A path is at most PATH_MAX long, which bounds the recursion. */
static meso_status walk(scan *s)
{
    struct dirent **entries = NULL;
    struct stat info;
    int n = -1, fresh = 0;
    meso_status status = MESO_OK;
    if (stat(s->path.bytes, &info) != 0) {
        note_unreadable(s, errno);
        goto out;
    }
    MESO_TRY(enter(s, &info, &fresh));
    if (!fresh)
        goto out;
    n = scandir(s->path.bytes, &entries, is_entry, meso_scan_by_name);
    MESO_REQUIRE_MEMORY(n >= 0 || errno != ENOMEM, s->error);
    if (n < 0)
        note_unreadable(s, errno);
    for (int i = 0; i < n; i++)
        MESO_TRY(visit(s, entries[i]));
out:
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return status;
}

static meso_status scan_below(scan *s, const char *folder)
{
    meso_status status = MESO_OK;
    meso_text_add(&s->path, folder);
    MESO_REQUIRE_MEMORY(!s->path.out_of_memory, s->error);
    MESO_TRY(walk(s));
out:
    tdestroy(s->entered, free);
    meso_text_free(&s->path);
    return status;
}

meso_status meso_scan_folder(const char *folder, meso_label label, meso_list_builder *builder,
                             meso_error *error)
{
    scan s = {.builder = builder, .label = label, .error = error};
    return scan_below(&s, folder);
}

static meso_status pass_over(const char *root, const struct dirent *entry,
                             meso_list_builder *builder, meso_error *error)
{
    scan s = {.builder = builder, .error = error};
    meso_text path = {0};
    meso_status status = MESO_OK;
    const char *name = entry->d_name, *system = meso_passed_system(name);
    if (system)
        return meso_passed_add(builder, MESO_PASSED_SYSTEM, system, 1, error);
    meso_text_format(&path, "%s/%s", root, name);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    s.beside = name;
    if (is_folder(path.bytes, entry->d_type))
        status = scan_below(&s, path.bytes);
    else if (meso_passed_is_image(name))
        status = meso_passed_add(builder, MESO_PASSED_FOLDER, ".", 1, error);
    else
        status = meso_passed_file(builder, name, error);
out:
    meso_text_free(&path);
    return status;
}

static int stands_in(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return 1;
    return 0;
}

meso_status meso_scan_beside(const char *root, const char *const *names, size_t n_names,
                             meso_list_builder *builder, meso_error *error)
{
    struct dirent **entries = NULL;
    meso_status status = MESO_OK;
    int n = scandir(root, &entries, is_entry, meso_scan_by_name);
    MESO_DEMAND_MEMORY(n >= 0 || errno != ENOMEM, error);
    for (int i = 0; i < n; i++) {
        if (!stands_in(names, n_names, entries[i]->d_name) && status == MESO_OK)
            status = pass_over(root, entries[i], builder, error);
        free(entries[i]);
    }
    free(entries);
    return status;
}

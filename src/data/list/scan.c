/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/scan.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"

typedef struct folder_id {
    dev_t device;
    ino_t inode;
} folder_id;

typedef struct scan {
    meso_list_builder *builder;
    meso_label label;
    meso_text path; /* of the folder being read; names are appended and cut off again */
    void *entered;  /* tsearch() tree of folder_id */
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

static int is_image_name(const char *name)
{
    static const char *const endings[] = {"jpg", "jpeg", "png", "bmp", "ppm", "pgm", "pnm", "webp"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return 1;
    return 0;
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

static meso_status visit(scan *s, const struct dirent *entry)
{
    size_t length = s->path.length;
    if (length == 0 || s->path.bytes[length - 1] != '/')
        meso_text_add(&s->path, "/");
    meso_text_add(&s->path, entry->d_name);
    MESO_DEMAND_MEMORY(!s->path.out_of_memory, s->error);
    if (is_folder(s->path.bytes, entry->d_type))
        MESO_CHECK(walk(s));
    else if (is_image_name(entry->d_name))
        MESO_CHECK(meso_list_add(s->builder, s->path.bytes, s->label, NULL, s->error));
    s->path.length = length;
    s->path.bytes[length] = '\0';
    return MESO_OK;
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
        meso_list_unreadable(s->builder, s->path.bytes, errno);
        goto out;
    }
    MESO_TRY(enter(s, &info, &fresh));
    if (!fresh)
        goto out;
    n = scandir(s->path.bytes, &entries, meso_scan_not_hidden, meso_scan_by_name);
    MESO_REQUIRE_MEMORY(n >= 0 || errno != ENOMEM, s->error);
    if (n < 0)
        meso_list_unreadable(s->builder, s->path.bytes, errno);
    for (int i = 0; i < n; i++)
        MESO_TRY(visit(s, entries[i]));
out:
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return status;
}

meso_status meso_scan_folder(const char *folder, meso_label label, meso_list_builder *builder,
                             meso_error *error)
{
    scan s = {builder, label, {0}, NULL, error};
    meso_status status = MESO_OK;
    meso_text_add(&s.path, folder);
    MESO_REQUIRE_MEMORY(!s.path.out_of_memory, error);
    MESO_TRY(walk(&s));
out:
    tdestroy(s.entered, free);
    meso_text_free(&s.path);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/layout.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "data/list/group.h"
#include "data/list/labels.h"
#include "data/list/layout_lists.h"
#include "data/list/passed.h"

enum { most_trees = 3, most_matches = 6 };

/* A folder of videos of one class. */
typedef struct tree {
    const char *folder;
    meso_label label;
    const char *pattern; /* the part of a path that is a video's name */
    int video;           /* which of its parentheses is the name, … */
    int identities[2];   /* … and which are identities; 0: none */
} tree;

/* Behind a name may follow a frame's number. */
#define FFPP_END "(__[^/]*)?([_.-][^/]*)?(/|$)"
static const char ffpp_real[] = "(^|/)([0-9]{2,3})" FFPP_END;
static const char ffpp_fake[] = "(^|/)(([0-9]{2,3})_([0-9]{2,3}))" FFPP_END;

/* The first two trees are what a layout is recognised by. */
typedef struct layout {
    const char *name;
    tree trees[most_trees];
    meso_status (*read)(const char *root, json_t *listed, meso_error *error);
    int lists_identities; /* the names of its lists are identities, not videos */
} layout;

static const layout layouts[MESO_LAYOUT_N] = {
    [MESO_LAYOUT_FFPP] = {"FaceForensics++",
                          {{"original_sequences", MESO_REAL, ffpp_real, 2, {2, 0}},
                           {"manipulated_sequences", MESO_FAKE, ffpp_fake, 2, {3, 4}}},
                          meso_layout_pairs,
                          1},
    [MESO_LAYOUT_CELEBDF] =
        {"Celeb-DF",
         {{"Celeb-real", MESO_REAL, "(^|/)((id[0-9]+)_[0-9]+)", 2, {3, 0}},
          {"Celeb-synthesis", MESO_FAKE, "(^|/)((id[0-9]+)_(id[0-9]+)_[0-9]+)", 2, {3, 4}},
          {"YouTube-real", MESO_REAL, "(^|/)([0-9]+)", 2, {2, 0}}},
         meso_layout_tested,
         0},
    [MESO_LAYOUT_DFDC] = {"DFDC", {{0}}, meso_layout_metadata, 0},
};

const char *meso_layout_name(meso_layout which)
{
    return layouts[which].name;
}

/* A dataset while it is read. */
typedef struct reader {
    const char *root;
    const layout *layout;
    meso_list_builder *builder;
    json_t *listed; /* what its lists say; a name is taken out of `missing` when it is seen */
    json_t *missing;
    meso_text group; /* of the image at hand */
    meso_error *error;
} reader;

static int has(const char *root, const char *name)
{
    meso_text path = {0};
    meso_text_format(&path, "%s/%s", root, name);
    const int found = path.bytes && access(path.bytes, F_OK) == 0;
    meso_text_free(&path);
    return found;
}

meso_status meso_layout_find(const char *root, meso_layout *found, meso_error *error)
{
    const meso_dataset_options usual = MESO_INIT(meso_dataset_options);
    char *folders[2];
    meso_status status = meso_label_folders(root, &usual, folders, NULL);
    free(folders[0]);
    free(folders[1]);
    *found = MESO_LAYOUT_FOLDERS;
    for (int i = MESO_LAYOUT_FFPP; status == MESO_ERROR_DATA && i < MESO_LAYOUT_DFDC; i++)
        if (has(root, layouts[i].trees[0].folder) && has(root, layouts[i].trees[1].folder))
            *found = (meso_layout)i;
    if (status == MESO_ERROR_DATA && *found == MESO_LAYOUT_FOLDERS) {
        json_t *listed = json_object();
        /* A metadata.json that is something else is no layout. */
        if (meso_layout_metadata(root, listed, NULL) == MESO_OK && json_object_size(listed) > 0)
            *found = MESO_LAYOUT_DFDC;
        json_decref(listed);
    }
    MESO_DEMAND_MEMORY(status != MESO_ERROR_MEMORY, error);
    return MESO_OK;
}

/* What the lists say of a name, whose identity joins the group; NULL: nothing. */
static const json_t *look_up(reader *r, const char *name, size_t n)
{
    meso_text key = {0};
    const json_t *row = NULL;
    meso_text_add_n(&key, name, n);
    r->group.out_of_memory |= key.out_of_memory;
    if (!key.out_of_memory)
        row = json_object_get(r->listed, key.bytes);
    if (row) {
        const json_t *identity = json_object_get(row, "identity");
        json_object_del(r->missing, key.bytes);
        if (identity)
            meso_group_join(&r->group, json_string_value(identity), json_string_length(identity));
    }
    meso_text_free(&key);
    return row;
}

/* The image's label and group, from its path below the root; MESO_UNLABELLED: it is no video's. */
static meso_label find_listed(reader *r, const char *path)
{
    const json_t *row = NULL;
    for (size_t n; *path && !row; path += n + (path[n] != '\0')) {
        n = strcspn(path, "/");
        const char *dot = memrchr(path, '.', n);
        row = look_up(r, path, n);
        if (!row && dot)
            row = look_up(r, path, (size_t)(dot - path));
    }
    if (!row)
        return MESO_UNLABELLED;
    return json_is_true(json_object_get(row, "fake")) ? MESO_FAKE : MESO_REAL;
}

static meso_label find_named(reader *r, const tree *t, const regex_t *pattern, const char *path)
{
    const int lists_identities = r->layout->lists_identities;
    regmatch_t found[most_matches];
    meso_text video = {0};
    /* Masks bear the names of the videos that they are of. */
    if (strncmp(path, "masks/", 6) == 0 || strstr(path, "/masks/") ||
        regexec(pattern, path, most_matches, found, 0) != 0)
        return MESO_UNLABELLED;
    for (int i = 0; i < 2 && t->identities[i] > 0; i++) {
        const regmatch_t *m = &found[t->identities[i]];
        const size_t n = (size_t)(m->rm_eo - m->rm_so);
        meso_group_join(&r->group, path + m->rm_so, n);
        if (lists_identities)
            look_up(r, path + m->rm_so, n);
    }
    const regmatch_t *m = &found[t->video];
    meso_text_format(&video, "%s/%.*s", t->folder, (int)(m->rm_eo - m->rm_so), path + m->rm_so);
    if (!lists_identities && !video.out_of_memory)
        look_up(r, video.bytes, video.length);
    r->group.out_of_memory |= video.out_of_memory;
    meso_text_free(&video);
    return t->label;
}

/* Labels and groups the images from `first` on; those of no video are counted and left out. */
static meso_status take_images(reader *r, const tree *t, const regex_t *pattern, size_t first,
                               size_t prefix)
{
    meso_dataset *dataset = r->builder->dataset;
    size_t kept = first;
    meso_status status = MESO_OK;
    for (size_t i = first; i < dataset->n_items; i++) {
        meso_dataset_item item = dataset->items[i];
        const char *path = item.path + prefix;
        r->group.length = 0;
        item.label = pattern ? find_named(r, t, pattern, path) : find_listed(r, path);
        MESO_REQUIRE_MEMORY(!r->group.out_of_memory, r->error);
        if (item.label == MESO_UNLABELLED) {
            MESO_TRY(meso_passed_add(r->builder, MESO_PASSED_UNLISTED, t->folder ? t->folder : ".",
                                     1, r->error));
            continue;
        }
        MESO_TRY(
            meso_list_copy(r->builder, r->group.bytes, r->group.length, &item.group, r->error));
        dataset->items[kept++] = item;
    }
    dataset->n_items = kept;
out:
    return status;
}

static meso_status read_tree(reader *r, const tree *t)
{
    const size_t first = r->builder->dataset->n_items;
    const size_t n_root = strlen(r->root);
    meso_text path = {0};
    regex_t pattern;
    meso_status status = MESO_OK;
    const int compiled = t->pattern && regcomp(&pattern, t->pattern, REG_EXTENDED) == 0;
    MESO_REQUIRE_MEMORY(compiled || !t->pattern, r->error);
    meso_text_format(&path, "%s%s%s", r->root, n_root && r->root[n_root - 1] == '/' ? "" : "/",
                     t->folder ? t->folder : "");
    MESO_REQUIRE_MEMORY(!path.out_of_memory, r->error);
    MESO_TRY(meso_scan_folder(path.bytes, t->label, r->builder, r->error));
    MESO_TRY(
        take_images(r, t, compiled ? &pattern : NULL, first, path.length + (t->folder != NULL)));
out:
    if (compiled)
        regfree(&pattern);
    meso_text_free(&path);
    return status;
}

/* The folders that are there. Whatever lies beside them is counted. */
static meso_status read_trees(reader *r)
{
    const char *names[most_trees];
    size_t n = 0;
    const tree *trees = r->layout->trees;
    for (int i = 0; i < most_trees && trees[i].folder; i++) {
        if (!has(r->root, trees[i].folder))
            continue;
        names[n++] = trees[i].folder;
        MESO_CHECK(read_tree(r, &trees[i]));
    }
    MESO_DEMAND(n > 0, r->error, MESO_ERROR_DATA,
                "%s: not laid out as %s: there is neither %s nor %s in it", MESO_PRINTABLE(r->root),
                r->layout->name, trees[0].folder, trees[1].folder);
    return meso_scan_beside(r->root, names, n, r->builder, r->error);
}

meso_status meso_layout_read(const char *root, meso_layout which, const regex_t *pattern,
                             meso_list_builder *builder, meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t first = builder->dataset->n_items, n_root = strlen(root);
    reader r = {.root = root,
                .layout = &layouts[which],
                .builder = builder,
                .listed = json_object(),
                .error = error};
    MESO_REQUIRE_MEMORY(r.listed, error);
    MESO_TRY(r.layout->read(root, r.listed, error));
    r.missing = json_copy(r.listed);
    MESO_REQUIRE_MEMORY(r.missing, error);
    if (which == MESO_LAYOUT_DFDC) {
        MESO_REQUIRE(json_object_size(r.listed) > 0, error, MESO_ERROR_DATA,
                     "%s: not laid out as DFDC: there is no metadata.json in it that names videos",
                     MESO_PRINTABLE(root));
        MESO_TRY(read_tree(&r, &r.layout->trees[0]));
    } else {
        MESO_TRY(read_trees(&r));
    }
    if (json_object_size(r.missing) > 0)
        MESO_TRY(meso_passed_add(builder, MESO_PASSED_MISSING, "videos",
                                 json_object_size(r.missing), error));
    if (pattern)
        MESO_TRY(
            meso_group_items(pattern, first, n_root + (root[n_root - 1] != '/'), builder, error));
out:
    json_decref(r.listed);
    json_decref(r.missing);
    meso_text_free(&r.group);
    return status;
}

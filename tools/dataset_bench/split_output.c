/* SPDX-License-Identifier: Apache-2.0 */
#include "split_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv_field.h"
#include "base/error.h"
#include "base/file.h"
#include "data/list/labels.h"

static const char *const part_names[2] = {"train", "test"};

/* A picture's path as seen from a folder, so that both can be moved together; the whole path where
 * they share nothing but "/". */
static meso_status add_path(const char *picture, const char *folder, int absolute, meso_text *out,
                            meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text from = {0};
    size_t shared = 0;
    char *path = realpath(picture, NULL), *real = realpath(folder, NULL);
    MESO_REQUIRE(path && real, error, MESO_ERROR_IO, "%s: %s", MESO_PRINTABLE(picture),
                 strerror(errno));
    meso_text_format(&from, "%s/", real);
    MESO_REQUIRE_MEMORY(!from.out_of_memory, error);
    for (size_t i = 0; path[i] && path[i] == from.bytes[i]; i++)
        if (path[i] == '/')
            shared = i + 1;
    if (absolute || shared == 1)
        shared = 0;
    for (const char *step = from.bytes + shared; shared && (step = strchr(step, '/')); step++)
        meso_text_add(out, "../");
    meso_text_add(out, path + shared);
    MESO_REQUIRE_MEMORY(!out->out_of_memory, error);
out:
    free(path);
    free(real);
    meso_text_free(&from);
    return status;
}

static meso_status add_line(const study_dataset *dataset, size_t i, int has_groups,
                            const char *folder, int absolute, meso_text *out, meso_error *error)
{
    const meso_dataset_item *item = &dataset->files.items[i];
    meso_status status = MESO_OK;
    meso_text path = {0};
    char hash[2 * STUDY_HASH_BYTES + 1];
    MESO_TRY(add_path(item->path, folder, absolute, &path, error));
    meso_csv_field(path.bytes, out);
    meso_text_format(out, ",%s,", meso_label_name(item->label));
    if (has_groups) {
        meso_csv_field(item->group, out);
        meso_text_add(out, ",");
    }
    study_hash_text(dataset->images[i].file_hash, hash);
    meso_text_format(out, "%s" MESO_CSV_END, hash);
out:
    meso_text_free(&path);
    return status;
}

static meso_status write_list(const study_dataset *dataset, const study_split *split, int part,
                              const char *folder, int absolute, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text out = {0}, path = {0};
    int has_groups = dataset->files.items[0].group != NULL;
    meso_text_format(&path, "%s/%s.csv", folder, part_names[part]);
    meso_text_format(&out, "file,label,%shash" MESO_CSV_END, has_groups ? "group," : "");
    for (size_t i = 0; i < dataset->files.n_items; i++)
        if (study_usable(dataset, i) && split->test[i] == part)
            MESO_TRY(add_line(dataset, i, has_groups, folder, absolute, &out, error));
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    MESO_TRY(meso_file_write_text(path.bytes, &out, error));
out:
    meso_text_free(&path);
    meso_text_free(&out);
    return status;
}

meso_status db_split_lists(const study_dataset *dataset, const study_split *split,
                           const char *folder, int absolute, meso_error *error)
{
    MESO_CHECK(write_list(dataset, split, 0, folder, absolute, error));
    return write_list(dataset, split, 1, folder, absolute, error);
}

/* The file's own name, so that patterns of groups still fit; with its number in front where two
 * files of a class are called so. */
static meso_status link_file(const char *path, const char *folder, int absolute, size_t number,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text link = {0}, target = {0};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    MESO_TRY(add_path(path, folder, absolute, &target, error));
    meso_text_format(&link, "%s/%s", folder, name);
    MESO_REQUIRE_MEMORY(!link.out_of_memory, error);
    int made = symlink(target.bytes, link.bytes);
    if (made != 0 && errno == EEXIST) {
        link.length = 0;
        meso_text_format(&link, "%s/%zu_%s", folder, number, name);
        MESO_REQUIRE_MEMORY(!link.out_of_memory, error);
        made = symlink(target.bytes, link.bytes);
    }
    MESO_REQUIRE(made == 0, error, MESO_ERROR_CREATE, "%s: cannot make this link: %s",
                 MESO_PRINTABLE(link.bytes), strerror(errno));
out:
    meso_text_free(&target);
    meso_text_free(&link);
    return status;
}

static meso_status link_class(const study_dataset *dataset, const study_split *split, int part,
                              int label, const char *folder, int absolute, meso_error *error)
{
    static const char *const class_folders[2] = {"Fake", "Real"};
    meso_status status = MESO_OK;
    meso_text path = {0};
    meso_text_format(&path, "%s/%s", folder, part_names[part]);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    MESO_TRY(meso_folder_make(path.bytes, error));
    meso_text_format(&path, "/%s", class_folders[label]);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    MESO_TRY(meso_folder_make(path.bytes, error));
    for (size_t i = 0; i < dataset->files.n_items; i++)
        if (study_usable(dataset, i) && split->test[i] == part &&
            dataset->files.items[i].label == (meso_label)label)
            MESO_TRY(link_file(dataset->files.items[i].path, path.bytes, absolute, i, error));
out:
    meso_text_free(&path);
    return status;
}

meso_status db_split_links(const study_dataset *dataset, const study_split *split,
                           const char *folder, int absolute, meso_error *error)
{
    for (int part = 0; part < 2; part++)
        for (int label = 0; label < 2; label++)
            MESO_CHECK(link_class(dataset, split, part, label, folder, absolute, error));
    return MESO_OK;
}

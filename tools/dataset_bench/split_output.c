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

static void add_hex(const uint8_t hash[STUDY_HASH_BYTES], meso_text *out)
{
    for (int k = 0; k < STUDY_HASH_BYTES; k++)
        meso_text_format(out, "%02x", hash[k]);
}

static meso_status add_line(const study_dataset *dataset, size_t i, int has_groups, meso_text *out,
                            meso_error *error)
{
    const meso_dataset_item *item = &dataset->files.items[i];
    meso_status status = MESO_OK;
    char *path = realpath(item->path, NULL);
    MESO_REQUIRE(path, error, MESO_ERROR_IO, "%s: %s", MESO_PRINTABLE(item->path), strerror(errno));
    meso_csv_field(path, out);
    meso_text_format(out, ",%s,", meso_label_name(item->label));
    if (has_groups) {
        meso_csv_field(item->group, out);
        meso_text_add(out, ",");
    }
    add_hex(dataset->images[i].file_hash, out);
    meso_text_add(out, MESO_CSV_END);
out:
    free(path);
    return status;
}

static meso_status write_list(const study_dataset *dataset, const study_split *split, int part,
                              const char *folder, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text out = {0}, path = {0};
    int has_groups = dataset->files.items[0].group != NULL;
    meso_text_format(&path, "%s/%s.csv", folder, part_names[part]);
    meso_text_format(&out, "file,label,%shash" MESO_CSV_END, has_groups ? "group," : "");
    for (size_t i = 0; i < dataset->files.n_items; i++)
        if (study_usable(dataset, i) && split->test[i] == part)
            MESO_TRY(add_line(dataset, i, has_groups, &out, error));
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    MESO_TRY(meso_file_write_text(path.bytes, &out, error));
out:
    meso_text_free(&path);
    meso_text_free(&out);
    return status;
}

meso_status db_split_lists(const study_dataset *dataset, const study_split *split,
                           const char *folder, meso_error *error)
{
    MESO_CHECK(write_list(dataset, split, 0, folder, error));
    return write_list(dataset, split, 1, folder, error);
}

/* The file's own name, so that patterns of groups still fit; with its number in front where two
 * files of a class are called so. */
static meso_status link_file(const char *path, const char *folder, size_t number, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text link = {0};
    char *target = realpath(path, NULL);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    MESO_REQUIRE(target, error, MESO_ERROR_IO, "%s: %s", MESO_PRINTABLE(path), strerror(errno));
    meso_text_format(&link, "%s/%s", folder, name);
    MESO_REQUIRE_MEMORY(!link.out_of_memory, error);
    int made = symlink(target, link.bytes);
    if (made != 0 && errno == EEXIST) {
        link.length = 0;
        meso_text_format(&link, "%s/%zu_%s", folder, number, name);
        MESO_REQUIRE_MEMORY(!link.out_of_memory, error);
        made = symlink(target, link.bytes);
    }
    MESO_REQUIRE(made == 0, error, MESO_ERROR_CREATE, "%s: cannot make this link: %s",
                 MESO_PRINTABLE(link.bytes), strerror(errno));
out:
    free(target);
    meso_text_free(&link);
    return status;
}

static meso_status link_class(const study_dataset *dataset, const study_split *split, int part,
                              int label, const char *folder, meso_error *error)
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
            MESO_TRY(link_file(dataset->files.items[i].path, path.bytes, i, error));
out:
    meso_text_free(&path);
    return status;
}

meso_status db_split_links(const study_dataset *dataset, const study_split *split,
                           const char *folder, meso_error *error)
{
    for (int part = 0; part < 2; part++)
        for (int label = 0; label < 2; label++)
            MESO_CHECK(link_class(dataset, split, part, label, folder, error));
    return MESO_OK;
}

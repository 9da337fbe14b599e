/* SPDX-License-Identifier: Apache-2.0
 *
 * A meso_dataset while it grows: the list of items, and the strings that it owns (builder.c). Items
 * come from folders (scan.c) or a manifest (manifest.c).
 */
#ifndef MESO_DATA_BUILDER_H
#define MESO_DATA_BUILDER_H

#include <regex.h>

#include "base/error.h"
#include "mesocl/dataset.h"

/* Starts from {dataset} with *dataset zeroed. Whatever happens, meso_dataset_close frees all of it.
 */
typedef struct meso_list_builder {
    meso_dataset *dataset;
    size_t capacity;
} meso_list_builder;

/* Appends an item; path and group (NULL is allowed) are copied. Errors: MEMORY. */
meso_status meso_list_add(meso_list_builder *builder, const char *path, meso_label label,
                          const char *group, meso_error *error);

/* Copies n bytes of a string into the dataset. Errors: MEMORY. */
meso_status meso_list_copy(meso_list_builder *builder, const char *bytes, size_t n,
                           const char **copy, meso_error *error);

/* Counts a folder that could not be opened; the first is named in the dataset. */
void meso_list_unreadable(meso_list_builder *builder, const char *path, int error_number);

/* A labelled list of files as CSV with a header row: the columns file, label and, if wanted, group
 * and hash, in any order and among others. Labels are class names; paths are relative to the
 * manifest's folder. pattern (NULL is allowed) gives the group where the manifest has no such
 * column; without it options->group, if given, names the columns, separated by commas. Errors:
 * NO_INPUT, IO, DATA (with the line), ARGUMENT (pattern and column group), MEMORY. */
meso_status meso_manifest_read(const meso_dataset_options *options, const regex_t *pattern,
                               meso_list_builder *builder, meso_error *error);

/* Adds every image below folder, by its name's ending; all else is passed over and counted. Links
 * are followed; each folder is entered once, under the name that comes first, so loops end. A
 * folder that cannot be opened is counted in the dataset, `folder` itself included. Errors: MEMORY.
 */
meso_status meso_scan_folder(const char *folder, meso_label label, meso_list_builder *builder,
                             meso_error *error);

/* Counts what lies in root beside n folders of these names. Errors: MEMORY. */
meso_status meso_scan_beside(const char *root, const char *const *names, size_t n,
                             meso_list_builder *builder, meso_error *error);

/* For scandir(): byte order whatever the locale, and no names that begin with a dot. */
struct dirent;
int meso_scan_by_name(const struct dirent **a, const struct dirent **b);
int meso_scan_not_hidden(const struct dirent *entry);

#endif

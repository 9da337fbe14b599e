/* SPDX-License-Identifier: Apache-2.0
 *
 * A meso_dataset while it grows: the list of items, and the strings that it owns.
 */
#ifndef MESO_DATA_BUILDER_H
#define MESO_DATA_BUILDER_H

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

#endif

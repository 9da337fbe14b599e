/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets as they are published: what is fake, and whom an image shows, from the names of folders
 * and videos, and from the lists that lie beside them.
 */
#ifndef MESO_DATA_LAYOUT_H
#define MESO_DATA_LAYOUT_H

#include <regex.h>

#include "data/list/builder.h"

#define MESO_LAYOUT_WORDS "auto|folders|ffpp|celebdf|dfdc"
#define MESO_LAYOUT_HELP                                                                       \
    "how the folder is laid out: class folders, or as FaceForensics++, Celeb-DF or DFDC are, " \
    "with a folder of pictures for each video"

/* "FaceForensics++"; NULL of class folders. */
const char *meso_layout_name(meso_layout layout);

/* The layout of a folder. Where it has both class folders, or nothing is recognised, FOLDERS.
 * Errors: MEMORY. */
meso_status meso_layout_find(const char *root, meso_layout *layout, meso_error *error);

/* Adds its images, labelled and grouped; the group is what the pattern finds where there is one.
 * Errors: DATA (not laid out like this; a list that says something else), MEMORY, IO. */
meso_status meso_layout_read(const char *root, meso_layout layout, const regex_t *pattern,
                             meso_list_builder *builder, meso_error *error);

#endif

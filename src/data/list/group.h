/* SPDX-License-Identifier: Apache-2.0
 *
 * The recording that an image belongs to, from its name by a pattern; and the groups of a dataset.
 */
#ifndef MESO_DATA_GROUP_H
#define MESO_DATA_GROUP_H

#include <regex.h>

#include "base/error.h"
#include "base/text.h"
#include "data/list/builder.h"

/* A POSIX extended regular expression with at least one parenthesis; regfree() it.
 * Errors: ARGUMENT. */
meso_status meso_group_compile(const char *expression, regex_t *pattern, meso_error *error);

/* *group becomes what the first parenthesis matches in name. Errors: DATA (no match, or an empty
 * one), MEMORY. */
meso_status meso_group_find(const regex_t *pattern, const char *name, meso_text *group,
                            meso_error *error);

/* Groups items first … n_items - 1 by the part of their path behind prefix_length bytes. */
meso_status meso_group_items(const regex_t *pattern, size_t first, size_t prefix_length,
                             meso_list_builder *builder, meso_error *error);

/* A name, and the images of each class that bear it. */
typedef struct meso_group {
    const char *name; /* the dataset's */
    size_t first;     /* position of its first image */
    size_t n_class[2];
} meso_group;

/* What belongs together. */
typedef struct meso_groups {
    meso_group *groups; /* in byte order of their names; classes apart: the fakes' first */
    size_t n;           /* 0: not every image has a group */
    size_t *of_item;    /* [n_items] position in groups; NULL without groups */
    size_t n_in_both;   /* groups with images of both classes */
} meso_groups;

/* classes_apart: a name that stands in both classes is two groups. Errors: MEMORY. */
meso_status meso_groups_create(const meso_dataset *dataset, int classes_apart, meso_groups *groups,
                               meso_error *error);
void meso_groups_free(meso_groups *groups); /* frees and zeroes */

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom or what an image shows, from its name by a pattern; and the groups of a dataset. An image
 * may show several identities, as a face swap does: its group is then written "source|target".
 * Images that share one belong together, and so does what a chain of such images links.
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

/* What the option that takes pattern or columns says of itself. */
#define MESO_GROUP_HELP                                                                          \
    "POSIX extended regular expression on the path below the class folder; each parenthesis is " \
    "an identity, such as a recording or a person, and images that share one belong together"
#define MESO_GROUP_COLUMNS_HELP \
    "; for a manifest also the names of its columns, separated by commas, if that is not group"

enum { meso_group_most_identities = 16 };

/* Adds an identity to a group. */
void meso_group_join(meso_text *group, const char *identity, size_t n);

/* *group becomes what the parentheses match in name. Errors: DATA (no match, or nothing but empty
 * ones), MEMORY. */
meso_status meso_group_find(const regex_t *pattern, const char *name, meso_text *group,
                            meso_error *error);

/* Groups items first … n_items - 1 by the part of their path behind prefix_length bytes. */
meso_status meso_group_items(const regex_t *pattern, size_t first, size_t prefix_length,
                             meso_list_builder *builder, meso_error *error);

/* What belongs together. */
typedef struct meso_group {
    const char *name; /* the dataset's: of all that its images bear the first in byte order */
    size_t first;     /* position of its first image */
    size_t n_class[2];
} meso_group;

typedef struct meso_groups {
    meso_group *groups; /* in byte order of their names; classes apart: the fakes' first */
    size_t n;           /* 0: not every image has a group */
    size_t *of_item;    /* [n_items] position in groups; NULL without groups */
    size_t n_in_both;   /* groups with images of both classes */
} meso_groups;

/* classes_apart: an identity that stands in both classes is two. Errors: MEMORY. */
meso_status meso_groups_create(const meso_dataset *dataset, int classes_apart, meso_groups *groups,
                               meso_error *error);

/* Of the images of a, then those of b. */
meso_status meso_groups_of_two(const meso_dataset *a, const meso_dataset *b, meso_groups *groups,
                               meso_error *error);
void meso_groups_free(meso_groups *groups); /* frees and zeroes */

#endif

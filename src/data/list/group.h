/* SPDX-License-Identifier: Apache-2.0
 *
 * The recording that an image belongs to, from its name by a pattern.
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
                             meso_builder *builder, meso_error *error);

/* Different (label, group) pairs among the items; 0 without groups. Errors: MEMORY. */
meso_status meso_group_count(meso_dataset *dataset, meso_error *error);

#endif

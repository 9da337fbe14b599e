/* SPDX-License-Identifier: Apache-2.0
 *
 * A labelled list of files as CSV with a header row: the columns file, label and, if wanted, group
 * and hash, in any order and among others. Labels are class names; paths are relative to the
 * manifest's folder.
 */
#ifndef MESO_DATA_MANIFEST_H
#define MESO_DATA_MANIFEST_H

#include <regex.h>

#include "data/list/builder.h"

/* pattern (NULL is allowed) gives the group where the manifest has no such column; without it
 * options->group, if given, names the columns, separated by commas.
 * Errors: NO_INPUT, IO, DATA (with the line), ARGUMENT (pattern and column group), MEMORY. */
meso_status meso_manifest_read(const meso_dataset_options *options, const regex_t *pattern,
                               meso_list_builder *builder, meso_error *error);

#endif

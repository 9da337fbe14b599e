/* SPDX-License-Identifier: Apache-2.0
 *
 * A split, written: a manifest of each part, or folders of links.
 */
#ifndef MESO_TOOLS_SPLIT_OUTPUT_H
#define MESO_TOOLS_SPLIT_OUTPUT_H

#include "study/check/dataset_split.h"

/* folder/train.csv and folder/test.csv with the columns file, label, group where there are groups,
 * hash (XXH3-128 of the file). Paths, and links below, are relative where file and folder share
 * more than "/", or all absolute. Errors: CREATE, IO, MEMORY. */
meso_status db_split_lists(const study_dataset *dataset, const study_split *split,
                           const char *folder, int absolute, meso_error *error);

/* folder/{train,test}/{Fake,Real}/ with symbolic links to the files. Errors: CREATE, MEMORY. */
meso_status db_split_links(const study_dataset *dataset, const study_split *split,
                           const char *folder, int absolute, meso_error *error);

#endif

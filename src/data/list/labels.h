/* SPDX-License-Identifier: Apache-2.0
 *
 * Which names mean fake and which real, and the folders below a root that bear them.
 */
#ifndef MESO_DATA_LABELS_H
#define MESO_DATA_LABELS_H

#include "base/error.h"
#include "mesocl/dataset.h"

/* "fake", "real". */
const char *meso_label_name(meso_label label);

/* By the names that the options give, letter for letter, else by the tables of mesocl/dataset.h;
 * MESO_UNLABELLED where neither knows it. */
meso_label meso_label_of(const char *name, const meso_dataset_options *options);

/* The path of each class folder below root, malloc'ed; on an error none. Errors: NO_INPUT, DATA
 * (none or several for a class), MEMORY. */
meso_status meso_label_folders(const char *root, const meso_dataset_options *options,
                               char *folders[2], meso_error *error);

#endif

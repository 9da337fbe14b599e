/* SPDX-License-Identifier: Apache-2.0
 *
 * A dataset in two parts, for training and validation.
 */
#ifndef MESO_DATA_SPLIT_H
#define MESO_DATA_SPLIT_H

#include <stdint.h>

#include "base/error.h"
#include "mesocl/dataset.h"

/* Positions in the dataset, ascending. */
typedef struct meso_split {
    size_t *train, *validation;
    size_t n_train, n_validation;
} meso_split;

/* fraction: of each class, 0 ≤ fraction < 1; with 0 all is for training. Errors: DATA (a class is
 * empty, or would be on one side; groups wanted where the dataset has none), ARGUMENT (fraction),
 * MEMORY. */
meso_status meso_split_make(const meso_dataset *dataset, meso_split_kind kind, double fraction,
                            uint64_t seed, meso_split *split, meso_error *error);
void meso_split_free(meso_split *split); /* frees and zeroes */

#endif

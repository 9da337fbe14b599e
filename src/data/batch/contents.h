/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a dataset hold, so that a later reader can tell whether they still do.
 */
#ifndef MESO_DATA_CONTENTS_H
#define MESO_DATA_CONTENTS_H

#include <stdint.h>

#include "base/error.h"
#include "mesocl/dataset.h"
#include "mesocl/image.h"

typedef struct meso_contents {
    uint64_t *hashes;       /* [n] XXH3-64 of each file's bytes */
    meso_refusal *refusals; /* [n] why a file could not be read: not_regular permission vanished io
                               too_large */
    size_t n;
    size_t n_unreadable;
    char hash[33]; /* of labels, groups and contents in the dataset's order; not of names, so that a
                      dataset may move */
} meso_contents;

/* Reads every file once, on threads (0: one for each processor). Errors: MEMORY, IO (no thread
 * could be made), DATA (not the file that the manifest lists). */
meso_status meso_contents_read(const meso_dataset *dataset, size_t n_threads,
                               meso_contents *contents, meso_error *error);
void meso_contents_free(meso_contents *contents); /* frees and zeroes */

#endif

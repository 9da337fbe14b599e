/* SPDX-License-Identifier: Apache-2.0
 *
 * A dataset cut in two, to train on and to test with, so that the test is worth something: what
 * belongs together stays together. Images of one recording do, in whichever class they stand, and
 * so do images that are one picture (study_duplicates()).
 */
#ifndef MESO_STUDY_DATASET_SPLIT_H
#define MESO_STUDY_DATASET_SPLIT_H

#include "study/scan/study_scan.h"

typedef struct study_split {
    unsigned char *test;    /* [n_items] 1: to test with. Refused files are in neither part */
    size_t n_class[2][2];   /* images of [train, test][fake, real] */
    size_t n_units[2];      /* that were dealt out whole: recordings, or sets of equal pictures */
    size_t n_kept_together; /* images that are in a unit because they are one picture */
} study_split;

/* fraction: of each class, for the test; at most that many images, to the last one that fits. The
 * same seed and files give the same split. Errors: DATA (a part would have no image of a class: the
 * largest recording is named), MEMORY. */
meso_status study_split_make(const study_dataset *dataset, double fraction, uint64_t seed,
                             study_split *split, meso_error *error);
void study_split_free(study_split *split);

#endif

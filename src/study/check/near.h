/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures that are one picture, encoded, scaled or mirrored anew.
 */
#ifndef MESO_STUDY_NEAR_H
#define MESO_STUDY_NEAR_H

#include "study/check/pairs.h"
#include "study/scan/study_scan.h"

/* A picture to be compared. */
typedef struct study_near_item {
    const char *path;
    const study_image *image;
    size_t number; /* in its dataset */
    int side;      /* pairs are of side 0 with side 1; all of one side: of any two */
} study_near_item;

/* Sorts items. Candidates come from perceptual hashes; each is verified on the pictures' pixels,
 * which are read again. A picture that cannot be read any more has no pairs. a of a pair is of side
 * 0, or the smaller number. Appends to *pairs, in no order. Errors: MEMORY, IO. */
meso_status study_near_pairs(study_near_item *items, size_t n, study_pairs *pairs,
                             meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Pairs of pictures that are the same (pairs.c), how they are found (duplicates.c), and those among
 * them that are encoded, scaled or mirrored anew (near.c).
 */
#ifndef MESO_STUDY_PAIRS_H
#define MESO_STUDY_PAIRS_H

#include "study/scan/study_scan.h"

/* From the surest to the weakest; a pair is told by the first that holds. */
typedef enum study_pair_kind {
    STUDY_SAME_FILE,      /* byte for byte */
    STUDY_SAME_PIXELS,    /* other bytes, the same picture */
    STUDY_NEAR,           /* the same picture encoded, scaled or mirrored anew */
    STUDY_SAME_RECORDING, /* other pictures of one group; only across datasets */
    STUDY_N_PAIR_KINDS
} study_pair_kind;

const char *study_pair_kind_name(study_pair_kind kind); /* "same_file", … */

/* Images a and b, numbers in their datasets. */
typedef struct study_pair {
    size_t a, b;
    study_pair_kind kind;
    int mirrored;    /* of a NEAR pair: one is the other's mirror image */
    double distance; /* of a NEAR pair: root mean square difference in grey levels */
} study_pair;

typedef struct study_pairs {
    study_pair *pairs; /* by a, then b */
    size_t n, capacity;
} study_pairs;

/* Appends. Errors: MEMORY. */
meso_status study_pairs_add(study_pairs *pairs, study_pair pair, meso_error *error);

void study_pairs_free(study_pairs *pairs);

/* Pairs a < b of one dataset: each image of a set of same files or pixels is paired with the set's
 * first only, near pairs are found between sets. Errors: ARGUMENT (not a whole scan), MEMORY. */
meso_status study_duplicates(const study_dataset *dataset, study_pairs *pairs, meso_error *error);

/* Pairs of an image of `train` and one of `test`, by b: each image of `test` in at most one pair,
 * of the surest kind that it has, near ones with the image that it differs from least. Recordings
 * are compared by the name of the group, whatever the class. Errors: MEMORY. */
meso_status study_leaks(const study_dataset *train, const study_dataset *test, study_pairs *pairs,
                        meso_error *error);

/* A picture to be compared by its look. */
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

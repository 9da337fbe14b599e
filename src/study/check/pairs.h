/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of pairs of pictures that are the same.
 */
#ifndef MESO_STUDY_PAIRS_H
#define MESO_STUDY_PAIRS_H

#include <stddef.h>

#include "mesocl/status.h"

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

#endif

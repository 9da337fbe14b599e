/* SPDX-License-Identifier: Apache-2.0 */
#include "study/check/pairs.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"

const char *study_pair_kind_name(study_pair_kind kind)
{
    static const char *const names[STUDY_N_PAIR_KINDS] = {"same_file", "same_pixels", "near",
                                                          "same_recording"};
    return names[kind];
}

meso_status study_pairs_add(study_pairs *pairs, study_pair pair, meso_error *error)
{
    study_pair *larger = meso_grow(pairs->pairs, pairs->n, &pairs->capacity, sizeof pair);
    MESO_DEMAND_MEMORY(larger, error);
    pairs->pairs = larger;
    pairs->pairs[pairs->n++] = pair;
    return MESO_OK;
}

void study_pairs_free(study_pairs *pairs)
{
    free(pairs->pairs);
    *pairs = (study_pairs){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as one thing among scored images: the images of one group in one class, or each image
 * where there are no groups.
 */
#ifndef MESO_MODEL_UNITS_H
#define MESO_MODEL_UNITS_H

#include <stdint.h>

#include "base/random.h"
#include "mesocl/metrics.h"

typedef struct meso_unit_member {
    unsigned char real;
    size_t group;
    size_t image; /* position in the caller's arrays */
} meso_unit_member;

typedef struct meso_units {
    meso_unit_member
        *members;   /* [number of images] unit after unit: fakes, reals; by group, by image */
    size_t *starts; /* [n + 1] unit u has the members starts[u] … starts[u + 1] − 1 */
    size_t n;
    size_t n_fake; /* units of fakes, which come first */
} meso_units;

/* Errors: MEMORY; *units is to be freed in any case. */
meso_status meso_units_create(const meso_scores *scores, meso_units *units, meso_error *error);
/* A resample: as many units of each class as there are, with replacement. weight[image], which is
 * written anew: how often each image was drawn. */
void meso_units_draw(const meso_units *units, meso_random *random, uint32_t *weight);
void meso_units_free(meso_units *units);

#endif

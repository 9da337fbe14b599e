/* SPDX-License-Identifier: Apache-2.0
 *
 * Augmentation as NumPy, SciPy and Pillow do it for Keras, step by step on whole pictures: what the
 * kernels are judged by. It shares nothing with src/ beyond the parameters.
 */
#ifndef MESO_TESTS_REFERENCE_AUGMENT_H
#define MESO_TESTS_REFERENCE_AUGMENT_H

#include "data/batch/augment_draw.h"

/* A picture [height][width][3] before the division by 255, as an interval: the affine map is known
 * in double precision, and a float computation of it may be off by k · eps · what it is made of,
 * which `low` and `high` carry through all steps that round to whole numbers. Without an affine map
 * they are equal. */
typedef struct reference_picture {
    unsigned height, width;
    double *low, *high;
} reference_picture;

reference_picture reference_picture_of(const uint8_t *pixels, unsigned height, unsigned width);
void reference_picture_free(reference_picture *picture);

/* All but centring and scaling. */
void reference_augment(const meso_augment_settings *settings,
                       const meso_augment_parameters *parameters, reference_picture *picture);

/* Division by `divide`, samplewise, featurewise. *slack is what a float computation of these may be
 * off by in addition. */
void reference_standardize(const meso_augment_settings *settings, double divide,
                           reference_picture *picture, double *slack);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What is drawn for one picture.
 */
#ifndef MESO_DATA_AUGMENT_DRAW_H
#define MESO_DATA_AUGMENT_DRAW_H

#include <stdint.h>

#include "mesocl/augment.h"

/* Uploaded as it is: 10 floats, which cl/picture/augment.cl reads by position. The value at
 * (row, column) of the result is the picture's at
 *   row of source    = row_of[0] · row + row_of[1] · column + row_of[2]
 *   column of source = column_of[0] · row + column_of[1] · column + column_of[2]
 * in which flips are contained. */
typedef struct meso_augment_draw {
    float row_of[3], column_of[3];
    float shift[3];   /* added to R, G, B */
    float brightness; /* factor */
} meso_augment_draw;

/* The parameters themselves, for whoever wants to see them, in the units of the settings; shifts in
 * pixels. */
typedef struct meso_augment_parameters {
    double rotation_degrees, shear_degrees;
    double row_shift, column_shift;
    double row_zoom, column_zoom;
    int horizontal_flip, vertical_flip;
    double channel_shift[3];
    double brightness;
} meso_augment_parameters;

void meso_augment_parameters_draw(const meso_augment_settings *settings, unsigned height,
                                  unsigned width, uint64_t seed, uint64_t epoch, uint64_t image,
                                  meso_augment_parameters *parameters);

/* Parameters → the words for the device. */
void meso_augment_draw_of(const meso_augment_parameters *parameters, meso_augment_compat compat,
                          unsigned height, unsigned width, meso_augment_draw *draw);

/* Both: the draw of image `image` (its position in the dataset) of height × width pixels. */
void meso_augment_draw_one(const meso_augment_settings *settings, unsigned height, unsigned width,
                           uint64_t seed, uint64_t epoch, uint64_t image, meso_augment_draw *draw);

#endif

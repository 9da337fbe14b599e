/* SPDX-License-Identifier: Apache-2.0
 *
 * Faces drawn by the program, real and "fake", from a seed: nobody's, and the same on every
 * machine but for the last digit of its arithmetic. They give demonstrations and tests something
 * true to find. drawing_files.c has them at other sizes and as JPEG files.
 */
#ifndef MESO_STUDY_DRAWING_H
#define MESO_STUDY_DRAWING_H

#include <stdint.h>

#include "mesocl/status.h"

typedef struct study_style {
    double strength; /* of what gives a fake away, 0…1: resampling, blur, missing noise, tint */
    double light;    /* where it comes from: −1 left, 1 right */
    double exposure; /* 1: as drawn */
    double noise;    /* of the sensor, standard deviation in grey levels */
} study_style;

/* rgb: [side][side][3]. A fake is a face drawn twice: the inner part of a second one, resampled and
 * smoothed, is blended into the first. Errors: MEMORY. */
meso_status study_draw(uint64_t seed, int fake, const study_style *style, unsigned side,
                       uint8_t *rgb, meso_error *error);

/* Area means where it gets smaller, bilinear where larger; mirrored: left and right exchanged. */
void study_resize(const uint8_t *in, unsigned side, uint8_t *out, unsigned out_side, int mirrored);

/* Writes a baseline JPEG, 4:2:0. Errors: CREATE, IO, MEMORY. */
meso_status study_write_jpeg(const char *path, const uint8_t *rgb, unsigned width, unsigned height,
                             int quality, meso_error *error);

#endif

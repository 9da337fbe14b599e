/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures made small: grey, each value the mean over its share of the picture's area.
 */
#ifndef MESO_STUDY_REDUCE_H
#define MESO_STUDY_REDUCE_H

#include <stdint.h>

enum { STUDY_MAX_REDUCED = 64 };

/* Pillow's L of an RGB pixel. */
static inline unsigned study_luma(const uint8_t *rgb)
{
    return (19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >> 16;
}

/* out: [side][side], 0…255, side ≤ STUDY_MAX_REDUCED. Works for any size, smaller ones too. */
void study_reduce(const uint8_t *rgb, unsigned width, unsigned height, unsigned side, float *out);

#endif

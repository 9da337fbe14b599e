/* SPDX-License-Identifier: Apache-2.0
 *
 * The counts that cl/picture/statistics.cl writes for a band of a picture, and what they come to.
 */
#ifndef MESO_MODEL_STATISTICS_FINISH_H
#define MESO_MODEL_STATISTICS_FINISH_H

#include <stddef.h>
#include <stdint.h>

#include "picture/statistics.h"

/* Places in a record, in 32-bit words. Tables come twice, R_COPY words apart; sums are of 64 bits,
 * the low word first, and in two's complement. The build of the kernels defines these names. */
enum {
    R_HISTOGRAM = 0,                 /* [3][256] pixels of each value of red, green, blue */
    R_CONTRAST = 3 * 256,            /* [512] Σ (max − min) for each max + min in 5×5 of L */
    R_SATURATION = R_CONTRAST + 512, /* [256] Σ (max − min) for each max of a pixel's channels */
    R_COPY = R_SATURATION + 256,
    R_LUMA = 2 * R_COPY,      /* Σ of Pillow's L */
    R_EDGES = R_LUMA + 2,     /* Laplacian, its square, |second difference both ways| */
    R_COLOURS = R_EDGES + 6,  /* R − G, its square, R + G − 2B, its square */
    R_BLOCKS = R_COLOURS + 8, /* |steps| to the right: all, across blocks; likewise down */
    R_WORDS = R_BLOCKS + 8,
    RUN_PIXELS = 4096 /* 1020² · 4096 < 2³² */
};

/* records: [n_bands][R_WORDS] of one picture. more: they hold more than the study's counts. */
void meso_statistics_finish(const uint32_t *records, size_t n_bands, unsigned width,
                            unsigned height, int more, meso_image_statistics *statistics);

#endif

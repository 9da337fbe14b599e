/* SPDX-License-Identifier: Apache-2.0
 *
 * What pictures are like, measured on the device at their own size: the statistics of the study
 * "Dataset Analysis for Deepfake Detection Using Mesonet", and more. Kernels count in integers,
 * the host divides in double, so every device gives the same numbers to the last bit.
 *
 * Slots run side by side, each on a lane of the device:
 *
 *   meso_statistics_open(device, 1, &statistics, &error);
 *   meso_statistics_submit(statistics, slot, pictures, n);    (the pixels are copied)
 *   meso_statistics_wait(statistics, slot, results);
 *   meso_statistics_close(statistics);
 *
 * Calls come from the thread that owns the device, whose meso_device_error() tells what failed.
 * statistics.c counts, statistics_finish.c divides.
 */
#ifndef MESO_MODEL_STATISTICS_H
#define MESO_MODEL_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/device.h"
#include "mesocl/status.h"

/* Of one picture. */
typedef struct meso_image_statistics {
    double red, green, blue; /* means, 0…255 */
    double contrast;   /* percent: 100 · mean (max − min) / (max + min) in 5×5, on OpenCV's L */
    double brightness; /* mean of Pillow's L, 0…255 */
    double entropy;    /* bits, of the values of all channels together; at most 8 */
    /* NaN unless asked for, or where the picture is too small: */
    double sharpness;     /* variance of the Laplacian of Pillow's L */
    double noise;         /* standard deviation of noise, in grey levels */
    double colourfulness; /* Hasler and Süsstrunk's M3 */
    double saturation;    /* mean of HSV's S, 0…1 */
    double blockiness;    /* steps across 8×8 borders to steps within blocks; 1: none to be seen */
} meso_image_statistics;

typedef struct meso_picture {
    const uint8_t *rgb; /* [height][width][3] */
    unsigned width, height;
} meso_picture;

typedef struct meso_statistics meso_statistics;

/* more: count beyond the study, too. Errors: DEVICE, MEMORY. */
meso_status meso_statistics_open(meso_device *device, int more, meso_statistics **statistics,
                                 meso_error *error);
void meso_statistics_close(meso_statistics *statistics); /* waits; NULL is allowed */

size_t meso_statistics_n_slots(const meso_statistics *statistics);

/* Begins to count in a slot that is not in use. The pictures' bytes must fit 1 GiB together unless
 * n = 1. Errors: DEVICE, MEMORY. */
meso_status meso_statistics_submit(meso_statistics *statistics, size_t slot,
                                   const meso_picture *pictures, size_t n);

/* results: [n] of the submit. The slot is free again, also after an error. */
meso_status meso_statistics_wait(meso_statistics *statistics, size_t slot,
                                 meso_image_statistics *results);

/* The counts that cl/picture/statistics.cl writes for a band of a picture: places in a record, in
 * 32-bit words. Tables come twice, R_COPY words apart; sums are of 64 bits,
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

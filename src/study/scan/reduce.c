/* SPDX-License-Identifier: Apache-2.0 */
#include "study/scan/scan_file.h"

#include <string.h>

/* One row's means over `side` equal shares of its width. */
static void reduce_row(const uint8_t *rgb, unsigned width, unsigned side, float *out)
{
    /* In units of 1/side of a pixel a share is `width` long, a pixel `side`: all whole numbers. */
    unsigned x = 0, left = side; /* what is left of pixel x */
    for (unsigned k = 0; k < side; k++) {
        uint64_t sum = 0;
        for (unsigned needed = width; needed > 0;) {
            unsigned part = left < needed ? left : needed;
            sum += (uint64_t)part * study_luma(rgb + 3 * (size_t)x);
            needed -= part;
            left -= part;
            if (left == 0) {
                x++;
                left = side;
            }
        }
        out[k] = (float)sum / (float)width;
    }
}

void study_reduce(const uint8_t *rgb, unsigned width, unsigned height, unsigned side, float *out)
{
    float row[STUDY_MAX_REDUCED];
    unsigned k = 0, needed = height; /* of share k of the height, in the same units */
    memset(out, 0, (size_t)side * side * sizeof *out);
    for (unsigned y = 0; y < height; y++) {
        reduce_row(rgb + 3 * (size_t)y * width, width, side, row);
        for (unsigned left = side; left > 0;) {
            unsigned part = left < needed ? left : needed;
            for (unsigned i = 0; i < side; i++)
                out[k * side + i] += row[i] * (float)part / (float)height;
            needed -= part;
            left -= part;
            if (needed == 0) {
                k++;
                needed = height;
            }
        }
    }
}

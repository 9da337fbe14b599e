/* SPDX-License-Identifier: Apache-2.0
 *
 * Feature frames: what a net may be shown in place of a picture, computed on the host from 8-bit
 * RGB of the net's size. Each is a row of a table, chosen by its name:
 *
 *   none        the values as they are, 0…255
 *   minmax      stretched to 0…255: rint((v − lo) · 255 / (hi − lo)), lo and hi over all three
 *               channels; a picture of one value becomes 0. OpenCV's normalize(NORM_MINMAX).
 *   laplacian   the Laplacian of minmax, −1020…1020. OpenCV's Laplacian(CV_64F, ksize 1).
 *   residual    v / 255 less the same without its noise (residual.c)
 *   canny       255 on the edges of the grey picture at thresholds 0 and 10 (canny.c), else 0
 *
 * OpenCV 4.10 gives the same values, scikit-image 0.26 the same residual within single precision.
 */
#ifndef MESO_PICTURE_FEATURE_FRAME_H
#define MESO_PICTURE_FEATURE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

/* rgb, out: [height][width][3], sides from 1. Errors: MEMORY. */
typedef meso_status meso_feature_filter(const uint8_t *rgb, unsigned width, unsigned height,
                                        float *out, meso_error *error);

typedef struct meso_feature_frame {
    const char *name;
    meso_feature_filter *filter;
} meso_feature_frame;

/* Ends with a NULL name; feature_frame.c has it. */
extern const meso_feature_frame meso_feature_frames[];

/* NULL: there is none of this name. */
const meso_feature_frame *meso_feature_frame_find(const char *name);

meso_feature_filter meso_residual; /* residual.c */

/* OpenCV's RGB2GRAY, which differs from Pillow's L. grey: [n]. */
void meso_grey(const uint8_t *rgb, size_t n, uint8_t *grey);

/* above + below + left + right − 4 · centre, of each channel, reflected at the border without the
 * border itself (a side of 1 is its own neighbour). values, out: [height][width][channels]. */
void meso_laplacian(const uint8_t *values, unsigned width, unsigned height, unsigned channels,
                    float *out);

/* Pixels of a grey picture that Canny's detector calls edges: Sobel's 3×3 gradients, their L1 norm
 * more than `high`, or more than `low` and connected with such. edges: [height][width], 255 or 0.
 * Errors: MEMORY. */
meso_status meso_canny_edges(const uint8_t *grey, unsigned width, unsigned height, int low,
                             int high, uint8_t *edges, meso_error *error);

#endif

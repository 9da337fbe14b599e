/* SPDX-License-Identifier: Apache-2.0
 *
 * Two wavelets as PyWavelets has them, with symmetric borders: Haar's there and back, and of
 * Daubechies' db2 what tells how noisy a picture is. wavelet.c has them.
 */
#ifndef MESO_PICTURE_WAVELET_H
#define MESO_PICTURE_WAVELET_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

/* One level of plane [height][width] → the bands A, H, V, D, one behind the other, each
 * [⌈height/2⌉][⌈width/2⌉]; H are differences from row to row, V from column to column. */
void meso_haar(const double *plane, size_t width, size_t height, double *bands);

/* Back. */
void meso_haar_back(const double *bands, size_t width, size_t height, double *plane);

/* The standard deviation of the noise of a picture [height][width][3], in units of 255 (Donoho and
 * Johnstone, Biometrika 1994): the mean over the channels of the median of |D| of db2, without
 * zeros, over that of a normal distribution; 0 for a channel without any. Equals scikit-image's
 * estimate_sigma(average_sigmas=True). Errors: MEMORY. */
meso_status meso_noise_sigma(const uint8_t *rgb, unsigned width, unsigned height, double *sigma,
                             meso_error *error);

#endif

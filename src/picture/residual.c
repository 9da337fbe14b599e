/* SPDX-License-Identifier: Apache-2.0
 *
 * What noise there is in a picture: the picture less itself denoised by BayesShrink (Chang, Yu and
 * Vetterli, IEEE Transactions on Image Processing 9.9, 2000), as scikit-image's denoise_wavelet
 * does: Haar's wavelet, soft thresholds, in YCbCr, at the noise that meso_noise_sigma() finds.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "picture/feature_frame.h"
#include "picture/wavelet.h"

/* YCbCr of R, G, B in 0…1 (ITU-R BT.601), without the offsets, which a difference lacks. */
static const double to_ycbcr[3][3] = {
    {65.481, 128.553, 24.966}, {-37.797, -74.203, 112.0}, {112.0, -93.786, -18.214}};
static const double from_ycbcr[3][3] =
    {/* its inverse */
     {0.004566210045662101, 1.1808799897946412e-09, 0.006258928969943936},
     {0.004566210045662101, -0.0015363236860449021, -0.003188110949655707},
     {0.004566210045662101, 0.007910716233554741, 1.1977497040190077e-08}};

static void shrink(double *band, size_t n, double variance)
{
    double power = 0;
    for (size_t i = 0; i < n; i++)
        power += band[i] * band[i] / (double)n;
    const double threshold = variance / sqrt(fmax(power - variance, DBL_EPSILON));
    for (size_t i = 0; i < n; i++)
        band[i] = copysign(fmax(fabs(band[i]) - threshold, 0), band[i]);
}

static meso_status denoise(double *plane, size_t width, size_t height, unsigned levels,
                           double variance, meso_error *error)
{
    const size_t w = (width + 1) / 2, h = (height + 1) / 2, n = w * h;
    meso_status status = MESO_OK;
    double *bands = malloc(4 * n * sizeof *bands);
    MESO_DEMAND_MEMORY(bands, error);
    meso_haar(plane, width, height, bands);
    if (levels > 1)
        MESO_TRY(denoise(bands, w, h, levels - 1, variance, error));
    for (size_t b = 1; b < 4; b++)
        shrink(bands + b * n, n, variance);
    meso_haar_back(bands, width, height, plane);
out:
    free(bands);
    return status;
}

/* All levels that the shorter side has, ⌊log₂⌋, but for the three coarsest. */
static unsigned n_levels(unsigned width, unsigned height)
{
    unsigned levels = 0;
    for (unsigned side = width < height ? width : height; side > 1; side /= 2)
        levels++;
    return levels > 4 ? levels - 3 : 1;
}

/* plane: one of Y, Cb, Cr → its noise, with scratch memory as large. The plane is denoised
 * stretched to 0…1, as DBL_EPSILON in shrink() depends on the unit. */
static meso_status plane_noise(double *plane, double *stretched, unsigned width, unsigned height,
                               double sigma, meso_error *error)
{
    const size_t n = (size_t)width * height;
    double low = plane[0], high = plane[0];
    for (size_t i = 1; i < n; i++) {
        low = fmin(low, plane[i]);
        high = fmax(high, plane[i]);
    }
    const double range = high - low;
    for (size_t i = 0; range > 0 && i < n; i++)
        stretched[i] = (plane[i] - low) / range;
    if (range > 0)
        MESO_CHECK(denoise(stretched, width, height, n_levels(width, height),
                           sigma / range * (sigma / range), error));
    for (size_t i = 0; i < n; i++)
        plane[i] = range > 0 ? plane[i] - low - stretched[i] * range : 0;
    return MESO_OK;
}

/* planes: room for Y, Cb, Cr and one more. */
static meso_status find_noise(const uint8_t *rgb, unsigned width, unsigned height, double sigma,
                              double *planes, meso_error *error)
{
    const size_t n = (size_t)width * height;
    for (size_t c = 0; c < 3; c++) {
        const double *m = to_ycbcr[c];
        for (size_t i = 0; i < n; i++)
            planes[c * n + i] =
                (m[0] * rgb[3 * i] + m[1] * rgb[3 * i + 1] + m[2] * rgb[3 * i + 2]) / 255;
        MESO_CHECK(plane_noise(planes + c * n, planes + 3 * n, width, height,
                               sigma * sqrt(m[0] * m[0] + m[1] * m[1] + m[2] * m[2]), error));
    }
    return MESO_OK;
}

meso_status meso_residual(const uint8_t *rgb, unsigned width, unsigned height, float *out,
                          meso_error *error)
{
    const size_t n = (size_t)width * height;
    meso_status status = MESO_OK;
    double sigma, *planes = malloc(4 * n * sizeof *planes);
    MESO_DEMAND_MEMORY(planes, error);
    MESO_TRY(meso_noise_sigma(rgb, width, height, &sigma, error));
    MESO_TRY(find_noise(rgb, width, height, sigma, planes, error));
    for (size_t i = 0; i < 3 * n; i++) {
        const double *m = from_ycbcr[i % 3], *at = planes + i / 3;
        out[i] = (float)(m[0] * at[0] + m[1] * at[n] + m[2] * at[2 * n]);
    }
out:
    free(planes);
    return status;
}

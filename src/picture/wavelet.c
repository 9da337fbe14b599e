/* SPDX-License-Identifier: Apache-2.0 */
#include "picture/wavelet.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"

void meso_haar(const double *plane, size_t width, size_t height, double *bands)
{
    const size_t w = (width + 1) / 2, n = w * ((height + 1) / 2);
    for (size_t i = 0; i < n; i++) {
        const size_t x = 2 * (i % w), y = 2 * (i / w);
        const size_t right = x + 1 < width, down = y + 1 < height ? width : 0;
        const double *at = plane + y * width + x;
        const double left_sum = at[0] + at[down], left_step = at[0] - at[down];
        const double right_sum = at[right] + at[down + right];
        const double right_step = at[right] - at[down + right];
        bands[i] = (left_sum + right_sum) / 2;
        bands[n + i] = (left_step + right_step) / 2;
        bands[2 * n + i] = (left_sum - right_sum) / 2;
        bands[3 * n + i] = (left_step - right_step) / 2;
    }
}

void meso_haar_back(const double *bands, size_t width, size_t height, double *plane)
{
    const size_t w = (width + 1) / 2, n = w * ((height + 1) / 2);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            const double *at = bands + y / 2 * w + x / 2;
            const double h = y % 2 ? -at[n] : at[n], v = x % 2 ? -at[2 * n] : at[2 * n];
            const double d = (x + y) % 2 ? -at[3 * n] : at[3 * n];
            plane[y * width + x] = (at[0] + h + v + d) / 2;
        }
}

enum { N_TAPS = 4 };

/* PyWavelets' figures for db2's high pass, to the bit: which sums are zero depends on them. */
static const double db2_high[N_TAPS] = {-0.48296291314453416, 0.8365163037378079,
                                        -0.2241438680420134, -0.12940952255126037};

static size_t n_details(size_t n)
{
    return (n + N_TAPS - 1) / 2;
}

/* n values `step` apart → n_details(n) values out_step apart; beyond its border the row is
 * mirrored. */
static void details(const double *in, size_t n, size_t step, double *out, size_t out_step)
{
    for (size_t k = 0; k < n_details(n); k++) {
        double sum = 0;
        for (size_t t = 0; t < N_TAPS; t++) {
            const long period = 2 * (long)n;
            long i = (2 * (long)k + 1 - (long)t) % period;
            i = i < 0 ? -1 - i : i;
            i = i < (long)n ? i : period - 1 - i;
            sum += db2_high[t] * in[(size_t)i * step];
        }
        out[k * out_step] = sum;
    }
}

/* Scratch memory: plane [height][width], rows [n_details(height)][width], band of n_details both
 * ways. */
static double channel_sigma(const uint8_t *rgb, size_t width, size_t height, double *plane,
                            double *rows, double *band)
{
    const double median_of_normal = 0.6744897501960817; /* of its absolute values */
    const size_t h = n_details(height), w = n_details(width);
    size_t n = 0;
    for (size_t i = 0; i < width * height; i++)
        plane[i] = rgb[3 * i] / 255.0;
    for (size_t x = 0; x < width; x++)
        details(plane + x, height, width, rows + x, width);
    for (size_t y = 0; y < h; y++)
        details(rows + y * width, width, 1, band + y * w, 1);
    for (size_t i = 0; i < h * w; i++)
        if (band[i] != 0)
            band[n++] = fabs(band[i]);
    meso_sort(band, n);
    return n ? meso_quantile(band, n, 0.5) / median_of_normal : 0;
}

meso_status meso_noise_sigma(const uint8_t *rgb, unsigned width, unsigned height, double *sigma,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    double *plane = malloc((size_t)width * height * sizeof *plane);
    double *rows = malloc(n_details(height) * width * sizeof *rows);
    double *band = malloc(n_details(height) * n_details(width) * sizeof *band);
    MESO_REQUIRE_MEMORY(plane && rows && band, error);
    *sigma = 0;
    for (unsigned c = 0; c < 3; c++)
        *sigma += channel_sigma(rgb + c, width, height, plane, rows, band) / 3;
out:
    free(plane);
    free(rows);
    free(band);
    return status;
}

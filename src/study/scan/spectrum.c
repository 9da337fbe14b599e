/* SPDX-License-Identifier: Apache-2.0 */

#include <math.h>
#include <stdlib.h>

#include <kiss_fft.h>

#include "base/error.h"
#include "study/scan/scan_file.h"

enum { smallest = 32, n_sizes = 3, largest = smallest << (n_sizes - 1) };

struct study_spectrum_plan {
    kiss_fft_cfg of_size[n_sizes]; /* read only */
};

meso_status study_spectrum_open(study_spectrum_plan **plan, meso_error *error)
{
    meso_status status = MESO_OK;
    study_spectrum_plan *p = calloc(1, sizeof *p);
    MESO_REQUIRE_MEMORY(p, error);
    for (int i = 0; i < n_sizes; i++) {
        p->of_size[i] = kiss_fft_alloc(smallest << i, 0, NULL, NULL);
        MESO_REQUIRE_MEMORY(p->of_size[i], error);
    }
    *plan = p;
    p = NULL;
out:
    study_spectrum_close(p);
    return status;
}

void study_spectrum_close(study_spectrum_plan *plan)
{
    for (int i = 0; plan && i < n_sizes; i++)
        kiss_fft_free(plan->of_size[i]);
    free(plan);
}

/* The middle of the picture, without its mean, under the window. */
static void cut(const uint8_t *rgb, unsigned width, unsigned height, unsigned n, kiss_fft_cpx *out)
{
    const uint8_t *corner = rgb + 3 * ((size_t)((height - n) / 2) * width + (width - n) / 2);
    float window[largest];
    double mean = 0;
    for (unsigned i = 0; i < n; i++)
        window[i] = 0.5f - 0.5f * cosf(6.2831853f * ((float)i + 0.5f) / (float)n);
    for (unsigned y = 0; y < n; y++)
        for (unsigned x = 0; x < n; x++) {
            float v = (float)study_luma(corner + 3 * ((size_t)y * width + x));
            out[y * n + x] = (kiss_fft_cpx){v, 0};
            mean += v;
        }
    mean /= (double)n * n;
    for (unsigned y = 0; y < n; y++)
        for (unsigned x = 0; x < n; x++)
            out[y * n + x].r = (out[y * n + x].r - (float)mean) * window[y] * window[x];
}

/* Rows, then columns; the result is transposed, which rings do not mind. */
static void transform(kiss_fft_cfg plan, unsigned n, kiss_fft_cpx *values, kiss_fft_cpx *scratch)
{
    for (unsigned y = 0; y < n; y++)
        kiss_fft(plan, values + y * n, scratch + y * n);
    for (unsigned x = 0; x < n; x++)
        kiss_fft_stride(plan, scratch + x, values + x * n, (int)n);
}

static void add_rings(const kiss_fft_cpx *values, unsigned n, float rings[STUDY_SPECTRUM_BINS],
                      double *high)
{
    double sums[STUDY_SPECTRUM_BINS] = {0}, total = 0, above = 0;
    size_t counts[STUDY_SPECTRUM_BINS] = {0};
    for (unsigned v = 0; v < n; v++)
        for (unsigned u = 0; u < n; u++) {
            double power = (double)values[v * n + u].r * values[v * n + u].r +
                           (double)values[v * n + u].i * values[v * n + u].i;
            double fu = u < n / 2 ? u : (double)n - u, fv = v < n / 2 ? v : (double)n - v;
            double radius = sqrt(fu * fu + fv * fv) / n; /* cycles a pixel */
            size_t ring = (size_t)(radius * 2 * STUDY_SPECTRUM_BINS);
            total += power;
            above += radius > 0.25 ? power : 0;
            if (ring < STUDY_SPECTRUM_BINS) { /* the corners lie beyond the last ring */
                sums[ring] += power;
                counts[ring]++;
            }
        }
    const double least = 1e-6; /* a picture of one colour has no power: log10 needs some */
    for (int k = 0; k < STUDY_SPECTRUM_BINS; k++)
        rings[k] = (float)log10(sums[k] / (double)counts[k] + least);
    *high = log10((above + least) / (total + least));
}

void study_spectrum(const study_spectrum_plan *plan, const uint8_t *rgb, unsigned width,
                    unsigned height, float rings[STUDY_SPECTRUM_BINS], double *high)
{
    unsigned shorter = width < height ? width : height;
    int size = n_sizes - 1;
    while (size >= 0 && (unsigned)smallest << size > shorter)
        size--;
    kiss_fft_cpx *values = malloc(2 * sizeof *values * largest * largest);
    *high = NAN;
    for (int k = 0; k < STUDY_SPECTRUM_BINS; k++)
        rings[k] = NAN;
    if (size >= 0 && values) {
        unsigned n = (unsigned)smallest << size;
        cut(rgb, width, height, n, values);
        transform(plan->of_size[size], n, values, values + largest * largest);
        add_rings(values, n, rings, high);
    }
    free(values);
}

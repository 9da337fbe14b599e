/* SPDX-License-Identifier: Apache-2.0 */
#include "picture/feature_frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static meso_status none(const uint8_t *rgb, unsigned width, unsigned height, float *out,
                        meso_error *error)
{
    (void)error;
    for (size_t i = 0; i < 3 * (size_t)width * height; i++)
        out[i] = rgb[i];
    return MESO_OK;
}

static void stretch(const uint8_t *rgb, size_t n, uint8_t *out)
{
    int low = 255, high = 0;
    for (size_t i = 0; i < n; i++) {
        low = rgb[i] < low ? rgb[i] : low;
        high = rgb[i] > high ? rgb[i] : high;
    }
    const double scale = high > low ? 255.0 / (high - low) : 0;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)rint((rgb[i] - low) * scale);
}

/* laplace: of the stretched picture; else itself. */
static meso_status stretched(const uint8_t *rgb, unsigned width, unsigned height, int laplace,
                             float *out, meso_error *error)
{
    const size_t n = 3 * (size_t)width * height;
    uint8_t *values = malloc(n);
    MESO_DEMAND_MEMORY(values, error);
    stretch(rgb, n, values);
    if (laplace)
        meso_laplacian(values, width, height, 3, out);
    else
        none(values, width, height, out, error);
    free(values);
    return MESO_OK;
}

static meso_status minmax(const uint8_t *rgb, unsigned width, unsigned height, float *out,
                          meso_error *error)
{
    return stretched(rgb, width, height, 0, out, error);
}

static meso_status laplacian(const uint8_t *rgb, unsigned width, unsigned height, float *out,
                             meso_error *error)
{
    return stretched(rgb, width, height, 1, out, error);
}

static meso_status canny(const uint8_t *rgb, unsigned width, unsigned height, float *out,
                         meso_error *error)
{
    const size_t n = (size_t)width * height;
    uint8_t *grey = calloc(n, 2), *edges = grey + n;
    MESO_DEMAND_MEMORY(grey, error);
    meso_grey(rgb, n, grey);
    meso_status status = meso_canny_edges(grey, width, height, 0, 10, edges, error);
    for (size_t i = 0; status == MESO_OK && i < 3 * n; i++)
        out[i] = edges[i / 3];
    free(grey);
    return status;
}

const meso_feature_frame meso_feature_frames[] = {
    {"none", none},           {"minmax", minmax},
    {"laplacian", laplacian}, {"residual", meso_residual},
    {"canny", canny},         {0}};

const meso_feature_frame *meso_feature_frame_find(const char *name)
{
    for (const meso_feature_frame *f = meso_feature_frames; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

void meso_grey(const uint8_t *rgb, size_t n, uint8_t *grey)
{
    for (size_t i = 0; i < n; i++, rgb += 3)
        grey[i] = (uint8_t)((9798u * rgb[0] + 19235u * rgb[1] + 3735u * rgb[2] + 16384u) >> 15);
}

/* −1 → 1, n → n − 2. */
static size_t reflect(long i, unsigned n)
{
    if (n == 1)
        return 0;
    return (size_t)(i < 0 ? 1 : i < n ? i : (long)n - 2);
}

void meso_laplacian(const uint8_t *values, unsigned width, unsigned height, unsigned channels,
                    float *out)
{
    const size_t row = (size_t)width * channels;
    for (unsigned y = 0; y < height; y++) {
        const uint8_t *here = values + y * row;
        const uint8_t *above = values + reflect((long)y - 1, height) * row;
        const uint8_t *below = values + reflect((long)y + 1, height) * row;
        for (unsigned x = 0; x < width; x++) {
            const uint8_t *left = here + reflect((long)x - 1, width) * channels;
            const uint8_t *right = here + reflect((long)x + 1, width) * channels;
            for (unsigned c = 0; c < channels; c++) {
                const size_t i = (size_t)x * channels + c;
                *out++ = (float)(above[i] + below[i] + left[c] + right[c] - 4 * here[i]);
            }
        }
    }
}

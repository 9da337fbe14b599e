/* SPDX-License-Identifier: Apache-2.0
 *
 * J. Canny, "A computational approach to edge detection", PAMI 1986, in the integers of OpenCV 4's
 * Canny(): which neighbours an edge is compared with, and which of two equal ones wins, is decided
 * as it does, so that the same pixels are edges.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "picture/feature_frame.h"

/* Gradients have no border; norms have zeros around them: [height + 2][stride]. */
typedef struct edge_finder {
    unsigned width, height;
    size_t stride; /* width + 2 */
    int *norm;
    size_t *stack; /* places in edges whose neighbours are still to be looked at */
    size_t n_stack;
    uint8_t *edges;
} edge_finder;

enum { NOT_EDGE = 0, MAYBE = 1, EDGE = 255 };

/* Outside, the picture repeats its border. */
static int at(const uint8_t *grey, const edge_finder *f, long x, long y)
{
    x = x < 0 ? 0 : x < f->width ? x : (long)f->width - 1;
    y = y < 0 ? 0 : y < f->height ? y : (long)f->height - 1;
    return grey[(size_t)y * f->width + (size_t)x];
}

static void gradient(const uint8_t *grey, const edge_finder *f, long x, long y, int d[2])
{
    const int corners[4] = {at(grey, f, x - 1, y - 1), at(grey, f, x + 1, y - 1),
                            at(grey, f, x - 1, y + 1), at(grey, f, x + 1, y + 1)};
    d[0] = corners[1] + corners[3] - corners[0] - corners[2] +
           2 * (at(grey, f, x + 1, y) - at(grey, f, x - 1, y));
    d[1] = corners[2] + corners[3] - corners[0] - corners[1] +
           2 * (at(grey, f, x, y + 1) - at(grey, f, x, y - 1));
}

/* Is the norm the largest along its gradient? Directions are parted at 22.5° and 67.5°. */
static int is_peak(const int *norm, size_t stride, const int d[2])
{
    const int tan_22 = 13573, shift = 15; /* tan 22.5° · 2¹⁵; tan 67.5° is 2 more */
    const int64_t x = abs(d[0]), y = (int64_t)abs(d[1]) << shift;
    if (y < x * tan_22)
        return *norm > norm[-1] && *norm >= norm[1];
    const int *above = norm - stride, *below = norm + stride;
    if (y > x * tan_22 + (x << (shift + 1)))
        return *norm > *above && *norm >= *below;
    const int side = (d[0] ^ d[1]) < 0 ? -1 : 1;
    return *norm > above[-side] && *norm > below[side];
}

static void mark(edge_finder *f, size_t place)
{
    f->edges[place] = EDGE;
    f->stack[f->n_stack++] = place;
}

static void mark_peaks(edge_finder *f, const uint8_t *grey, int low, int high)
{
    for (unsigned y = 0; y < f->height; y++)
        for (unsigned x = 0; x < f->width; x++) {
            const size_t place = (size_t)y * f->width + x;
            const int *norm = f->norm + (y + 1) * f->stride + x + 1;
            int d[2];
            gradient(grey, f, x, y, d);
            f->edges[place] = *norm > low && is_peak(norm, f->stride, d) ? MAYBE : NOT_EDGE;
            if (f->edges[place] == MAYBE && *norm > high)
                mark(f, place);
        }
}

/* What is connected with an edge, corners too, is one. */
static void follow(edge_finder *f)
{
    while (f->n_stack) {
        const size_t place = f->stack[--f->n_stack];
        const size_t x = place % f->width, y = place / f->width;
        for (size_t v = y ? y - 1 : 0; v <= y + 1 && v < f->height; v++)
            for (size_t u = x ? x - 1 : 0; u <= x + 1 && u < f->width; u++)
                if (f->edges[v * f->width + u] == MAYBE)
                    mark(f, v * f->width + u);
    }
}

static void find_edges(edge_finder *f, const uint8_t *grey, int low, int high)
{
    for (unsigned y = 0; y < f->height; y++)
        for (unsigned x = 0; x < f->width; x++) {
            int d[2];
            gradient(grey, f, x, y, d);
            f->norm[(y + 1) * f->stride + x + 1] = abs(d[0]) + abs(d[1]);
        }
    mark_peaks(f, grey, low, high);
    follow(f);
    for (size_t i = 0; i < (size_t)f->width * f->height; i++)
        f->edges[i] = f->edges[i] == EDGE ? EDGE : NOT_EDGE;
}

meso_status meso_canny_edges(const uint8_t *grey, unsigned width, unsigned height, int low,
                             int high, uint8_t *edges, meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t stride = (size_t)width + 2;
    edge_finder f = {width, height, stride, .edges = edges};
    f.norm = calloc(stride * ((size_t)height + 2), sizeof *f.norm);
    f.stack = malloc((size_t)width * height * sizeof *f.stack); /* a pixel is marked once */
    MESO_REQUIRE_MEMORY(f.norm && f.stack, error);
    find_edges(&f, grey, low, high);
out:
    free(f.norm);
    free(f.stack);
    return status;
}

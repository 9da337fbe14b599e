/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters for the strip kernels, transformed in double precision.
 *
 * F(m, r) on points p₀…: row i of the transform G is pᵢᵏ / Π_{j≠i}(pᵢ − pⱼ) for tap k, and for the
 * point ∞ the unit vector of the highest tap (Toom-Cook; Winograd 1980, Lavin and Gray 2015). The
 * kernels' TRANSFORM and INVERSE macros belong to the same points in the same order.
 */
#include <stdlib.h>

#include "net/strip.h"

enum { max_taps = 5, max_points = 8 };

static const double points_3[] = {0, 1, -1, 2, -2};
static const double points_5[] = {0, 1, -1, 2, -2, 0.5, -0.5};

/* G[point][tap]; returns the number of points. */
static int make_transform(int taps, double g[max_points][max_taps])
{
    const double *points = taps == 3 ? points_3 : points_5;
    int n = taps + 2; /* finite points */
    for (int i = 0; i < n; i++) {
        double divisor = 1, power = 1;
        for (int j = 0; j < n; j++)
            if (j != i)
                divisor *= points[i] - points[j];
        for (int k = 0; k < taps; k++, power *= points[i])
            g[i][k] = power / divisor;
    }
    for (int k = 0; k < taps; k++)
        g[n][k] = k == taps - 1;
    return n + 1;
}

/* One filter's taps for one channel → what the kernel multiplies with: [rows][columns] of points or
 * taps. */
static void transform(const meso_strip_block *block, double w[max_taps][max_taps],
                      double u[max_points][max_points])
{
    double g[max_points][max_taps];
    int taps = block->taps, n = make_transform(taps, g);
    int n_rows = block->method == MESO_STRIP_DIRECT ? taps : n;
    int n_columns = block->method == MESO_STRIP_WINOGRAD_YX ? n : taps;
    for (int i = 0; i < n_rows; i++)
        for (int j = 0; j < n_columns; j++) {
            u[i][j] = 0;
            for (int r = 0; r < taps; r++)
                for (int s = 0; s < taps; s++) {
                    double down = block->method == MESO_STRIP_DIRECT ? r == i : g[i][r];
                    double along = block->method == MESO_STRIP_WINOGRAD_YX ? g[j][s] : s == j;
                    u[i][j] += down * w[r][s] * along;
                }
        }
}

/* Where (row i, column j) of filter k, channel c lies: the order in which the kernel reads. */
static size_t place(const meso_strip_block *block, int i, int j, int c, int k)
{
    int taps = block->taps, points = taps + 3, channels = block->in.shape.c;
    int filters = block->conv->shape.c, b = block->filter_block;
    int group = k / b, inside = k % b;
    if (block->method == MESO_STRIP_WINOGRAD_YX)
        return ((((size_t)i * (size_t)points + (size_t)j) * (size_t)(filters / b) + (size_t)group) *
                    (size_t)channels +
                (size_t)c) *
                   (size_t)b +
               (size_t)inside;
    int rows = block->method == MESO_STRIP_DIRECT ? taps : points;
    return ((((size_t)group * (size_t)channels + (size_t)c) * (size_t)rows + (size_t)i) *
                (size_t)taps +
            (size_t)j) *
               (size_t)b +
           (size_t)inside;
}

float *meso_strip_filters(const meso_strip_block *block, const float *kernel, const int *negate,
                          double divide, size_t *n)
{
    int taps = block->taps, channels = block->in.shape.c, filters = block->conv->shape.c;
    int n_rows = block->method == MESO_STRIP_DIRECT ? taps : taps + 3;
    int n_columns = block->method == MESO_STRIP_WINOGRAD_YX ? taps + 3 : taps;
    *n = (size_t)n_rows * (size_t)n_columns * (size_t)channels * (size_t)filters;
    float *out = calloc(*n, sizeof *out);
    for (int c = 0; out && c < channels; c++)
        for (int k = 0; k < filters; k++) {
            double w[max_taps][max_taps], u[max_points][max_points];
            for (int r = 0; r < taps; r++)
                for (int s = 0; s < taps; s++)
                    w[r][s] = (negate[k] ? -1 : 1) / divide *
                              kernel[((r * taps + s) * channels + c) * filters + k];
            transform(block, w, u);
            for (int i = 0; i < n_rows; i++)
                for (int j = 0; j < n_columns; j++)
                    out[place(block, i, j, c, k)] = (float)u[i][j];
        }
    return out;
}

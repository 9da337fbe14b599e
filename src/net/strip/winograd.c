/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters for the strip kernels, transformed in double precision.
 *
 * F(m, r) on points p₀…: row i of the transform G is pᵢᵏ / Π_{j≠i}(pᵢ − pⱼ) for tap k, and for the
 * point ∞ the unit vector of the highest tap (Toom-Cook; Winograd 1980, Lavin and Gray 2015). The
 * kernels' TRANSFORM and INVERSE macros belong to the same points in the same order.
 */
#include "net/strip/strip.h"

enum { max_taps = MESO_STRIP_MAX_TAPS, max_points = MESO_STRIP_MAX_POINTS };

static const double points_3[] = {0, 1, -1, 2, -2};
static const double points_5[] = {0, 1, -1, 2, -2, 0.5, -0.5};

void meso_strip_powers(int taps, double powers[max_points][max_taps], double divisors[max_points])
{
    const double *points = taps == 3 ? points_3 : points_5;
    int n = taps + 2; /* finite points */
    for (int i = 0; i < n; i++) {
        double power = 1;
        divisors[i] = 1;
        for (int j = 0; j < n; j++)
            if (j != i)
                divisors[i] *= points[i] - points[j];
        for (int k = 0; k < taps; k++, power *= points[i])
            powers[i][k] = power;
    }
    divisors[n] = 1;
    for (int k = 0; k < taps; k++)
        powers[n][k] = k == taps - 1;
}

void meso_strip_transform(int taps, double g[max_points][max_taps])
{
    double divisors[max_points];
    meso_strip_powers(taps, g, divisors);
    for (int i = 0; i < taps + 3; i++)
        for (int k = 0; k < taps; k++)
            g[i][k] /= divisors[i];
}

/* Rows and columns of points or taps that a filter becomes. */
static int n_rows(const meso_block_conv *conv)
{
    return conv->method == MESO_STRIP_DIRECT ? conv->taps : conv->taps + 3;
}

static int n_columns(const meso_block_conv *conv)
{
    return conv->method == MESO_STRIP_WINOGRAD_YX ? conv->taps + 3 : conv->taps;
}

/* One filter's taps for one channel → what the kernel multiplies with: [rows][columns] of points or
 * taps. */
static void transform(const meso_block_conv *conv, double w[max_taps][max_taps],
                      double u[max_points][max_points])
{
    double g[max_points][max_taps];
    int taps = conv->taps;
    if (conv->method != MESO_STRIP_DIRECT)
        meso_strip_transform(taps, g);
    for (int i = 0; i < n_rows(conv); i++)
        for (int j = 0; j < n_columns(conv); j++) {
            u[i][j] = 0;
            for (int r = 0; r < taps; r++)
                for (int s = 0; s < taps; s++) {
                    double down = conv->method == MESO_STRIP_DIRECT ? r == i : g[i][r];
                    double along = conv->method == MESO_STRIP_WINOGRAD_YX ? g[j][s] : s == j;
                    u[i][j] += down * w[r][s] * along;
                }
        }
}

/* Where (row i, column j) of filter k, channel c lies: the order in which the kernel reads. */
static size_t place(const meso_block_conv *conv, int i, int j, int c, int k)
{
    size_t b = (size_t)conv->filter_block, groups = (size_t)conv->layer->shape.c / b;
    size_t group = (size_t)k / b, inside = (size_t)k % b;
    size_t channels = (size_t)conv->channels, rows = (size_t)n_rows(conv),
           columns = (size_t)n_columns(conv), y = (size_t)i, x = (size_t)j;
    if (conv->method == MESO_STRIP_WINOGRAD_YX)
        return (((y * columns + x) * groups + group) * channels + (size_t)c) * b + inside;
    return (((group * channels + (size_t)c) * rows + y) * columns + x) * b + inside;
}

size_t meso_strip_n_filter_values(const meso_block_conv *conv)
{
    return (size_t)n_rows(conv) * (size_t)n_columns(conv) * (size_t)conv->channels *
           (size_t)conv->layer->shape.c;
}

void meso_strip_filters(const meso_block_conv *conv, const float *kernel, const int *negate,
                        double divide, float *out)
{
    int taps = conv->taps, channels = conv->channels, filters = conv->layer->shape.c;
    for (int c = 0; c < channels; c++)
        for (int k = 0; k < filters; k++) {
            double w[max_taps][max_taps], u[max_points][max_points];
            for (int r = 0; r < taps; r++)
                for (int s = 0; s < taps; s++)
                    w[r][s] = (negate && negate[k] ? -1 : 1) / divide *
                              kernel[((r * taps + s) * channels + c) * filters + k];
            transform(conv, w, u);
            for (int i = 0; i < n_rows(conv); i++)
                for (int j = 0; j < n_columns(conv); j++)
                    out[place(conv, i, j, c, k)] = (float)u[i][j];
        }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts → statistics, in double precision. The study's definitions are those of the functions it
 * called (NumPy, OpenCV, scikit-image, Pillow, scikit-image's shannon_entropy); the other formulas
 * name their source.
 */
#include <math.h>

#include "picture/statistics.h"

/* Element `at` of a table that comes twice in each band's record. */
static double table_at(const uint32_t *records, size_t n_bands, int at)
{
    double sum = 0; /* whole numbers below 2⁵³: exact */
    for (size_t b = 0; b < n_bands; b++)
        sum += (double)records[b * R_WORDS + (size_t)at] +
               (double)records[b * R_WORDS + (size_t)at + R_COPY];
    return sum;
}

static double sum_at(const uint32_t *records, size_t n_bands, int at)
{
    uint64_t sum = 0;
    for (size_t b = 0; b < n_bands; b++) {
        const uint32_t *words = records + b * R_WORDS + at;
        sum += words[0] | (uint64_t)words[1] << 32;
    }
    return (double)(int64_t)sum;
}

static double table_mean(const double table[256], double n)
{
    double sum = 0;
    for (int v = 0; v < 256; v++)
        sum += v * table[v];
    return sum / n;
}

/* Means of the channels, and −Σ p·log2 p of all values of all channels together. */
static void finish_histograms(const uint32_t *records, size_t n_bands, double n,
                              meso_image_statistics *s)
{
    double channels[3][256], entropy = 0;
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            channels[c][v] = table_at(records, n_bands, R_HISTOGRAM + 256 * c + v);
    for (int v = 0; v < 256; v++) {
        double p = (channels[0][v] + channels[1][v] + channels[2][v]) / (3 * n);
        entropy -= p > 0 ? p * log2(p) : 0;
    }
    s->red = table_mean(channels[0], n);
    s->green = table_mean(channels[1], n);
    s->blue = table_mean(channels[2], n);
    s->entropy = entropy;
}

/* Σ a/b where Σ a is known for each b; 0/0 is 0. */
static double sum_of_ratios(const uint32_t *records, size_t n_bands, int table, int n)
{
    double sum = 0;
    for (int b = 1; b < n; b++)
        sum += table_at(records, n_bands, table + b) / b;
    return sum;
}

/* Variance of the Laplacian: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy",
 * ICPR 2000. Noise: Immerkær, "Fast noise variance estimation", CVIU 1996. Both of inner pixels. */
static void finish_edges(const uint32_t *records, size_t n_bands, unsigned width, unsigned height,
                         meso_image_statistics *s)
{
    if (width < 3 || height < 3)
        return;
    const double pi = 3.14159265358979323846, n = (double)(width - 2) * (height - 2);
    double mean = sum_at(records, n_bands, R_EDGES) / n;
    s->sharpness = sum_at(records, n_bands, R_EDGES + 2) / n - mean * mean;
    s->noise = sqrt(pi / 2) / (6 * n) * sum_at(records, n_bands, R_EDGES + 4);
}

/* M3 of Hasler and Süsstrunk, "Measuring colourfulness in natural images", SPIE 2003: of
 * rg = R − G and yb = (R + G)/2 − B, the deviations' norm and 0.3 of the means'. */
static void finish_colours(const uint32_t *records, size_t n_bands, double n,
                           meso_image_statistics *s)
{
    double rg = sum_at(records, n_bands, R_COLOURS) / n;
    double rg_variance = sum_at(records, n_bands, R_COLOURS + 2) / n - rg * rg;
    double yb = sum_at(records, n_bands, R_COLOURS + 4) / (2 * n);
    double yb_variance = sum_at(records, n_bands, R_COLOURS + 6) / (4 * n) - yb * yb;
    s->colourfulness = sqrt(rg_variance + yb_variance) + 0.3 * sqrt(rg * rg + yb * yb);
}

/* After Wang, Sheikh and Bovik, "No-reference perceptual quality assessment of JPEG compressed
 * images", ICIP 2002: the mean step across borders of 8×8 blocks to that within blocks. */
static void finish_blocks(const uint32_t *records, size_t n_bands, double width, double height,
                          meso_image_statistics *s)
{
    double across = sum_at(records, n_bands, R_BLOCKS),
           down = sum_at(records, n_bands, R_BLOCKS + 4);
    double across_border = sum_at(records, n_bands, R_BLOCKS + 2);
    double down_border = sum_at(records, n_bands, R_BLOCKS + 6);
    double n_border = floor((width - 1) / 8) * height + floor((height - 1) / 8) * width;
    double n_within = (width - 1) * height + (height - 1) * width - n_border;
    double within = across + down - across_border - down_border;
    if (n_border > 0 && within > 0)
        s->blockiness = (across_border + down_border) / n_border / (within / n_within);
}

void meso_statistics_finish(const uint32_t *records, size_t n_bands, unsigned width,
                            unsigned height, int more, meso_image_statistics *statistics)
{
    const double n = (double)width * height;
    *statistics = (meso_image_statistics){
        .sharpness = NAN, .noise = NAN, .colourfulness = NAN, .saturation = NAN, .blockiness = NAN};
    finish_histograms(records, n_bands, n, statistics);
    statistics->contrast = 100 * sum_of_ratios(records, n_bands, R_CONTRAST, 511) / n;
    statistics->brightness = sum_at(records, n_bands, R_LUMA) / n;
    if (!more)
        return;
    statistics->saturation = sum_of_ratios(records, n_bands, R_SATURATION, 256) / n;
    finish_edges(records, n_bands, width, height, statistics);
    finish_colours(records, n_bands, n, statistics);
    finish_blocks(records, n_bands, width, height, statistics);
}

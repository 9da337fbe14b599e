/* SPDX-License-Identifier: Apache-2.0 */
#include "study/scan/scan_file.h"

#include <math.h>
#include <stdlib.h>

enum { side = STUDY_LOOK_SIDE, kept = 8, first = 1 };

/* The cosine transform's frequencies 1 … 8 of both axes. */
static void transform(const float *grey, double out[kept * kept])
{
    double cosine[kept][side], rows[side][kept];
    for (int u = 0; u < kept; u++)
        for (int x = 0; x < side; x++)
            cosine[u][x] = cos(3.14159265358979323846 * (u + first) * (2 * x + 1) / (2 * side));
    for (int y = 0; y < side; y++)
        for (int u = 0; u < kept; u++) {
            rows[y][u] = 0;
            for (int x = 0; x < side; x++)
                rows[y][u] += (double)grey[y * side + x] * cosine[u][x];
        }
    for (int v = 0; v < kept; v++)
        for (int u = 0; u < kept; u++) {
            out[v * kept + u] = 0;
            for (int y = 0; y < side; y++)
                out[v * kept + u] += rows[y][u] * cosine[v][y];
        }
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static uint64_t bits_above_median(const double values[kept * kept])
{
    double sorted[kept * kept];
    uint64_t bits = 0;
    for (int i = 0; i < kept * kept; i++)
        sorted[i] = values[i];
    qsort(sorted, kept * kept, sizeof *sorted, compare);
    double median = (sorted[kept * kept / 2 - 1] + sorted[kept * kept / 2]) / 2;
    for (int i = 0; i < kept * kept; i++)
        bits |= (uint64_t)(values[i] > median) << i;
    return bits;
}

void study_phash(const float *grey, uint64_t *phash, uint64_t *mirrored)
{
    double values[kept * kept];
    transform(grey, values);
    *phash = bits_above_median(values);
    for (int v = 0; v < kept; v++) /* a mirror turns the sign of odd horizontal frequencies */
        for (int u = 0; u < kept; u++)
            values[v * kept + u] *= (u + first) % 2 ? -1 : 1;
    *mirrored = bits_above_median(values);
}

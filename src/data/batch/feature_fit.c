/* SPDX-License-Identifier: Apache-2.0 */
#include "data/batch/batches.h"

#include <math.h>

/* Σv² of 2⁴⁸ pixels still fits. */
typedef struct sums {
    uint64_t n, first[3], second[3]; /* pixels, Σv, Σv² */
} sums;

static void add_pixels(sums *s, const uint8_t *pixels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++) {
            const uint64_t v = pixels[3 * i + c];
            s->first[c] += v;
            s->second[c] += v * v;
        }
    s->n += n;
}

meso_status meso_feature_fit(meso_batches *batches, double divide, meso_augment_settings *settings,
                             meso_error *error)
{
    sums s = {0};
    meso_batch batch = {0};
    MESO_CHECK(meso_batches_seek(batches, 0, 0, error));
    while (!batch.last) {
        MESO_CHECK(meso_batches_next(batches, &batch, error));
        add_pixels(&s, batch.pixels, batch.n * meso_batches_picture_pixels(batches));
    }
    for (int c = 0; c < 3; c++) {
        const double n = (double)s.n, mean = (double)s.first[c] / n;
        const double variance = (double)s.second[c] / n - mean * mean;
        settings->mean[c] = mean / divide;
        settings->std[c] = sqrt(variance > 0 ? variance : 0) / divide;
    }
    return meso_batches_seek(batches, 0, 0, error);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Does P(real) mean what it says? Compared, in parts of 0…1, with how many images are real.
 */
#include <math.h>

#include "base/error.h"
#include "mesocl/metrics.h"

static size_t bin_of(double p, size_t n_bins)
{
    size_t bin = (size_t)(p * (double)n_bins);
    return bin < n_bins ? bin : n_bins - 1;
}

meso_status meso_metrics_calibration(const meso_scores *scores, size_t n_bins,
                                     meso_calibration_bin *bins, double *error_expected,
                                     meso_error *error)
{
    MESO_DEMAND(scores->n > 0 && n_bins > 0, error, MESO_ERROR_ARGUMENT, "no scores or no bins");
    for (size_t b = 0; b < n_bins; b++)
        bins[b] = (meso_calibration_bin){0, 0, 0};
    for (size_t i = 0; i < scores->n; i++) {
        double p = scores->p_real[i];
        MESO_DEMAND(p >= 0 && p <= 1, error, MESO_ERROR_ARGUMENT,
                    "image %zu: P(real) = %g is not a probability", i, p);
        meso_calibration_bin *bin = &bins[bin_of(p, n_bins)];
        bin->n++;
        bin->p_real += p;
        bin->real += scores->real[i];
    }
    *error_expected = 0;
    for (size_t b = 0; b < n_bins; b++) {
        *error_expected += fabs(bins[b].p_real - bins[b].real) / (double)scores->n;
        bins[b].p_real = bins[b].n ? bins[b].p_real / (double)bins[b].n : NAN;
        bins[b].real = bins[b].n ? bins[b].real / (double)bins[b].n : NAN;
    }
    return MESO_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * How a picture's power is spread over spatial frequencies.
 */
#ifndef MESO_STUDY_SPECTRUM_H
#define MESO_STUDY_SPECTRUM_H

#include "mesocl/status.h"
#include "study/scan/study_scan.h"

typedef struct study_spectrum_plan study_spectrum_plan; /* may be used by many threads at once */

meso_status study_spectrum_open(study_spectrum_plan **plan, meso_error *error);
void study_spectrum_close(study_spectrum_plan *plan);

/* The power spectrum of Pillow's L in the middle of the picture, a square of up to 128×128 pixels
 * under a Hann window, averaged over rings of equal width from 0 to half the sampling rate, as
 * log10 ("azimuthal integration": Durall, Keuper and Keuper, Watch your Up-Convolution, CVPR 2020).
 * *high is log10 of the share of the power above a quarter of the sampling rate. All are NaN for
 * pictures below 32×32. */
void study_spectrum(const study_spectrum_plan *plan, const uint8_t *rgb, unsigned width,
                    unsigned height, float rings[STUDY_SPECTRUM_BINS], double *high);

#endif

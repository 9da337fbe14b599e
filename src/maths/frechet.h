/* SPDX-License-Identifier: Apache-2.0
 *
 * Fréchet distance between two sets of feature vectors, each taken for a normal distribution
 * (Dowson and Landau 1982; as FID by Heusel et al. 2017):
 *
 *   d² = |μ₁ − μ₂|² + tr(C₁ + C₂ − 2·(C₁C₂)^½)
 *
 * Covariances with n − 1. Few vectors make it too large, so compare only distances of sets of one
 * size.
 */
#ifndef MESO_STUDY_FRECHET_H
#define MESO_STUDY_FRECHET_H

#include <stddef.h>

#include "mesocl/status.h"

/* a [n_a][d], b [n_b][d]; at least 2 vectors each. *squared gets d², never below 0. Errors:
 * ARGUMENT (fewer, or a value that is not finite), MEMORY, INTERNAL (LAPACK did not converge). */
meso_status study_frechet(const float *a, size_t n_a, const float *b, size_t n_b, size_t d,
                          double *squared, meso_error *error);

#endif

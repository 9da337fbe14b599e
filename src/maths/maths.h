/* SPDX-License-Identifier: Apache-2.0
 *
 * Statistics of tests with few repetitions: Student's t and Holm's correction (significance.c),
 * rank correlation (rank_correlation.c); and the Fréchet distance (frechet.c).
 */
#ifndef MESO_MATHS_H
#define MESO_MATHS_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

/* P(|T| ≥ |t|) for Student's t with df > 0 degrees of freedom, not necessarily whole. */
double study_t_two_sided(double t, double df);

/* The t with P(|T| ≥ t) = p, 0 < p < 1. */
double study_t_quantile(double p, double df);

/* Holm's step-down adjustment (1979): compared with 0.05, adjusted[i] keeps the chance of any false
 * alarm among all tests at 5 %. NaN is a test that was not made: it stays NaN and is not counted.
 * adjusted [n], may not be p. Returns the number of tests that were made. */
size_t study_holm(const double *p, size_t n, double *adjusted);

/* Fréchet distance between two sets of feature vectors, each taken for a normal distribution
 * (Dowson and Landau 1982; as FID by Heusel et al. 2017):
 *
 *   d² = |μ₁ − μ₂|² + tr(C₁ + C₂ − 2·(C₁C₂)^½)
 *
 * Covariances with n − 1. Few vectors make it too large, so compare only distances of sets of one
 * size.
 *
 * a [n_a][d], b [n_b][d]; at least 2 vectors each. *squared gets d², never below 0. Errors:
 * ARGUMENT (fewer, or a value that is not finite), MEMORY, INTERNAL (LAPACK did not converge). */
meso_status study_frechet(const float *a, size_t n_a, const float *b, size_t n_b, size_t d,
                          double *squared, meso_error *error);

/* Spearman's: does a property of datasets go with how good their detectors are? */
typedef struct study_rank_correlation {
    double rho;       /* −1…1; NaN where x or y is all the same, or n < 3 */
    double low, high; /* 95 % of rho when y moves within its errors */
    double p;         /* share of all orders of y whose |rho| is as large: exact up to 8 values */
    double least_p;   /* the smallest p that n values can give: 2 / n! */
} study_rank_correlation;

/* x, y, y_error [n]: y_error is the standard error of y. Ties get mean ranks. The seed is that of
 * the draws for the interval, and of the orders where there are too many to try. Errors: ARGUMENT
 * (a value is not finite), MEMORY. */
meso_status study_rank_correlate(const double *x, const double *y, const double *y_error, size_t n,
                                 uint64_t seed, study_rank_correlation *result, meso_error *error);

#endif

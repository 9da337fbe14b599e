/* SPDX-License-Identifier: Apache-2.0
 *
 * Student's t, and Holm's correction: what tests with few repetitions need.
 */
#ifndef MESO_STUDY_SIGNIFICANCE_H
#define MESO_STUDY_SIGNIFICANCE_H

#include <stddef.h>

/* P(|T| ≥ |t|) for Student's t with df > 0 degrees of freedom, not necessarily whole. */
double study_t_two_sided(double t, double df);

/* The t with P(|T| ≥ t) = p, 0 < p < 1. */
double study_t_quantile(double p, double df);

/* Holm's step-down adjustment (1979): compared with 0.05, adjusted[i] keeps the chance of any false
 * alarm among all tests at 5 %. NaN is a test that was not made: it stays NaN and is not counted.
 * adjusted [n], may not be p. Returns the number of tests that were made. */
size_t study_holm(const double *p, size_t n, double *adjusted);

#endif

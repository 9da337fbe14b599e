/* SPDX-License-Identifier: Apache-2.0 */
#include "maths/maths.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"

/* The vectors around their mean, divided by √(n − 1), so that C = centredᵀ · centred. Returns tr C;
 * NaN where a value is not finite. */
static double centre(const float *vectors, size_t n, size_t d, double *mean, double *centred)
{
    double trace = 0, scale = 1 / sqrt((double)n - 1);
    for (size_t k = 0; k < d; k++) {
        mean[k] = 0;
        for (size_t i = 0; i < n; i++)
            mean[k] += (double)vectors[i * d + k] / (double)n;
    }
    for (size_t i = 0; i < n * d; i++) {
        centred[i] = ((double)vectors[i] - mean[i % d]) * scale;
        trace += centred[i] * centred[i];
    }
    return isfinite(trace) ? trace : NAN;
}

static double dot(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t k = 0; k < d; k++)
        sum += a[k] * b[k];
    return sum;
}

/* tr (C₁C₂)^½ is the sum of the singular values of A·Bᵀ: C₁C₂ = AᵀA·BᵀB has the eigenvalues of
 * (A·Bᵀ)(A·Bᵀ)ᵀ, and zeros. That matrix is as large as the sets, not as the vectors. */
static meso_status trace_of_root(const double *a, size_t n_a, const double *b, size_t n_b, size_t d,
                                 double *trace, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = n_a < n_b ? n_a : n_b;
    double *product = malloc(n_a * n_b * sizeof *product);
    double *singular = calloc(n, sizeof *singular);
    MESO_REQUIRE_MEMORY(product, error);
    MESO_REQUIRE_MEMORY(singular, error);
    for (size_t i = 0; i < n_a; i++)
        for (size_t j = 0; j < n_b; j++)
            product[i * n_b + j] = dot(a + i * d, b + j * d, d);
    /* Read by columns it is the transpose, which has the same singular values. */
    int info = (int)LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', (lapack_int)n_b, (lapack_int)n_a, product,
                                   (lapack_int)n_b, singular, NULL, 1, NULL, 1);
    MESO_REQUIRE(info == 0, error,
                 info == LAPACK_WORK_MEMORY_ERROR ? MESO_ERROR_MEMORY : MESO_ERROR_INTERNAL,
                 "singular values of a %zu by %zu matrix: LAPACK's dgesdd says %d", n_a, n_b, info);
    *trace = 0;
    for (size_t i = 0; i < n; i++)
        *trace += singular[i];
out:
    free(product);
    free(singular);
    return status;
}

meso_status study_frechet(const float *a, size_t n_a, const float *b, size_t n_b, size_t d,
                          double *squared, meso_error *error)
{
    meso_status status = MESO_OK;
    double *room = malloc((n_a + n_b + 2) * d * sizeof *room);
    MESO_REQUIRE_MEMORY(room, error);
    MESO_REQUIRE(n_a >= 2 && n_b >= 2 && d > 0, error, MESO_ERROR_ARGUMENT,
                 "a Fréchet distance needs two vectors on each side: %zu and %zu", n_a, n_b);
    double *mean_a = room, *mean_b = room + d, *in_a = room + 2 * d, *in_b = in_a + n_a * d;
    double root = 0, trace = centre(a, n_a, d, mean_a, in_a) + centre(b, n_b, d, mean_b, in_b);
    MESO_REQUIRE(!isnan(trace), error, MESO_ERROR_ARGUMENT, "a feature is not finite");
    MESO_TRY(trace_of_root(in_a, n_a, in_b, n_b, d, &root, error));
    double distance = trace - 2 * root;
    for (size_t k = 0; k < d; k++)
        distance += (mean_a[k] - mean_b[k]) * (mean_a[k] - mean_b[k]);
    *squared = distance > 0 ? distance : 0; /* rounding can leave −1e-15 */
out:
    free(room);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "maths/maths.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/random.h"

enum { max_exact = 8, n_draws = 2000 };

/* Ranks from 1, ties at their mean. n is the number of datasets: small. */
static void rank_values(const double *value, size_t n, double *rank)
{
    for (size_t i = 0; i < n; i++) {
        size_t below = 0, equal = 0;
        for (size_t j = 0; j < n; j++) {
            below += value[j] < value[i];
            equal += value[j] == value[i];
        }
        rank[i] = (double)below + ((double)equal + 1) / 2;
    }
}

/* Pearson's correlation of two lists of ranks, whose mean is (n + 1) / 2. */
static double correlate_ranks(const double *a, const double *b, size_t n)
{
    double mean = ((double)n + 1) / 2, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - mean) * (b[i] - mean);
        aa += (a[i] - mean) * (a[i] - mean);
        bb += (b[i] - mean) * (b[i] - mean);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

static void swap(double *a, double *b)
{
    double held = *a;
    *a = *b;
    *b = held;
}

/* Counts orders of b[k …] whose |rho| reaches `least`. */
static void try_orders(const double *a, double *b, size_t k, size_t n, double least, size_t *hits,
                       size_t *tried)
{
    if (k + 1 >= n) {
        *hits += fabs(correlate_ranks(a, b, n)) >= least;
        *tried += 1;
        return;
    }
    for (size_t i = k; i < n; i++) {
        swap(&b[k], &b[i]);
        try_orders(a, b, k + 1, n, least, hits, tried);
        swap(&b[k], &b[i]);
    }
}

static double permutation_p(const double *a, double *b, size_t n, double rho, uint64_t seed)
{
    const double least = fabs(rho) - 1e-12; /* rounding is not a smaller correlation */
    size_t hits = 0, tried = 0;
    meso_random random = {seed};
    if (n <= max_exact) {
        try_orders(a, b, 0, n, least, &hits, &tried);
        return (double)hits / (double)tried;
    }
    for (tried = 0; tried < 10 * n_draws; tried++) {
        for (size_t i = n - 1; i > 0; i--)
            swap(&b[i], &b[meso_random_below(&random, i + 1)]);
        hits += fabs(correlate_ranks(a, b, n)) >= least;
    }
    return ((double)hits + 1) / ((double)tried + 1);
}

/* A normal number, by the sum of twelve uniform ones: its tails do not matter here. */
static double draw_normal(meso_random *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += meso_random_unit(random);
    return sum;
}

/* Where rho goes when y is drawn from within its errors. scratch [2n + n_draws]. */
static void find_interval(const double *x_rank, const double *y, const double *y_error, size_t n,
                          uint64_t seed, double *scratch, study_rank_correlation *result)
{
    double *moved = scratch, *rank = scratch + n, *rho = scratch + 2 * n;
    meso_random random = {seed};
    size_t kept = 0;
    for (size_t d = 0; d < n_draws; d++) {
        for (size_t i = 0; i < n; i++)
            moved[i] = y[i] + y_error[i] * draw_normal(&random);
        rank_values(moved, n, rank);
        double value = correlate_ranks(x_rank, rank, n);
        if (!isnan(value))
            rho[kept++] = value;
    }
    meso_sort(rho, kept);
    result->low = kept ? rho[(size_t)(0.025 * (double)(kept - 1))] : NAN;
    result->high = kept ? rho[(size_t)ceil(0.975 * (double)(kept - 1))] : NAN;
}

meso_status study_rank_correlate(const double *x, const double *y, const double *y_error, size_t n,
                                 uint64_t seed, study_rank_correlation *result, meso_error *error)
{
    meso_status status = MESO_OK;
    double *room = calloc(4 * n + n_draws, sizeof *room);
    *result = (study_rank_correlation){NAN, NAN, NAN, NAN, 2 / tgamma((double)n + 1)};
    MESO_REQUIRE_MEMORY(room, error);
    for (size_t i = 0; i < n; i++)
        MESO_REQUIRE(isfinite(x[i]) && isfinite(y[i]) && isfinite(y_error[i]), error,
                     MESO_ERROR_ARGUMENT, "value %zu of a correlation is not finite", i);
    double *x_rank = room, *y_rank = room + n;
    rank_values(x, n, x_rank);
    rank_values(y, n, y_rank);
    double rho = n >= 3 ? correlate_ranks(x_rank, y_rank, n) : NAN;
    if (!isnan(rho)) {
        result->rho = rho;
        find_interval(x_rank, y, y_error, n, seed, room + 2 * n, result);
        result->p = permutation_p(x_rank, y_rank, n, rho, seed);
    }
out:
    free(room);
    return status;
}

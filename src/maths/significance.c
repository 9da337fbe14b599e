/* SPDX-License-Identifier: Apache-2.0 */
#include "maths/maths.h"

#include <math.h>

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by Lentz'
 * method: converges within √max(a, b) steps for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int half = 0; half < 2; half++) {
            double step = half ? odd : even;
            d = 1 + step * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + step / c;
            c = fabs(c) < tiny ? tiny : c;
            value *= c * d;
        }
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return value;
}

/* Iₓ(a, b), the regularised incomplete beta function. */
static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double study_t_two_sided(double t, double df)
{
    return isinf(t) ? 0 : incomplete_beta(df / 2, 0.5, df / (df + t * t));
}

double study_t_quantile(double p, double df)
{
    double low = 0, high = 1;
    while (study_t_two_sided(high, df) > p)
        high *= 2;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (study_t_two_sided(middle, df) > p)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* How many of p come before p[i] in rising order; equal ones keep their order. */
static size_t rank_of(const double *p, size_t n, size_t i)
{
    size_t rank = 0;
    for (size_t j = 0; j < n; j++)
        rank += p[j] < p[i] || (p[j] == p[i] && j < i);
    return rank;
}

size_t study_holm(const double *p, size_t n, double *adjusted)
{
    size_t made = 0;
    for (size_t i = 0; i < n; i++)
        made += !isnan(p[i]);
    for (size_t i = 0; i < n; i++) {
        double value = isnan(p[i]) ? NAN : 0;
        /* The largest multiplied p among those that are not larger: later steps need earlier ones.
         */
        for (size_t j = 0; j < n && !isnan(p[i]); j++)
            if (p[j] <= p[i])
                value = fmax(value, p[j] * (double)(made - rank_of(p, n, j)));
        adjusted[i] = isnan(value) ? NAN : fmin(value, 1);
    }
    return made;
}

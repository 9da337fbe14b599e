/* SPDX-License-Identifier: Apache-2.0
 *
 * The statistics of a study: against tables, closed forms, and studies of which the truth is known.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "maths/maths.h"
#include "study/result/votes.h"

static void expect_close(double got, double expected, double tolerance, const char *what)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: %.12g, expected %.12g", what, got, expected);
}

static void test_student(void **state)
{
    (void)state;
    /* Two-sided 5 % points as in any table of t, to its digits. */
    const struct {
        double df, t;
    } rows[] = {{1, 12.7062},  {2, 4.30265},  {3, 3.18245},
                {10, 2.22814}, {30, 2.04227}, {1e6, 1.95997}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_close(study_t_quantile(0.05, rows[i].df), rows[i].t, 6e-5, "t");
    expect_close(study_t_two_sided(0, 3), 1, 1e-12, "p of 0");
    /* df = 1 is Cauchy, df = 2 has a closed form. */
    for (int i = 0; i < 12; i++) {
        double t = 0.1 * pow(1.7, i);
        expect_close(study_t_two_sided(t, 1), 1 - 2 * atan(t) / M_PI, 1e-12, "Cauchy");
        expect_close(study_t_two_sided(-t, 2), 1 - t / sqrt(2 + t * t), 1e-12, "df 2");
    }
}

static void test_holm(void **state)
{
    (void)state;
    /* By hand: sorted 0.005·4, 0.01·3, 0.03·2, 0.04·1, made monotone; NaN was not made. */
    const double p[] = {0.01, 0.04, NAN, 0.03, 0.005};
    const double expected[] = {0.03, 0.06, NAN, 0.06, 0.02};
    double adjusted[5];
    assert_int_equal(study_holm(p, 5, adjusted), 4);
    for (int i = 0; i < 5; i++)
        if (i == 2)
            assert_true(isnan(adjusted[i]));
        else
            expect_close(adjusted[i], expected[i], 1e-12, "Holm");
    const double same[] = {0.5, 0.5};
    study_holm(same, 2, adjusted);
    expect_close(adjusted[0], 1, 1e-12, "at most 1");
    expect_close(adjusted[1], 1, 1e-12, "ties");
}

static void test_rank_correlation(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4}, error[] = {0, 0, 0, 0};
    const double y[] = {10, 20, 40, 30}, tied[] = {1, 1, 2, 3}, flat[] = {5, 5, 5, 5};
    study_rank_correlation r;
    assert_int_equal(study_rank_correlate(x, y, error, 4, 1, &r, NULL), MESO_OK);
    expect_close(r.rho, 0.8, 1e-12, "one swap of four");
    /* Of 24 orders, |rho| ≥ 0.8: one with 1, three with 0.8, and as many negative. */
    expect_close(r.p, 8.0 / 24, 1e-12, "exact p");
    expect_close(r.low, 0.8, 1e-12, "no error, no interval");
    expect_close(r.least_p, 2.0 / 24, 1e-12, "least p");
    assert_int_equal(study_rank_correlate(x, tied, error, 4, 1, &r, NULL), MESO_OK);
    expect_close(r.rho, 4.5 / sqrt(5 * 4.5), 1e-12, "ties have mean ranks");
    assert_int_equal(study_rank_correlate(x, flat, error, 4, 1, &r, NULL), MESO_OK);
    assert_true(isnan(r.rho) && isnan(r.p));
    /* Two sets that lie within their errors may change places. */
    const double close[] = {10, 20, 30.5, 30}, errors[] = {1, 1, 1, 1};
    assert_int_equal(study_rank_correlate(x, close, errors, 4, 1, &r, NULL), MESO_OK);
    expect_close(r.low, 0.8, 1e-12, "low");
    expect_close(r.high, 1, 1e-12, "high");
    const double bad[] = {1, NAN, 3, 4};
    assert_int_equal(study_rank_correlate(x, bad, error, 4, 1, &r, NULL), MESO_ERROR_ARGUMENT);
}

/* ---- Fréchet ---- */

static double frechet(const float *a, size_t n_a, const float *b, size_t n_b, size_t d)
{
    double squared;
    meso_error error = {0};
    if (study_frechet(a, n_a, b, n_b, d, &squared, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return squared;
}

/* Mean and covariance of pairs, in the order xx, xy, yy. */
static void moments(const float *v, size_t n, double mean[2], double c[3])
{
    mean[0] = mean[1] = c[0] = c[1] = c[2] = 0;
    for (size_t i = 0; i < n; i++) {
        mean[0] += v[2 * i] / (double)n;
        mean[1] += v[2 * i + 1] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double x = v[2 * i] - mean[0], y = v[2 * i + 1] - mean[1];
        c[0] += x * x / ((double)n - 1);
        c[1] += x * y / ((double)n - 1);
        c[2] += y * y / ((double)n - 1);
    }
}

static void test_frechet_in_the_plane(void **state)
{
    (void)state;
    /* In two dimensions tr √P = √(tr P + 2·√det P). */
    meso_random random = {3};
    float a[2 * 40], b[2 * 25];
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 80; i++)
            a[i] = (float)(meso_random_unit(&random) * (i % 2 ? 3 : 1));
        for (size_t i = 0; i < 50; i++)
            b[i] = (float)(meso_random_unit(&random) + (i % 2 ? 0.3 * b[i - 1] : 2));
        double ma[2], mb[2], p[3], q[3];
        moments(a, 40, ma, p);
        moments(b, 25, mb, q);
        double trace = p[0] * q[0] + 2 * p[1] * q[1] + p[2] * q[2];
        double det = (p[0] * p[2] - p[1] * p[1]) * (q[0] * q[2] - q[1] * q[1]);
        double expected = pow(ma[0] - mb[0], 2) + pow(ma[1] - mb[1], 2) + p[0] + p[2] + q[0] +
                          q[2] - 2 * sqrt(trace + 2 * sqrt(det));
        expect_close(frechet(a, 40, b, 25, 2), expected, 1e-9, "plane");
        expect_close(frechet(b, 25, a, 40, 2), expected, 1e-9, "other way round");
        expect_close(frechet(a, 40, a, 40, 2), 0, 1e-12, "itself");
    }
    a[3] = NAN;
    double squared;
    assert_int_equal(study_frechet(a, 40, b, 25, 2, &squared, NULL), MESO_ERROR_ARGUMENT);
    assert_int_equal(study_frechet(b, 1, b, 25, 2, &squared, NULL), MESO_ERROR_ARGUMENT);
}

/* ---- simulated studies ---- */

enum { n_sets = 3, n_seeds = 3, n_images = 400 };

typedef struct simulation {
    float p[n_sets * n_seeds][n_images];
    const float *runs[n_sets * n_seeds];
    unsigned char real[n_images];
    size_t group[n_images];
} simulation;

static double normal(meso_random *random)
{
    return sqrt(-2 * log(1 - meso_random_unit(random))) * cos(2 * M_PI * meso_random_unit(random));
}

/* Detectors of equal worth: an image's difficulty is shared, each run has its own skill and its own
 * luck with each image; frames of a group share their difficulty. better: added to set 0's skill.
 */
static void simulate(simulation *s, meso_random *random, size_t group_size, double better)
{
    double skill[n_sets * n_seeds], difficulty = 0;
    for (size_t r = 0; r < n_sets * n_seeds; r++) {
        skill[r] = 0.3 + 0.15 * normal(random) + (r < n_seeds ? better : 0);
        s->runs[r] = s->p[r];
    }
    for (size_t i = 0; i < n_images; i++) {
        if (i % group_size == 0)
            difficulty = normal(random);
        s->real[i] = i >= n_images / 2;
        s->group[i] = i / group_size;
        for (size_t r = 0; r < n_sets * n_seeds; r++) {
            double z = skill[r] + difficulty + 0.7 * normal(random);
            s->p[r][i] = (float)(1 / (1 + exp(s->real[i] ? -z : z)));
        }
    }
}

/* Does any pair of sets differ, by the rule of the report? */
static int differs(const simulation *s, uint64_t seed, int only_first)
{
    study_votes votes = {s->real, s->group, n_images, s->runs, n_sets, n_seeds, 200, seed};
    study_measures measures;
    double p[3], adjusted[3];
    size_t n = 0;
    int found = 0;
    assert_int_equal(study_votes_measure(&votes, &measures, NULL), MESO_OK);
    for (size_t a = 0; a < n_sets; a++)
        for (size_t b = a + 1; b < n_sets; b++)
            p[n++] = study_measures_difference(&measures, a, b, STUDY_ACCURACY).p;
    study_holm(p, n, adjusted);
    for (size_t i = 0; i < (only_first ? 1 : n); i++)
        found |= adjusted[i] < 0.05;
    study_measures_free(&measures);
    return found;
}

/* An interval of the level at which Holm compared p leaves 0 out exactly where sets differ. */
static void test_intervals_go_with_p(void **state)
{
    (void)state;
    static simulation s;
    size_t n_differ = 0, n_only_alone = 0;
    meso_random random = {11};
    for (size_t i = 0; i < 40; i++) {
        double p[3], adjusted[3];
        study_difference d[3];
        study_measures measures;
        simulate(&s, &random, 1, 0.5);
        study_votes votes = {s.real, s.group, n_images, s.runs, n_sets, n_seeds, 100, i};
        assert_int_equal(study_votes_measure(&votes, &measures, NULL), MESO_OK);
        for (size_t k = 0; k < 3; k++) {
            d[k] = study_measures_difference(&measures, k / 2, 1 + (k + 1) / 2, STUDY_ACCURACY);
            p[k] = d[k].p;
        }
        study_holm(p, 3, adjusted);
        for (size_t k = 0; k < 3; k++) {
            study_estimate e = study_difference_at(&d[k], 0.05 * p[k] / adjusted[k]);
            assert_int_equal(e.low > 0 || e.high < 0, adjusted[k] < 0.05);
            assert_true(e.low <= d[k].low && e.high >= d[k].high); /* never narrower */
            n_differ += adjusted[k] < 0.05;
            n_only_alone += p[k] < 0.05 && !(adjusted[k] < 0.05);
        }
        study_measures_free(&measures);
    }
    print_message("%zu of 120 differ, %zu more would without correction\n", n_differ, n_only_alone);
    assert_true(n_differ > 0 && n_only_alone > 0);
}

static int full(void)
{
    return getenv("MESO_FULL") != NULL;
}

static void test_no_difference(void **state)
{
    (void)state;
    static simulation s;
    size_t n = full() ? 2000 : 200, false_alarms = 0;
    meso_random random = {2026};
    for (size_t i = 0; i < n; i++) {
        simulate(&s, &random, i % 2 ? 1 : 5, 0);
        false_alarms += (size_t)differs(&s, i, 0);
    }
    print_message("%zu of %zu studies without a difference called different\n", false_alarms, n);
    assert_true((double)false_alarms <= 0.07 * (double)n);
}

/* A rule that never says "differs" would pass the test above. */
static void test_a_difference(void **state)
{
    (void)state;
    static simulation s;
    size_t found = 0;
    meso_random random = {7};
    for (size_t i = 0; i < 20; i++) {
        simulate(&s, &random, 1, 1);
        found += (size_t)differs(&s, i, 1);
    }
    print_message("%zu of 20 differences of 1 in skill found\n", found);
    assert_true(found >= 18);
}

/* ---- the votes ---- */

static void test_votes(void **state)
{
    (void)state;
    /* Two contestants, two seeds, four images; by hand. */
    const float p[4][4] = {{0.1f, 0.2f, 0.9f, 0.8f}, /* all right */
                           {0.1f, 0.7f, 0.9f, 0.8f}, /* a fake missed */
                           {0.1f, 0.2f, 0.3f, 0.8f}, /* a real missed */
                           {0.1f, 0.2f, 0.3f, 0.8f}};
    const float *const runs[] = {p[0], p[1], p[2], p[3]};
    const unsigned char real[] = {0, 0, 1, 1};
    study_votes votes = {real, NULL, 4, runs, 2, 2, 500, 1};
    study_measures m, again;
    assert_int_equal(study_votes_measure(&votes, &m, NULL), MESO_OK);
    assert_int_equal(m.n_units, 4);
    expect_close(study_measures_seed(&m, 0, 1, STUDY_ACCURACY), 0.75, 1e-12, "one seed");
    expect_close(study_measures_seed(&m, 0, 1, STUDY_RECALL_FAKE), 0.5, 1e-12, "recall");
    study_estimate e = study_measures_estimate(&m, 0, STUDY_ACCURACY);
    expect_close(e.mean, 0.875, 1e-12, "mean");
    assert_true(e.low >= 0 && e.low < 0.875 && e.high == 1);
    study_difference d = study_measures_difference(&m, 0, 1, STUDY_ACCURACY);
    study_difference back = study_measures_difference(&m, 1, 0, STUDY_ACCURACY);
    expect_close(d.mean, 0.125, 1e-12, "difference");
    expect_close(back.low, -d.high, 1e-12, "sign");
    expect_close(back.p, d.p, 1e-12, "p");
    expect_close(study_measures_difference(&m, 0, 0, STUDY_AUC).p, 1, 0, "itself");
    assert_int_equal(study_votes_measure(&votes, &again, NULL), MESO_OK);
    assert_memory_equal(m.resampled, again.resampled,
                        2 * 500 * STUDY_N_QUANTITIES * sizeof(double));
    study_measures_free(&m);
    study_measures_free(&again);

    votes.n_seeds = 1;
    assert_int_equal(study_votes_measure(&votes, &m, NULL), MESO_OK);
    assert_true(isnan(study_measures_difference(&m, 0, 1, STUDY_ACCURACY).p));
    study_measures_free(&m);
    votes.n = 0;
    assert_int_equal(study_votes_measure(&votes, &m, NULL), MESO_ERROR_ARGUMENT);
    study_measures_free(&m);
}

/* Ten frames of one recording are one recording: the interval must be as wide as for one. */
static void test_groups_count_once(void **state)
{
    (void)state;
    float p[400];
    unsigned char real[400];
    size_t group[400];
    const float *const runs[] = {p};
    meso_random random = {5};
    for (size_t i = 0; i < 400; i++) {
        real[i] = i >= 200;
        group[i] = i / 10;
        p[i] = i % 10 ? p[i - 1] : (float)meso_random_unit(&random);
    }
    study_votes votes = {real, NULL, 400, runs, 1, 1, 400, 1};
    double width[2];
    for (int grouped = 0; grouped < 2; grouped++) {
        study_measures m;
        votes.group = grouped ? group : NULL;
        assert_int_equal(study_votes_measure(&votes, &m, NULL), MESO_OK);
        study_estimate e = study_measures_estimate(&m, 0, STUDY_ACCURACY);
        width[grouped] = e.high - e.low;
        study_measures_free(&m);
    }
    expect_close(width[1] / width[0], sqrt(10), 0.4, "widths");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_student),
                                       cmocka_unit_test(test_holm),
                                       cmocka_unit_test(test_rank_correlation),
                                       cmocka_unit_test(test_frechet_in_the_plane),
                                       cmocka_unit_test(test_votes),
                                       cmocka_unit_test(test_groups_count_once),
                                       cmocka_unit_test(test_intervals_go_with_p),
                                       cmocka_unit_test(test_no_difference),
                                       cmocka_unit_test(test_a_difference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics against scikit-learn (tests/golden/metrics.json, made by make_metrics.py beside it) and
 * against values worked by hand; the bootstrap against explicit resamples.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/random.h"
#include "mesocl/metrics.h"

#define max_images 400

/* Scores with room of their own; p_fake follows from p_real. */
typedef struct score_set {
    double p_real[max_images], p_fake[max_images];
    unsigned char real[max_images];
    size_t group[max_images];
    size_t n;
} score_set;

static void add_score(score_set *set, int real, double p_real)
{
    assert_true(set->n < max_images);
    set->real[set->n] = (unsigned char)real;
    set->p_real[set->n] = p_real;
    set->p_fake[set->n] = 1 - p_real;
    set->group[set->n] = set->n;
    set->n++;
}

static meso_scores as_scores(const score_set *set)
{
    return (meso_scores){set->p_real, set->p_fake, set->real, NULL, set->n};
}

static meso_metrics compute(const score_set *set)
{
    meso_metrics metrics = MESO_INIT(meso_metrics);
    meso_error error;
    meso_scores scores = as_scores(set);
    if (meso_metrics_compute(&scores, 0.5, &metrics, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return metrics;
}

static void expect_near(double value, double expected, const char *what, const char *which)
{
    if (isnan(expected) ? !isnan(value) : !(fabs(value - expected) <= 1e-12))
        fail_msg("%s, %s: %.17g, expected %.17g", which, what, value, expected);
}

/* ---- against scikit-learn ---- */

/* What is missing or null is a metric that does not exist for these scores. */
static double number(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double number_at(const json_t *array, size_t i)
{
    return number(json_array_get(array, i));
}

static double number_of(const json_t *object, const char *key)
{
    return number(json_object_get(object, key));
}

static void check_averages(const json_t *golden, const char *key, const meso_class_metrics *average,
                           const char *name)
{
    const json_t *row = json_object_get(golden, key);
    expect_near(average->precision, number_at(row, 0), key, name);
    expect_near(average->recall, number_at(row, 1), key, name);
    expect_near(average->f1, number_at(row, 2), key, name);
}

static void check_roc(const json_t *golden, const score_set *set, const char *name)
{
    const json_t *expected = json_object_get(golden, "roc");
    meso_scores scores = as_scores(set);
    meso_roc_point *points = NULL;
    size_t n = 0;
    meso_status status = meso_metrics_roc(&scores, &points, sizeof *points, &n, NULL);
    if (!expected) {
        assert_int_equal(status, MESO_ERROR_ARGUMENT);
        return;
    }
    assert_int_equal(status, MESO_OK);
    assert_int_equal(n, json_array_size(expected));
    for (size_t i = 0; i < n; i++) {
        const json_t *point = json_array_get(expected, i);
        expect_near(points[i].false_positive_rate, number_at(point, 0), "fpr", name);
        expect_near(points[i].true_positive_rate, number_at(point, 1), "tpr", name);
        if (json_is_null(json_array_get(point, 2)))
            assert_true(isinf(points[i].threshold) && points[i].threshold > 0);
        else
            expect_near(points[i].threshold, number_at(point, 2), "threshold", name);
    }
    meso_free(points);
}

static void check_golden(const json_t *golden)
{
    const char *name = json_string_value(json_object_get(golden, "name"));
    const json_t *real = json_object_get(golden, "real");
    const json_t *p_real = json_object_get(golden, "p_real");
    score_set set = {.n = 0};
    for (size_t i = 0; i < json_array_size(real); i++)
        add_score(&set, number_at(real, i) != 0, number_at(p_real, i));
    meso_metrics m = compute(&set);

    const struct {
        const char *key;
        double value;
    } rows[] = {{"accuracy", m.accuracy},
                {"balanced_accuracy", m.balanced_accuracy},
                {"mse", m.mse},
                {"bce", m.bce},
                {"auc", m.auc},
                {"average_precision", m.average_precision},
                {"eer", m.eer}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_near(rows[i].value, number_of(golden, rows[i].key), rows[i].key, name);
    size_t correct = 0;
    for (size_t c = 0; c < 2; c++) {
        const json_t *row = json_array_get(json_object_get(golden, "confusion"), c);
        assert_int_equal(m.confusion[c][0], (size_t)number_at(row, 0));
        assert_int_equal(m.confusion[c][1], (size_t)number_at(row, 1));
        correct += (size_t)number_at(row, c);
        assert_int_equal(m.per_class[c].support, m.confusion[c][0] + m.confusion[c][1]);
        expect_near(m.per_class[c].precision, number_at(json_object_get(golden, "precision"), c),
                    "precision", name);
        expect_near(m.per_class[c].recall, number_at(json_object_get(golden, "recall"), c),
                    "recall", name);
        expect_near(m.per_class[c].f1, number_at(json_object_get(golden, "f1"), c), "f1", name);
    }
    assert_int_equal(m.n, set.n);
    assert_int_equal(m.correct, correct);
    check_averages(golden, "macro", &m.macro_average, name);
    check_averages(golden, "weighted", &m.weighted_average, name);
    check_roc(golden, &set, name);
}

static void test_scikit_learn(void **state)
{
    (void)state;
    json_error_t error;
    json_t *document = json_load_file("tests/golden/metrics.json", 0, &error);
    if (!document)
        fail_msg("tests/golden/metrics.json:%d: %s", error.line, error.text);
    const json_t *cases = json_object_get(document, "cases");
    assert_true(json_array_size(cases) >= 11);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_golden(json_array_get(cases, i));
    json_decref(document);
}

/* ---- by hand ---- */

static void test_eer_by_hand(void **state)
{
    (void)state;
    /* Falling scores R F R F: the ROC is (0,0) (0,½) (½,½) (½,1) (1,1). It meets the anti-diagonal
     * at (½,½), the end of the step to the fake at 0.7. */
    score_set set = {.n = 0};
    add_score(&set, 1, 0.9);
    add_score(&set, 0, 0.7);
    add_score(&set, 1, 0.6);
    add_score(&set, 0, 0.1);
    meso_metrics m = compute(&set);
    expect_near(m.eer, 0.5, "eer", "R F R F");
    expect_near(m.eer_threshold, 0.7, "eer_threshold", "R F R F");
    expect_near(m.auc, 0.75, "auc", "R F R F");

    /* Ties make slopes: (0,0) @∞, (0,½) @0.8, (⅔,1) @0.4, (1,1). Along the second step the gap
     * false alarms − misses goes from −½ to ⅔: zero after 3/7 of it, at false alarms 2/7. */
    set = (score_set){.n = 0};
    add_score(&set, 1, 0.8);
    add_score(&set, 1, 0.4);
    add_score(&set, 0, 0.4);
    add_score(&set, 0, 0.4);
    add_score(&set, 0, 0.2);
    m = compute(&set);
    expect_near(m.eer, 2.0 / 7, "eer", "slope");
    expect_near(m.eer_threshold, 0.8 - 0.4 * 3 / 7, "eer_threshold", "slope");
}

static void test_small_probabilities(void **state)
{
    (void)state;
    /* 1 − 1e-20 is 1 in double: the error of a real image comes from p_fake. */
    double p_real[] = {1, 1e-20}, p_fake[] = {1e-20, 1};
    unsigned char real[] = {1, 0};
    meso_scores scores = {p_real, p_fake, real, NULL, 2};
    meso_metrics m = MESO_INIT(meso_metrics);
    assert_int_equal(meso_metrics_compute(&scores, 0.5, &m, NULL), MESO_OK);
    assert_true(fabs(m.mse - 1e-40) <= 1e-52);
    assert_true(fabs(m.bce + log(1 - 1e-7)) <= 1e-18);
    /* Sure and wrong: −log of the clip, not infinity. */
    real[0] = 0, real[1] = 1;
    assert_int_equal(meso_metrics_compute(&scores, 0.5, &m, NULL), MESO_OK);
    expect_near(m.bce, -log(1e-7), "bce", "sure and wrong");
}

static void test_threshold(void **state)
{
    (void)state;
    score_set set = {.n = 0};
    add_score(&set, 1, 0.5);
    add_score(&set, 0, 0.25);
    meso_scores scores = as_scores(&set);
    meso_metrics m = MESO_INIT(meso_metrics);
    /* Exactly at the threshold is fake, as in Keras' binary accuracy. */
    assert_int_equal(compute(&set).confusion[1][0], 1);
    assert_int_equal(meso_metrics_compute(&scores, 0.125, &m, NULL), MESO_OK);
    assert_int_equal(m.confusion[1][1], 1);
    assert_int_equal(m.confusion[0][1], 1);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    const double bad[] = {-1e-9, 1 + 1e-9, NAN, INFINITY};
    meso_metrics m = MESO_INIT(meso_metrics);
    meso_metrics_intervals intervals = MESO_INIT(meso_metrics_intervals);
    meso_error error = {0};
    score_set set = {.n = 0};
    meso_scores scores = as_scores(&set);
    assert_int_equal(meso_metrics_compute(&scores, 0.5, &m, &error), MESO_ERROR_ARGUMENT);
    add_score(&set, 1, 0.5);
    scores = as_scores(&set);
    assert_int_equal(meso_metrics_compute(&scores, NAN, &m, &error), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_metrics_bootstrap(&scores, 0.5, 0, 1, &intervals, &error),
                     MESO_ERROR_ARGUMENT);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set.p_real[0] = bad[i], set.p_fake[0] = 0.5;
        assert_int_equal(meso_metrics_compute(&scores, 0.5, &m, &error), MESO_ERROR_ARGUMENT);
        set.p_real[0] = 0.5, set.p_fake[0] = bad[i];
        assert_int_equal(meso_metrics_compute(&scores, 0.5, &m, &error), MESO_ERROR_ARGUMENT);
        assert_non_null(strstr(error.text, "score 0"));
    }
}

/* ---- bootstrap ---- */

/* n of each class; scores on a grid of 16, right more often than not. */
static score_set random_scores(uint64_t seed, size_t n)
{
    score_set set = {.n = 0};
    meso_random random = {seed};
    for (size_t i = 0; i < 2 * n; i++) {
        int real = i >= n;
        double p = meso_random_unit(&random) * 0.75 + (real ? 0.25 : 0);
        add_score(&set, real, floor(16 * p) / 16);
    }
    return set;
}

static meso_metrics_intervals bootstrap(const meso_scores *scores, size_t n, uint64_t seed)
{
    meso_metrics_intervals intervals = MESO_INIT(meso_metrics_intervals);
    meso_error error;
    if (meso_metrics_bootstrap(scores, 0.5, n, seed, &intervals, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return intervals;
}

/* One resample's interval is a point: it must be what the drawn images, written out, measure. */
static void test_one_resample(void **state)
{
    (void)state;
    score_set set = random_scores(5, 40), drawn = {.n = 0};
    meso_scores scores = as_scores(&set);
    for (uint64_t seed = 0; seed < 20; seed++) {
        meso_random random = {seed};
        drawn.n = 0;
        for (size_t i = 0; i < set.n; i++) {
            size_t image = (i < 40 ? 0 : 40) + meso_random_below(&random, 40);
            add_score(&drawn, set.real[image], set.p_real[image]);
        }
        meso_metrics m = compute(&drawn);
        meso_metrics_intervals b = bootstrap(&scores, 1, seed);
        const double pairs[][2] = {{b.accuracy.low, m.accuracy},
                                   {b.balanced_accuracy.high, m.balanced_accuracy},
                                   {b.mse.low, m.mse},
                                   {b.bce.high, m.bce},
                                   {b.auc.low, m.auc},
                                   {b.average_precision.high, m.average_precision},
                                   {b.eer.low, m.eer},
                                   {b.recall_fake.high, m.per_class[0].recall},
                                   {b.recall_real.low, m.per_class[1].recall}};
        for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
            expect_near(pairs[i][0], pairs[i][1], "one resample", "bootstrap");
    }
}

static void test_seed(void **state)
{
    (void)state;
    score_set set = random_scores(6, 100);
    meso_scores scores = as_scores(&set);
    meso_metrics_intervals a, b, c;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    a = bootstrap(&scores, 200, 7), b = bootstrap(&scores, 200, 7), c = bootstrap(&scores, 200, 8);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(a.auc.low != c.auc.low);
    assert_int_equal(a.n_units, 200);
    assert_int_equal(a.n_resamples, 200);
}

/* An interval at 95 % holds the true accuracy in about 95 % of worlds. */
static void test_coverage(void **state)
{
    (void)state;
    enum { n_worlds = 300, n_images = 100 };
    meso_random random = {11};
    int held = 0;
    for (int world = 0; world < n_worlds; world++) {
        score_set set = {.n = 0};
        for (int i = 0; i < 2 * n_images; i++) {
            int real = i >= n_images, right = meso_random_unit(&random) < 0.8;
            add_score(&set, real, real == right ? 0.75 : 0.25);
        }
        meso_scores scores = as_scores(&set);
        meso_interval interval = bootstrap(&scores, 200, (uint64_t)world).accuracy;
        held += interval.low <= 0.8 && 0.8 <= interval.high;
    }
    /* 95 % of 300 is 285 with a standard deviation of 4; the percentile method is a little narrow.
     */
    if (held < 268 || held > 298)
        fail_msg("%d of %d intervals hold the true accuracy", held, n_worlds);
}

static void test_groups(void **state)
{
    (void)state;
    score_set set = random_scores(9, 200);
    meso_scores scores = as_scores(&set);
    double alone =
        bootstrap(&scores, 400, 1).accuracy.high - bootstrap(&scores, 400, 1).accuracy.low;

    /* Ten frames of each of 40 recordings, all alike: ten times the images say nothing more. */
    for (size_t i = 0; i < set.n; i++) {
        set.group[i] = i / 10 % 20; /* the same numbers in both classes are different groups */
        set.p_real[i] = set.p_real[i / 10 * 10];
        set.p_fake[i] = 1 - set.p_real[i];
    }
    scores.group = set.group;
    meso_metrics_intervals grouped = bootstrap(&scores, 400, 1);
    assert_int_equal(grouped.n_units, 40);
    assert_true(grouped.accuracy.high - grouped.accuracy.low > 2 * alone);

    /* One group in each class is drawn every time. */
    memset(set.group, 0, sizeof set.group);
    grouped = bootstrap(&scores, 50, 1);
    assert_int_equal(grouped.n_units, 2);
    expect_near(grouped.auc.low, compute(&set).auc, "auc", "one group");
    expect_near(grouped.auc.high, compute(&set).auc, "auc", "one group");
}

static void test_group_scores(void **state)
{
    (void)state;
    score_set set = {.n = 0};
    add_score(&set, 1, 0.25), set.group[0] = 5;
    add_score(&set, 0, 0.5), set.group[1] = 5;
    add_score(&set, 1, 0.75), set.group[2] = 5;
    add_score(&set, 1, 0.125), set.group[3] = 2;
    meso_scores scores = as_scores(&set);
    meso_group_score *groups = NULL;
    size_t n = 0;
    assert_int_equal(meso_metrics_groups(&scores, &groups, sizeof *groups, &n, NULL),
                     MESO_ERROR_ARGUMENT);
    scores.group = set.group;
    assert_int_equal(meso_metrics_groups(&scores, &groups, sizeof *groups, &n, NULL), MESO_OK);
    const meso_group_score expected[] = {
        {0, 5, 0, 1, 0.5, 0.5}, {0, 2, 1, 1, 0.125, 0.875}, {0, 5, 1, 2, 0.5, 0.5}};
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(groups[i].group, expected[i].group);
        assert_int_equal(groups[i].real, expected[i].real);
        assert_int_equal(groups[i].n_images, expected[i].n_images);
        expect_near(groups[i].p_real, expected[i].p_real, "p_real", "group");
        expect_near(groups[i].p_fake, expected[i].p_fake, "p_fake", "group");
    }
    meso_free(groups);
}

static void test_one_class(void **state)
{
    (void)state;
    score_set set = {.n = 0};
    for (int i = 0; i < 20; i++)
        add_score(&set, 0, i / 20.0);
    meso_scores scores = as_scores(&set);
    meso_metrics_intervals b = bootstrap(&scores, 100, 1);
    assert_true(isnan(b.auc.low) && isnan(b.eer.high) && isnan(b.average_precision.low));
    assert_true(b.accuracy.low < b.accuracy.high);
    expect_near(b.accuracy.low, b.recall_fake.low, "accuracy", "one class");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scikit_learn),
                                       cmocka_unit_test(test_eer_by_hand),
                                       cmocka_unit_test(test_small_probabilities),
                                       cmocka_unit_test(test_threshold),
                                       cmocka_unit_test(test_bad_arguments),
                                       cmocka_unit_test(test_one_resample),
                                       cmocka_unit_test(test_seed),
                                       cmocka_unit_test(test_coverage),
                                       cmocka_unit_test(test_groups),
                                       cmocka_unit_test(test_group_scores),
                                       cmocka_unit_test(test_one_class)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict of device_bench compare and ab, on records with times that are drawn: how often it
 * calls a regression where there is none, and finds one that is there.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"
#include "compare.h"
#include "device_bench.h"
#include "measure.h"
#include "session.h"

enum { n_layers = 8, n_processes = 10, n_samples = 5 };

static double gauss(meso_random *random)
{
    double sum = 0; /* of twelve uniform numbers: variance 1 */
    for (int i = 0; i < 12; i++)
        sum += meso_random_unit(random);
    return sum - 6;
}

/* How the times of a machine vary. */
typedef struct machine {
    double spread;         /* of processes; of samples in a process */
    double bursts, longer; /* in this part of the processes, all samples but one take so many times
                              as long: something else ran */
} machine;

/* [process][sample] around `value`, a time or with `sign` −1 a rate. */
static void add_samples(meso_text *text, meso_random *random, double value, double sign,
                        const machine *m)
{
    meso_text_add(text, "\"samples\": [");
    for (int p = 0; p < n_processes; p++) {
        double center = value * exp(m->spread * gauss(random));
        int quiet =
            meso_random_unit(random) < m->bursts ? (int)meso_random_below(random, n_samples) : -1;
        meso_text_add(text, p ? ", [" : "[");
        for (int i = 0; i < n_samples; i++) {
            double burst = quiet < 0 || i == quiet ? 0 : sign * log(m->longer);
            meso_text_format(text, "%s%.9g", i ? ", " : "",
                             center * exp(burst + m->spread * gauss(random)));
        }
        meso_text_add(text, "]");
    }
    meso_text_add(text, "]");
}

/* A record of one net whose layer 3 takes `slower` times as long. */
static bench_record draw_record(meso_random *random, const machine *m, double slower)
{
    meso_text text = {0};
    meso_error error = {0};
    bench_record record;
    meso_text_add(&text, "{\"schema\": \"" BENCH_SCHEMA "\", \"results\": [{\"net\": \"n\", "
                         "\"direction\": \"predict\", \"path\": \"fused\", \"device\": \"d\", "
                         "\"batch\": 8, \"threads\": 1, ");
    add_samples(&text, random, 1000 / (1 + (slower - 1) / n_layers), -1, m);
    meso_text_add(&text, ", \"layers\": [");
    for (int l = 0; l < n_layers; l++) {
        meso_text_format(&text, "%s{\"layer\": \"l%d\", \"kernel\": \"k\", ", l ? ", " : "", l);
        add_samples(&text, random, l == 3 ? 1e-4 * slower : 1e-4, 1, m);
        meso_text_add(&text, "}");
    }
    meso_text_add(&text, "]}]}");
    if (bench_record_parse(text.bytes, text.length, "drawn", &record, &error) != MESO_OK)
        fail_msg("%s", error.text);
    meso_text_free(&text);
    return record;
}

static const bench_limits limits = {0.02, 0.1};

typedef struct counts {
    int slower, named, inconclusive; /* named: layer 3 called slower */
} counts;

static counts count(const machine *m, double slower, int runs)
{
    meso_random random = {1};
    counts n = {0};
    for (int i = 0; i < runs; i++) {
        bench_record a = draw_record(&random, m, 1), b = draw_record(&random, m, slower);
        bench_comparison comparison;
        meso_error error = {0};
        assert_int_equal(bench_compare(&a, &b, limits, 0, &comparison, &error), MESO_OK);
        assert_int_equal(comparison.n, 1 + n_layers);
        n.slower += comparison.verdict == BENCH_SLOWER;
        n.inconclusive += comparison.verdict == BENCH_INCONCLUSIVE;
        for (size_t r = 0; r < comparison.n; r++)
            if (comparison.rows[r].a->layer && strcmp(comparison.rows[r].a->layer, "l3 k") == 0)
                n.named += comparison.rows[r].verdict == BENCH_SLOWER;
        bench_comparison_free(&comparison);
        bench_record_free(&a);
        bench_record_free(&b);
    }
    return n;
}

/* As machines are: quiet ones, noisy ones, and one whose neighbour takes 20 % for most of what a
 * process measures. */
static const machine noisy = {.spread = 0.02}, disturbed = {0.008, 0.3, 1.2};

static void calls_no_regression_where_there_is_none(void **state)
{
    static const machine *const machines[] = {&noisy, &disturbed};
    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        counts n = count(machines[i], 1, 200);
        if (n.slower > 2 || n.inconclusive > 40)
            fail_msg("%zu: %d of 200 called slower, %d inconclusive", i, n.slower, n.inconclusive);
    }
}

static void finds_a_slower_layer(void **state)
{
    (void)state;
    counts n = count(&disturbed, 1.05, 40);
    if (n.named < 38)
        fail_msg("found in %d of 40", n.named);
}

/* With noise far larger than the tolerance the answer is that there is none. */
static void says_that_it_cannot_tell(void **state)
{
    static const machine hopeless = {.spread = 0.3};
    (void)state;
    counts n = count(&hopeless, 1.05, 40);
    if (n.slower > 1 || n.inconclusive < 39)
        fail_msg("%d called slower, %d inconclusive", n.slower, n.inconclusive);
}

/* A drift that both sides of a pair share does not count. */
static void compares_pairs(void **state)
{
    double a[] = {0, 0.5, 1, 1.5}, b[] = {0.1, 0.601, 1.099, 1.6};
    bench_measure of_a = {.name = "x", .log_seconds = a, .n = 4, .by_process = 1};
    bench_measure of_b = {.name = "x", .log_seconds = b, .n = 4, .by_process = 1};
    const bench_record left = {.measures = &of_a, .n = 1}, right = {.measures = &of_b, .n = 1};
    bench_comparison comparison;
    meso_error error = {0};
    (void)state;
    assert_int_equal(bench_compare(&left, &right, limits, 1, &comparison, &error), MESO_OK);
    assert_int_equal(comparison.verdict, BENCH_SLOWER);
    if (!(fabs(comparison.rows[0].ratio - exp(0.1)) <= 1e-12))
        fail_msg("ratio %.9f", comparison.rows[0].ratio);
    bench_comparison_free(&comparison);
    assert_int_equal(bench_compare(&left, &right, limits, 0, &comparison, &error), MESO_OK);
    assert_int_equal(comparison.verdict, BENCH_INCONCLUSIVE);
    bench_comparison_free(&comparison);
}

/* A record of nets with a failure or none; ten samples each, all the same. */
static bench_record make_record(const char *const *nets, const char *failures)
{
    meso_text text = {0};
    meso_error error = {0};
    bench_record record;
    meso_text_add(&text, "{\"schema\": \"" BENCH_SCHEMA "\", \"results\": [");
    for (size_t i = 0; nets[i]; i++)
        meso_text_format(&text,
                         "%s{\"net\": \"%s\", \"direction\": \"predict\", \"path\": \"fused\", "
                         "\"device\": \"d\", \"batch\": 8, \"threads\": 1, \"samples\": [[9], [9], "
                         "[9]], \"layers\": [{\"layer\": \"l\", \"kernel\": \"k%zu\", \"samples\": "
                         "[[1], [1], [1]]}]}",
                         i ? ", " : "", nets[i], i);
    meso_text_format(&text, "], \"failures\": [%s]}", failures);
    if (bench_record_parse(text.bytes, text.length, "made", &record, &error) != MESO_OK)
        fail_msg("%s", error.text);
    meso_text_free(&text);
    return record;
}

/* What B lacks or failed at is not "as fast as A"; what only A lacks is nobody's fault. */
static void absent_is_not_fine(void **state)
{
    static const char failure[] = "{\"device\": \"d\", \"net\": \"two\", \"direction\": "
                                  "\"predict\", \"reason\": \"gone\", \"exit_code\": 70}";
    static const char *const one[] = {"one", NULL}, *const both[] = {"one", "two", NULL};
    static const char *const renamed[] = {"two", "one", NULL}; /* kernels k1 and k0 */
    static const struct {
        const char *const *a, *const *b;
        const char *failed_a, *failed_b;
        bench_verdict verdict;
    } rows[] = {{both, both, "", "", BENCH_SAME},    {both, one, "", "", BENCH_FAILED},
                {one, both, "", "", BENCH_SAME},     {one, one, "", failure, BENCH_FAILED},
                {one, one, failure, "", BENCH_SAME}, {both, one, "", failure, BENCH_FAILED},
                {both, renamed, "", "", BENCH_SAME}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench_record a = make_record(rows[i].a, rows[i].failed_a);
        bench_record b = make_record(rows[i].b, rows[i].failed_b);
        bench_comparison comparison;
        meso_error error = {0};
        assert_int_equal(bench_compare(&a, &b, limits, 0, &comparison, &error), MESO_OK);
        if (comparison.verdict != rows[i].verdict)
            fail_msg("%zu: %s", i, bench_verdict_name(comparison.verdict));
        bench_comparison_free(&comparison);
        bench_record_free(&a);
        bench_record_free(&b);
    }
}

/* The document of one row, added n times, of so many images a second and beside these peaks. */
static json_t *merge_row(int rate, const char *peaks_text, int n)
{
    json_t *processes =
        json_pack("[{s:s s:s s:i s:i s:f s:[{s:i s:[i i]}]}]", "device", "d", "net", "n", "threads",
                  1, "lanes", 1, "multiply_adds", 1e9, "cases", "batch", 1, "samples", rate, rate);
    json_t *peaks = json_loads(peaks_text, 0, NULL);
    json_t *document = json_pack("{s:[], s:[]}", "results", "devices");
    assert_true(processes && peaks && document);
    for (int i = 0; i < n; i++)
        bench_merge(processes, json_string("0:0"), peaks, document);
    json_decref(peaks);
    json_decref(processes);
    return document;
}

/* Prediction is measured beside other work, training is not: both are a share of one peak. */
static void one_peak_for_all_rows(void **state)
{
    json_t *document = merge_row(35, "[[133, 134, 135], [139, 140, 141]]", 2);
    meso_text out = {0};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const json_t *row = json_array_get(json_object_get(document, "results"), i);
        assert_true(json_real_value(json_object_get(row, "peak_gflops")) == 140);
        assert_true(json_real_value(json_object_get(row, "share_of_peak")) == 0.5);
    }
    assert_int_equal(json_array_size(json_object_get(document, "devices")), 1);
    bench_output_table(document, BENCH_LAYERS, BENCH_TEXT, &out);
    assert_non_null(strstr(out.bytes, "  140.0  "));
    meso_text_free(&out);
    json_decref(document);
}

/* Where the peak moved while it was measured, no share of it means anything. */
static void no_share_of_a_moving_peak(void **state)
{
    json_t *document = merge_row(350, "[[80, 84, 88], [139, 140, 141]]", 1);
    meso_text out = {0};
    (void)state;
    const json_t *row = json_array_get(json_object_get(document, "results"), 0);
    assert_true(json_is_null(json_object_get(row, "share_of_peak")));
    assert_string_equal(json_string_value(json_object_get(row, "share_not_said")),
                        "the machine was busy: the peak moved by 71 %");
    bench_output_table(document, BENCH_LAYERS, BENCH_TEXT, &out);
    assert_non_null(strstr(out.bytes, "d: other work on this machine: rates moved by 71 %, so no "
                                      "share of the peak is said; run"));
    meso_text_free(&out);
    json_decref(document);
}

/* Two ports for everything, or two that multiply beside two that add. */
static void ports_set_a_bound(void **state)
{
    static const struct {
        const char *device, *net, *tuning;
        double instructions; /* of tune/avx512.json, as multiply-adds; 0: not counted */
    } rows[] = {{"x-AMD EPYC", "meso4", "avx512", 993920},
                {"x-Intel(R) Xeon(R)", "meso4", "avx512", 993920 + 416256 + 152896},
                {"x-AMD EPYC", "mesoinception4", "avx512", 1434080},
                {"x-AMD EPYC", "meso4_elu", "avx512", 0},
                {"x-AMD EPYC", "meso4", "any", 0},
                {"another", "meso4", "avx512", 0}};
    const double peak = 320, vectors = 1e9 * peak / 32;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *first =
            json_pack("{s:s s:s s:s s:s s:s}", "device", rows[i].device, "net", rows[i].net,
                      "tuning", rows[i].tuning, "path", "fused", "direction", "predict");
        const double bound = bench_port_bound(first, peak);
        if (rows[i].instructions > 0)
            assert_true(fabs(bound * rows[i].instructions / vectors - 1) < 1e-9);
        else
            assert_true(isnan(bound));
        json_decref(first);
    }
}

static void refuses_what_is_no_record(void **state)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"", "line"},
        {"{}", "not a record of device_bench"},
        {"{\"schema\": \"" BENCH_SCHEMA "\", \"results\": []}", "no results"},
        {"{\"schema\": \"" BENCH_SCHEMA "\", \"results\": [{\"net\": 1}]}",
         "lacks what identifies it"},
        {"{\"schema\": \"" BENCH_SCHEMA "\", \"results\": [{\"net\": \"n\", \"direction\": "
         "\"predict\", \"path\": \"fused\", \"device\": \"d\", \"batch\": 8, \"threads\": 1, "
         "\"samples\": [[1, 0], [1, 1]], \"layers\": []}]}",
         "not above 0"},
        {"{\"schema\": \"" BENCH_SCHEMA "\", \"results\": [], \"failures\": [{}]}",
         "a failure lacks what identifies it"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench_record record;
        meso_error error = {0};
        meso_status status =
            bench_record_parse(rows[i].text, strlen(rows[i].text), "x.json", &record, &error);
        if (status != MESO_ERROR_DATA || !strstr(error.text, rows[i].part) ||
            !strstr(error.text, "x.json"))
            fail_msg("%s: %d, %s", rows[i].text, (int)status, error.text);
        bench_record_free(&record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_no_regression_where_there_is_none),
        cmocka_unit_test(finds_a_slower_layer),
        cmocka_unit_test(says_that_it_cannot_tell),
        cmocka_unit_test(compares_pairs),
        cmocka_unit_test(absent_is_not_fine),
        cmocka_unit_test(one_peak_for_all_rows),
        cmocka_unit_test(no_share_of_a_moving_peak),
        cmocka_unit_test(ports_set_a_bound),
        cmocka_unit_test(refuses_what_is_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench as a program: small runs whose figures must fit together, and wrong command lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness_device.h"
#include "harness_run.h"
#include "samples.h"

/* A net so small that a run is a matter of seconds on any device. */
static const char tiny_net[] = "image = input height=32 width=32 channels=3 divide=255\n"
                               "conv = conv image filters=4 window=3x3 stride=1x1 dilation=1x1 "
                               "pad=same\n"
                               "flat = flatten conv\n"
                               "dense = dense flat units=1\n"
                               "p = sigmoid dense\n";
/* 32·32·4 outputs of 3·3·3 products each, and the dense layer's. */
static const double tiny_multiply_adds = 32.0 * 32 * 4 * 27 + 32 * 32 * 4;

static harness_result run_bench(const char *words)
{
    const harness_command command = {.program = DEVICE_BENCH_PROGRAM, .words = words};
    return harness_run(&command);
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("no number \"%s\"", key);
    return json_number_value(value);
}

static void check_result(const json_t *result, double batch, double peak)
{
    double rate = number(result, "images_per_s");
    const json_t *samples = json_object_get(result, "samples");
    assert_string_equal(json_string_value(json_object_get(result, "net")), "tiny.net");
    assert_true(json_string_length(json_object_get(result, "device")) > 0);
    assert_true(number(result, "batch") == batch && number(result, "threads") == 1);
    assert_true(number(result, "rounds") >= 5);
    assert_int_equal(json_array_size(samples), (int)number(result, "rounds"));
    assert_true(json_is_string(json_object_get(result, "path")) && number(result, "lanes") >= 1);
    assert_true(rate > 0 && number(result, "images_per_s_min") <= rate &&
                rate <= number(result, "images_per_s_max"));
    assert_true(number(result, "images_per_s_p10") <= rate &&
                rate <= number(result, "images_per_s_p90"));
    harness_close(number(result, "latency_ms"), 1e3 * batch / rate, 1e-5 * 1e3 * batch / rate,
                  "latency");
    double gflops = 2e-9 * tiny_multiply_adds * rate;
    harness_close(number(result, "gflops"), gflops, 1e-5 * gflops, "gflops");
    harness_close(number(result, "share_of_peak"), gflops / peak, 1e-5 * gflops / peak, "share");
}

static void measures_a_net(void **state)
{
    (void)state;
    harness_device();
    harness_put("tiny.net", tiny_net, 0);
    harness_result run = run_bench("net tiny.net --batch 3,1 --threads 1 --seconds 0.001 --json");
    if (run.code != 0)
        fail_msg("ended with %d: %s", run.code, run.err);
    json_t *document = json_loads(run.out, 0, NULL);
    assert_non_null(document);
    assert_string_equal(json_string_value(json_object_get(document, "schema")),
                        "mesocl.device_bench/1");
    const json_t *provenance = json_object_get(document, "provenance");
    assert_string_equal(json_string_value(json_object_get(provenance, "command")),
                        "device_bench net tiny.net --batch 3,1 --threads 1 --seconds 0.001 --json");
    double peak = number(document, "peak_gflops");
    assert_true(peak > 0 && number(document, "multiply_adds") == tiny_multiply_adds);
    assert_true(number(document, "largest_difference") <= 5e-6);
    const json_t *results = json_object_get(document, "results");
    assert_int_equal(json_array_size(results), 2);
    check_result(json_array_get(results, 0), 3, peak);
    check_result(json_array_get(results, 1), 1, peak);
    json_decref(document);
    harness_forget(&run);
}

static void prints_a_table(void **state)
{
    (void)state;
    harness_device();
    harness_put("tiny.net", tiny_net, 0);
    harness_result run = run_bench("net tiny.net --batch 2 --seconds 0.001 --no-fuse");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "tiny.net, plain path, on "));
    assert_non_null(strstr(run.out, "share of peak\n    2  "));
    harness_forget(&run);
}

static void measures_a_weight_file(void **state)
{
    (void)state;
    harness_device();
    harness_put("tiny.net", tiny_net, 0);
    const harness_command init = {.words = "init tiny.net -o tiny.safetensors"};
    harness_result made = harness_run(&init);
    harness_result run = run_bench("net tiny.safetensors --batch 1 --seconds 0.001 --json");
    if (made.code != 0 || run.code != 0)
        fail_msg("ended with %d and %d: %s", made.code, run.code, run.err);
    assert_non_null(strstr(run.out, "\"weights\": \"tiny.safetensors\""));
    assert_non_null(strstr(run.out, "\"weights_hash\": \""));
    harness_forget(&made);
    harness_forget(&run);
}

static void refuses_wrong_command_lines(void **state)
{
    static const struct {
        const char *words;
        int code;
        const char *part; /* of stderr */
    } rows[] = {
        {"", 2, "Usage: device_bench COMMAND"},
        {"nonsense", 2, "device_bench: there is no command \"nonsense\""},
        {"net", 2, "device_bench net: nothing to do; try: device_bench net --help"},
        {"net meso4 meso1", 2, "\"meso1\" is one operand too many"},
        {"net meso4 --batch 0", 2, "--batch takes up to 16 numbers from 1 to 4096"},
        {"net meso4 --batch 1,", 2, "not \"1,\""},
        {"net meso4 --batch 8x", 2, "not \"8x\""},
        {"net meso4 --batch 4097", 2, "not \"4097\""},
        {"net meso4 --batch 99999999999999999999", 2, "--batch takes"},
        {"net meso4 --batch 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", 2, "--batch takes"},
        {"net meso4 --threads 0", 2, "--threads takes a whole number"},
        {"net meso4 --seconds 0", 2, "--seconds takes a number"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_result run = run_bench(rows[i].words);
        if (run.code != rows[i].code || !strstr(run.err, rows[i].part) || *run.out)
            fail_msg("device_bench %s\nended with %d instead of %d, or does not say \"%s\":\n%s%s",
                     rows[i].words, run.code, rows[i].code, rows[i].part, run.out, run.err);
        harness_forget(&run);
    }
}

static void refuses_what_is_not_there(void **state)
{
    static const struct {
        const char *words;
        int code;
    } rows[] = {
        {"net no_such_net", 66},
        {"net no_such.safetensors", 66},
        {"net broken.net", 65},
        {"net meso4 --device no_such_device", 69},
    };
    (void)state;
    harness_device();
    harness_put("broken.net", "image = nonsense\n", 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_result run = run_bench(rows[i].words);
        if (run.code != rows[i].code || strncmp(run.err, "device_bench: ", 14) != 0)
            fail_msg("device_bench %s\nended with %d instead of %d:\n%s", rows[i].words, run.code,
                     rows[i].code, run.err);
        harness_forget(&run);
    }
}

static void summarises_samples(void **state)
{
    bench_samples samples;
    (void)state;
    assert_true(bench_samples_reserve(&samples, 11));
    for (int i = 0; i < 11; i++)
        bench_samples_add(&samples, (7 * i) % 11); /* 0 … 10, out of order */
    bench_summary s = bench_samples_summary(&samples);
    assert_true(s.median == 5 && s.min == 0 && s.max == 10 && s.p10 == 1 && s.p90 == 9);
    samples.n = 2; /* 0 and 7 */
    s = bench_samples_summary(&samples);
    assert_true(s.median == 3.5 && s.min == 0 && s.max == 7);
    samples.n = 0;
    s = bench_samples_summary(&samples);
    assert_true(s.median != s.median);
    bench_samples_free(&samples);
}

int main(void)
{
#define IN_A_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(measures_a_net),
        IN_A_FOLDER(prints_a_table),
        IN_A_FOLDER(measures_a_weight_file),
        cmocka_unit_test(refuses_wrong_command_lines),
        IN_A_FOLDER(refuses_what_is_not_there),
        cmocka_unit_test(summarises_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

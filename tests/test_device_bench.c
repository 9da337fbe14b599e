/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench as a program: small runs whose figures must fit together, and wrong command lines.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "device_rank.h"
#include "fault_layer/fault_layer.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_schema.h"
#include "measure/samples.h"
#include "measure/spec.h"

/* harness_tiny_net: 32·32·4 outputs of 3·3·3 products each, and the dense layer's. */
static const double tiny_multiply_adds = 32.0 * 32 * 4 * 27 + 32 * 32 * 4;

/* The folder is left for a fresh one. */
static int enter(void **state)
{
    char path[PATH_MAX];
    if (realpath("docs/schema", path))
        setenv("MESO_SCHEMAS", path, 1);
    return harness_enter_folder(state);
}

static harness_result run_bench(const char *words)
{
    const harness_command command = {.program = DEVICE_BENCH_PROGRAM, .words = words};
    return harness_run(&command);
}

/* Every list of `lists` has so many numbers above 0. */
static void check_samples(const json_t *lists, size_t n_processes, size_t n)
{
    assert_int_equal(json_array_size(lists), n_processes);
    for (size_t p = 0; p < n_processes; p++) {
        const json_t *list = json_array_get(lists, p);
        assert_int_equal(json_array_size(list), n);
        for (size_t i = 0; i < n; i++)
            assert_true(json_number_value(json_array_get(list, i)) > 0);
    }
}

static void check_result(const json_t *result, double batch)
{
    double rate = harness_number(result, "images_per_s"),
           peak = harness_number(result, "peak_gflops");
    assert_string_equal(json_string_value(json_object_get(result, "net")), "tiny.net");
    assert_string_equal(json_string_value(json_object_get(result, "direction")), "predict");
    assert_true(json_string_length(json_object_get(result, "device")) > 0);
    assert_true(harness_number(result, "batch") == batch && harness_number(result, "threads") == 1);
    assert_true(harness_number(result, "rounds") >= 5 && harness_number(result, "processes") == 2);
    check_samples(json_object_get(result, "samples"), 2, (size_t)harness_number(result, "rounds"));
    assert_true(json_is_string(json_object_get(result, "path")) &&
                harness_number(result, "lanes") >= 1);
    assert_true(rate > 0 && harness_number(result, "images_per_s_min") <= rate &&
                rate <= harness_number(result, "images_per_s_max"));
    assert_true(harness_number(result, "images_per_s_low") <= rate &&
                rate <= harness_number(result, "images_per_s_high"));
    assert_true(harness_number(result, "latency_p50_ms") <=
                harness_number(result, "latency_p99_ms"));
    harness_close(harness_number(result, "latency_ms"), 1e3 * batch / rate,
                  1e-5 * 1e3 * batch / rate, "latency");
    double gflops = 2e-9 * tiny_multiply_adds * rate;
    harness_close(harness_number(result, "gflops"), gflops, 1e-5 * gflops, "gflops");
    if (!json_object_get(result, "share_not_said")) /* the machine is not busy */
        harness_close(harness_number(result, "share_of_peak"), gflops / peak, 1e-5 * gflops / peak,
                      "share");
    assert_true(harness_number(result, "stream_images_per_s") > 0);
    assert_true(harness_number(result, "kernels_images_per_s") > 0);
    assert_true(harness_number(result, "multiply_adds") == tiny_multiply_adds);
    assert_true(harness_number(result, "largest_difference") <= 5e-6);
}

/* The convolution's row among the layers: its work, its time, and their ratio. */
static void check_layers(const json_t *result)
{
    const json_t *layers = json_object_get(result, "layers"), *layer;
    size_t i, n_found = 0;
    json_array_foreach (layers, i, layer) {
        check_samples(json_object_get(layer, "samples"), 2,
                      json_array_size(json_array_get(json_object_get(layer, "samples"), 0)));
        if (strcmp(json_string_value(json_object_get(layer, "kernel")), "conv_forward") != 0)
            continue;
        double gflops = 2e-3 * 32.0 * 32 * 4 * 27 / harness_number(layer, "us");
        n_found++;
        assert_true(harness_number(layer, "multiply_adds") == 32.0 * 32 * 4 * 27);
        assert_true(harness_number(layer, "bytes") == 4.0 * (32 * 32 * 3 + 32 * 32 * 4));
        harness_close(harness_number(layer, "gflops"), gflops, 1e-5 * gflops, "a layer's gflops");
    }
    assert_int_equal(n_found, 1);
}

/* What is measured beside the kernels explains, with them, the time of a picture, which is measured
 * without a profile. Widely, since the machine may be busy. */
static void check_launches(const json_t *result)
{
    const json_t *launches = json_object_get(result, "launches"), *row;
    double us = 0;
    size_t i;
    assert_int_equal(json_array_size(launches), 3);
    json_array_foreach (launches, i, row)
        us += harness_number(row, "us");
    assert_true(us > 0);
    double explained = harness_number(result, "share_in_kernels") +
                       1e-6 * us * harness_number(result, "images_per_s");
    harness_close(harness_number(result, "share_explained"), explained, 1e-5 * explained,
                  "explained");
    if (!(explained > 0.6 && explained < 1.6))
        fail_msg("%g of a picture's time is explained", explained);
}

static void measures_a_net(void **state)
{
    static const char words[] =
        "net tiny.net --batch 3,1 --cores 1 --seconds 0.001 --processes 2 --json";
    (void)state;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_result run = run_bench(words);
    if (run.code != 0)
        fail_msg("ended with %d: %s", run.code, run.err);
    json_t *document = json_loads(run.out, 0, NULL);
    assert_non_null(document);
    assert_string_equal(json_string_value(json_object_get(document, "schema")),
                        "mesocl.device_bench/3");
    harness_check_schema(document, "device_bench");
    const json_t *provenance = json_object_get(document, "provenance");
    const char *command = json_string_value(json_object_get(provenance, "command"));
    assert_true(strncmp(command, "device_bench net ", 17) == 0);
    assert_string_equal(command + strlen("device_bench "), words);
    const json_t *devices = json_object_get(document, "devices");
    assert_int_equal(json_array_size(devices), 1);
    assert_true(harness_number(json_array_get(devices, 0), "peak_gflops") > 0);
    assert_true(harness_number(json_array_get(devices, 0), "copy_gbs") > 0);
    assert_true(harness_number(json_array_get(devices, 0), "launch_us") > 0);
    assert_true(harness_number(json_array_get(devices, 0), "launch_alone_us") > 0);
    const json_t *results = json_object_get(document, "results");
    assert_int_equal(json_array_size(results), 2);
    check_result(json_array_get(results, 0), 3);
    check_result(json_array_get(results, 1), 1);
    check_layers(json_array_get(results, 0));
    check_launches(json_array_get(results, 0));
    json_decref(document);
    harness_forget(&run);
}

/* Whatever nonsense a driver says of a launch's times: the host's clock is taken, and that is said.
 * Stamps that make sense are believed, and the layers add up to no more than the whole. */
static void impossible_times_are_flagged(void **state)
{
    char times[32];
    const char *const environment[] = {"OPENCL_LAYERS=" FAULT_LAYER, times, NULL};
    const harness_command command = {.program = DEVICE_BENCH_PROGRAM,
                                     .words =
                                         "net tiny.net --batch 4 --cores 1 --seconds 0.001 --json",
                                     .environment = environment};
    (void)state;
    harness_need_layers(FAULT_LAYER);
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    for (int pattern = FAULT_TIMES_TRUE; pattern < FAULT_N_TIMES; pattern++) {
        snprintf(times, sizeof times, "MESO_FAULT_TIMES=%d", pattern);
        harness_result run = harness_run(&command);
        if (run.code != 0)
            fail_msg("pattern %d: ended with %d: %s", pattern, run.code, run.err);
        json_t *document = json_loads(run.out, 0, NULL), *layer;
        const json_t *result = json_array_get(json_object_get(document, "results"), 0);
        const json_t *share = json_object_get(result, "share_in_kernels");
        size_t i;
        harness_check_schema(document, "device_bench");
        assert_true(json_array_size(json_object_get(result, "layers")) > 0);
        json_array_foreach (json_object_get(result, "layers"), i, layer) {
            const json_t *host = json_object_get(layer, "host_timer");
            if (json_is_true(host) != (pattern != FAULT_TIMES_TRUE))
                fail_msg("pattern %d: host_timer is %d", pattern, json_is_true(host));
            assert_true(harness_number(layer, "us") > 0 && harness_number(layer, "us") < 1e6);
        }
        assert_true(pattern == FAULT_TIMES_TRUE ? json_is_real(share) : json_is_null(share));
        assert_int_equal(json_array_size(json_object_get(result, "launches")),
                         pattern == FAULT_TIMES_TRUE ? 3 : 0);
        json_decref(document);
        harness_forget(&run);
    }
}

/* A driver that never comes back from a call, while kernels are built and while they are timed,
 * costs ten seconds on a machine that has nothing else to do. It cannot be told from one that
 * compiles if it is busy before anything is timed. */
static void hanging_drivers_are_given_up(void **state)
{
    static const struct {
        const char *call, *hang, *reason;
    } rows[] = {{"MESO_FAULT_CALL=300", "MESO_FAULT_HANG=1", "hangs: it did nothing"},
                {"MESO_FAULT_CALL=60000", "MESO_FAULT_HANG=1", "hangs: it did nothing"},
                {"MESO_FAULT_CALL=60000", "MESO_FAULT_HANG=2", "gave no answer within"}};
    (void)state;
    harness_need_layers(FAULT_LAYER);
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const environment[] = {"OPENCL_LAYERS=" FAULT_LAYER, rows[i].call, rows[i].hang,
                                           NULL};
        const harness_command command = {.program = DEVICE_BENCH_PROGRAM,
                                         .words = "net tiny.net --cores 1 --seconds 60",
                                         .environment = environment};
        harness_result run = harness_run(&command);
        double ended = meso_seconds();
        const char *since = strstr(run.err, "hangs since ");
        if (run.code != 70 || !since || !strstr(run.err, rows[i].reason))
            fail_msg("row %zu: ended with %d: %s", i, run.code, run.err);
        const double seconds = ended - strtod(since + strlen("hangs since "), NULL);
        const double patience = strtod(strstr(run.err, " within ") + strlen(" within "), NULL);
        print_message("row %zu: %.2f s of %g\n", i, seconds, patience);
        assert_true(patience >= 5 && patience < BENCH_PATIENCE / 2);
        assert_true(seconds > patience - 1);
        /* One that spins has its patience of the processor, which a busy machine shares out. */
        assert_true(seconds <= patience + 5 || rows[i].hang[strlen(rows[i].hang) - 1] == '2');
        harness_forget(&run);
    }
}

static void measures_training(void **state)
{
    (void)state;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_result run = run_bench("net tiny.net --training --batch 4 --seconds 0.001 --csv");
    if (run.code != 0)
        fail_msg("ended with %d: %s", run.code, run.err);
    assert_non_null(strstr(run.out, ",tiny.net,train,plain,4,"));
    harness_forget(&run);
}

/* Whatever a machine does meanwhile, a record is as fast as itself. */
static void compares_records(void **state)
{
    (void)state;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_result run = run_bench("net tiny.net --batch 4 --seconds 0.001 --processes 2 --json");
    assert_int_equal(run.code, 0);
    harness_put("a.json", run.out, 0);
    harness_result same = run_bench("compare a.json a.json");
    assert_int_equal(same.code, 0);
    assert_non_null(strstr(same.out, "tiny.net predict, plain, batch 4, threads "));
    assert_non_null(strstr(same.out, " 1.0000 "));
    harness_forget(&same);
    same = run_bench("compare a.json tiny.net");
    assert_int_equal(same.code, 65);
    harness_forget(&same);
    harness_forget(&run);
}

static void checks_without_timing(void **state)
{
    (void)state;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_result run = run_bench("ops tiny.net --check");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "from the plain path"));
    assert_non_null(strstr(run.out, "train"));
    harness_forget(&run);
}

static void writes_a_page(void **state)
{
    (void)state;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_result run = run_bench("ops tiny.net --seconds 0.001 --html page.html");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "conv_backward_weights"));
    FILE *page = fopen("page.html", "rb");
    assert_non_null(page);
    fclose(page);
    harness_forget(&run);
}

/* Two devices of one core each, one stream over both. */
static void works_together(void **state)
{
    static const char *const environment[] = {"POCL_DEVICES=pthread pthread", NULL};
    const harness_command command = {
        .program = DEVICE_BENCH_PROGRAM,
        .words = "net tiny.net --device all --together --cores 1 --batch 4 --seconds 0.001 "
                 "--json",
        .environment = environment};
    (void)state;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_result run = harness_run(&command);
    if (run.code != 0)
        fail_msg("ended with %d: %s", run.code, run.err);
    json_t *document = json_loads(run.out, 0, NULL);
    const json_t *together = json_object_get(document, "together");
    harness_check_schema(document, "device_bench");
    if (json_array_size(json_object_get(document, "devices")) < 2) {
        json_decref(document);
        harness_forget(&run);
        skip();
    }
    const json_t *shares = json_object_get(together, "shares");
    double sum = 0; /* more than two, where other drivers are installed beside */
    assert_int_equal(json_array_size(shares),
                     json_array_size(json_object_get(document, "devices")));
    for (size_t i = 0; i < json_array_size(shares); i++)
        sum += json_number_value(json_array_get(shares, i));
    harness_close(sum, 1, 1e-6, "shares");
    assert_true(harness_number(together, "images_per_s") > 0 &&
                harness_number(together, "efficiency") > 0);
    json_decref(document);
    harness_forget(&run);
}

static void prints_a_table(void **state)
{
    (void)state;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_result run = run_bench("net tiny.net --batch 2 --seconds 0.001 --path plain");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "  tiny.net  predict    plain      2  "));
    assert_non_null(strstr(run.out, "µs an image"));
    assert_non_null(strstr(run.out, "  conv  ")); /* a layer */
    assert_non_null(strstr(run.out, "peak GFLOP/s"));
    harness_forget(&run);
}

static void measures_a_weight_file(void **state)
{
    (void)state;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    const harness_command init = {.words = "init tiny.net -o tiny.safetensors"};
    harness_result made = harness_run(&init);
    harness_result run = run_bench("net tiny.safetensors --batch 1 --seconds 0.001 --json");
    if (made.code != 0 || run.code != 0)
        fail_msg("ended with %d and %d: %s", made.code, run.code, run.err);
    assert_non_null(strstr(run.out, "\"weights\": \"tiny.safetensors\""));
    assert_null(strstr(run.out, "\"weights_hash\": \"\""));
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
        {"--nonsense", 2, "device_bench all: "},
        {"compare a.json", 2, "device_bench compare"},
        {"ab --a true", 2, "both --a and --b need a command"},
        {"ops --batch 1,2", 2, "--batch takes a number from 1 to 4096"},
        {"nonsense", 2, "device_bench: there is no command \"nonsense\""},
        {"net", 2, "device_bench net: nothing is given; try: device_bench net --help"},
        {"net meso4 meso1", 2, "\"meso1\" is one operand too many"},
        {"net meso4 --batch 0", 2, "--batch takes up to 16 numbers from 1 to 4096"},
        {"net meso4 --batch 1,", 2, "not \"1,\""},
        {"net meso4 --batch 8x", 2, "not \"8x\""},
        {"net meso4 --batch 4097", 2, "not \"4097\""},
        {"net meso4 --batch 99999999999999999999", 2, "--batch takes"},
        {"net meso4 --batch 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", 2, "--batch takes"},
        {"net meso4 --cores 0", 2, "--cores takes a whole number"},
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
        {"compare no_such.json no_such.json", 66},
        {"compare broken.net broken.net", 65},
        {"ab --a true --b false --runs 2", 125},
    };
    (void)state;
    meso_device_close(harness_device());
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

/* The device that predicts fastest is preferred, whichever trains faster. */
static void picks_by_work(void **state)
{
    static const char text[] =
        "{\"devices\": [{\"device\": \"Card\", \"device_id\": \"0:0\", \"platform\": \"P\"},"
        " {\"device\": \"Zeta\", \"device_id\": \"1:0\", \"platform\": \"Q\"}], \"results\": ["
#define ROW(id, platform, device, direction, rate)                                      \
    "{\"device_id\": \"" id "\", \"platform\": \"" platform "\", \"device\": \"" device \
    "\", \"net\": \"meso4\", \"batch\": 8, \"direction\": \"" direction                 \
    "\", \"images_per_s\": " rate "}"
        ROW("0:0", "P", "Card", "predict", "900.0") "," ROW(
            "1:0", "Q", "Zeta", "predict", "400.0") "," ROW("0:0", "P", "Card", "train",
                                                            "40.0") "," ROW("1:0", "Q", "Zeta",
                                                                            "train", "2000.0") "]}";
    const meso_device_info zeta = {.platform_name = "Q", .name = "Zeta"};
    char path[MESO_PREFERENCE_PATH_SIZE];
    meso_text out = {0};
    json_t *document = json_loads(text, 0, NULL);
    (void)state;
    setenv("XDG_CONFIG_HOME", realpath(".", (char[PATH_MAX]){0}), 1);
    const json_t *best = bench_rank_devices(document, "predict", &out);
    assert_int_equal(bench_pick(document, best, path, NULL), MESO_OK);
    assert_int_equal(meso_preference_find(&zeta, 1), 1); /* it is the other */
    assert_true(meso_preference_rate(&zeta, "meso4") == 2000);
    assert_true(meso_preference_rate(&zeta, "mesoinception4") == 0);
    unsetenv("XDG_CONFIG_HOME");
    meso_text_free(&out);
    json_decref(document);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(measures_a_net),
        IN_A_FOLDER(impossible_times_are_flagged),
        IN_A_FOLDER(hanging_drivers_are_given_up),
        IN_A_FOLDER(measures_training),
        IN_A_FOLDER(compares_records),
        IN_A_FOLDER(checks_without_timing),
        IN_A_FOLDER(writes_a_page),
        IN_A_FOLDER(works_together),
        IN_A_FOLDER(prints_a_table),
        IN_A_FOLDER(measures_a_weight_file),
        cmocka_unit_test(refuses_wrong_command_lines),
        IN_A_FOLDER(refuses_what_is_not_there),
        cmocka_unit_test(summarises_samples),
        cmocka_unit_test_setup_teardown(picks_by_work, harness_enter_folder, harness_leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

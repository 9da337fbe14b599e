/* SPDX-License-Identifier: Apache-2.0
 *
 * A number means the same device to every program, and whether a process loads all drivers or one
 * alone. The drivers are planted: they list devices of which no context can be made, so what a
 * command says names the device that it took.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness_run.h"

static const struct {
    const char *number, *name;
} devices[] = {{"0:0", "Alpha 0"}, {"1:0", "Omega 0"}, {"1:1", "Omega 1"}};
enum { n_devices = sizeof devices / sizeof devices[0] };

/* Files in another order than platforms, with platforms without a device before, between and
 * behind. Loaders sort platforms by how many devices they have, or not at all. */
static const char *const empty[] = {"a.icd", "c.icd", "e.icd", NULL};

static void put_icd(const char *folder, const char *file, const char *driver)
{
    char path[PATH_MAX], library[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(library, sizeof library, "%s/bad_driver_%s.so\n", BAD_DRIVER_FOLDER, driver);
    harness_put(path, library, 0);
}

/* apart: each driver in a process of its own; else without a folder to keep them apart. */
static harness_result run(const char *program, const char *words, const char *folder, int apart)
{
    char vendors[2 * PATH_MAX], full[PATH_MAX], config[PATH_MAX + 32];
    const char *const environment[] = {vendors, config,
                                       "MESO_DEVICE=", apart ? NULL : "TMPDIR=/nowhere", NULL};
    assert_non_null(realpath(folder, full));
    snprintf(config, sizeof config, "XDG_CONFIG_HOME=%s", full);
    snprintf(vendors, sizeof vendors, "OCL_ICD_VENDORS=%s", full);
    return harness_run(
        &(harness_command){.program = program, .words = words, .environment = environment});
}

static void assert_listed(const char *folder, int apart)
{
    harness_result result = run(NULL, "devices --json", folder, apart);
    json_t *document = json_loads(result.out, 0, NULL);
    const json_t *list = json_object_get(document, "devices");
    if (json_array_size(list) != n_devices)
        fail_msg("%s: %d: %s%s", folder, result.code, result.out, result.err);
    for (size_t i = 0; i < n_devices; i++) {
        const json_t *row = json_array_get(list, i);
        char number[32];
        snprintf(number, sizeof number, "%d:%d",
                 (int)json_integer_value(json_object_get(row, "platform")),
                 (int)json_integer_value(json_object_get(row, "index")));
        assert_string_equal(number, devices[i].number);
        assert_string_equal(json_string_value(json_object_get(row, "name")), devices[i].name);
    }
    json_decref(document);
    harness_forget(&result);
}

static void assert_taken(const char *program, const char *words, size_t i, const char *folder,
                         int apart)
{
    char line[256], said[64];
    snprintf(line, sizeof line, "%s --device %s", words, devices[i].number);
    snprintf(said, sizeof said, "%s: clCreateContext", devices[i].name);
    harness_result result = run(program, line, folder, apart);
    if (result.code == 0 || !(strstr(result.err, said) || strstr(result.out, said)))
        fail_msg("%s, %s: %d: %s", folder, line, result.code, result.err);
    harness_forget(&result);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *program, *words;
    } commands[] = {{NULL, "predict 0.ppm"},
                    {NULL, "evaluate data"},
                    {NULL, "train data -o run --net tiny.net --batch 1 --epochs 1"},
                    {NULL, "selftest"},
                    {NULL, "tune"},
                    {DEVICE_BENCH_PROGRAM, "net tiny.net --batch 1 --seconds 0.001"},
                    {DATASET_BENCH_PROGRAM, "stats data --no-cache"}};
    (void)state;
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_put_picture("0.ppm", 8, 0x3a70c1);
    harness_put_picture("data/real/0.ppm", 8, 0x3a70c1);
    harness_put_picture("data/fake/0.ppm", 8, 0xa01010);
    for (size_t e = 0; e < sizeof empty / sizeof empty[0]; e++) {
        char folder[16];
        snprintf(folder, sizeof folder, "with_%zu", e);
        assert_int_equal(mkdir(folder, 0700), 0);
        put_icd(folder, "b.icd", "omega");
        put_icd(folder, "d.icd", "alpha");
        if (empty[e])
            put_icd(folder, empty[e], "bare");
        for (int apart = 0; apart < 2; apart++) {
            assert_listed(folder, apart);
            for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++)
                for (size_t i = 0; i < n_devices; i++)
                    assert_taken(commands[c].program, commands[c].words, i, folder, apart);
        }
    }
}

/* Where one device is wanted. */
static void test_one_is_meant(void **state)
{
    static const struct {
        const char *selector;
        int code;
        const char *said;
    } rows[] = {
        {"all", 2,
         "'all' means 3 devices, where one is wanted: 0:0 Alpha 0 (dgpu), 1:0 Omega 0 (dgpu), "
         "1:1 Omega 1 (dgpu); name it by its number, as 0:0"},
        {"omega", 2, "'omega' means 2 devices"},
        {"1", 2, "'1' means 2 devices"},
        {"0", 70, "Alpha 0: clCreateContext"},
        {"Omega_1", 69, "no device matches 'Omega_1'"},
        {"ga", 2, "'ga' means 2 devices"},
        {"gpu", 70, "Alpha 0: clCreateContext"},
        {"auto", 70, "Alpha 0: clCreateContext"},
    };
    (void)state;
    harness_put_picture("0.ppm", 8, 0x3a70c1);
    assert_int_equal(mkdir("vendors", 0700), 0);
    put_icd("vendors", "b.icd", "omega");
    put_icd("vendors", "d.icd", "alpha");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int apart = 0; apart < 2; apart++) {
            char words[64];
            snprintf(words, sizeof words, "predict 0.ppm --device %s", rows[i].selector);
            harness_result result = run(NULL, words, "vendors", apart);
            if (result.code != rows[i].code || !strstr(result.err, rows[i].said))
                fail_msg("%s: %d: %s", rows[i].selector, result.code, result.err);
            harness_forget(&result);
        }
}

/* It is neither what auto means nor what a type does, as long as there is another. */
static void test_without_a_compiler(void **state)
{
    static const struct {
        const char *words;
        int code;
        const char *said;
    } rows[] = {{"predict 0.ppm", 70, "Omega 0: clCreateContext"},
                {"predict 0.ppm --device gpu", 70, "Omega 0: clCreateContext"},
                {"predict 0.ppm --device mute", 69,
                 "0:0 Mute 0 cannot be used: the driver has no compiler for kernels"},
                {"train data -o run", 70, "Omega 0: clCreateContext"}};
    (void)state;
    harness_put_picture("0.ppm", 8, 0x3a70c1);
    assert_int_equal(mkdir("vendors", 0700), 0);
    put_icd("vendors", "a.icd", "mute");
    put_icd("vendors", "b.icd", "omega");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_result result = run(NULL, rows[i].words, "vendors", 1);
        if (result.code != rows[i].code || !strstr(result.err, rows[i].said))
            fail_msg("%s: %d: %s", rows[i].words, result.code, result.err);
        harness_forget(&result);
    }
    harness_result listed = run(NULL, "devices", "vendors", 1);
    assert_non_null(strstr(listed.out, "unusable: the driver has no compiler for kernels"));
    harness_forget(&listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers, harness_enter_folder, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_one_is_meant, harness_enter_folder,
                                        harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_without_a_compiler, harness_enter_folder,
                                        harness_leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which counters device_bench reads for a device, and what it makes of them, on a made-up /sys and
 * a made-up NVML.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "energy.h"
#include "harness_run.h"

static const meso_device_info cpu = {.type = MESO_DEVICE_CPU, .hardware = "host processor"};
static const meso_device_info amd = {
    .type = MESO_DEVICE_DGPU, .vendor = "AMD", .hardware = "pci 3:0.0"};
static const meso_device_info nvidia = {
    .type = MESO_DEVICE_DGPU, .vendor = "NVIDIA Corporation", .hardware = "pci 3b:0.0"};
static const meso_device_info nvidia_elsewhere = {
    .type = MESO_DEVICE_DGPU, .vendor = "NVIDIA Corporation", .hardware = "pci 5e:0.0"};
static const meso_device_info nvidia_somewhere = {
    .type = MESO_DEVICE_DGPU, .vendor = "NVIDIA Corporation", .hardware = "0123456789abcdef"};

#define RAPL "sys/class/powercap/"
#define HWMON "sys/bus/pci/devices/0000:03:00.0/hwmon/hwmon4/"

/* A domain of powercap that begins anew at 1000 J. */
static void put_domain(const char *folder, const char *name, const char *microjoules)
{
    char path[256];
    snprintf(path, sizeof path, RAPL "%s/name", folder);
    harness_put(path, name, 0);
    snprintf(path, sizeof path, RAPL "%s/energy_uj", folder);
    harness_put(path, microjoules, 0);
    snprintf(path, sizeof path, RAPL "%s/max_energy_range_uj", folder);
    harness_put(path, "1000000000\n", 0);
}

static void put_two_packages(void)
{
    put_domain("intel-rapl:0", "package-0\n", "5000000\n");
    put_domain("intel-rapl:1", "package-1\n", "990000000\n");
    put_domain("intel-rapl:0:0", "core\n", "1000000\n");
    put_domain("intel-rapl:1:0", "dram\n", "1000000\n");
    put_domain("intel-rapl:2", "psys\n", "1000000\n");
    put_domain("intel-rapl-mmio:0", "package-0\n", "5000000\n");
}

static void expect_source(const meso_device_info *device, const char *source)
{
    bench_energy energy;
    bench_energy_open_at("sys", NVML_STUB, device, &energy);
    assert_string_equal(energy.source, source);
    bench_energy_start(&energy);
    assert_true(isnan(bench_energy_stop(&energy)) == (strcmp(source, "none") == 0));
    bench_energy_close(&energy);
}

/* 2.5 J of one package, 15 of the other, which begins anew on the way; nothing twice. */
static void adds_packages(void **state)
{
    bench_energy energy;
    (void)state;
    put_two_packages();
    bench_energy_open_at("sys", NVML_STUB, &cpu, &energy);
    assert_string_equal(energy.source, "powercap");
    bench_energy_start(&energy);
    put_domain("intel-rapl:0", "package-0\n", "7500000\n");
    put_domain("intel-rapl:1", "package-1\n", "5000000\n");
    put_domain("intel-rapl:0:0", "core\n", "3000000\n");
    put_domain("intel-rapl:2", "psys\n", "90000000\n");
    put_domain("intel-rapl-mmio:0", "package-0\n", "7500000\n");
    double joules = bench_energy_stop(&energy);
    if (!(fabs(joules - 17.5) <= 1e-9))
        fail_msg("%.9g J", joules);
    bench_energy_close(&energy);
}

/* Half of the packages is no answer. */
static void says_nothing_where_a_counter_is_lacking(void **state)
{
    bench_energy energy;
    (void)state;
    expect_source(&cpu, "none");
    put_two_packages();
    expect_source(&cpu, "powercap");
    bench_energy_open_at("sys", NVML_STUB, &cpu, &energy);
    bench_energy_start(&energy);
    assert_int_equal(unlink(RAPL "intel-rapl:1/energy_uj"), 0);
    assert_true(isnan(bench_energy_stop(&energy)));
    bench_energy_close(&energy);
    expect_source(&cpu, "none");
    harness_put(RAPL "intel-rapl:1/energy_uj", "", 0);
    expect_source(&cpu, "none");
}

static void reads_a_board(void **state)
{
    bench_energy energy;
    (void)state;
    expect_source(&amd, "none");
    harness_put(HWMON "power1_average", "40000000\n", 0);
    bench_energy_open_at("sys", NVML_STUB, &amd, &energy);
    assert_string_equal(energy.source, "hwmon");
    bench_energy_start(&energy);
    energy.started -= 10; /* seconds ago */
    harness_put(HWMON "power1_average", "60000000\n", 0);
    double joules = bench_energy_stop(&energy);
    if (!(joules >= 500 && joules < 600)) /* 10 s at 50 W, and as long as this test takes */
        fail_msg("%.9g J", joules);
    bench_energy_close(&energy);
    harness_put(HWMON "energy1_input", "40000000\n", 0);
    harness_put(HWMON "energy2_input", "10000000\n", 0);
    bench_energy_open_at("sys", NVML_STUB, &amd, &energy);
    bench_energy_start(&energy);
    harness_put(HWMON "energy1_input", "42000000\n", 0);
    harness_put(HWMON "energy2_input", "11000000\n", 0);
    joules = bench_energy_stop(&energy);
    if (!(fabs(joules - 2) <= 1e-9))
        fail_msg("%.9g J", joules);
    harness_put(HWMON "energy1_input", "1000000\n", 0); /* who knows where it began anew */
    assert_true(isnan(bench_energy_stop(&energy)));
    bench_energy_close(&energy);
}

static void asks_nvml(void **state)
{
    bench_energy energy;
    (void)state;
    setenv("MESO_STUB_ANSWERS", "1000", 1);
    setenv("MESO_STUB_BOARDS", "2", 1);
    expect_source(&nvidia, "nvml");
    expect_source(&nvidia_elsewhere, "none");
    expect_source(&nvidia_somewhere, "none"); /* which of the two? */
    expect_source(&amd, "none");
    setenv("MESO_STUB_BOARDS", "1", 1);
    expect_source(&nvidia_somewhere, "nvml");
    bench_energy_open_at("sys", NVML_STUB, &nvidia, &energy);
    bench_energy_start(&energy);
    double joules = bench_energy_stop(&energy);
    if (!(fabs(joules - 1) <= 1e-9))
        fail_msg("%.9g J", joules);
    setenv("MESO_STUB_ANSWERS", "0", 1);
    assert_true(isnan(bench_energy_stop(&energy)));
    bench_energy_close(&energy);
    bench_energy_open_at("sys", "no_such_library.so", &nvidia, &energy);
    assert_string_equal(energy.source, "none");
    bench_energy_close(&energy);
}

int main(void)
{
#define IN_A_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(adds_packages),
        IN_A_FOLDER(says_nothing_where_a_counter_is_lacking),
        IN_A_FOLDER(reads_a_board),
        IN_A_FOLDER(asks_nvml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

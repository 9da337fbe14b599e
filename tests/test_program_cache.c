/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled programs are kept for a driver that does not keep them: the device poses as of Intel's
 * runtime. Which way a program came is told by a layer that crashes in the other one.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "harness_device.h"
#include "harness_run.h"

static char output[4096]; /* of the first run; "" before it */

/* crash_in: a function that must not be called, or is to crash. Returns the exit code; what is
 * printed is always the same. */
static int predict(const char *platform, const char *crash_in)
{
    char layer[PATH_MAX + 32], name[64], function[64], cache[PATH_MAX + 32], here[PATH_MAX];
    const char *const environment[] = {layer, name, cache, "MESO_FAULT_SIGNAL=6", function, NULL};
    assert_non_null(getcwd(here, sizeof here));
    snprintf(layer, sizeof layer, "OPENCL_LAYERS=%s", FAULT_LAYER);
    snprintf(name, sizeof name, "MESO_FAULT_PLATFORM=%s", platform);
    snprintf(function, sizeof function, "MESO_FAULT_IN=%s", crash_in);
    snprintf(cache, sizeof cache, "MESO_CACHE_DIR=%s/cache", here);
    const harness_command command = {.words = "predict picture.ppm", .environment = environment};
    harness_result result = harness_run(&command);
    if (result.code == 0 && !*output)
        snprintf(output, sizeof output, "%s", result.out);
    if (result.code == 0)
        assert_string_equal(result.out, output);
    const int code = result.code;
    harness_forget(&result);
    return code;
}

static const char intel[] = "Intel(R) OpenCL", source[] = "clCreateProgramWithSource",
                  binary[] = "clCreateProgramWithBinary";

/* The one file of the cache. */
static void find_file(char path[PATH_MAX])
{
    DIR *folder = opendir("cache/programs");
    int n = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (strstr(entry->d_name, ".program") && !strstr(entry->d_name, ".try")) {
            snprintf(path, PATH_MAX, "cache/programs/%s", entry->d_name);
            n++;
        }
    closedir(folder);
    assert_int_equal(n, 1);
}

static void put_byte(const char *path, long at, int byte)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    const int old = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    fputc(byte < 0 ? old ^ 1 : byte, file);
    assert_int_equal(fclose(file), 0);
}

/* Skips without a device. */
static void begin(void)
{
    meso_device_close(harness_device());
    harness_put_picture("picture.ppm", 64, 0x3a70c1);
    *output = '\0';
}

static void a_program_is_kept(void **state)
{
    char path[PATH_MAX];
    (void)state;
    begin();
    assert_int_equal(predict("Portable Computing Language", binary), 0);
    assert_int_equal(access("cache", F_OK), -1); /* PoCL keeps its own */
    assert_int_equal(predict(intel, binary), 0);
    find_file(path);
    assert_int_equal(predict(intel, source), 0);
}

static void a_file_that_is_not_ours_is_not_loaded(void **state)
{
    char path[PATH_MAX];
    void *bytes;
    size_t n;
    (void)state;
    begin();
    assert_int_equal(predict(intel, binary), 0);
    find_file(path);
    assert_int_equal(meso_file_read(path, 1 << 26, &bytes, &n, NULL, NULL), MESO_OK);
    static const long places[] = {0, 10, 20, 60, -1, -1000};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        put_byte(path, places[i], -1);
        assert_int_equal(predict(intel, binary), 0); /* compiled, and put in its place */
        if (i == 0)
            assert_int_equal(predict(intel, source), 0);
    }
    for (size_t cut = 0; cut < n; cut += n / 3) {
        assert_int_equal(truncate(path, (off_t)cut), 0);
        assert_int_equal(predict(intel, binary), 0);
    }
    put_byte(path, 16, 'g'); /* of another key: the hash is of hex digits */
    assert_int_equal(predict(intel, binary), 0);
    free(bytes);
}

/* It ends one start, and not the next ones; after a day it has another try. */
static void a_program_that_crashes_ends_one_start(void **state)
{
    char path[PATH_MAX], mark[PATH_MAX + 8];
    const struct timespec long_ago[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    (void)state;
    begin();
    assert_int_equal(predict(intel, binary), 0);
    find_file(path);
    snprintf(mark, sizeof mark, "%s.try", path);
    assert_int_not_equal(predict(intel, binary), 0);
    assert_int_equal(access(mark, F_OK), 0);
    assert_int_equal(predict(intel, binary), 0);
    assert_int_equal(predict(intel, binary), 0);
    assert_int_equal(utimensat(AT_FDCWD, mark, long_ago, 0), 0);
    assert_int_equal(predict(intel, source), 0);
    assert_int_equal(access(mark, F_OK), -1);
}

static void there_are_at_most_64(void **state)
{
    const struct timespec long_ago[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    char path[64];
    (void)state;
    begin();
    for (int i = 0; i < 64; i++) {
        snprintf(path, sizeof path, "cache/programs/%d.program", i);
        harness_put(path, "old", 0);
    }
    utimensat(AT_FDCWD, "cache/programs/7.program", long_ago, 0);
    assert_int_equal(predict(intel, binary), 0);
    assert_int_equal(access("cache/programs/7.program", F_OK), -1);
    assert_int_equal(access("cache/programs/8.program", F_OK), 0);
    assert_int_equal(predict(intel, source), 0);
}

int main(void)
{
#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_program_is_kept), IN_FOLDER(a_file_that_is_not_ours_is_not_loaded),
        IN_FOLDER(a_program_that_crashes_ends_one_start), IN_FOLDER(there_are_at_most_64)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

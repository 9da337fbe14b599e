/* SPDX-License-Identifier: Apache-2.0
 *
 * MESO_CL_DUMP: every program that is built can be read, and built again.
 */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "harness_device.h"
#include "harness_run.h"
#include "runtime/program.h"

static const char text[] = "__kernel void dumped(__global float *x)\n{\n    x[0] += 1.0f;\n}\n";

static meso_status build(meso_device *device, const char *bytes)
{
    meso_program program = {0};
    meso_text source = {0};
    int has = 0;
    meso_text_add(&source, bytes);
    meso_status status = meso_program_build(device, &source, &program);
    if (status == MESO_OK)
        assert_int_equal(meso_program_has_kernel(device, &program, "dumped", &has), MESO_OK);
    assert_int_equal(has, status == MESO_OK);
    meso_program_release(&program);
    meso_text_free(&source);
    return status;
}

/* The files of a folder that end with .cl; the last one's text, to be freed, goes to *bytes. */
static size_t read_dump(const char *folder, char **bytes)
{
    DIR *dir = opendir(folder);
    size_t n = 0, length;
    void *read = NULL;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[512];
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".cl") != 0)
            continue;
        free(read);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        assert_int_equal(meso_file_read(path, 1 << 22, &read, &length, NULL, NULL), MESO_OK);
        n++;
    }
    closedir(dir);
    *bytes = read;
    return n;
}

static void writes_text_and_options(void **state)
{
    meso_device *device = harness_device();
    char *bytes = NULL;
    (void)state;
    assert_int_equal(build(device, text), MESO_OK);
    assert_int_equal(read_dump(".", &bytes), 0);
    setenv("MESO_CL_DUMP", ".", 1);
    assert_int_equal(build(device, text), MESO_OK);
    assert_int_equal(build(device, text), MESO_OK);
    unsetenv("MESO_CL_DUMP");
    assert_int_equal(read_dump(".", &bytes), 1);
    assert_non_null(strstr(bytes, meso_device_get_info(device)->name));
    char *behind = strstr(bytes, " -cl-std=CL1.2 -w\n");
    assert_non_null(behind);
    assert_string_equal(strchr(behind, '\n') + 1, text);
    assert_int_equal(build(device, bytes), MESO_OK);
    free(bytes);
    meso_device_close(device);
}

static void fails_where_it_cannot_write(void **state)
{
    meso_device *device = harness_device();
    (void)state;
    setenv("MESO_CL_DUMP", "nowhere", 1);
    assert_int_equal(build(device, text), MESO_ERROR_CREATE);
    unsetenv("MESO_CL_DUMP");
    assert_non_null(strstr(meso_device_error(device), "nowhere/"));
    meso_device_close(device);
}

/* A driver that cannot keep what it compiles says no more than that a build failed. */
static void a_full_disk_is_the_reason(void **state)
{
    struct rlimit usual, small = {1 << 20, RLIM_INFINITY};
    char cache[PATH_MAX];
    meso_device *device = harness_device();
    (void)state;
    snprintf(cache, sizeof cache, "%s", getenv("POCL_CACHE_DIR") ? getenv("POCL_CACHE_DIR") : "");
    setenv("POCL_CACHE_DIR", ".", 1);
    assert_int_equal(build(device, "broken"), MESO_ERROR_DEVICE);
    assert_null(strstr(meso_device_error(device), "not even"));
    getrlimit(RLIMIT_FSIZE, &usual);
    small.rlim_max = usual.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    const meso_status status = build(device, "broken");
    setrlimit(RLIMIT_FSIZE, &usual);
    if (*cache)
        setenv("POCL_CACHE_DIR", cache, 1);
    else
        unsetenv("POCL_CACHE_DIR");
    assert_int_equal(status, MESO_ERROR_DEVICE);
    if (!strstr(meso_device_error(device), "files to ., where not even 4 MiB fit: File too large"))
        fail_msg("%s", meso_device_error(device));
    meso_device_close(device);
}

/* The programs of a prediction, fused and plain; the answer stays what it was. */
static void dumps_what_predict_builds(void **state)
{
    const char *const commands[] = {"predict a.ppm", "predict --no-fuse a.ppm"};
    (void)state;
    meso_device_close(harness_device());
    harness_put_picture("a.ppm", 256, 0x204060);
    for (size_t i = 0; i < 2; i++) {
        char *bytes = NULL;
        harness_result r = harness_run(&(harness_command){.words = commands[i]});
        assert_int_equal(mkdir("dump", 0777), 0);
        setenv("MESO_CL_DUMP", "dump", 1);
        harness_result dumped = harness_run(&(harness_command){.words = commands[i]});
        unsetenv("MESO_CL_DUMP");
        assert_int_equal(r.code, 0);
        assert_int_equal(dumped.code, 0);
        assert_string_equal(dumped.out, r.out);
        assert_true(read_dump("dump", &bytes) > 0);
        assert_non_null(strstr(bytes, "#line 1 \"prelude.cl\""));
        free(bytes);
        assert_int_equal(system("rm -r dump"), 0);
        harness_forget(&r);
        harness_forget(&dumped);
    }
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(writes_text_and_options), IN_FOLDER(fails_where_it_cannot_write),
        IN_FOLDER(a_full_disk_is_the_reason), IN_FOLDER(dumps_what_predict_builds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

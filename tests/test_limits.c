/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines that give a driver too little: no home, a cache that cannot be written, few files, small
 * files, little memory. The driver may manage or not; the program ends with an answer or with a
 * sentence and its exit code, never by a signal, and leaves no core file.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"
#include "harness_run.h"

static const struct {
    const char *before; /* of the command, for sh; each has an empty cache in its folder */
    const char *reason; /* a part of the sentence that must come, or NULL: as the driver likes */
} limits[] = {
    {"unset HOME XDG_CACHE_HOME;", NULL},
    {"POCL_CACHE_DIR=/proc/nowhere;", "POCL_CACHE_DIR"},
    {"ulimit -n 12;", "only 12 files may be open"},
    {"ulimit -f 8;", NULL},
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes for its own sake */
    {"ulimit -v 600000;", NULL},
#endif
};

/* PoCL alone fails for want of these. */
static int is_pocl(void)
{
    meso_device *device = harness_device();
    int found = strstr(meso_device_get_info(device)->platform_name, "Portable") != NULL;
    meso_device_close(device);
    return found;
}

static void no_core_file(void)
{
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        assert_int_not_equal(strncmp(entry->d_name, "core", 4), 0);
    closedir(folder);
}

static void ends_with_a_sentence(void **state)
{
    const int pocl = is_pocl();
    harness_result made =
        harness_run(&(harness_command){.words = "init meso4 --seed 1 -o w.safetensors"});
    assert_int_equal(made.code, 0);
    harness_forget(&made);
    (void)state;
    harness_put_picture("a.ppm", 16, 0x102030);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        char script[512];
        snprintf(script, sizeof script,
                 "mkdir cache%zu; POCL_CACHE_DIR=$PWD/cache%zu; export POCL_CACHE_DIR; %s "
                 "ulimit -c unlimited; exec \"$0\" predict -w w.safetensors a.ppm",
                 i, i, limits[i].before);
        const char *const argv[] = {"-c", script, harness_program(), NULL};
        harness_result r = harness_run(&(harness_command){.program = "/bin/sh", .argv = argv});
        print_message("%s %d %s\n", limits[i].before, r.code, r.err);
        if (r.code != 0 && r.code != 69 && r.code != 70)
            fail_msg("%s ended with %d: %s", limits[i].before, r.code, r.err);
        assert_true(r.code == 0 ? strstr(r.out, "a.ppm") != NULL
                                : strstr(r.err, "mesocl: ") != NULL);
        if (pocl && limits[i].reason)
            assert_non_null(strstr(r.err, limits[i].reason));
        no_core_file();
        harness_forget(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ends_with_a_sentence, harness_enter_folder,
                                        harness_leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

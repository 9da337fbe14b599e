/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers that abort, crash, hang, end the process, answer garbage, or are none: each costs its own
 * row of `mesocl devices`, and the programs go on with the others.
 */
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "drivers.h"
#include "fault_layer/fault_layer.h"
#include "harness_device.h"
#include "harness_run.h"
#include "runtime/driver_call.h"

/* Names sort before and behind those of good drivers, so that bad ones are met first and last. */
static const struct {
    const char *file;
    const char *library; /* below the folder of bad_driver.c's libraries; else as it is written */
    const char *reason;  /* a part of the sentence */
} bad[] = {
    {"0_abort.icd", "bad_driver_abort.so", "signal 6"},
    {"0_segfault.icd", "bad_driver_segfault.so", "signal 11"},
    {"0_hang.icd", "bad_driver_hang.so", "no answer within 5 seconds"},
    {"0_exit.icd", "bad_driver_exit.so", "exit code 0"},
    {"0_bare.icd", "bad_driver_bare.so", "but no device in it"},
    {"z_garbage.icd", "bad_driver_garbage.so", "signal 11"},
    {"z_missing.icd", "/nowhere/libmissing.so", "cannot open shared object file"},
    {"z_text.icd", "text.so", "file too short"},
    {"z_empty.icd", "bad_driver_empty.so", "no clGetExtensionFunctionAddress"},
};
enum { n_bad = sizeof bad / sizeof bad[0], hangs = 2 };

static char vendors[PATH_MAX]; /* the loader's folder for this test */
static char good[PATH_MAX];    /* a folder with the machine's own drivers alone */
static char alone[PATH_MAX];   /* one with a single driver */
static char text_library[PATH_MAX];

static void put_icd(const char *folder, const char *name, const char *library)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    harness_put(path, library, 0);
}

static void put_bad(size_t i)
{
    char library[PATH_MAX + 2];
    if (bad[i].library[0] == '/')
        snprintf(library, sizeof library, "%s\n", bad[i].library);
    else if (strcmp(bad[i].library, "text.so") == 0)
        snprintf(library, sizeof library, "%s\n", text_library);
    else
        snprintf(library, sizeof library, "%s/%s\n", BAD_DRIVER_FOLDER, bad[i].library);
    put_icd(vendors, bad[i].file, library);
}

static int enter(void **state)
{
    if (harness_enter_folder(state) != 0 || mkdir("vendors", 0700) != 0 ||
        mkdir("good", 0700) != 0 || mkdir("alone", 0700) != 0)
        return -1;
    if (!realpath("vendors", vendors) || !realpath("good", good) || !realpath("alone", alone))
        return -1;
    harness_put("text.so", "this is no library\n", 0);
    return realpath("text.so", text_library) ? 0 : -1;
}

static harness_result run(const char *words, const char *folder, double *seconds)
{
    static char variable[PATH_MAX + 32];
    const char *const environment[] = {variable, NULL};
    snprintf(variable, sizeof variable, "OCL_ICD_VENDORS=%s", folder);
    double started = meso_seconds();
    harness_result result =
        harness_run(&(harness_command){.words = words, .environment = environment});
    if (seconds)
        *seconds = meso_seconds() - started;
    return result;
}

/* Those of the machine's own drivers that have a device, into a folder: what else is installed,
 * such as the file of a package that was removed, is not this test's business. 0: there are none.
 */
static int copy_good(const char *to)
{
    const char *given = getenv("OCL_ICD_VENDORS");
    const char *from = given && *given ? given : "/etc/OpenCL/vendors";
    DIR *folder = opendir(from);
    int n = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char source[2 * PATH_MAX], target[2 * PATH_MAX];
        if (!strstr(entry->d_name, ".icd"))
            continue;
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/only.icd", alone);
        assert_int_equal(symlink(source, target), 0);
        harness_result asked = run("devices", alone, NULL);
        unlink(target);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        n += asked.code == 0 && symlink(source, target) == 0;
        harness_forget(&asked);
    }
    if (folder)
        closedir(folder);
    return n > 0;
}

static json_t *run_json(const char *words, const char *folder, int code, double *seconds)
{
    harness_result result = run(words, folder, seconds);
    json_error_t error;
    if (result.code != code)
        fail_msg("%s: ended with %d: %s", words, result.code, result.err);
    json_t *document = json_loads(result.out, 0, &error);
    if (!document)
        fail_msg("%s: %s in %s", words, error.text, result.out);
    harness_forget(&result);
    return document;
}

/* Devices whose numbers do not count here: platforms are numbered over all drivers. */
static void assert_same_devices(json_t *got, json_t *wanted)
{
    assert_int_equal(json_array_size(got), json_array_size(wanted));
    for (size_t i = 0; i < json_array_size(got); i++) {
        assert_string_equal(json_string_value(json_object_get(json_array_get(got, i), "name")),
                            json_string_value(json_object_get(json_array_get(wanted, i), "name")));
        assert_true(json_equal(json_object_get(json_array_get(got, i), "same_as"),
                               json_object_get(json_array_get(wanted, i), "same_as")));
    }
}

static void assert_reason(json_t *rows, size_t i)
{
    for (size_t k = 0; k < json_array_size(rows); k++) {
        json_t *row = json_array_get(rows, k);
        const char *file = json_string_value(json_object_get(row, "file"));
        const char *reason = json_string_value(json_object_get(row, "reason"));
        if (!file || !strstr(file, bad[i].file))
            continue;
        if (!strstr(reason, bad[i].reason))
            fail_msg("%s: \"%s\" does not say \"%s\"", file, reason, bad[i].reason);
        return;
    }
    fail_msg("%s is not listed", bad[i].file);
}

/* Skips without a device. *limit: the seconds that it may take with bad ones beside: five for one
 * that hangs, and what the machine takes now for starting programs. */
static json_t *devices_without_bad_ones(double *limit)
{
    double seconds;
    meso_device_close(harness_device());
    assert_true(copy_good(good) && copy_good(vendors));
    json_t *document = run_json("devices --json", good, 0, &seconds);
    *limit = 6 + n_bad * seconds;
    assert_int_equal(json_array_size(json_object_get(document, "drivers_without_device")), 0);
    return document;
}

static void all_at_once_cost_their_rows(void **state)
{
    double seconds, limit;
    json_t *before = devices_without_bad_ones(&limit);
    (void)state;
    for (size_t i = 0; i < n_bad; i++)
        put_bad(i);
    json_t *with = run_json("devices --json", vendors, 0, &seconds);
    print_message("%.2f s of %.2f with %d bad drivers\n", seconds, limit, n_bad);
    assert_true(seconds <= limit);
    assert_same_devices(json_object_get(with, "devices"), json_object_get(before, "devices"));
    json_t *rows = json_object_get(with, "drivers_without_device");
    assert_int_equal(json_array_size(rows), n_bad);
    for (size_t i = 0; i < n_bad; i++)
        assert_reason(rows, i);
    json_decref(with);
    json_decref(before);
}

static void each_alone_beside_a_good_one(void **state)
{
    double limit;
    json_t *before = devices_without_bad_ones(&limit);
    (void)state;
    for (size_t i = 0; i < n_bad; i++) {
        char path[2 * PATH_MAX];
        double seconds;
        put_bad(i);
        json_t *with = run_json("devices --json", vendors, 0, &seconds);
        if (seconds > limit)
            fail_msg("%s: %.2f s", bad[i].file, seconds);
        assert_same_devices(json_object_get(with, "devices"), json_object_get(before, "devices"));
        assert_reason(json_object_get(with, "drivers_without_device"), i);
        json_decref(with);
        snprintf(path, sizeof path, "%s/%s", vendors, bad[i].file);
        unlink(path);
    }
    json_decref(before);
}

/* Where there is nothing else: 69, with the file and the reason. */
static void alone_they_are_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_bad; i++) {
        char path[2 * PATH_MAX];
        if (i == hangs)
            continue; /* as above, and five seconds more */
        put_bad(i);
        harness_result result = run("devices --json", vendors, NULL);
        if (result.code != 69 || !strstr(result.err, bad[i].reason) ||
            !strstr(result.err, bad[i].file) || !strstr(result.out, "\"devices\": []"))
            fail_msg("%s: %d: %s", bad[i].file, result.code, result.err);
        harness_forget(&result);
        snprintf(path, sizeof path, "%s/%s", vendors, bad[i].file);
        unlink(path);
    }
}

/* What predict prints is the same with bad drivers beside the good ones; the one that hangs would
 * cost its time each time and is left out. */
static void other_programs_go_on(void **state)
{
    double limit;
    (void)state;
    json_decref(devices_without_bad_ones(&limit));
    for (size_t i = 0; i < n_bad; i++)
        if (i != hangs)
            put_bad(i);
    harness_put_picture("picture.ppm", 64, 0x3a70c1);
    harness_result made = run("init meso4 --seed 3 -o w.safetensors", good, NULL);
    assert_int_equal(made.code, 0);
    harness_forget(&made);
    harness_result wanted = run("predict -w w.safetensors picture.ppm", good, NULL);
    harness_result got = run("predict -w w.safetensors picture.ppm", vendors, NULL);
    assert_int_equal(wanted.code, 0);
    if (got.code != 0)
        fail_msg("%d: %s", got.code, got.err);
    assert_string_equal(got.out, wanted.out);
    for (size_t i = 0; i < n_bad; i++) {
        const char *said = strstr(got.err, bad[i].file);
        const int crashes = strstr(bad[i].reason, "signal") || strstr(bad[i].reason, "exit code");
        if ((said != NULL) != crashes || (crashes && !strstr(said, bad[i].reason)))
            fail_msg("%s: %s", bad[i].file, got.err);
    }
    harness_forget(&got);
    harness_forget(&wanted);
}

#ifdef __SANITIZE_ADDRESS__ /* whose own reports tools/common/driver_crash.c leaves alone */
enum { sanitized = 1 };
#else
enum { sanitized = 0 };
#endif

static void assert_crash(harness_result result, const char *where, const char *how)
{
    const int is_said = strstr(result.err, how) && strstr(result.err, "the OpenCL driver ");
    if (result.code != 70 || !is_said)
        fail_msg("%s: ended with %d, not by %s: %s", where, result.code, how, result.err);
    harness_forget(&result);
}

/* The only driver crashes in the program itself, while it is loaded. */
static void a_crash_while_loading_is_a_sentence(void **state)
{
    static const struct {
        const char *library, *how;
    } rows[] = {{"bad_driver_abort.so", "ended it by abort()"},
                {"bad_driver_segfault.so", "ended it by a segmentation fault"},
                {"bad_driver_bus.so", "ended it by a bus error"},
                {"bad_driver_illegal.so", "ended it by an illegal instruction"},
                {"bad_driver_arithmetic.so", "ended it by an arithmetic exception"},
                {"bad_driver_exit.so", "ended it by exit()"}};
    (void)state;
    harness_put_picture("picture.ppm", 64, 0x3a70c1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !sanitized; i++) {
        char library[PATH_MAX + 32];
        snprintf(library, sizeof library, "%s/%s", BAD_DRIVER_FOLDER, rows[i].library);
        put_icd(vendors, "only.icd", library);
        assert_crash(run("predict picture.ppm", vendors, NULL), rows[i].library, rows[i].how);
    }
}

/* A GPU is there, of which nobody knows how fast it trains, and then one that is known. */
static void a_gpu_trains_where_it_was_measured(void **state)
{
    static const char words[] = "train data -o run --force --net tiny.net --batch 1 --epochs 1";
    static const char said[] = "training on the CPU: no GPU has been measured";
    char library[PATH_MAX + 32];
    double limit;
    (void)state;
    json_decref(devices_without_bad_ones(&limit));
    snprintf(library, sizeof library, "%s/bad_driver_alpha.so", BAD_DRIVER_FOLDER);
    put_icd(vendors, "alpha.icd", library);
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_put_picture("data/real/0.ppm", 64, 0x3a70c1);
    harness_put_picture("data/fake/0.ppm", 64, 0xa01010);
    harness_result trained = run(words, vendors, NULL);
    if (trained.code != 0 || !strstr(trained.err, said))
        fail_msg("%d: %s", trained.code, trained.err);
    harness_forget(&trained);
    harness_result alone_trained = run(words, good, NULL);
    assert_true(alone_trained.code == 0 && !strstr(alone_trained.err, said));
    harness_forget(&alone_trained);
    harness_result predicted = run("predict data/real/0.ppm", vendors, NULL);
    assert_non_null(strstr(predicted.err, "Alpha 0: clCreateContext"));
    harness_forget(&predicted);
}

/* Inside a driver that has put handlers of its own in the place of ours, as LLVM does. */
static void a_crash_inside_is_a_sentence(void **state)
{
    static const struct {
        const char *program, *words;
    } commands[] = {{NULL, "predict data/real/0.ppm"},
                    {NULL, "train data -o run --net tiny.net --batch 1 --epochs 1"},
                    {DATASET_BENCH_PROGRAM, "stats data --no-cache"}};
    static const struct {
        const char *function, *asked;
    } calls[] = {{"clCreateContext", "open a device"},
                 {"clBuildProgram", "compile kernels"},
                 {"clEnqueueNDRangeKernel", "run a kernel"},
                 {"clReleaseContext", "close a device"}};
    static const struct {
        const char *number, *how;
    } signals[] = {{"6", "ended it by abort()"},
                   {"11", "ended it by a segmentation fault"},
                   {"7", "ended it by a bus error"},
                   {"4", "ended it by an illegal instruction"}};
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_put_picture("data/real/0.ppm", 64, 0x3a70c1);
    harness_put_picture("data/fake/0.ppm", 64, 0xa01010);
    (void)state;
    harness_need_layers(FAULT_LAYER);
    for (size_t i = 0; i < 4 * 3 && !sanitized; i++) {
        char function[64], number[64], layer[PATH_MAX + 32];
        const char *const environment[] = {layer, function, number, NULL};
        const size_t s = (i + i / 4) % 4; /* each signal with each command */
        snprintf(layer, sizeof layer, "OPENCL_LAYERS=%s", FAULT_LAYER);
        snprintf(function, sizeof function, "MESO_FAULT_IN=%s", calls[i % 4].function);
        snprintf(number, sizeof number, "MESO_FAULT_SIGNAL=%s", signals[s].number);
        const harness_command command = {.program = commands[i / 4].program,
                                         .words = commands[i / 4].words,
                                         .environment = environment};
        harness_result result = harness_run(&command);
        if (!strstr(result.err, calls[i % 4].asked))
            fail_msg("%s, %s: %d: %s", command.words, function, result.code, result.err);
        assert_crash(result, function, signals[s].how);
    }
}

static void *crash_of_another(void *unused)
{
    raise(SIGSEGV);
    return unused;
}

/* Who is named, by where the thread that crashes is: outside of the driver, inside, or a thread
 * that the driver started. */
static void a_crash_outside_is_no_drivers(void **state)
{
    static const char *const said[] = {"a bug of this program, not of the OpenCL driver",
                                       "the OpenCL driver lib.so", "the OpenCL driver lib.so"};
    (void)state;
    for (int i = 0; i < 3 && !sanitized; i++) {
        char text[512] = {0};
        int ends[2], status;
        pthread_t thread;
        assert_int_equal(pipe(ends), 0);
        fflush(NULL);
        const pid_t child = fork();
        if (child == 0) {
            dup2(ends[1], STDERR_FILENO);
            tool_driver_crash_catch("lib.so");
            if (i == 0)
                raise(SIGSEGV);
            if (i == 1)
                (void)MESO_IN_DRIVER(raise(SIGSEGV));
            pthread_create(&thread, NULL, crash_of_another, NULL);
            pthread_join(thread, NULL);
            _exit(1);
        }
        close(ends[1]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(read(ends[0], text, sizeof text - 1) > 0);
        close(ends[0]);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 70 || !strstr(text, said[i]))
            fail_msg("%d: %x: %s", i, (unsigned)status, text);
    }
}

/* On a terminal, and only where it takes long: Intel's runtime keeps nothing that it compiled. */
static void says_that_it_compiles(void **state)
{
    char layer[PATH_MAX + 32];
    const char *const slow[] = {layer, "MESO_FAULT_IN=clBuildProgram", "MESO_FAULT_SIGNAL=0", NULL};
    snprintf(layer, sizeof layer, "OPENCL_LAYERS=%s", FAULT_LAYER);
    (void)state;
    harness_need_layers(FAULT_LAYER);
    meso_device_close(harness_device());
    harness_put_picture("picture.ppm", 64, 0x3a70c1);
    for (int i = 0; i < 4; i++) { /* the first compiles */
        const double started = meso_seconds();
        harness_result result = harness_run(&(harness_command){.words = "predict picture.ppm",
                                                               .terminal = i != 1,
                                                               .environment = i < 3 ? slow : NULL});
        assert_int_equal(result.code, 0);
        const int said = strstr(result.err, "compiling kernels for this device, once") != NULL;
        const int may_say = i == 3 && meso_seconds() - started > 0.8;
        if (said != (i == 0 || i == 2) && !(said && may_say))
            fail_msg("%d: %s", i, result.err);
        harness_forget(&result);
    }
}

/* device_bench over all devices with every bad driver beside the good ones: the same rows as
 * without, at most ten seconds later. */
static void device_bench_goes_on(void **state)
{
    static const char words[] = "net tiny.net --device all --batch 1 --seconds 0.001 --json";
    static const char net[] = "image = input height=8 width=8 channels=3 divide=255\n"
                              "flat = flatten image\n"
                              "dense = dense flat units=1\n"
                              "p = sigmoid dense\n";
    json_t *documents[2];
    double seconds[2];
    char variable[PATH_MAX + 32];
    const char *const environment[] = {variable, NULL};
    const harness_command command = {
        .program = DEVICE_BENCH_PROGRAM, .words = words, .environment = environment};
    double limit;
    (void)state;
    json_decref(devices_without_bad_ones(&limit));
    for (size_t i = 0; i < n_bad; i++)
        put_bad(i);
    harness_put("tiny.net", net, 0);
    for (int with = 0; with < 2; with++) {
        snprintf(variable, sizeof variable, "OCL_ICD_VENDORS=%s", with ? vendors : good);
        double started = meso_seconds();
        harness_result result = harness_run(&command);
        seconds[with] = meso_seconds() - started;
        if (result.code != 0)
            fail_msg("ended with %d: %s", result.code, result.err);
        documents[with] = json_loads(result.out, 0, NULL);
        harness_forget(&result);
    }
    print_message("%.2f s, %.2f s with %d bad drivers\n", seconds[0], seconds[1], n_bad);
    assert_true(seconds[1] <= 2 * seconds[0] + 10);
    const json_t *wanted = json_object_get(documents[0], "results");
    const json_t *got = json_object_get(documents[1], "results");
    assert_true(json_array_size(wanted) > 0);
    assert_int_equal(json_array_size(got), json_array_size(wanted));
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const json_t *a = json_array_get(wanted, i), *b = json_array_get(got, i);
        assert_true(json_equal(json_object_get(a, "device"), json_object_get(b, "device")));
        assert_true(json_number_value(json_object_get(b, "images_per_s")) > 0);
    }
    assert_int_equal(json_array_size(json_object_get(documents[1], "failures")), 0);
    json_decref(documents[0]);
    json_decref(documents[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_at_once_cost_their_rows, enter, harness_leave_folder),
        cmocka_unit_test_setup_teardown(each_alone_beside_a_good_one, enter, harness_leave_folder),
        cmocka_unit_test_setup_teardown(alone_they_are_explained, enter, harness_leave_folder),
        cmocka_unit_test_setup_teardown(other_programs_go_on, enter, harness_leave_folder),
        cmocka_unit_test_setup_teardown(device_bench_goes_on, enter, harness_leave_folder),
        cmocka_unit_test_setup_teardown(a_gpu_trains_where_it_was_measured, enter,
                                        harness_leave_folder),
        cmocka_unit_test_setup_teardown(a_crash_while_loading_is_a_sentence, enter,
                                        harness_leave_folder),
        cmocka_unit_test_setup_teardown(a_crash_inside_is_a_sentence, enter, harness_leave_folder),
        cmocka_unit_test(a_crash_outside_is_no_drivers),
        cmocka_unit_test_setup_teardown(says_that_it_compiles, enter, harness_leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

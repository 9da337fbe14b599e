/* SPDX-License-Identifier: Apache-2.0
 *
 * Several devices at work on one list: rows as one device gives them, and a device that dies or
 * hangs costs none. The device under test is there twice: its driver's file is.
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness_device.h"
#include "harness_run.h"
#include "process.h"

enum { n_each = 30, n_tries = 5 };

static char ids[2][32], pair[80]; /* "0:0", "1:0", "-d 0:0,1:0" */

/* ---- the device, twice ---- */

static void copy_drivers(void)
{
    const char *given = getenv("OCL_ICD_VENDORS");
    const char *from = given && *given ? given : "/etc/OpenCL/vendors";
    DIR *folder = opendir(from);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        for (int k = 0; k < 2 && strstr(entry->d_name, ".icd"); k++) {
            char source[PATH_MAX], target[PATH_MAX];
            snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
            snprintf(target, sizeof target, "vendors/%d-%s", k, entry->d_name);
            assert_int_equal(symlink(source, target), 0);
        }
    if (folder)
        closedir(folder);
}

static void name_devices(const meso_device_info *wanted)
{
    const harness_command command = {.words = "devices --json"};
    harness_result result = harness_run(&command);
    json_t *document = json_loads(result.out, 0, NULL), *device;
    size_t i, n = 0;
    json_array_foreach (json_object_get(document, "devices"), i, device) {
        const char *name = json_string_value(json_object_get(device, "name"));
        const char *platform = json_string_value(json_object_get(device, "platform_name"));
        if (strcmp(name, wanted->name) != 0 || strcmp(platform, wanted->platform_name) != 0)
            continue;
        snprintf(ids[n++ > 0], sizeof ids[0], "%d:%d",
                 (int)json_integer_value(json_object_get(device, "platform")),
                 (int)json_integer_value(json_object_get(device, "index")));
    }
    if (n < 2)
        fail_msg("the device is there %zu times: %s%s", n, result.out, result.err);
    snprintf(pair, sizeof pair, "-d %s,%s", ids[0], ids[1]);
    json_decref(document);
    harness_forget(&result);
}

static void put_pictures(void)
{
    char path[64];
    for (unsigned i = 0; i < 2 * n_each; i++) {
        snprintf(path, sizeof path, "set/%s/%03u.ppm", i % 2 ? "real" : "fake", i);
        harness_put_picture(path, 24, i * 2654435761u >> 8);
    }
    harness_put("set/fake/empty.ppm", "P6\n", 0);
}

static int enter(void **state)
{
    char here[4096], vendors[sizeof here + 16];
    if (harness_enter_folder(state) != 0 || mkdir("vendors", 0700) != 0)
        return -1;
    setenv("XDG_CONFIG_HOME", getcwd(here, sizeof here), 1);
    setenv("XDG_CACHE_HOME", here, 1);
    snprintf(vendors, sizeof vendors, "%s/vendors", here);
    meso_device *device = harness_device();
    const meso_device_info wanted = *meso_device_get_info(device);
    meso_device_close(device);
    copy_drivers();
    setenv("OCL_ICD_VENDORS", vendors, 1);
    unsetenv("MESO_DEVICE");
    name_devices(&wanted);
    put_pictures();
    return 0;
}

/* ---- tests ---- */

static harness_result run(const char *format, const char *device, int code)
{
    char words[256];
    snprintf(words, sizeof words, format, device);
    const harness_command command = {.words = words};
    harness_result result = harness_run(&command);
    if (result.code != code)
        fail_msg("%s: ended with %d: %s", words, result.code, result.err);
    return result;
}

/* Each row is the one device's, with the name of its own behind it. Counts the rows of both. */
static void compare_rows(const char *one, const char *two, size_t n_of[2])
{
    size_t n = 0;
    n_of[0] = n_of[1] = 0;
    for (const char *next; *one; one = next, n++) {
        const size_t length = strcspn(one, "\r");
        next = one + length + 2;
        if (strncmp(one, two, length) != 0 || two[length] != ',')
            fail_msg("row %zu: %.*s\n%.100s", n, (int)length, one, two);
        two += length + 1;
        for (int k = 0; k < 2; k++)
            n_of[k] += strncmp(two, ids[k], strlen(ids[k])) == 0;
        two += strcspn(two, "\n") + 1;
    }
    assert_string_equal(two, "");
    assert_int_equal(n, 2 * n_each + 2);
    assert_int_equal(n_of[0] + n_of[1], n - 1);
}

/* On a busy machine one may be done before the other has begun. */
static void rows_are_those_of_one_device_in_its_order(void **state)
{
    static const char words[] = "predict --path plain %s --csv set";
    char single[40];
    size_t n_of[2] = {0};
    (void)state;
    snprintf(single, sizeof single, "-d %s", ids[0]);
    harness_result one = run(words, single, 0);
    for (int i = 0; i < n_tries && (n_of[0] == 0 || n_of[1] == 0); i++) {
        harness_result two = run(words, pair, 0);
        compare_rows(one.out, two.out, n_of);
        harness_forget(&two);
    }
    if (n_of[0] == 0 || n_of[1] == 0)
        fail_msg("one device does it all: %zu and %zu rows", n_of[0], n_of[1]);
    harness_forget(&one);
}

/* A run that loses devices. */
typedef struct loss {
    tool_process process;
    int signal, n_left; /* how many are to be hit */
    long last;          /* that was hit */
} loss;

/* How long a child of ours has computed; −1: it is none, or has gone. */
static double ticks_of(long pid, pid_t parent)
{
    char path[64], text[512] = "";
    long its = 0;
    double user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = pid > 0 ? fopen(path, "r") : NULL;
    if (!file)
        return -1;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *end = strrchr(text, ')');
    if (!end || sscanf(end, ") %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf", &its, &user,
                       &system) != 3)
        return -1;
    return its == parent ? user + system : -1;
}

/* Once the first rows are told: that child which has computed most, so that it owes some. */
static int hit(void *user, meso_text *events)
{
    loss *l = user;
    const char *done = NULL;
    for (const char *at = events->bytes; (at = strstr(at, "\"done\":")); at++)
        done = at + strlen("\"done\":");
    for (; done && atoi(done) > 0 && l->n_left > 0; l->n_left--) {
        DIR *folder = opendir("/proc");
        double most = -1;
        long victim = 0;
        for (struct dirent *entry; (entry = readdir(folder));) {
            const long pid = strtol(entry->d_name, NULL, 10);
            const double ticks = pid != l->last ? ticks_of(pid, l->process.pid) : -1;
            victim = ticks > most ? pid : victim;
            most = ticks > most ? ticks : most;
        }
        closedir(folder);
        assert_true(victim > 0);
        kill((pid_t)victim, l->signal);
        l->last = victim;
    }
    return 1;
}

static void lose(loss *l, int signal, int n, int code)
{
    const char *const argv[] = {"mesocl", "evaluate", "--path",        "plain", "-d", pair + 3,
                                "--json", "set",      "--progress-fd", "3",     NULL};
    meso_error error = {0};
    *l = (loss){.signal = signal, .n_left = n};
    l->process = (tool_process){.program = harness_program(),
                                .argv = argv,
                                .pipes = {{.number = 3, .most = SIZE_MAX, .take = hit, .user = l},
                                          {.number = 1, .most = SIZE_MAX},
                                          {.number = 2, .most = SIZE_MAX}},
                                .seconds = 50};
    if (tool_process_start(&l->process, &error) != MESO_OK)
        fail_msg("%s", error.text);
    tool_process_run(&l->process);
    meso_text_add(&l->process.pipes[2].text, "");
    assert_int_equal(l->n_left, 0);
    if (l->process.end != TOOL_PROCESS_EXITED || l->process.code != code)
        fail_msg("end %d, code %d: %s", l->process.end, l->process.code,
                 l->process.pipes[2].text.bytes);
}

/* What is told of the pictures, without what is told of the run. */
static json_t *figures(const char *text, size_t n)
{
    json_t *document = json_loadb(text, n, 0, NULL);
    assert_non_null(document);
    json_object_del(document, "provenance");
    json_object_del(document, "devices");
    return document;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    while ((text = strstr(text, part)) && ++n)
        text++;
    return n;
}

static void a_device_that_is_lost_costs_no_picture(void **state)
{
    static const struct {
        int signal;
        const char *said; /* NULL: nothing */
    } rows[] = {{SIGKILL, "signal 9 (Killed)"}, {SIGABRT, "bort"}, {SIGSTOP, NULL}};
    harness_result whole = run("evaluate --path plain %s --json set", "", 0);
    json_t *wanted = figures(whole.out, strlen(whole.out));
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        loss l;
        lose(&l, rows[i].signal, 1, 0);
        json_t *got = figures(l.process.pipes[1].text.bytes, l.process.pipes[1].text.length);
        assert_true(json_equal(got, wanted));
        const char *said = l.process.pipes[2].text.bytes;
        if (count(said, " is out, ") != (rows[i].said != NULL) ||
            (rows[i].said && !strstr(said, rows[i].said)))
            fail_msg("%s", said);
        json_decref(got);
        tool_process_free(&l.process);
    }
    json_decref(wanted);
    harness_forget(&whole);
}

static void without_a_device_left_it_ends(void **state)
{
    loss l;
    (void)state;
    lose(&l, SIGKILL, 2, 70);
    const char *said = l.process.pipes[2].text.bytes;
    assert_int_equal(count(said, " is out, "), 1);
    assert_int_equal(count(said, "signal 9 (Killed)"), 2);
    assert_int_equal(l.process.pipes[1].text.length, 0);
    tool_process_free(&l.process);
}

/* None of these is a device's own. */
static void other_failures_are_said_once(void **state)
{
    static const struct {
        const char *words;
        int code;
        const char *said;
    } rows[] = {{"predict -w none.safetensors %s set", 66, "none.safetensors"},
                {"predict --net none.net %s set", 66, "none.net"},
                {"evaluate -m wrong.csv %s", 65, "set/fake/000.ppm"},
                {"predict %s,7:7 set", 69, "no device matches '7:7'"},
                {"predict %s,cpu,0:0 set", 2, "more than one device"},
                {"score-job", 2, "it is started by predict"}};
    (void)state;
    harness_put("wrong.csv",
                "file,label,hash\nset/fake/000.ppm,fake,"
                "00000000000000000000000000000000\nset/real/001.ppm,real,\n",
                0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_result result = run(rows[i].words, pair, rows[i].code);
        if (!strstr(result.err, rows[i].said) || count(result.err, "\n") != 1)
            fail_msg("%s: %s", rows[i].words, result.err);
        harness_forget(&result);
    }
}

static void ctrl_c_ends_all(void **state)
{
    char words[128];
    (void)state;
    snprintf(words, sizeof words, "predict --path plain %s --jsonl set", pair);
    const harness_command command = {.words = words, .interrupt = 1};
    harness_result result = harness_run(&command);
    assert_int_equal(result.code, 130);
    assert_null(strstr(result.err, " is out, "));
    harness_forget(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_one_device_in_its_order),
        cmocka_unit_test(a_device_that_is_lost_costs_no_picture),
        cmocka_unit_test(without_a_device_left_it_ends),
        cmocka_unit_test(other_failures_are_said_once),
        cmocka_unit_test(ctrl_c_ends_all),
    };
    return cmocka_run_group_tests(tests, enter, harness_leave_folder);
}

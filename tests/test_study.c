/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench run as a program: whole studies of a tiny net on pictures of noise, cut short,
 * killed, resumed, refused.
 */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
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
#include "base/random.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_schema.h"

enum { n_each = 12, picture_side = 40 };

#define PLAN                                                                               \
    "run --train bright=bright --train noisy=noisy --test control=control --net tiny.net " \
    "--seeds 2 --epochs 6 --batch 8 --lr 0.001 --resamples 50 "

/* A picture of noise around a grey level: its bytes follow from the seed. */
static void put_noise(const char *path, uint64_t seed, double level)
{
    char header[32], bytes[32 + 3 * picture_side * picture_side];
    size_t n =
        (size_t)snprintf(header, sizeof header, "P6 %d %d 255\n", picture_side, picture_side);
    meso_random random = {seed};
    memcpy(bytes, header, n);
    for (size_t i = 0; i < 3 * picture_side * picture_side; i++)
        bytes[n + i] = (char)(int)(level + meso_random_uniform(&random, -60, 60));
    harness_put(path, bytes, n + 3 * picture_side * picture_side);
}

/* Fakes are darker than reals by `gap`. */
static void put_set(const char *name, uint64_t seed, double gap)
{
    char path[256];
    for (int i = 0; i < 2 * n_each; i++) {
        int real = i >= n_each;
        snprintf(path, sizeof path, "%s/%s/%02d.ppm", name, real ? "Real" : "Fake", i);
        put_noise(path, seed * 1000 + (uint64_t)i, 128 + (real ? gap : -gap));
    }
}

/* Two sets, a control set of which one picture also stands in `bright`, and the net. */
static int set_up(void **state)
{
    int failed = harness_enter_folder(state);
    put_set("bright", 1, 50);
    put_set("noisy", 2, 0);
    put_set("control", 3, 50);
    put_noise("control/Fake/leak.ppm", 1 * 1000, 78);
    harness_put("bright/Fake/a.avif", "", 1);
    harness_put("tiny.net", harness_tiny_net, 0);
    return failed;
}

static harness_result bench(const char *words)
{
    const harness_command command = {.program = DATASET_BENCH_PROGRAM, .words = words};
    return harness_run(&command);
}

static void expect(const char *words, int code, const char *said)
{
    harness_result r = bench(words);
    if (r.code != code || (said && !strstr(r.err, said)))
        fail_msg("%s: exit code %d, expected %d and \"%s\": %s%s", words, r.code, code,
                 said ? said : "", r.out, r.err);
    harness_forget(&r);
}

static json_t *result_of(const char *folder)
{
    char path[256];
    json_error_t error;
    snprintf(path, sizeof path, "%s/study_result.json", folder);
    json_t *document = json_load_file(path, 0, &error);
    if (!document)
        fail_msg("%s: %s", path, error.text);
    return document;
}

/* Takes away what no two runs have in common: times and the command line. */
static void strip_times(json_t *value)
{
    static const char *const keys[] = {"seconds", "images_per_second", "command"};
    const char *key;
    json_t *member;
    size_t i;
    for (i = 0; i < sizeof keys / sizeof *keys && json_is_object(value); i++)
        json_object_del(value, keys[i]);
    json_object_foreach (value, key, member)
        strip_times(member);
    if (json_is_array(value))
        json_array_foreach (value, i, member)
            strip_times(member);
}

/* Fails at a key of `a` that is missing in `b`, or has another value there. */
static void expect_keys(const char *folder, json_t *a, const json_t *b)
{
    const char *key;
    json_t *member;
    json_object_foreach (a, key, member) {
        if (!json_equal(member, json_object_get(b, key)))
            fail_msg("%s: \"%s\" differs: %s", folder, key,
                     json_dumps(member, JSON_COMPACT | JSON_ENCODE_ANY));
    }
}

static void expect_same_result(const char *folder, json_t *expected)
{
    json_t *got = result_of(folder);
    strip_times(got);
    expect_keys(folder, got, expected);
    expect_keys(folder, expected, got);
    assert_true(json_equal(got, expected));
    json_decref(got);
}

/* ---- a study ---- */

static void check_cell(const json_t *cell, size_t excluded)
{
    const json_t *accuracy = json_object_get(cell, "accuracy");
    double mean = harness_number(accuracy, "mean"), sum = 0;
    assert_string_equal(json_string_value(json_object_get(cell, "test")), "control");
    assert_int_equal(harness_number(cell, "n"), 2 * n_each + 1 - excluded);
    assert_int_equal(harness_number(cell, "n_excluded"), excluded);
    assert_true(harness_number(accuracy, "low") <= mean &&
                mean <= harness_number(accuracy, "high"));
    const json_t *seeds = json_object_get(cell, "seeds");
    assert_int_equal(json_array_size(seeds), 2);
    for (size_t i = 0; i < 2; i++)
        sum += harness_number(json_array_get(seeds, i), "accuracy");
    harness_close(sum / 2, mean, 1e-8, "mean over seeds");
    assert_true(json_is_object(json_object_get(cell, "mse")));
    assert_true(json_is_object(json_object_get(cell, "auc")));
}

/* Done is done: nothing runs again, and the report is the same. expected: without times. */
static void resumes(json_t *expected)
{
    double started = meso_seconds();
    expect("run --resume study", 0, "4 of 4 jobs are done");
    double seconds = meso_seconds() - started;
    if (getenv("MESO_FULL"))
        assert_true(seconds <= 5);
    expect_same_result("study", expected);
    expect("report study", 0, NULL);
    expect_same_result("study", expected);
    assert_true(access("study/study_result.csv", R_OK) == 0);
    assert_int_equal(system("grep -c 'bright: 1 .avif' study/study.md study/study.html"), 0);

    /* Jobs are read that older versions have left, which spelled the schema another way. */
    assert_int_equal(
        system("sed -i 's|\"mesocl.study_job/1\"|\"mesocl/study_job/1\"|' study/jobs/*.json && "
               "grep -q mesocl/study_job study/jobs/bright.only.2.json"),
        0);
    expect("run --resume study", 0, "4 of 4 jobs are done");
    expect_same_result("study", expected);

    /* Facts of an older version are made anew. */
    assert_int_equal(
        system("sed -i 's|mesocl.study_facts/2|mesocl/study_facts/1|' study/facts.json"), 0);
    expect("report study", 65, "--resume");
    expect("run --resume study", 0, "looking for leakage");
    expect_same_result("study", expected);

    /* A job that is gone, and one that is damaged, are run again; no other. */
    assert_int_equal(unlink("study/jobs/bright.only.1.json"), 0);
    harness_put("study/jobs/noisy.only.2.json", "{\"schema\": 1", 0);
    expect("run --resume study", 0, "2 of 4 jobs are done");
    expect_same_result("study", expected);
}

static void test_whole(void **state)
{
    (void)state;
    expect(PLAN "-o study", 0, "4 of 4 jobs");
    json_t *r = result_of("study");
    const json_t *matrix = json_object_get(r, "matrix");
    assert_string_equal(json_string_value(json_object_get(r, "schema")), "mesocl.study_result/1");
    assert_int_equal(json_array_size(matrix), 2);
    check_cell(json_array_get(matrix, 0), 1);
    check_cell(json_array_get(matrix, 1), 0);
    /* Bright pictures are told by one number; a set without a difference teaches nothing. */
    assert_true(harness_number(json_object_get(json_array_get(matrix, 0), "auc"), "mean") > 0.9);
    const json_t *leak = json_array_get(json_object_get(r, "leaks"), 0);
    assert_int_equal(json_array_size(json_object_get(r, "leaks")), 1);
    assert_string_equal(json_string_value(json_object_get(leak, "kind")), "same_file");
    assert_non_null(strstr(json_string_value(json_object_get(leak, "file")), "leak.ppm"));
    assert_int_equal(json_array_size(json_object_get(r, "comparisons")), 1);
    assert_int_equal(json_array_size(json_object_get(r, "distances")), 3);
    assert_int_equal(json_array_size(json_object_get(r, "jobs")), 4);
    harness_check_schema(r, "study_result");
    strip_times(r);
    resumes(r);

    /* With the leak kept the cell has one image more. */
    expect(PLAN "--keep-leaks -o kept", 0, NULL);
    json_t *kept = result_of("kept");
    const json_t *cell = json_array_get(json_object_get(kept, "matrix"), 0);
    assert_int_equal(harness_number(cell, "n"), 2 * n_each + 1);
    json_decref(kept);
    json_decref(r);
}

static void test_dry_run(void **state)
{
    (void)state;
    harness_result r = bench(PLAN "--dry-run");
    assert_int_equal(r.code, 0);
    assert_non_null(
        strstr(r.out, "4 trainings: 2 training sets × 2 seeds, each tested on 1 set\n"));
    assert_non_null(strstr(r.out, " on this machine, "));
    assert_non_null(strstr(r.out, "MB of disk"));
    assert_true(access("study", F_OK) != 0);
    harness_forget(&r);
}

/* The better of the two classifiers that see no face, of those fitted to a set. */
static double best_baseline(const json_t *result, const char *train)
{
    const json_t *row;
    double best = 0;
    size_t i;
    json_array_foreach (json_object_get(result, "baselines"), i, row) {
        const char *fitted_to = json_string_value(json_object_get(row, "train"));
        if (fitted_to && strcmp(fitted_to, train) == 0)
            best = fmax(best, harness_number(row, "accuracy"));
    }
    return best;
}

/* Nothing to learn: the first line says so and what to try, nobody is told that sets are alike.
 * What the limit took is not what equalising did. */
static void test_nothing_learned(void **state)
{
    (void)state;
    put_set("alike", 5, 0);
    harness_result r = bench("run --train alike=alike --train noisy=noisy --test control=control "
                             "--net tiny.net --seeds 2 --epochs 1 --batch 8 --lr 1e-9 "
                             "--resamples 50 --limit 6 -o study");
    assert_int_equal(r.code, 0);
    if (strncmp(r.out, "No answer: no detector learned. ", 32) != 0)
        fail_msg("%s", r.out);
    assert_non_null(strstr(r.out, "After 2 steps of training: try --epochs 150 (about "));
    assert_null(strstr(r.out, "difference"));
    assert_non_null(strstr(r.out, "\nThe limit of 6 of each class took 12 of 24 images of alike, "
                                  "12 of 24 images of noisy.\n"));
    assert_null(strstr(r.out, "Not used"));
    harness_forget(&r);
}

/* Of the two classifiers that see no face the better is named. */
static void test_stronger_baseline(void **state)
{
    char sentence[128];
    (void)state;
    harness_result r = bench("run --train bright=bright --test control=control --net tiny.net "
                             "--seeds 1 --epochs 1 --batch 8 --lr 1e-9 --resamples 50 -o study");
    assert_int_equal(r.code, 0);
    json_t *result = result_of("study");
    snprintf(sentence, sizeof sentence, "alone, fitted to bright, reaches %.3f on control",
             best_baseline(result, "bright"));
    if (!strstr(r.out, sentence))
        fail_msg("\"%s\" is not in\n%s", sentence, r.out);
    json_decref(result);
    harness_forget(&r);
}

/* ---- interruptions ---- */

/* Runs the words and sends the program a signal after `seconds`: SIGKILL is like a power cut.
 * Returns its exit code, 0 where a signal ended it. */
static int run_and_signal(const char *words, double seconds, int number)
{
    int status = 0;
    char copy[512], *argv[48] = {(char *)DATASET_BENCH_PROGRAM};
    size_t n = 1;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word && n < 47; word = strtok(NULL, " "))
        argv[n++] = word;
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execv(argv[0], argv);
        _exit(127);
    }
    usleep((useconds_t)(1e6 * seconds));
    kill(child, number);
    waitpid(child, &status, 0);
    kill(-child, SIGKILL); /* its jobs, should they outlive it */
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void test_killed(void **state)
{
    (void)state;
    size_t n = getenv("MESO_FULL") ? 50 : 3;
    double started = meso_seconds();
    expect(PLAN "-o whole", 0, NULL);
    double length = meso_seconds() - started;
    json_t *expected = result_of("whole");
    strip_times(expected);
    meso_random random = {11};
    for (size_t i = 0; i < n; i++) {
        char words[512], folder[32];
        snprintf(folder, sizeof folder, "killed%zu", i);
        snprintf(words, sizeof words, PLAN "-o %s", folder);
        run_and_signal(words, meso_random_uniform(&random, 0, length), SIGKILL);
        snprintf(words, sizeof words, "%s/study.json", folder);
        if (access(words, F_OK) != 0)
            snprintf(words, sizeof words, PLAN "-o %s", folder); /* before it had begun */
        else
            snprintf(words, sizeof words, "run --resume %s", folder);
        expect(words, 0, NULL);
        expect_same_result(folder, expected);
    }
    /* Ctrl-C, in the middle: said by the exit code, and nothing is lost. */
    assert_int_equal(run_and_signal(PLAN "-o cut", length / 3, SIGINT), 75);
    expect("run --resume cut", 0, NULL);
    expect_same_result("cut", expected);
    json_decref(expected);
}

static void test_changed(void **state)
{
    (void)state;
    expect(PLAN "--seeds 1 -o study", 0, NULL);
    put_noise("noisy/Fake/03.ppm", 99, 100);
    expect("run --resume study", 65, "noisy/Fake/03.ppm was changed");
    unlink("noisy/Fake/03.ppm");
    expect("run --resume study", 65, "noisy/Fake/03.ppm is gone");
    put_noise("noisy/Fake/03.ppm", 2003, 128); /* as it was */
    expect("run --resume study", 0, NULL);
    put_noise("noisy/Fake/zz.ppm", 98, 100);
    expect("run --resume study", 65, "noisy/Fake/zz.ppm is new");
}

/* What one job cannot write, the next one could not either: the study stops, and keeps what it has.
 */
static void test_no_space(void **state)
{
    (void)state;
    struct stat before, after;
    expect(PLAN "-o study", 0, NULL);
    assert_int_equal(unlink("study/jobs/noisy.only.1.json"), 0);
    assert_int_equal(mkdir("study/jobs/noisy.only.1.json", 0777), 0);
    assert_int_equal(stat("study/jobs/bright.only.2.json", &before), 0);
    harness_put("study/models/half.safetensors.1.tmp", "x", 0); /* of a process that was killed */
    expect("run --resume study --jobs 1", 73, "study/jobs/noisy.only.1.json");
    assert_true(access("study/models/half.safetensors.1.tmp", F_OK) != 0);
    assert_int_equal(rmdir("study/jobs/noisy.only.1.json"), 0);
    expect("run --resume study", 0, "3 of 4 jobs are done");
    assert_int_equal(stat("study/jobs/bright.only.2.json", &after), 0);
    assert_true(before.st_ino == after.st_ino);
}

/* ---- bad input ---- */

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int code;
        const char *said;
    } rows[] = {
        {"run", 2, "--train"},
        {"run --train a=bright --test t=control", 2, "-o FOLDER is missing"},
        {"run --train bright --test t=control -o s", 2, "NAME=PATH"},
        {"run --train half=x --test t=control -o s", 2, "give NAME=./half=x"},
        {"run --train a=bright --train a=noisy --test t=control -o s", 2, "two sets are called"},
        {"run --train a=bright --test a=control -o s", 65, "has the same name"},
        {"run --train a=bright --test t=bright -o s", 65, "is part of training set a"},
        {"run --train a=bright --test t=bright/../bright -o s", 65, "is part of training set a"},
        {"run --train a=bright --test t=none -o s", 66, "test set t"},
        {"run --train a=bright/Fake --test t=control -o s", 65, "training set a"},
        {"run --train a=half --test t=control -o s", 65, "training set a"},
        {"run --train a=bright --test t=control --net none -o s", 66, "variant only"},
        {"run --train a=bright --test t=control --init none -o s", 66, "variant only"},
        {"run --train a=bright --test t=control --epochs 0 -o s", 65,
         "the weights would be random"},
        {"run --train a=bright --test t=control --augment all -o s", 2, "augmentation \"all\""},
        {"run --train a=bright --test t=control --freeze convx* -o s", 65, "no layer is called"},
        {"run bad.json -o s", 65, "variants.v.epoch: unknown key"},
        {"run bad.json --train a=bright -o s", 2, "bad.json defines sets"},
        {"run --resume bright", 66, "no study is there"},
        {"run --resume s --seeds 2", 2, "nothing that would change it"},
        {"report none", 66, "no study is there"}};
    put_noise("half/Fake/a.ppm", 5, 100);
    mkdir("half/Real", 0777);
    mkdir("half=x", 0777);
    harness_put("bad.json",
                "{\"train\": {\"a\": \"bright\"}, \"test\": {\"t\": \"control\"}, "
                "\"variants\": {\"v\": {\"epoch\": 1}}}",
                0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(rows[i].words, rows[i].code, rows[i].said);
    assert_true(access("s", F_OK) != 0);

    /* The same pictures in another folder: found by their content. */
    assert_int_equal(system("cp -r bright copy"), 0);
    expect("run --train a=bright --test t=copy --net tiny.net --seeds 1 --epochs 1 --batch 8 -o s",
           65, "leak from training set a");
    expect(PLAN "-o s", 73, "already holds a study");
}

/* ---- names and devices ---- */

static void test_hostile_names(void **state)
{
    (void)state;
    put_noise("control/Fake/<script>alert(1)<script>.ppm", 1001, 78);
    put_noise("control/Fake/\"><img src=x onerror=alert(1)>\x1b[31m\xff.ppm", 1002, 78);
    put_noise("bright/Fake/a\xff<b>.ppm", 1000, 78);
    expect(PLAN "--seeds 1 --thumbnails -o study", 0, NULL);
    json_t *r = result_of("study"); /* valid JSON whatever the names */
    assert_true(json_array_size(json_object_get(r, "leaks")) >= 2);
    json_decref(r);
    const harness_command cat = {.program = "/bin/cat", .words = "study/study.html"};
    harness_result html = harness_run(&cat);
    assert_null(strstr(html.out, "<script>alert"));
    assert_null(strstr(html.out, "<img src=x"));
    assert_null(strstr(html.out, "\x1b"));
    assert_non_null(strstr(html.out, "&lt;script&gt;alert(1)"));
    harness_forget(&html);
}

static void test_two_devices(void **state)
{
    (void)state;
    setenv("POCL_DEVICES", "pthread basic", 1);
    expect(PLAN "--seeds 1 --device all -o study", 0, NULL);
    json_t *result = result_of("study"), *devices = json_object_get(result, "devices");
    assert_true(json_array_size(devices) >= 2);
    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *row = json_array_get(devices, i);
        assert_true(harness_number(row, "images_per_second") > 0);
        assert_true(harness_number(row, "largest_change") <= 1e-5);
        assert_int_equal(json_array_size(json_object_get(row, "cells")), 2);
    }
    json_decref(result);
}

/* Jobs in turn, also when one is done again. */
static void test_devices_share_jobs(void **state)
{
    (void)state;
    setenv("POCL_DEVICES", "pthread basic", 1);
    expect(PLAN "--seeds 1 --device pthread,basic -o study", 0, NULL);
    for (int i = 0; i < 2; i++, expect("run --resume study", 0, NULL)) {
        json_t *result = result_of("study"), *jobs = json_object_get(result, "jobs");
        for (size_t k = 0; k < 2; k++) {
            const json_t *device = json_object_get(json_array_get(jobs, k), "device");
            assert_int_equal(strncmp(json_string_value(device), k ? "basic" : "pthread", 5), 0);
        }
        json_decref(result);
        assert_int_equal(unlink("study/jobs/bright.only.1.json"), 0);
    }
}

int main(void)
{
    char path[4096];
    if (getcwd(path, sizeof path - 16))
        setenv("MESO_SCHEMAS", strcat(path, "/docs/schema"), 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_dry_run, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_nothing_learned, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_stronger_baseline, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_killed, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_changed, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_no_space, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_refused, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_hostile_names, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_two_devices, set_up, harness_leave_folder),
        cmocka_unit_test_setup_teardown(test_devices_share_jobs, set_up, harness_leave_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

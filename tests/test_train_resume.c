/* SPDX-License-Identifier: Apache-2.0
 *
 * A run that is killed, interrupted or out of disk, and resumed, ends with the bytes of one
 * that was left alone.
 */
#include <errno.h>
#include <glob.h>
#include <math.h>
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

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "fault_layer/fault_libc.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_train.h"
#include "mesocl/mesocl.h"
#include "mesocl/train.h"

/* Checkpoints after nearly every step, so that a kill hits them, too. */
#define RUN HARNESS_TRAIN "--epochs 12 --augment mesonet --early-stop 9 --checkpoint-seconds 0.001 "

static const char any_checkpoint[] = "cut/checkpoint-*.safetensors";

static int is_full(void)
{
    const char *full = getenv("MESO_FULL");
    return full && strcmp(full, "1") == 0;
}

static void remove_folder(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* The undisturbed run, and the seconds that its part behind the first checkpoint took. */
static double put_reference(void)
{
    meso_device_close(harness_device());
    harness_put_training(16);
    free(harness_train(RUN "-o warm", 0)); /* kernels are compiled by now */
    int process = harness_start(RUN "-o reference");
    harness_wait_for("reference/checkpoint-*", process);
    double started = meso_seconds();
    assert_int_equal(harness_end(process), 0);
    harness_expect_same_runs("warm", "reference");
    return meso_seconds() - started;
}

/* Starts the run, or resumes it, and sends a signal at a random moment behind its checkpoint
 * of the pattern. Returns the exit code, and how long the end took. */
static int disturb(const char *words, const char *checkpoint, int number, double most,
                   meso_random *random, double *took)
{
    int process = harness_start(words);
    assert_true(harness_wait_for(checkpoint, process));
    usleep((useconds_t)(1e6 * most * meso_random_unit(random)));
    double from = meso_seconds();
    kill(process, number);
    int code = harness_end(process);
    *took = meso_seconds() - from;
    return code;
}

static void killed_runs_go_on(void **state)
{
    (void)state;
    meso_random random = {(uint64_t)getpid()};
    double seconds = put_reference(), took;
    size_t n = is_full() ? 100 : 5;
    for (size_t i = 0; i < n; i++) {
        int code = disturb(RUN "-o cut", any_checkpoint, SIGKILL, seconds, &random, &took);
        if (code == 1000 + SIGKILL && i % 2) /* half of them twice */
            disturb("train --resume cut", any_checkpoint, SIGKILL, seconds, &random, &took);
        free(harness_train("train --resume cut", 0));
        harness_expect_same_runs("reference", "cut");
        remove_folder("cut");
    }
}

static void interrupted_runs_go_on(void **state)
{
    (void)state;
    meso_random random = {(uint64_t)getpid() + 1};
    double seconds = put_reference();
    size_t n = is_full() ? 20 : 3;
    for (size_t i = 0; i < n; i++) {
        double took = 0;
        int code = disturb(RUN "-o cut", any_checkpoint, i % 2 ? SIGTERM : SIGINT, seconds / 2,
                           &random, &took);
        if (code != 75 && code != 0) /* 0: it was done before */
            fail_msg("interrupted, it ended with %d", code);
        if (!(took <= fmax(2, seconds))) /* a busy machine took longer for all */
            fail_msg("it took %.1f s to end", took);
        free(harness_train("train --resume cut", 0));
        harness_expect_same_runs("reference", "cut");
        remove_folder("cut");
    }
}

/* Asks to stop at one batch of the passes behind the last epoch. */
typedef struct stop_at {
    size_t batch, n_batches;
} stop_at;

static int count_batch(const meso_train_event *event, void *user)
{
    stop_at *stop = user;
    return event->kind == MESO_TRAIN_VALIDATING && ++stop->n_batches == stop->batch;
}

/* New statistics of two models, and the score of one, can be cut between any two batches. */
static void statistics_are_interrupted(void **state)
{
    (void)state;
    enum { n_batches = 3 * 2 }; /* of 16 pictures by 8 */
    meso_device *device = harness_device();
    meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
    const meso_resume_options resume = MESO_INIT(meso_resume_options);
    meso_error error = {0};
    harness_put_training(8);
    options.data = "data";
    options.net = "tiny.net";
    options.epochs = 1;
    options.batch = options.validation_batch = 8;
    options.bn_reestimate = 1;
    for (size_t i = 0; i <= n_batches; i++) {
        stop_at stop = {.batch = i};
        options.run = i ? "cut" : "reference";
        meso_status status = meso_train(device, &options, count_batch, &stop, NULL, &error);
        assert_int_equal(status, i ? MESO_ERROR_CANCELLED : MESO_OK);
        assert_int_equal(stop.n_batches, i ? i : n_batches);
        if (i == 0)
            continue;
        assert_non_null(strstr(error.text, "cut holds a checkpoint"));
        if (meso_train_resume(device, "cut", &resume, NULL, NULL, NULL, &error) != MESO_OK)
            fail_msg("%s", error.text);
        harness_expect_same_runs("reference", "cut");
        remove_folder("cut");
    }
    meso_device_close(device);
}

/* Ends a run of its own before its end; returns the path of its newest checkpoint. */
static const char *put_cut_run(void)
{
    static char newest[128];
    glob_t found = {0};
    meso_random random = {7};
    double took;
    int code = disturb(RUN "-o cut", "cut/checkpoint-000003*", SIGKILL, 0.01, &random, &took);
    assert_int_equal(code, 1000 + SIGKILL);
    assert_int_equal(glob("cut/checkpoint-*.safetensors", 0, NULL, &found), 0);
    snprintf(newest, sizeof newest, "%s", found.gl_pathv[found.gl_pathc - 1]);
    assert_true(found.gl_pathc <= 3); /* two, and one before the oldest went */
    globfree(&found);
    return newest;
}

static void flip_byte(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
    int byte = fgetc(file);
    fseek(file, -1, SEEK_CUR);
    fputc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_checkpoint_falls_back(void **state)
{
    (void)state;
    put_reference();
    const char *newest = put_cut_run();
    flip_byte(newest, -9);
    char *text = harness_train("train --resume cut", 0);
    assert_non_null(strstr(text, newest));
    assert_non_null(strstr(text, "damaged"));
    free(text);
    harness_expect_same_runs("reference", "cut");

    remove_folder("cut");
    newest = put_cut_run();
    assert_int_equal(truncate(newest, 1000), 0);
    free(harness_train("train --resume cut", 0));
    harness_expect_same_runs("reference", "cut");

    remove_folder("cut");
    put_cut_run();
    glob_t found = {0};
    assert_int_equal(glob("cut/checkpoint-*.safetensors", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        flip_byte(found.gl_pathv[i], 100);
    globfree(&found);
    text = harness_train("train --resume cut", 65);
    assert_non_null(strstr(text, "none of its"));
    free(text);
}

/* Another picture, one less, one more, a changed byte: refused. The set may move. */
static void changed_data_are_refused(void **state)
{
    (void)state;
    put_reference();
    put_cut_run();
    harness_put_stripes("data/fake/new.ppm", 0, 99);
    char *text = harness_train("train --resume cut", 65);
    assert_non_null(strstr(text, "training pictures"));
    free(text);
    assert_int_equal(unlink("data/fake/new.ppm"), 0);
    flip_byte("data/real/003.ppm", -1);
    free(harness_train("train --resume cut", 65));
    flip_byte("data/real/003.ppm", -1);
    assert_int_equal(rename("data", "moved"), 0);
    free(harness_train("train --resume cut", 66));
    free(harness_train("train moved --resume cut", 0));
    harness_expect_same_runs("reference", "cut");
}

/* Weights that a run started from and that are others by now. */
static void another_start_is_refused(void **state)
{
    (void)state;
    meso_random random = {11};
    double took;
    meso_device_close(harness_device());
    harness_put_training(16);
    free(harness_train("init tiny.net --seed 3 -o start.safetensors", 0));
    int code = disturb("train data --init start.safetensors --batch 8 --epochs 100000 "
                       "--checkpoint-seconds 0.01 -o cut",
                       any_checkpoint, SIGINT, 0.2, &random, &took);
    assert_int_equal(code, 75);
    free(harness_train("init tiny.net --seed 4 --force -o start.safetensors", 0));
    char *text = harness_train("train --resume cut", 65);
    assert_non_null(strstr(text, "start"));
    free(text);
}

/* Another instruction set gives other bits: on the same device, with the same kernels. */
static void other_arithmetic_is_refused(void **state)
{
    (void)state;
    static const char *const environment[] = {"POCL_KERNELLIB_NAME=sse2", NULL};
    put_reference();
    put_cut_run();
    harness_result result = harness_run(
        &(harness_command){.words = "train --resume cut --device cpu", .environment = environment});
    if (result.code == 0) /* a driver that does not know the variable */
        print_message("the driver computes as before\n");
    else if (result.code != 65 || !strstr(result.err, "is now"))
        fail_msg("it ended with %d: %s", result.code, result.err);
    harness_forget(&result);
}

/* One process at a time. */
static void a_run_at_work_is_left_alone(void **state)
{
    (void)state;
    put_reference();
    int process = harness_start(RUN "--epochs 100000 -o cut");
    assert_true(harness_wait_for(any_checkpoint, process));
    char *text = harness_train("train --resume cut", 73);
    assert_non_null(strstr(text, "another process"));
    free(text);
    kill(process, SIGTERM);
    assert_int_equal(harness_end(process), 75);
}

/* ---- the disk ---- */

static meso_status train_here(meso_device *device, const char *run, meso_error *error)
{
    meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
    options.data = "data";
    options.net = "tiny.net";
    options.validation_split = 0.25;
    options.epochs = 3;
    options.batch = 8;
    options.run = run;
    options.checkpoint_seconds = 1e-9;
    return meso_train(device, &options, NULL, NULL, NULL, error);
}

/* TensorBoard's files hold whole records: length, checksum of it, bytes, checksum of them. */
static void expect_whole_events(const char *what)
{
    glob_t found = {0};
    int code = glob("cut/events.out.*", 0, NULL, &found);
    for (size_t i = 0; code == 0 && i < found.gl_pathc; i++) {
        void *bytes = NULL;
        size_t n = 0, at = 0;
        uint64_t length;
        assert_int_equal(meso_file_read(found.gl_pathv[i], 1 << 20, &bytes, &n, NULL, NULL),
                         MESO_OK);
        for (; at + 16 <= n; at += 16 + length) {
            memcpy(&length, (char *)bytes + at, sizeof length);
            assert_true(length < 1 << 20);
        }
        free(bytes);
        if (at != n)
            fail_msg("%s: %s ends with a part of a record", what, found.gl_pathv[i]);
    }
    globfree(&found);
}

/* Ways for a disk to fail. */
static const struct disk {
    int error, short_write, lost;
    size_t step; /* which calls are tried, but in a full run: each */
} disks[] = {{ENOSPC, 0, 0, 47}, {ENOSPC, 0, 1, 47}, {EIO, 0, 0, 47}, {EROFS, 0, 1, 47},
             {ENOSPC, 1, 0, 5},  {EIO, 1, 0, 5},     {0, 1, 0, 5}};

/* Call n of a run of training fails, and the run is resumed. Returns 1 if it was made at all.
 */
static int try_disk_call(meso_device *device, const struct disk *disk, size_t n)
{
    const fault_plan plan = {.kinds = disk->short_write ? FAULT_WRITE : FAULT_FILES,
                             .fail_at = n,
                             .own_code = 1,
                             .lost = disk->lost,
                             .error = disk->error,
                             .short_write = disk->short_write};
    const meso_resume_options resume = MESO_INIT(meso_resume_options);
    meso_error error = {0};
    char what[80];
    snprintf(what, sizeof what, "call %zu %s%s%s", n, disk->short_write ? "is short, then " : "",
             disk->error ? strerror(disk->error) : "goes on", disk->lost ? ", for ever" : "");
    fault_begin(&plan);
    meso_status status = train_here(device, "cut", &error);
    fault_result result = fault_end();
    int was_made = result.failed, code = meso_status_exit_code(status);
    int begun = access("cut/checkpoint-000001.safetensors", F_OK) == 0 ||
                access("cut/history.jsonl", F_OK) == 0;
    /* a folder that cannot be synced is no error, see file.c: then nothing else may have failed */
    int may_succeed =
        !disk->error || !was_made || (!disk->short_write && (!disk->lost || result.n_calls == n));
    if (code != 74 && !(code == 73 && !begun) && !(code == 0 && may_succeed))
        fail_msg("%s: it ended with %d: %s", what, code, error.text);
    if (code != 0 && (!disk->error || !strstr(error.text, strerror(disk->error))))
        fail_msg("%s: it said: %s", what, error.text);
    expect_whole_events(what);
    if (begun) {
        if (code != 0 &&
            meso_train_resume(device, "cut", &resume, NULL, NULL, NULL, &error) != MESO_OK)
            fail_msg("%s; resumed: %s", what, error.text);
        harness_expect_same_runs("reference", "cut");
    }
    remove_folder("cut");
    return was_made;
}

/* Every opening, writing, syncing and renaming of the run's files fails, in each way. */
static void a_failing_disk_loses_nothing(void **state)
{
    (void)state;
    meso_device *device = harness_device();
    meso_error error = {0};
    harness_put_training(16);
    assert_int_equal(train_here(device, "reference", &error), MESO_OK);
    for (size_t i = 0; i < sizeof disks / sizeof disks[0]; i++) {
        size_t n = 1, step = is_full() ? 1 : disks[i].step;
        while (try_disk_call(device, &disks[i], n))
            n += step;
        print_message("%s%s%s: every %zu. of some %zu calls\n",
                      disks[i].error ? strerror(disks[i].error) : "no error",
                      disks[i].short_write ? ", behind a short write" : "",
                      disks[i].lost ? ", for ever" : "", step, n - 1);
        assert_true(n > 2 * step);
    }
    meso_device_close(device);
}

int main(void)
{
#define RESUME_TEST(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        RESUME_TEST(killed_runs_go_on),
        RESUME_TEST(interrupted_runs_go_on),
        RESUME_TEST(statistics_are_interrupted),
        RESUME_TEST(a_damaged_checkpoint_falls_back),
        RESUME_TEST(changed_data_are_refused),
        RESUME_TEST(another_start_is_refused),
        RESUME_TEST(other_arithmetic_is_refused),
        RESUME_TEST(a_run_at_work_is_left_alone),
        RESUME_TEST(a_failing_disk_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

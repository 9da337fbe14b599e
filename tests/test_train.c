/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl train as a user runs it, on drawn pictures: it learns, gives the same bits again, keeps
 * frozen layers, and refuses what it must.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_train.h"
#include "mesocl/mesocl.h"
#include "report/report_json.h"

static void need_device(void)
{
    meso_device_close(harness_device());
}

static json_t *json_of(const char *path)
{
    json_t *json = json_load_file(path, 0, NULL);
    if (!json)
        fail_msg("%s is no JSON", path);
    return json;
}

static double metric(const char *run, const char *key)
{
    char path[64];
    snprintf(path, sizeof path, "%s/metrics.json", run);
    json_t *json = json_of(path);
    double value = json_number_value(json_object_get(json_object_get(json, "metrics"), key));
    json_decref(json);
    return value;
}

static int exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* 1 where the tensors of that name have the same bits in both files. */
static int same_tensor(const char *a, const char *b, const char *name)
{
    meso_weights *left = NULL, *right = NULL;
    assert_int_equal(meso_weights_read(a, &left, NULL), MESO_OK);
    assert_int_equal(meso_weights_read(b, &right, NULL), MESO_OK);
    const meso_tensor *l = meso_weights_find(left, name), *r = meso_weights_find(right, name);
    assert_true(l && r && l->n_values == r->n_values);
    int same = memcmp(l->values, r->values, l->n_values * sizeof(float)) == 0;
    meso_weights_close(left);
    meso_weights_close(right);
    return same;
}

/* A run, its files, and that its model is one for evaluate. */
static void learns(void **state)
{
    (void)state;
    need_device();
    harness_put_training(40);
    char *text = harness_train(HARNESS_TRAIN "--epochs 8 -o run", 0);
    assert_non_null(strstr(text, "60 images train, 20 validate"));
    assert_non_null(strstr(text, "epoch 8/8"));
    assert_non_null(strstr(text, "  best\n"));
    assert_non_null(strstr(text, "\nbest epoch "));
    assert_null(strstr(text, "did not learn"));
    free(text);
    assert_true(metric("run", "accuracy") >= 0.9);
    static const char *const files[] = {"last.safetensors", "history.csv", "config.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "run/%s", files[i]);
        assert_true(exists(path));
    }
    /* evaluate sees all 80 pictures; the first quarter of each class were those of validation */
    text = harness_train("evaluate -w run/best.safetensors data --limit 10", 0);
    char expected[64];
    snprintf(expected, sizeof expected, "%.0f of 20 images correct", metric("run", "correct"));
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "\nverdict: better than a coin (the model was trained on "));
    free(text);
}

/* Steps so large that every answer is the same: no epoch of it is a best one. */
static void what_diverged_is_no_best(void **state)
{
    (void)state;
    need_device();
    harness_put_training(12);
    char *text = harness_train("train data --val-split 0.25 --net tiny.net --batch 8 --lr 1000 "
                               "--epochs 2 -o run",
                               0);
    assert_false(strstr(text, "  best\n") || strstr(text, "\nbest epoch"));
    assert_non_null(strstr(text, "did not learn: its mean squared error is 0.5000, worse than the "
                                 "0.2500 of one answer for every picture; lower --lr\n"));
    free(text);
    json_t *metrics = json_load_file("run/metrics.json", 0, NULL);
    assert_true(json_is_false(json_object_get(metrics, "learned")));
    json_decref(metrics);
    free(harness_train("report run", 0));
    void *page = NULL;
    size_t n;
    assert_int_equal(meso_file_read("run/report.html", 1 << 24, &page, &n, NULL, NULL), MESO_OK);
    assert_non_null(strstr(page, "The run did not learn"));
    free(page);
}

/* evaluate, which augments nothing, agrees with the run on its validation pictures. */
static void validation_is_not_augmented(void **state)
{
    (void)state;
    need_device();
    harness_put_training(40);
    free(harness_train(HARNESS_TRAIN "--epochs 2 --val-batch 7 --augment "
                                     "mesonet,rotation=180,brightness=0.1:0.2 -o run",
                       0));
    harness_result result = harness_run(
        &(harness_command){.words = "evaluate -w run/best.safetensors data --limit 10 --json"});
    json_t *json = json_loads(result.out, 0, NULL);
    double mse = json_number_value(json_object_get(json, "mse"));
    if (!(fabs(mse - metric("run", "mse")) <= 1e-6))
        fail_msg("MSE %.9g, in the run %.9g", mse, metric("run", "mse"));
    json_decref(json);
    harness_forget(&result);
}

/* The same training, but for moving statistics, which are then those of the training set. */
static void statistics_are_estimated_anew(void **state)
{
    (void)state;
    need_device();
    harness_put_training(12);
    free(harness_train(HARNESS_TRAIN "--epochs 1 -o a", 0));
    free(harness_train(HARNESS_TRAIN "--epochs 1 --bn-reestimate -o b", 0));
    static const char *const files[] = {"best.safetensors", "last.safetensors"};
    for (size_t i = 0; i < 2; i++) {
        char a[64], b[64];
        snprintf(a, sizeof a, "a/%s", files[i]);
        snprintf(b, sizeof b, "b/%s", files[i]);
        assert_true(same_tensor(a, b, "conv1.kernel"));
        assert_true(same_tensor(a, b, "bn1.gamma"));
        assert_false(same_tensor(a, b, "bn1.moving_mean"));
        assert_false(same_tensor(a, b, "bn1.moving_variance"));
    }
    char *text = harness_train("train --resume b", 0); /* is done, and stays as it is */
    free(text);
    assert_true(same_tensor("b/best.safetensors", "b/last.safetensors", "bn1.moving_mean"));
}

/* Its ReLU never fires, so the variance of what it gives is 0: a run reads back what it wrote. */
static void a_dead_filter_is_no_error(void **state)
{
    (void)state;
    need_device();
    harness_put_training(12);
    free(harness_train("init tiny.net --seed 3 -o start.safetensors", 0));
    meso_weights *weights = NULL;
    assert_int_equal(meso_weights_read("start.safetensors", &weights, NULL), MESO_OK);
    meso_weights_find(weights, "conv1_bias.bias")->values[0] = -100;
    assert_int_equal(meso_weights_write(weights, "dead.safetensors", NULL), MESO_OK);
    meso_weights_close(weights);
    free(harness_train(HARNESS_TRAIN "--init dead.safetensors --epochs 1 --bn-reestimate -o run",
                       0));
    assert_int_equal(meso_weights_read("run/best.safetensors", &weights, NULL), MESO_OK);
    assert_true(meso_weights_find(weights, "bn1.moving_variance")->values[0] == 0);
    meso_weights_close(weights);
    free(harness_train("predict -w run/best.safetensors data/real", 0));
    free(harness_train("predict --path plain -w run/last.safetensors data/real", 0));
}

static void json_is_one_document(void **state)
{
    (void)state;
    need_device();
    harness_put_training(10);
    harness_result result =
        harness_run(&(harness_command){.words = HARNESS_TRAIN "--epochs 1 --json -o run"});
    json_t *json = json_loads(result.out, 0, NULL);
    assert_int_equal(result.code, 0);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "schema")), "mesocl.train/1");
    assert_string_equal(json_string_value(json_object_get(json, "run")), "run");
    assert_int_equal(json_integer_value(json_object_get(json, "steps")), 2);
    json_decref(json);
    harness_forget(&result);
}

/* Threads and lanes are of no influence, nor is a second time. */
static void same_seed_same_bits(void **state)
{
    (void)state;
    static const struct {
        const char *run;
        size_t n_threads, n_lanes;
        uint64_t cache_bytes;
    } rows[] = {{"a", 1, 1, 0}, {"b", 4, 2, 1 << 20}, {"c", 1, 2, 4096}};
    meso_device *device = harness_device();
    meso_error error = {0};
    harness_put_training(12);
    for (size_t i = 0; i < 3; i++) {
        meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
        options.data = "data";
        options.net = "tiny.net";
        options.validation_split = 0.25;
        options.augment = "mesonet";
        options.epochs = 3;
        options.batch = 4;
        options.run = rows[i].run;
        options.n_threads = rows[i].n_threads;
        options.n_lanes = rows[i].n_lanes;
        options.cache_bytes = rows[i].cache_bytes;
        meso_status status = meso_train(device, &options, NULL, NULL, NULL, &error);
        if (status != MESO_OK)
            fail_msg("%s", error.text);
    }
    harness_expect_same_runs("a", "b");
    harness_expect_same_runs("a", "c");
    meso_device_close(device);
    free(harness_train("train data --val-split 0.25 --net tiny.net --batch 4 --epochs 3 "
                       "--augment mesonet --seed 2 -o d",
                       0));
    assert_false(harness_same_file("a/best.safetensors", "d/best.safetensors"));
}

static void frozen_layers_stay(void **state)
{
    (void)state;
    static const struct {
        const char *tensor;
        int frozen;
    } rows[] = {{"conv1.kernel", 1},    {"conv1_bias.bias", 1},     {"bn1.gamma", 1},
                {"bn1.moving_mean", 1}, {"bn1.moving_variance", 1}, {"dense1.kernel", 0},
                {"dense1_bias.bias", 0}};
    need_device();
    harness_put_training(8);
    free(harness_train("init tiny.net --seed 3 -o start.safetensors", 0));
    free(harness_train("train data --init start.safetensors --freeze conv*,bn* --lr 0.005 "
                       "--batch 4 --epochs 2 -o run",
                       0));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int same = same_tensor("start.safetensors", "run/last.safetensors", rows[i].tensor);
        if (same != rows[i].frozen)
            fail_msg("%s %s", rows[i].tensor, same ? "did not change" : "changed");
    }
}

/* No epoch: the start is measured, and is the result. */
static void zero_epochs_measure(void **state)
{
    (void)state;
    need_device();
    harness_put_training(8);
    free(harness_train("init tiny.net --seed 3 -o start.safetensors", 0));
    char *text = harness_train("train data --init start.safetensors --epochs 0 -o run", 0);
    assert_non_null(strstr(text, "the start on the training set"));
    free(text);
    assert_true(same_tensor("start.safetensors", "run/best.safetensors", "conv1.kernel"));
    assert_true(same_tensor("start.safetensors", "run/last.safetensors", "dense1.kernel"));
    text = harness_train("evaluate -w start.safetensors data", 0);
    char expected[64];
    snprintf(expected, sizeof expected, "%.0f of 16 images correct", metric("run", "correct"));
    assert_non_null(strstr(text, expected));
    free(text);
}

/* A rate so small that nothing improves by min_delta: it ends after 1 + patience epochs, and
 * last.safetensors is the best epoch's. */
static void early_stop_stops(void **state)
{
    (void)state;
    need_device();
    harness_put_training(8);
    char *text = harness_train("train data --val-split 0.25 --net tiny.net --batch 4 --epochs 20 "
                               "--lr 1e-9 --early-stop patience=2,min_delta=0.5,restore_best=1 "
                               "-o run",
                               0);
    assert_non_null(strstr(text, "stopped early"));
    assert_non_null(strstr(text, "epoch  3/20"));
    assert_null(strstr(text, "epoch  4/20"));
    free(text);
    assert_true(same_tensor("run/best.safetensors", "run/last.safetensors", "dense1.kernel"));
}

/* Three epochs of Meso-4 on faces: torch comes to 0.625–0.641 of unseen ones. */
static void learns_faces(void **state)
{
    (void)state;
    char train[512], test[512];
    meso_error error = {0};
    meso_metrics metrics = MESO_INIT(meso_metrics);
    meso_train_summary result = {.struct_bytes = sizeof result, .metrics = &metrics};
    snprintf(train, sizeof train, "%s", harness_data("datasets/openforensics/Train"));
    snprintf(test, sizeof test, "%s", harness_data("datasets/openforensics/Test"));
    meso_device *device = harness_device();
    meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
    options.data = train;
    options.validation_data = test;
    options.epochs = 3;
    options.monitor = MESO_MONITOR_VAL_ACCURACY; /* the best epoch counts */
    options.run = "run";
    if (meso_train(device, &options, NULL, NULL, &result, &error) != MESO_OK)
        fail_msg("%s", error.text);
    harness_close(metrics.accuracy, 0.8, 0.2, "accuracy");
    meso_device_close(device);
}

/* ---- bad input ---- */

static void put_bad_inputs(void)
{
    harness_put_training(8);
    harness_put_stripes("one/fake/a.ppm", 0, 1);
    harness_put_stripes("empty/fake/a.ppm", 0, 1);
    mkdir("empty/real", 0777);
    harness_put_stripes("few/fake/a.ppm", 0, 1);
    harness_put_stripes("few/real/a.ppm", 1, 1);
    harness_put("unreadable/fake/a.ppm", "no picture", 0);
    harness_put("unreadable/fake/b.ppm", "", 0);
    harness_put_stripes("unreadable/real/a.ppm", 1, 1);
    harness_put("file", "x", 0);
    harness_put("keras.h5", "\x89HDF\r\n\x1a\n and more", 0);
    free(harness_train("init tiny.net -o nan.safetensors", 0));
    FILE *file = fopen("nan.safetensors", "r+b");
    assert_non_null(file);
    fseek(file, -4, SEEK_END);
    fwrite("\0\0\xC0\x7F", 1, 4, file);
    assert_int_equal(fclose(file), 0);
}

/* A sentence, the right exit code, and no folder left. */
static void bad_input_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int code;
        const char *sentence;
    } rows[] = {
        {"train one --net tiny.net --batch 1 -o bad", 65, "real"},
        {"train empty --net tiny.net --batch 1 -o bad", 65, "real"},
        {"train unreadable --net tiny.net --batch 1 -o bad", 65, "none of the 2 images"},
        {"train data --net tiny.net --batch 1 --val unreadable -o bad", 65, "class fake"},
        {"train missing --net tiny.net -o bad", 66, "missing"},
        {"train data --init nan.safetensors --batch 4 -o bad", 65, "not finite"},
        {"train data --net tiny.net --path exact -o bad", 2, "fused or plain"},
        {"train data --init keras.h5 --batch 4 -o bad", 65, "mesocl convert"},
        {"train few --net tiny.net --batch 1 --val-split 0.5 -o bad", 65, "(block)"},
        {"train data --net tiny.net --batch 4 -o file/bad", 73, "file/bad"},
        {"train data --net tiny.net --batch 4 -o file", 73, "file"},
        {"train data --net tiny.net --batch 4 -o missing/bad", 73, "missing/bad"},
        {"train data --net tiny.net --lr 0 -o bad", 2, "--lr"},
        {"train data --net tiny.net --lr -1 -o bad", 2, "--lr"},
        {"train data --net tiny.net --batch 4 --schedule exponential,limit=0.5 -o bad", 2, "limit"},
        {"train data --net tiny.net --schedule sometimes -o bad", 2, "sometimes"},
        {"train data --net tiny.net --monitor val_loss -o bad", 2, "validation"},
        {"train data --net tiny.net --batch 4 --freeze nothing* -o bad", 2, "nothing*"},
        {"train data --net tiny.net --batch 4 --val-split 0.25 --split-by group -o bad", 65,
         "group"},
        {"train data --net tiny.net --batch 4 --loss cce -o bad", 65, "softmax"},
        {"train data --net missing.net -o bad", 66, "missing.net"},
        {"train data --net tiny.net", 2, "-o FOLDER"},
        {"train -o bad", 2, "folder"},
        {"train --resume missing", 66, "missing"},
        {"train --resume data", 66, "checkpoint"},
        {"train --resume data --epochs 3", 2, "--resume"},
    };
    need_device();
    put_bad_inputs();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = harness_train(rows[i].words, rows[i].code);
        if (!strstr(text, rows[i].sentence))
            fail_msg("mesocl %s says: %s", rows[i].words, text);
        free(text);
        if (exists("bad"))
            fail_msg("mesocl %s left a folder", rows[i].words);
    }
}

/* A folder that holds a run, or anything, is not written over. */
static void a_run_is_not_overwritten(void **state)
{
    (void)state;
    need_device();
    harness_put_training(8);
    harness_put("run/notes.txt", "mine", 0);
    free(harness_train("train data --net tiny.net --batch 4 --epochs 1 -o run", 73));
    assert_int_equal(unlink("run/notes.txt"), 0);
    free(harness_train("train data --net tiny.net --batch 4 --epochs 1 -o run", 0));
    char *text = harness_train("train data --net tiny.net --batch 4 --epochs 1 -o run", 73);
    assert_non_null(strstr(text, "--resume"));
    free(text);
    text = harness_train("train --resume run", 0);
    assert_non_null(strstr(text, "done already"));
    free(text);
    assert_int_equal(unlink("run/checkpoint-000001.safetensors"), 0);
    assert_int_equal(unlink("run/checkpoint-000002.safetensors"), 0);
    text = harness_train("train data --net tiny.net --batch 4 --epochs 1 -o run", 73);
    assert_non_null(strstr(text, "already holds a run"));
    free(text);
}

/* By their bytes, whatever their names. */
static void validation_on_training_pictures(void **state)
{
    (void)state;
    need_device();
    harness_put_training(2);
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "val/%s/other%u.ppm", i % 2 ? "real" : "fake", i);
        harness_put_stripes(path, i % 2, i / 2);
    }
    char *text = harness_train("train data --net tiny.net --val val --epochs 1 -o heart", 0);
    assert_non_null(strstr(text, "warning: all 4 validation images are training images, too"));
    free(text);
    harness_put_stripes("val/real/new.ppm", 1, 100);
    text = harness_train("train data --net tiny.net --val val --epochs 1 -o run", 0);
    assert_non_null(strstr(text, "warning: 4 of 5 validation images are training images, too"));
    free(text);
}

/* A batch of more pictures than there are is all of them, in a run that is resumed, too. */
static void a_small_set_is_one_batch(void **state)
{
    (void)state;
    need_device();
    harness_put_training(3);
    harness_put("data/fake/z.avif", "", 0);
    char *text = harness_train("train data --net tiny.net --epochs 2 -o run", 0);
    assert_non_null(strstr(text, "data: passed over: 1 .avif"));
    assert_non_null(strstr(text, "batch 6 instead of 32: the training set has 6 images"));
    free(text);
    json_t *config = json_load_file("run/config.json", 0, NULL);
    json_t *options = json_object_get(config, "options");
    assert_int_equal(json_array_size(json_object_get(config, "passed_over")), 1);
    assert_int_equal(json_integer_value(json_object_get(options, "batch")), 6);
    json_decref(config);
    text = harness_train("train --resume run", 0);
    assert_null(strstr(text, "instead of"));
    free(text);
}

/* A picture that cannot be read is said once and left out. */
static void refused_pictures_are_left_out(void **state)
{
    (void)state;
    need_device();
    harness_put_training(8);
    harness_put("data/fake/zz.jpg", "no picture", 0);
    char *text = harness_train("train data --net tiny.net --batch 4 --epochs 3 -o run", 0);
    const char *said = strstr(text, "refused: ");
    assert_non_null(said);
    assert_non_null(strstr(said, "zz.jpg"));
    free(text);
    assert_true(metric("run", "n") == 16);
}

int main(void)
{
    const char *where = getenv("MESO_TEST_DATA");
    char data[PATH_MAX];
    if (realpath(where && *where ? where : "../shared/data", data))
        setenv("MESO_TEST_DATA", data, 1); /* tests leave the repository */
#define TRAIN_TEST(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        TRAIN_TEST(learns),
        TRAIN_TEST(learns_faces),
        TRAIN_TEST(what_diverged_is_no_best),
        TRAIN_TEST(validation_is_not_augmented),
        TRAIN_TEST(statistics_are_estimated_anew),
        TRAIN_TEST(a_dead_filter_is_no_error),
        TRAIN_TEST(json_is_one_document),
        TRAIN_TEST(same_seed_same_bits),
        TRAIN_TEST(frozen_layers_stay),
        TRAIN_TEST(zero_epochs_measure),
        TRAIN_TEST(early_stop_stops),
        TRAIN_TEST(bad_input_is_refused),
        TRAIN_TEST(a_run_is_not_overwritten),
        TRAIN_TEST(validation_on_training_pictures),
        TRAIN_TEST(a_small_set_is_one_batch),
        TRAIN_TEST(refused_pictures_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

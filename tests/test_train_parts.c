/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the training loop that need no device: schedules, early stopping, history, event
 * files, checkpoints, options, calibration, initial weights.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"
#include "model/train/history.h"
#include "model/train/run_folder.h"
#include "model/train/train_options.h"

static void expect_close(double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-12 * fabs(expected)))
        fail_msg("%.17g, not %.17g", got, expected);
}

/* ---- schedules ---- */

static meso_schedule parse(const char *text)
{
    meso_schedule schedule;
    meso_error error = {0};
    if (meso_schedule_parse(text, &schedule, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return schedule;
}

/* The published system's arithmetic: 16384 images in batches of 32, 30 epochs, 1e-3 to 1e-6 in
 * steps of 10: 5120 steps between drops; and its checkpoint's 6992 for 14010 images and 50 epochs.
 */
static void exponential_is_as_published(void **state)
{
    (void)state;
    meso_schedule s = parse("exponential,rate=0.1,limit=1e-6");
    assert_int_equal(meso_schedule_resolve(&s, 1e-3, 30, 16384, 32, NULL), MESO_OK);
    assert_int_equal(s.every, 5120);
    expect_close(meso_schedule_rate(&s, 1e-3, 0, 0), 1e-3);
    expect_close(meso_schedule_rate(&s, 1e-3, 5119, 9), 1e-3);
    expect_close(meso_schedule_rate(&s, 1e-3, 5120, 10), 1e-4);
    expect_close(meso_schedule_rate(&s, 1e-3, 10240, 20), 1e-5);
    expect_close(meso_schedule_rate(&s, 1e-3, 15359, 29), 1e-5);
    expect_close(meso_schedule_rate(&s, 1e-3, 30000, 60), 1e-6); /* the limit */
    s = parse("exponential");
    assert_int_equal(meso_schedule_resolve(&s, 1e-3, 50, 14010, 32, NULL), MESO_OK);
    assert_int_equal(s.every, 6992);
}

static void papers_schedule(void **state)
{
    (void)state;
    meso_schedule s = parse("paper");
    static const struct {
        uint64_t step;
        double rate;
    } rows[] = {{0, 1e-3},    {999, 1e-3},  {1000, 1e-4},  {1999, 1e-4},
                {2000, 1e-5}, {3000, 1e-6}, {100000, 1e-6}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_close(meso_schedule_rate(&s, 1e-3, rows[i].step, 0), rows[i].rate);
    s = parse("epochs,every=10,rate=0.5");
    expect_close(meso_schedule_rate(&s, 1, 12345, 9), 1);
    expect_close(meso_schedule_rate(&s, 1, 0, 10), 0.5);
    expect_close(meso_schedule_rate(&s, 1, 0, 35), 0.125);
    s = parse("constant");
    expect_close(meso_schedule_rate(&s, 0.005, 123456, 99), 0.005);
}

static void schedules_are_texts(void **state)
{
    (void)state;
    static const char *const good[] = {"constant", "exponential,rate=0.3,limit=1e-5",
                                       "epochs,every=7", "iterations,every=3,limit=0.1,rate=0.9"};
    static const char *const bad[] = {"",
                                      "exponentials",
                                      "epochs",
                                      "constant,rate=0.1",
                                      "epochs,every=0",
                                      "epochs,every=1.5",
                                      "paper,rate=0.1",
                                      "iterations,every=5,rate=1",
                                      "epochs,every=5,rate=nan",
                                      "exponential,limit=0",
                                      "epochs,every"};
    char text[MESO_SCHEDULE_TEXT_SIZE];
    meso_schedule s, again;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        s = parse(good[i]);
        again = parse(meso_schedule_format(&s, text));
        assert_true(s.kind == again.kind && s.rate == again.rate && s.limit == again.limit &&
                    s.every == again.every);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (meso_schedule_parse(bad[i], &s, NULL) != MESO_ERROR_ARGUMENT)
            fail_msg("\"%s\" was taken", bad[i]);
    s = parse("exponential,limit=0.5");
    assert_int_equal(meso_schedule_resolve(&s, 1e-3, 30, 100, 10, NULL), MESO_ERROR_ARGUMENT);
    s = parse("exponential,limit=1e-6");
    assert_int_equal(meso_schedule_resolve(&s, 1e-3, 2, 100, 10, NULL), MESO_ERROR_ARGUMENT);
}

/* ---- early stopping ---- */

/* The epoch at whose end it stops; 0 where it does not. */
static size_t stops_at(const char *text, meso_monitor_mode mode, const double *values, size_t n,
                       meso_early_stop_state *watch)
{
    meso_early_stop rule;
    assert_int_equal(meso_early_stop_parse(text, &rule, NULL), MESO_OK);
    *watch = (meso_early_stop_state){.mode = mode};
    for (size_t i = 0; i < n; i++) {
        int stop = 0;
        meso_early_stop_update(watch, &rule, i + 1, values[i], &stop);
        if (stop)
            return i + 1;
    }
    return 0;
}

/* What Keras 2.9's callbacks do with the same values. */
static void early_stopping_is_keras(void **state)
{
    (void)state;
    static const double losses[] = {0.5, 0.4, 0.4, 0.39, 0.41, 0.42, 0.38};
    static const double accuracies[] = {NAN, 0.6, 0.6, 0.7, NAN, 0.65};
    meso_early_stop_state watch;
    assert_int_equal(stops_at("off", MESO_MODE_MIN, losses, 7, &watch), 0);
    assert_int_equal(watch.best_epoch, 7);
    assert_int_equal(stops_at("2", MESO_MODE_MIN, losses, 7, &watch), 6);
    assert_int_equal(watch.best_epoch, 4);
    assert_int_equal(stops_at("patience=1", MESO_MODE_MIN, losses, 7, &watch), 3);
    assert_int_equal(watch.best_epoch, 2); /* an equal value is no improvement */
    assert_int_equal(stops_at("patience=3,min_delta=0.05", MESO_MODE_MIN, losses, 7, &watch), 5);
    assert_int_equal(watch.best_epoch, 4); /* the best counts without min_delta */
    assert_int_equal(stops_at("0", MESO_MODE_MIN, losses, 7, &watch), 2);
    assert_int_equal(stops_at("2", MESO_MODE_MAX, accuracies, 6, &watch), 6);
    assert_int_equal(watch.best_epoch, 4);
    assert_true(watch.best == 0.7);
}

static void early_stop_texts(void **state)
{
    (void)state;
    meso_early_stop rule;
    assert_int_equal(meso_early_stop_parse("patience=5,min_delta=0.25,restore_best=1", &rule, NULL),
                     MESO_OK);
    assert_true(rule.on && rule.patience == 5 && rule.min_delta == 0.25 && rule.restore_best);
    static const char *const bad[] = {"patience=-1",    "patience=1.5", "1.5",
                                      "restore_best=2", "wait=3",       "min_delta=x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (meso_early_stop_parse(bad[i], &rule, NULL) != MESO_ERROR_ARGUMENT)
            fail_msg("\"%s\" was taken", bad[i]);
}

/* ---- files ---- */

static meso_history two_epochs(void)
{
    meso_history history = {0};
    for (size_t i = 1; i <= 2; i++) {
        const meso_train_record record = {.epoch = i,
                                          .step = 10 * i,
                                          .learning_rate = 0.001,
                                          .loss = 0.25 / (double)i,
                                          .accuracy = 0.5,
                                          .val_loss = NAN,
                                          .val_accuracy = NAN,
                                          .val_auc = NAN,
                                          .seconds = 1.5,
                                          .images_per_second = 100};
        assert_int_equal(meso_history_add(&history, &record, NULL), MESO_OK);
    }
    return history;
}

static void history_comes_back(void **state)
{
    (void)state;
    meso_history history = two_epochs(), again = {0};
    meso_text jsonl = {0}, csv = {0};
    meso_history_jsonl(&history, &jsonl);
    meso_history_csv(&history, &csv);
    harness_put("history.jsonl", jsonl.bytes, jsonl.length);
    assert_int_equal(meso_history_read("history.jsonl", 2, &again, NULL), MESO_OK);
    assert_int_equal(again.n, 2);
    assert_true(again.records[1].loss == 0.125 && again.records[1].step == 20);
    assert_true(isnan(again.records[0].val_auc));
    meso_history_free(&again);
    assert_int_equal(meso_history_read("history.jsonl", 1, &again, NULL), MESO_OK);
    assert_int_equal(again.n, 1); /* what lies past the checkpoint is left out */
    meso_history_free(&again);
    assert_int_equal(meso_history_read("history.jsonl", 3, &again, NULL), MESO_ERROR_DATA);
    meso_history_free(&again);
    harness_put("history.jsonl", jsonl.bytes, jsonl.length - 1); /* the second is being written */
    assert_int_equal(meso_history_read("history.jsonl", 0, &again, NULL), MESO_OK);
    assert_int_equal(again.n, 1);
    meso_history_free(&again);
    assert_string_equal(csv.bytes,
                        "epoch,step,learning_rate,loss,accuracy,val_loss,val_accuracy,val_auc,"
                        "seconds,images_per_second\r\n"
                        "1,10,0.001,0.25,0.5,,,,1.5,100.0\r\n"
                        "2,20,0.001,0.125,0.5,,,,1.5,100.0\r\n");
    meso_text_free(&jsonl);
    meso_text_free(&csv);
    meso_history_free(&history);
}

/* Check values of the CRC (RFC 3720, appendix B.4), and the bytes that TensorFlow's writer gives
 * for the file's first event. */
static void events_are_tensorboards(void **state)
{
    (void)state;
    char zeros[32] = {0}, ones[32];
    memset(ones, 0xFF, sizeof ones);
    assert_int_equal(meso_crc32c(zeros, 32), 0x8A9136AA);
    assert_int_equal(meso_crc32c(ones, 32), 0x62A8AB43);
    assert_int_equal(meso_crc32c("123456789", 9), 0xE3069283);
    meso_history history = two_epochs();
    meso_text text = {0};
    meso_tensorboard_begin(1.5, 0, &text);
    assert_int_equal(text.length, 8 + 4 + 24 + 4);
    assert_int_equal(text.bytes[0], 24);
    assert_memory_equal(text.bytes + 12,
                        "\x09\0\0\0\0\0\0\xF8\x3F\x1A\x0D"
                        "brain.Event:2",
                        24);
    size_t n = text.length;
    meso_tensorboard_epoch(1.5, &history.records[0], &text);
    /* rate, loss, accuracy, seconds, images/s; values that there are not are left out */
    const char *summary = memmem(text.bytes + n, text.length - n,
                                 "\x0A\x0B\x0A\x04"
                                 "loss",
                                 8);
    assert_non_null(summary);
    assert_memory_equal(summary + 8, "\x15\0\0\x80\x3E", 5); /* 0.25 as a float */
    assert_null(memmem(text.bytes, text.length, "val_loss", 8));
    meso_text_free(&text);
    meso_history_free(&history);
}

static meso_weights *one_tensor(float value)
{
    meso_weights *set = NULL;
    const size_t dims[] = {2};
    const float values[] = {value, 2};
    assert_int_equal(meso_weights_create(&set, NULL), MESO_OK);
    assert_int_equal(meso_weights_add(set, "a.kernel", dims, 1, values, NULL), MESO_OK);
    /* the key's own text in a value does not mislead the reader */
    assert_int_equal(meso_weights_set(set, "note", "\"mesocl.checkpoint.hash\":\"x", NULL),
                     MESO_OK);
    return set;
}

static void write_checkpoint(uint64_t number, float value)
{
    meso_weights *set = one_tensor(value);
    meso_error error = {0};
    if (meso_checkpoint_write("run", number, set, &error) != MESO_OK)
        fail_msg("%s", error.text);
    meso_weights_close(set);
}

static void expect_checkpoint(uint64_t number, float value, const char *note)
{
    meso_weights *set = NULL;
    meso_text notes = {0};
    uint64_t found = 0;
    assert_int_equal(meso_checkpoint_read("run", &set, &found, &notes, NULL), MESO_OK);
    assert_int_equal(found, number);
    assert_true(meso_weights_find(set, "a.kernel")->values[0] == value);
    assert_true(note ? notes.bytes && strstr(notes.bytes, note) : notes.length == 0);
    meso_text_free(&notes);
    meso_weights_close(set);
}

static void flip(const char *path, size_t at)
{
    void *bytes = NULL;
    size_t n = 0;
    assert_int_equal(meso_file_read(path, 1 << 20, &bytes, &n, NULL, NULL), MESO_OK);
    ((char *)bytes)[at % n] ^= 4;
    harness_put(path, bytes, n);
    free(bytes);
}

/* The last two stay; every flipped bit is noticed; a damaged one is passed over. */
static void checkpoints_keep_two(void **state)
{
    (void)state;
    meso_weights *set = NULL;
    meso_text notes = {0};
    uint64_t number;
    harness_put("run/other", "x", 0);
    assert_int_equal(meso_checkpoint_read("run", &set, &number, &notes, NULL), MESO_ERROR_NO_INPUT);
    for (uint64_t i = 1; i <= 12; i++)
        write_checkpoint(i, (float)i);
    assert_int_equal(access("run/checkpoint-000010.safetensors", F_OK), -1);
    assert_int_equal(access("run/checkpoint-000011.safetensors", F_OK), 0);
    expect_checkpoint(12, 12, NULL);
    for (size_t at = 0; at < 400; at += 7) {
        flip("run/checkpoint-000012.safetensors", at);
        expect_checkpoint(11, 11, "checkpoint-000012.safetensors is damaged");
        flip("run/checkpoint-000012.safetensors", at);
    }
    expect_checkpoint(12, 12, NULL);
    flip("run/checkpoint-000011.safetensors", 90);
    flip("run/checkpoint-000012.safetensors", 90);
    assert_int_equal(meso_checkpoint_read("run", &set, &number, &notes, NULL), MESO_ERROR_DATA);
    meso_text_free(&notes);
}

/* ---- options ---- */

static void options_come_back(void **state)
{
    (void)state;
    meso_train_options options = MESO_TRAIN_OPTIONS_INIT, again = MESO_TRAIN_OPTIONS_INIT;
    options.data = "d\"\n";
    options.seed = UINT64_MAX;
    options.learning_rate = 0.1 + 0.2;
    options.split_by = MESO_SPLIT_GROUP;
    options.loss = MESO_LOSS_CCE;
    options.schedule = (meso_schedule){MESO_SCHEDULE_EPOCHS, 0.3, 1e-7, 9};
    options.early_stop = (meso_early_stop){1, 7, 0.25, 1};
    json_t *json = meso_train_config_json(&options);
    char *text = json_dumps(json, 0);
    json_decref(json);
    json = json_loads(text, 0, NULL);
    assert_int_equal(meso_train_config_read(json, &again, NULL), MESO_OK);
    assert_string_equal(again.data, options.data);
    assert_true(again.seed == UINT64_MAX && again.learning_rate == options.learning_rate);
    assert_true(again.split_by == MESO_SPLIT_GROUP && again.loss == MESO_LOSS_CCE);
    assert_true(again.schedule.every == 9 && again.schedule.limit == 1e-7);
    assert_true(again.early_stop.patience == 7 && again.early_stop.restore_best);
    json_object_set_new(json, "batch", json_string("many"));
    assert_int_equal(meso_train_config_read(json, &again, NULL), MESO_ERROR_DATA);
    json_decref(json);
    free(text);
}

/* ---- figures ---- */

static void calibration_by_hand(void **state)
{
    (void)state;
    static const double p[] = {0.1, 0.2, 0.6, 0.8, 1.0}, q[] = {0.9, 0.8, 0.4, 0.2, 0};
    static const unsigned char real[] = {0, 1, 1, 1, 1};
    const meso_scores scores = {p, q, real, NULL, 5};
    meso_calibration_bin bins[2];
    double off;
    assert_int_equal(meso_metrics_calibration(&scores, 2, bins, &off, NULL), MESO_OK);
    assert_true(bins[0].n == 2 && bins[1].n == 3);
    expect_close(bins[0].p_real, 0.15);
    expect_close(bins[0].real, 0.5);
    expect_close(bins[1].p_real, 0.8);
    expect_close(bins[1].real, 1);
    expect_close(off, (0.7 + 0.6) / 5);
    assert_int_equal(meso_metrics_calibration(&scores, 0, bins, &off, NULL), MESO_ERROR_ARGUMENT);
}

/* He's deviation is √(2 / fan in), nothing is beyond 2 / 0.8796 of it. */
static void he_normal_has_its_deviation(void **state)
{
    (void)state;
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    assert_int_equal(meso_net_open("meso4", &net, NULL), MESO_OK);
    assert_int_equal(meso_weights_initialize(net, MESO_HE_NORMAL, 1, &weights, NULL), MESO_OK);
    const meso_tensor *kernel = meso_weights_find(weights, "dense1.kernel"); /* 1024 → 16 */
    double sum = 0, squares = 0, largest = 0, expected = sqrt(2 / 1024.0);
    for (size_t i = 0; i < kernel->n_values; i++) {
        sum += kernel->values[i];
        squares += (double)kernel->values[i] * kernel->values[i];
        largest = fmax(largest, fabs((double)kernel->values[i]));
    }
    double n = (double)kernel->n_values;
    assert_true(fabs(sqrt(squares / n) / expected - 1) < 0.02);
    assert_true(fabs(sum / n) < 4 * expected / sqrt(n));
    assert_true(largest <= 2 * expected / 0.8796 && largest > 2.1 * expected);
    meso_weights_close(weights);
    meso_net_close(net);
}

int main(void)
{
#define FOLDER_TEST(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponential_is_as_published),
        cmocka_unit_test(papers_schedule),
        cmocka_unit_test(schedules_are_texts),
        cmocka_unit_test(early_stopping_is_keras),
        cmocka_unit_test(early_stop_texts),
        FOLDER_TEST(history_comes_back),
        cmocka_unit_test(events_are_tensorboards),
        FOLDER_TEST(checkpoints_keep_two),
        cmocka_unit_test(options_come_back),
        cmocka_unit_test(calibration_by_hand),
        cmocka_unit_test(he_normal_has_its_deviation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

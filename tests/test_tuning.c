/* SPDX-License-Identifier: Apache-2.0
 *
 * The user's rows of tuning: which are used, which are ignored, and that answers stay right.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"
#include "model/train/trainer.h"
#include "net/strip/strip.h"
#include "runtime/preference.h"
#include "runtime/tuning.h"

static const int values[] = {4, 8, 2, 2, 4, MESO_STRIP_WINOGRAD_YX, MESO_STRIP_WINOGRAD_Y};
static const int training_values[] = {4, 8, 2, 2};
static meso_device_info info; /* of the device under test */

static int enter(void **state)
{
    char folder[PATH_MAX];
    meso_device *device = harness_device();
    info = *meso_device_get_info(device);
    meso_device_close(device);
    if (harness_enter_folder(state) != 0 || !getcwd(folder, sizeof folder))
        return -1;
    return setenv("XDG_CONFIG_HOME", folder, 1);
}

static int leave(void **state)
{
    unsetenv("XDG_CONFIG_HOME");
    return harness_leave_folder(state);
}

static meso_device *open_device(void)
{
    meso_device *device;
    meso_error error;
    char selector[32];
    snprintf(selector, sizeof selector, "%u:%u", info.platform, info.index);
    if (meso_device_open(selector, &device, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return device;
}

/* The document, which it takes, becomes the user's. */
static void save(json_t *document)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    meso_error error;
    if (meso_tuning_write(document, path, &error) != MESO_OK)
        fail_msg("%s", error.text);
    json_decref(document);
}

static json_t *document_for(const meso_device_info *device)
{
    json_t *document = json_object();
    assert_true(
        meso_tuning_put(document, device, &meso_tuning_fused, "meso4", values, json_object()));
    assert_true(meso_tuning_put(document, device, &meso_tuning_fused_training, "meso4",
                                training_values, json_object()));
    return document;
}

/* Opens Meso-4 with what the user has, writes the name of its row, and scores a picture. */
static double score(char name[64])
{
    meso_device *device = open_device();
    meso_model *model;
    meso_net *net;
    meso_error error;
    meso_probability p;
    static uint8_t picture[256 * 256 * 3];
    for (size_t i = 0; i < sizeof picture; i++)
        picture[i] = (uint8_t)(i * i / 977);
    if (meso_net_open("meso4", &net, &error) != MESO_OK ||
        meso_model_random(device, net, 1, NULL, &model, &error) != MESO_OK)
        fail_msg("%s", error.text);
    const meso_model_info *opened = meso_model_get_info(model);
    snprintf(name, 64, "%s", opened->tuning);
    assert_int_equal(meso_predict_rgb8(model, picture, 1, 256, 256, 768, &p, NULL), MESO_OK);
    meso_model_close(model);
    meso_net_close(net);
    meso_device_close(device);
    return p.real;
}

static void takes_a_row(void **state)
{
    char shipped[64], tuned[64];
    (void)state;
    double expected = score(shipped);
    if (!*shipped)
        skip(); /* nothing is fused on this device */
    save(document_for(&info));
    double got = score(tuned);
    assert_string_equal(tuned, "tuned_4_8_2_2_4_2_1");
    harness_close(got, expected, 5e-6, "P(real) with a tuned row");
}

static void trains_with_a_row(void **state)
{
    meso_error error;
    meso_weights *weights;
    meso_trainer *trainer;
    meso_net *net;
    const meso_trainer_options options = {.settings.max_batch = 2,
                                          .settings.loss = MESO_LOSS_MSE,
                                          .settings.optimizer = MESO_OPTIMIZER_SGD,
                                          .settings.epsilon = 1e-7,
                                          .settings.bn_momentum = 0.99,
                                          .path = MESO_PATH_FUSED};
    (void)state;
    save(document_for(&info));
    meso_device *device = open_device();
    if (meso_net_open("meso4", &net, &error) != MESO_OK ||
        meso_weights_random(net, 1, &weights, &error) != MESO_OK ||
        meso_trainer_open(device, weights, &options, &trainer, &error) != MESO_OK)
        fail_msg("%s", error.text);
    if (strcmp(meso_trainer_path(trainer), "fused") == 0)
        assert_string_equal(meso_trainer_tuning(trainer), "tuned_4_8_2_2");
    meso_trainer_close(trainer);
    meso_weights_close(weights);
    meso_net_close(net);
    meso_device_close(device);
}

static void opens_the_device_with_rows(void **state)
{
    json_t *document = json_object();
    const int group[] = {16}, whole[] = {0};
    (void)state;
    meso_tuning_put(document, &info, &meso_tuning_plain, NULL, group, json_object());
    meso_tuning_put(document, &info, &meso_tuning_lanes, NULL, whole, json_object());
    save(document);
    meso_device *device = open_device();
    assert_int_equal(meso_device_group_size(device, MESO_PROGRAM_PLAIN), 16);
    assert_int_equal(meso_device_group_size(device, MESO_PROGRAM_TRAIN), 1);
    assert_int_equal(meso_device_n_lanes(device, 0), 1);
    meso_device_close(device);
}

/* What `mesocl devices` says. */
static void check_said(const char *expected)
{
    harness_result run = harness_run(&(harness_command){.words = "devices"});
    if (run.code != 0 || (*expected && !strstr(run.out, expected)) ||
        (!*expected && strstr(run.out, "tuning ")))
        fail_msg("not said: %s\n%s", expected, run.out);
    harness_forget(&run);
}

static void says_what_is_used(void **state)
{
    meso_device_info old = info;
    int got[MESO_MAX_TUNABLES];
    (void)state;
    check_said("");
    save(document_for(&info));
    check_said("tuning           2 rows of mesocl tune\n");
    assert_true(meso_tuning_of(&info, &meso_tuning_fused, "meso4", got));
    assert_memory_equal(got, values, sizeof values);
    assert_false(meso_tuning_of(&info, &meso_tuning_fused, "meso1", got));
    snprintf(old.driver, sizeof old.driver, "another");
    save(document_for(&old));
    check_said("tuning           ignored: measured with driver another; run mesocl tune");
    assert_false(meso_tuning_of(&info, &meso_tuning_fused, "meso4", got));
}

/* Rows that cannot be are as if they were not there. */
static void ignores_damage(void **state)
{
    static const char *const files[] = {"",
                                        "{",
                                        "[]",
                                        "{\"schema\": 1}",
                                        "\xff\xfe",
                                        "{\"schema\": \"mesocl.tuning/1\", \"rows\": 5}",
                                        "{\"schema\": \"mesocl.tuning/1\", \"rows\": [null, 7]}"};
    static const struct {
        const char *key, *value;
    } rows[] = {{"chunk", "3"},   {"chunk", "\"2\""}, {"chunk", "null"},
                {"lanes", "2.5"}, {"lanes", "-8"},    {"method_3", "9223372036854775807"}};
    int got[MESO_MAX_TUNABLES];
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        harness_put("mesocl/tuning.json", files[i], 0);
        assert_false(meso_tuning_of(&info, &meso_tuning_fused, "meso4", got));
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *document = document_for(&info);
        json_t *row = json_array_get(json_object_get(document, "rows"), 0);
        json_object_set_new(json_object_get(row, "values"), rows[i].key,
                            json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
        save(document);
        if (meso_tuning_of(&info, &meso_tuning_fused, "meso4", got))
            fail_msg("%s: %s was taken", rows[i].key, rows[i].value);
    }
}

static void puts_and_removes(void **state)
{
    json_t *document = document_for(&info);
    meso_device_info other = info;
    int got[MESO_MAX_TUNABLES], changed[] = {8, 8, 2, 2, 4, 2, 1};
    (void)state;
    snprintf(other.name, sizeof other.name, "another");
    meso_tuning_put(document, &other, &meso_tuning_fused, "meso4", values, json_object());
    meso_tuning_put(document, &info, &meso_tuning_fused, "meso4", changed, json_object());
    assert_int_equal(json_array_size(json_object_get(document, "rows")), 3);
    assert_true(meso_tuning_find(document, &info, &meso_tuning_fused, "meso4", got));
    assert_int_equal(got[0], 8);
    assert_int_equal(meso_tuning_remove(document, &info), 2);
    assert_false(meso_tuning_find(document, &info, &meso_tuning_fused, "meso4", got));
    assert_true(meso_tuning_find(document, &other, &meso_tuning_fused, "meso4", got));
    json_decref(document);
}

int main(void)
{
#define WITH_USER(test) cmocka_unit_test_setup_teardown(test, enter, leave)
    const struct CMUnitTest tests[] = {
        WITH_USER(takes_a_row),
        WITH_USER(trains_with_a_row),
        WITH_USER(opens_the_device_with_rows),
        WITH_USER(says_what_is_used),
        WITH_USER(ignores_damage),
        WITH_USER(puts_and_removes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

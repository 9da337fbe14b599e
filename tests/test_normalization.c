/* SPDX-License-Identifier: Apache-2.0
 *
 * Models that carry the centring and scaling of their training: 8-bit pictures give what normalized
 * floats give, on every path.
 */
#include <math.h>
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
#include "mesocl/augment.h"
#include "mesocl/mesocl.h"

enum { n_pictures = 9, side = 256, values = 3 * side * side };

static const char *const texts[] = {
    "featurewise_center=1,featurewise_std=1,mean=0.3:0.4:0.5,std=0.2:0.25:0.3",
    "samplewise_center=1,samplewise_std=1",
    "samplewise_center=1,featurewise_std=1,std=0.2:0.25:0.3"};

/* A model of random weights with such metadata; text NULL: none. */
static void put_model(const char *net_name, const char *text, const char *path)
{
    meso_net *net;
    meso_weights *weights;
    assert_int_equal(meso_net_open(net_name, &net, NULL), MESO_OK);
    assert_int_equal(meso_weights_random(net, 5, &weights, NULL), MESO_OK);
    if (text)
        assert_int_equal(meso_weights_set(weights, "mesocl.normalization", text, NULL), MESO_OK);
    assert_int_equal(meso_weights_write(weights, path, NULL), MESO_OK);
    meso_weights_close(weights);
    meso_net_close(net);
}

/* What the net must be given, in double precision. */
static void normalize(const meso_augment_settings *s, const uint8_t *pixels, float *out)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < values; i++)
        mean += pixels[i] / 255.0 / values;
    for (size_t i = 0; i < values; i++)
        squares += pow(pixels[i] / 255.0 - mean, 2) / values;
    for (size_t i = 0; i < values; i++) {
        double v = pixels[i] / 255.0;
        v = (v - (s->samplewise_center ? mean : 0)) /
            (s->samplewise_std ? sqrt(squares) + 1e-6 : 1);
        v = (v - (s->featurewise_center ? s->mean[i % 3] : 0)) /
            (s->featurewise_std ? s->std[i % 3] + 1e-6 : 1);
        out[i] = (float)v;
    }
}

static void score_by_stream(meso_model *model, const uint8_t *pixels, meso_probability *p)
{
    meso_stream *stream;
    size_t slot[2];
    uint8_t *to;
    assert_int_equal(meso_stream_open(model, 2, 5, &stream, NULL), MESO_OK);
    for (size_t i = 0; i < 2; i++) {
        const size_t n = i ? n_pictures - 5 : 5;
        assert_int_equal(meso_stream_map(stream, &slot[i], &to, NULL), MESO_OK);
        memcpy(to, pixels + 5 * i * values, n * values);
        assert_int_equal(meso_stream_submit(stream, slot[i], n, NULL), MESO_OK);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(meso_stream_wait(stream, slot[i], p + 5 * i, NULL), MESO_OK);
    meso_stream_close(stream);
}

static void try_path(meso_device *device, const char *net, meso_path path, const uint8_t *pixels)
{
    float *floats = malloc((size_t)n_pictures * values * sizeof *floats);
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_error error;
    options.path = path;
    options.max_batch = 4;
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        meso_probability wanted[n_pictures], got[n_pictures], streamed[n_pictures];
        meso_augment_settings settings;
        meso_model *model;
        put_model(net, texts[t], "m.safetensors");
        if (meso_model_open(device, "m.safetensors", &options, &model, &error) != MESO_OK)
            fail_msg("%s", error.text);
        assert_int_equal(meso_augment_parse(texts[t], &settings, NULL), MESO_OK);
        for (size_t i = 0; i < n_pictures; i++)
            normalize(&settings, pixels + i * values, floats + i * values);
        assert_int_equal(meso_predict_f32(model, floats, n_pictures, wanted, NULL), MESO_OK);
        assert_int_equal(
            meso_predict_rgb8(model, pixels, n_pictures, side, side, 3 * side, got, NULL), MESO_OK);
        score_by_stream(model, pixels, streamed);
        for (size_t i = 0; i < n_pictures; i++) {
            harness_close(got[i].real, wanted[i].real, 3e-6, "%s %s, picture %zu", net, texts[t],
                          i);
            harness_close(streamed[i].real, wanted[i].real, 3e-6, "%s %s, stream, picture %zu", net,
                          texts[t], i);
        }
        meso_model_close(model);
    }
    free(floats);
}

static void applies_to_pictures(void **state)
{
    meso_device *device = harness_device();
    meso_random random = {2};
    uint8_t *pixels = malloc((size_t)n_pictures * values);
    (void)state;
    for (size_t i = 0; i < (size_t)n_pictures * values; i++)
        pixels[i] = (uint8_t)meso_random_uniform(&random, 0, 25.0 * (double)(i / values) + 20);
    try_path(device, "meso4", MESO_PATH_FUSED, pixels);
    try_path(device, "meso4", MESO_PATH_PLAIN, pixels);
    try_path(device, "meso1", MESO_PATH_FUSED, pixels);
    free(pixels);
    meso_device_close(device);
}

static void refuses_what_is_none(void **state)
{
    static const char *const bad[] = {
        "", "rotate", "mesonet", "none", "samplewise_center=1,rotation=3", "mean=0.1:0.2:0.3"};
    meso_device *device = harness_device();
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        meso_model *model = NULL;
        meso_error error;
        put_model("meso4", bad[i], "m.safetensors");
        assert_int_equal(meso_model_open(device, "m.safetensors", NULL, &model, &error),
                         MESO_ERROR_DATA);
        if (!strstr(error.text, "m.safetensors: its normalization (mesocl.normalization)"))
            fail_msg("\"%s\": %s", bad[i], error.text);
    }
    meso_device_close(device);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {IN_FOLDER(applies_to_pictures),
                                       IN_FOLDER(refuses_what_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

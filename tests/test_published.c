/* SPDX-License-Identifier: Apache-2.0
 *
 * The published weights against golden values, and Keras' own answers for the fixtures: from the
 * .h5 file through `mesocl convert` to P(fake) and P(real), on every path.
 *
 * The golden values were computed elsewhere, in double precision with NumPy, from pixels that
 * Pillow 9.4 decoded and resized; they have eight digits.
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
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"
#include "model/selftest_inputs.h"

enum { n_weights = 4, n_photos = 4, n_drawings = 5, side = 256, n_values = side * side * 3 };

static meso_error error;
static const char *const weights[n_weights] = {"Meso4_DF", "Meso4_F2F", "MesoInception_DF",
                                               "MesoInception_F2F"};

static const char *const photos[n_photos] = {"df/df00204.jpg", "df/df01254.jpg",
                                             "real/real00240.jpg", "real/real00772.jpg"};
static const double photo_answers[n_weights][n_photos] = {
    {.04141180, .04869375, .98974755, .99770156},
    {.83123748, .64110027, .88102346, .95243882},
    {.02621820, .00095197, 1.00000000, 1.00000000},
    {.99874315, .99999741, .99999998, .99083036},
};

static const char *const drawings[n_drawings] = {"zeros", "half", "ones", "ramp", "smooth"};
static const double drawing_answers[n_weights][n_drawings] = {
    {.52097654, .49023594, .22475276, .74541790, .20494550},
    {.07105261, .64159445, .64242513, .99731776, .64092613},
    {.33274508, .08408385, .00171854, .99997770, .36130971},
    {.94187685, .83108580, .58998394, .91036346, .07976670},
};

static const struct {
    meso_path path;
    double tolerance;
} paths[] = {{MESO_PATH_PLAIN, 2e-6}, {MESO_PATH_FUSED, 5e-6}, {MESO_PATH_EXACT, 1e-6}};
enum { n_paths = sizeof paths / sizeof paths[0] };

static char
    repository[PATH_MAX]; /* tests run in a fresh folder, where converted weights are kept */
static meso_device *device;
static uint8_t pixels[n_photos * n_values];
static float values[n_drawings * n_values];

static int enter(void **state)
{
    char data[PATH_MAX];
    const char *where = getenv("MESO_TEST_DATA");
    if (realpath(where && *where ? where : "../shared/data", data))
        setenv("MESO_TEST_DATA", data, 1);
    return getcwd(repository, sizeof repository) ? harness_enter_folder(state) : -1;
}

static int leave(void **state)
{
    meso_device_close(device);
    return harness_leave_folder(state);
}

static void convert(const char *from, const char *net, const char *to)
{
    const char *const argv[] = {"convert", from, "-o", to, "--force", net ? "--net" : NULL,
                                net,       NULL};
    harness_result result = harness_run(&(harness_command){.argv = argv});
    if (result.code != 0)
        fail_msg("converting %s ended with %d: %s", from, result.code, result.err);
    harness_forget(&result);
}

/* NULL where no fused kernel covers the net's first block on this device. */
static meso_model *open_file(const char *path, meso_path wanted)
{
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_model *model = NULL;
    options.path = wanted;
    if (!device)
        device = harness_device();
    if (meso_model_open(device, path, &options, &model, &error) != MESO_OK)
        fail_msg("%s", error.text);
    const meso_model_info *info = meso_model_get_info(model);
    if (info->path == wanted)
        return model;
    meso_model_close(model);
    return NULL;
}

/* Published weights w, converted at first need. On a CPU Meso-4 has every path. */
static meso_model *open_published(size_t w, meso_path wanted)
{
    char from[64], to[64];
    snprintf(from, sizeof from, "weights/%s.h5", weights[w]);
    snprintf(to, sizeof to, "%s.safetensors", weights[w]);
    if (access(to, F_OK) != 0)
        convert(harness_data(from), NULL, to);
    meso_model *model = open_file(to, wanted);
    if (!model && strncmp(weights[w], "Meso4", 5) == 0 &&
        meso_device_get_info(device)->type == MESO_DEVICE_CPU)
        fail_msg("%s does not take the %s path on a CPU", weights[w], meso_path_name(wanted));
    return model;
}

static void predicted(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", error.text);
}

static void load_photos(void)
{
    meso_image_options options = MESO_INIT(meso_image_options);
    options.width = options.height = side;
    for (size_t i = 0; i < n_photos; i++) {
        char path[64];
        meso_image image = MESO_INIT(meso_image);
        snprintf(path, sizeof path, "images/samples/%s", photos[i]);
        if (meso_image_load(harness_data(path), &options, &image, NULL, &error) != MESO_OK)
            fail_msg("%s", error.text);
        memcpy(pixels + i * n_values, image.rgb, n_values);
        meso_image_free(&image);
    }
}

static void draw(void)
{
    float *to = values;
    const meso_shape shape = {3, side, side};
    for (size_t i = 0; i < n_drawings; i++, to += n_values) {
        if (strlen(drawings[i]) > 4 && drawings[i][0] == 's')
            meso_selftest_draw("smooth", shape, to);
        else if (drawings[i][0] == 'r')
            meso_selftest_draw("ramp", shape, to);
        else
            for (size_t k = 0; k < n_values; k++)
                to[k] = drawings[i][0] == 'z' ? 0 : drawings[i][0] == 'h' ? 0.5f : 1;
    }
}

/* One model's answers; returns the largest distance. */
static double compare(const char *what, const char *const *names, const meso_probability *p,
                      const double *expected, size_t n, double tolerance)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        harness_close(p[i].real, expected[i], tolerance, "%s, %s", what, names[i]);
        harness_close(p[i].fake + p[i].real, 1, 1e-15, "%s, %s: sum", what, names[i]);
        worst = fmax(worst, fabs(p[i].real - expected[i]));
    }
    return worst;
}

/* Four photos as 8-bit pixels and as floats, and five drawings. */
static void test_published(void **state)
{
    const size_t w = (size_t)(uintptr_t)*state;
    meso_probability p[n_drawings];
    for (size_t i = 0; i < n_paths; i++) {
        char what[128];
        double worst[3], tolerance = paths[i].tolerance;
        meso_model *model = open_published(w, paths[i].path);
        snprintf(what, sizeof what, "%s, %s path", weights[w], meso_path_name(paths[i].path));
        if (!model)
            continue;
        load_photos();
        predicted(meso_predict_rgb8(model, pixels, n_photos, side, side, 3 * side, p, &error));
        worst[0] = compare(what, photos, p, photo_answers[w], n_photos, tolerance);
        for (size_t k = 0; k < n_photos * n_values; k++)
            values[k] = (float)pixels[k] / 255.0f;
        predicted(meso_predict_f32(model, values, n_photos, p, &error));
        worst[1] = compare(what, photos, p, photo_answers[w], n_photos, tolerance);
        draw();
        predicted(meso_predict_f32(model, values, n_drawings, p, &error));
        worst[2] = compare(what, drawings, p, drawing_answers[w], n_drawings, tolerance);
        print_message("%s: largest distance %.1e photos, %.1e as floats, %.1e drawings\n", what,
                      worst[0], worst[1], worst[2]);
        meso_model_close(model);
    }
}

/* Where P(real) is 1 to the last digit, P(fake) still has all of its own. */
static void small_probabilities_keep_their_digits(void **state)
{
    static const double logits[] = {21.596174, 45.603135}; /* MesoInception_DF, the last photos */
    (void)state;
    for (size_t i = 0; i < n_paths; i++) {
        meso_probability p[n_photos];
        meso_model *model = open_published(2, paths[i].path);
        if (!model)
            continue;
        load_photos();
        predicted(meso_predict_rgb8(model, pixels, n_photos, side, side, 3 * side, p, &error));
        for (size_t k = 0; k < 2; k++) {
            harness_close(log(p[2 + k].real / p[2 + k].fake), logits[k], 2e-6 * logits[k],
                          "logit of %s, %s path", photos[2 + k], meso_path_name(paths[i].path));
            harness_close(p[2 + k].fake, exp(-logits[k]), 1e-4 * exp(-logits[k]), "P(fake) of %s",
                          photos[2 + k]);
        }
        meso_model_close(model);
    }
}

/* What Meso4_DF's layers give on the drawing "ramp". */
static const struct {
    const char *layer;
    double mean, min, max; /* NaN: not given */
} layer_answers[] = {
    {"conv1_relu", .34050200, NAN, 1.55733508},    {"pool1", 1.22237736, -2.19774556, 32.23254882},
    {"conv2_relu", 1.99806803, NAN, 15.12002042},  {"pool2", 6.75744781, -.90171935, 56.21516800},
    {"conv3_relu", 9.53407420, NAN, 49.18553926},  {"pool3", 10.78793113, -.74148800, 47.81919549},
    {"conv4_relu", 14.68381952, NAN, 101.1673329}, {"pool4", 6.22010079, -.88026866, 30.74653936},
};
static const double hidden_answers[] = {
    -7.579887,  -10.810984, -18.117525, 24.306962, 15.828227,  13.294156, 8.682838,   8.603198,
    -10.738152, 29.253050,  -11.282361, 30.706852, -34.791678, -5.427972, -14.911879, 15.642415};
enum { n_hidden = sizeof hidden_answers / sizeof hidden_answers[0] };

static void close_to(double got, double expected, const char *layer, const char *what)
{
    if (!isnan(expected))
        harness_close(got, expected, 1e-5 * fabs(expected), "%s of %s", what, layer);
}

static void test_layers(void **state)
{
    static float input[n_values], out[side * side * 8];
    const size_t most = sizeof out / sizeof out[0];
    meso_model *model = open_published(0, MESO_PATH_PLAIN);
    (void)state;
    meso_selftest_draw("ramp", (meso_shape){3, side, side}, input);
    for (size_t i = 0; i < sizeof layer_answers / sizeof layer_answers[0]; i++) {
        const char *layer = layer_answers[i].layer;
        double sum = 0, min = INFINITY, max = -INFINITY;
        size_t n = meso_shape_size(meso_net_find(meso_model_net(model), layer)->shape);
        predicted(meso_model_tap(model, layer, input, 1, out, most, &error));
        for (size_t k = 0; k < n; k++) {
            sum += (double)out[k];
            min = fmin(min, (double)out[k]);
            max = fmax(max, (double)out[k]);
        }
        close_to(sum / (double)n, layer_answers[i].mean, layer, "mean");
        close_to(min, layer_answers[i].min, layer, "minimum");
        close_to(max, layer_answers[i].max, layer, "maximum");
    }
    predicted(meso_model_tap(model, "dense1_bias", input, 1, out, n_hidden, &error));
    for (size_t k = 0; k < n_hidden; k++)
        close_to((double)out[k], hidden_answers[k], "dense1_bias", "value");
    meso_model_close(model);
}

/* A fixture's two pictures: what Keras predicted for them, what we predict. */
static void check_fixture(const json_t *row, meso_model *model, const char *what)
{
    static const char *const names[] = {"ramp", "smooth"};
    const meso_shape shape = {3, 32, 32};
    float input[3 * 32 * 32];
    meso_probability p;
    for (size_t i = 0; i < 2; i++) {
        const json_t *outputs = json_object_get(json_object_get(row, "outputs"), names[i]);
        size_t n = json_array_size(outputs);
        assert_in_range(n, 1, 2);
        double expected = json_real_value(json_array_get(outputs, n - 1));
        assert_true(expected > 0 && expected < 1);
        meso_selftest_draw(names[i], shape, input);
        predicted(meso_predict_f32(model, input, 1, &p, &error));
        harness_close(p.real, expected, 2e-6, "%s, %s", what, names[i]);
        if (n == 2)
            harness_close(p.fake, json_real_value(json_array_get(outputs, 0)), 2e-6, "%s, %s", what,
                          names[i]);
    }
}

static void test_keras_fixtures(void **state)
{
    char path[PATH_MAX + 64], net[PATH_MAX + 64];
    size_t i;
    json_t *row;
    (void)state;
    snprintf(path, sizeof path, "%s/tests/golden/keras_fixtures.json", repository);
    json_t *document = json_load_file(path, 0, NULL), *rows = json_object_get(document, "fixtures");
    assert_true(json_array_size(rows) >= 8);
    json_array_foreach (rows, i, row) {
        const char *named = json_string_value(json_object_get(row, "net"));
        snprintf(path, sizeof path, "%s/%s", repository,
                 json_string_value(json_object_get(row, "file")));
        snprintf(net, sizeof net, "%s/%s", repository, named ? named : "");
        convert(path, named ? net : NULL, "fixture.safetensors");
        for (size_t k = 0; k < n_paths; k++) {
            meso_model *model = open_file("fixture.safetensors", paths[k].path);
            if (model)
                check_fixture(row, model, path);
            assert_true(model || paths[k].path != MESO_PATH_PLAIN);
            meso_model_close(model);
        }
    }
    json_decref(document);
}

int main(void)
{
    struct CMUnitTest tests[n_weights + 3] = {
        [n_weights] = cmocka_unit_test(small_probabilities_keep_their_digits),
        [n_weights + 1] = cmocka_unit_test(test_layers),
        [n_weights + 2] = cmocka_unit_test(test_keras_fixtures),
    };
    for (size_t w = 0; w < n_weights; w++)
        tests[w] = (struct CMUnitTest){
            .name = weights[w], .test_func = test_published, .initial_state = (void *)(uintptr_t)w};
    return cmocka_run_group_tests(tests, enter, leave);
}

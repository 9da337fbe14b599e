/* SPDX-License-Identifier: Apache-2.0
 *
 * A device that refuses memory: batches are halved until they fit, with the same answers, and one
 * image that does not fit is refused with a sentence. PoCL imitates such a device: 1 GB of memory,
 * a quarter of it in one buffer. And values that are not finite, which are errors on every path.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness_device.h"
#include "mesocl/mesocl.h"

enum { side = 256, n_values = 3 * side * side, n_images = 3 };

static meso_error error;
static const uint64_t largest_buffer = (uint64_t)1 << 28;

/* Skips where the device is no PoCL with little memory. */
static meso_device *small_device(void)
{
    meso_device *device = harness_device();
    if (meso_device_get_info(device)->max_buffer_bytes > largest_buffer) {
        meso_device_close(device);
        skip();
    }
    return device;
}

static meso_model *open_model(meso_device *device, const char *net_text, meso_path path,
                              size_t max_batch)
{
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_net *net;
    meso_model *model;
    options.path = path;
    options.max_batch = max_batch;
    assert_int_equal(meso_net_open(net_text, &net, NULL), MESO_OK);
    if (meso_model_random(device, net, 1, &options, &model, &error) != MESO_OK)
        fail_msg("%s", error.text);
    meso_net_close(net);
    return model;
}

static void draw(uint8_t *pixels)
{
    for (size_t i = 0; i < (size_t)n_images * n_values; i++)
        pixels[i] = (uint8_t)(i * i / 97 + i);
}

/* 512 pictures at once would be a buffer of 1 GB. */
static void batches_are_halved(void **state)
{
    meso_device *device = small_device();
    static uint8_t pixels[n_images * n_values];
    meso_probability got[n_images], wanted[n_images];
    (void)state;
    draw(pixels);
    meso_model *one = open_model(device, "meso4", MESO_PATH_PLAIN, 1);
    meso_model *many = open_model(device, "meso4", MESO_PATH_PLAIN, 512);
    const meso_model_info *info = meso_model_get_info(many);
    print_message("512 images at once asked for, %zu taken\n", info->max_batch);
    assert_true(info->max_batch > n_images && info->max_batch < 512);
    assert_string_equal(error.text, "");
    assert_int_equal(meso_predict_rgb8(one, pixels, n_images, side, side, 3 * side, wanted, &error),
                     MESO_OK);
    assert_int_equal(meso_predict_rgb8(many, pixels, n_images, side, side, 3 * side, got, &error),
                     MESO_OK);
    assert_memory_equal(got, wanted, sizeof got);
    meso_model_close(many);
    meso_model_close(one);
    meso_device_close(device);
}

/* The plain plan is made at the tap, for fewer images than the fused path takes. */
static void taps_are_halved(void **state)
{
    enum { n = 128, plane = 8 * side * side };
    meso_device *device = small_device();
    float *input = calloc((size_t)n * n_values, sizeof *input);
    float *out = malloc((size_t)n * plane * sizeof *out);
    (void)state;
    assert_true(input && out);
    meso_model *model = open_model(device, "meso4", MESO_PATH_FUSED, n);
    input[(size_t)(n - 1) * n_values] = 1;
    assert_int_equal(meso_model_tap(model, "conv1", input, n, out, (size_t)n * plane, &error),
                     MESO_OK);
    float *last = out + (size_t)(n - 1) * plane;
    assert_memory_equal(out, out + plane, plane * sizeof *out);
    assert_true(memcmp(out, last, plane * sizeof *out) != 0);
    meso_model_close(model);
    meso_device_close(device);
    free(out);
    free(input);
}

/* One image of this net needs more than a buffer may have. */
static void one_image_too_many_is_refused(void **state)
{
    static const char text[] =
        "image = input height=4096 width=4096 channels=3 divide=255\n"
        "conv1 = conv image filters=8 window=3x3 stride=1x1 dilation=1x1 pad=same\n"
        "pool = global_avg_pool conv1\n"
        "dense = dense pool units=1\n"
        "p = sigmoid dense\n";
    meso_device *device = small_device();
    meso_net *net;
    meso_model *model = NULL;
    const meso_model_options options = {
        .struct_bytes = sizeof options, .max_batch = 4, .path = MESO_PATH_PLAIN};
    (void)state;
    assert_int_equal(meso_net_parse(text, "large", &net, &error), MESO_OK);
    assert_int_equal(meso_model_random(device, net, 1, &options, &model, &error),
                     MESO_ERROR_DEVICE_MEMORY);
    assert_non_null(strstr(error.text, "a batch of 1: clCreateBuffer of "));
    assert_null(model);
    meso_net_close(net);
    meso_device_close(device);
}

/* Filters so large that sums overflow. */
static meso_model *open_overflowing(meso_device *device, meso_path path)
{
    const meso_model_options options = {
        .struct_bytes = sizeof options, .max_batch = 2, .path = path};
    meso_net *net;
    meso_weights *weights;
    meso_model *model;
    char file[] = "/tmp/meso-memory-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(meso_net_open("meso4", &net, NULL), MESO_OK);
    assert_int_equal(meso_weights_random(net, 1, &weights, NULL), MESO_OK);
    for (size_t i = 0; i < meso_weights_n_tensors(weights); i++) {
        const meso_tensor *tensor = meso_weights_tensor(weights, i);
        for (size_t k = 0; strstr(tensor->name, ".kernel") && k < tensor->n_values; k++)
            tensor->values[k] = 1e30f;
    }
    assert_int_equal(meso_weights_write(weights, file, NULL), MESO_OK);
    if (meso_model_open(device, file, &options, &model, &error) != MESO_OK)
        fail_msg("%s", error.text);
    unlink(file);
    meso_weights_close(weights);
    meso_net_close(net);
    return model;
}

/* Pixels, floats and taps; what comes out is an error that says so, and no score. */
static void overflow_is_an_error_on_every_path(void **state)
{
    static const meso_path paths[] = {MESO_PATH_FUSED, MESO_PATH_EXACT, MESO_PATH_PLAIN};
    static uint8_t pixels[n_values];
    static float values[n_values], out[8 * side * side];
    const meso_probability untouched = {-1, -1};
    meso_device *device = harness_device();
    (void)state;
    memset(pixels, 255, sizeof pixels);
    for (size_t i = 0; i < n_values; i++)
        values[i] = 1;
    for (size_t i = 0; i < 3; i++) {
        meso_model *model = open_overflowing(device, paths[i]);
        meso_probability p = untouched;
        assert_int_equal(meso_predict_rgb8(model, pixels, 1, side, side, 3 * side, &p, &error),
                         MESO_ERROR_DATA);
        assert_int_equal(meso_predict_f32(model, values, 1, &p, &error), MESO_ERROR_DATA);
        assert_non_null(strstr(error.text, "not finite"));
        assert_memory_equal(&p, &untouched, sizeof p);
        assert_int_equal(
            meso_model_tap(model, "conv2", values, 1, out, sizeof out / sizeof *out, &error),
            MESO_ERROR_DATA);
        assert_non_null(strstr(error.text, "conv2 is not finite"));
        values[7] = NAN;
        assert_int_equal(meso_predict_f32(model, values, 1, &p, &error), MESO_ERROR_ARGUMENT);
        assert_int_equal(
            meso_model_tap(model, "conv1", values, 1, out, sizeof out / sizeof *out, &error),
            MESO_ERROR_ARGUMENT);
        assert_memory_equal(&p, &untouched, sizeof p);
        values[7] = 1;
        meso_model_close(model);
    }
    meso_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_halved),
        cmocka_unit_test(taps_are_halved),
        cmocka_unit_test(one_image_too_many_is_refused),
        cmocka_unit_test(overflow_is_an_error_on_every_path),
    };
    setenv("POCL_MEMORY_LIMIT", "1", 1); /* before the driver looks */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

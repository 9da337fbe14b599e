/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of prediction's paths as a model uses it: nets that are fused as a whole, in front
 * alone, and cut short; batches beyond any chunk; what tunes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"
#include "mesocl/mesocl.h"
#include "model/model_tuning.h"
#include "net/net.h"
#include "net/strip/strip.h"
#include "net/tile/tile.h"

enum { side = 64, pixels_of_one = 3 * side * side };

/* Blocks of the size of Meso-4's, with a head of `units`. */
#define BLOCKS                                                             \
    "image = input height=64 width=64 channels=3 divide=255\n"             \
    "conv1 = conv image filters=8 window=3 stride=1 dilation=1 pad=same\n" \
    "bias1 = bias conv1\nrelu1 = relu bias1\n"                             \
    "bn1 = batch_norm relu1 epsilon=0.001\n"                               \
    "pool1 = max_pool bn1 window=2 stride=2 pad=same\n"
#define HEAD(units)                                               \
    "flat = flatten pool1\ndense1 = dense flat units=" units "\n" \
    "bias2 = bias dense1\nleaky = leaky_relu bias2 slope=0.1\n"   \
    "dense2 = dense leaky units=1\nbias3 = bias dense2\n"

static meso_error error;

static const struct shape_case {
    const char *name, *text, *last; /* last: the layer whose output is compared */
    int predicts;
} nets[] = {
    {"fused as a whole", BLOCKS HEAD("16") "p = sigmoid bias3\n", "p", 1},
    {"a head of its own", BLOCKS HEAD("5") "p = sigmoid bias3\n", "p", 1},
    {"cut behind a block", BLOCKS, "pool1", 0},
    {"cut behind a head", BLOCKS HEAD("16"), "bias3", 0},
    {"cut between", BLOCKS "flat = flatten pool1\n", "flat", 0},
};
enum { n_nets = sizeof nets / sizeof nets[0] };

static meso_device *device;

static meso_model *open_model(const char *text, meso_path path, size_t max_batch)
{
    meso_net *net = NULL;
    meso_model *model = NULL;
    meso_model_options options = MESO_INIT(meso_model_options);
    options.path = path;
    options.max_batch = max_batch;
    if (meso_net_parse(text, "case", &net, &error) != MESO_OK ||
        meso_model_random(device, net, 5, &options, &model, &error) != MESO_OK)
        fail_msg("%s", error.text);
    meso_net_close(net);
    return model;
}

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", error.text);
}

static uint8_t *draw_pixels(size_t n)
{
    meso_random random = {11};
    uint8_t *pixels = malloc(n * pixels_of_one);
    assert_non_null(pixels);
    for (size_t i = 0; i < n * pixels_of_one; i++)
        pixels[i] = (uint8_t)meso_random_below(&random, 256);
    return pixels;
}

/* The last layer of each net from floats, by the model's path, against plain kernels. */
static void paths_agree(void **state)
{
    enum { n = 3 };
    static const meso_path paths[] = {MESO_PATH_FUSED, MESO_PATH_EXACT};
    float input[n * pixels_of_one];
    meso_random random = {3};
    (void)state;
    device = harness_device();
    for (size_t i = 0; i < n * pixels_of_one; i++)
        input[i] = (float)meso_random_below(&random, 256) / 255;
    for (size_t k = 0; k < n_nets; k++) {
        meso_model *plain = open_model(nets[k].text, MESO_PATH_PLAIN, 0);
        const meso_layer *last = meso_net_find(meso_model_net(plain), nets[k].last);
        const size_t size = n * meso_shape_size(last->shape);
        float *expected = malloc(size * sizeof *expected), *got = malloc(size * sizeof *got);
        assert_true(expected && got);
        check(meso_model_tap(plain, nets[k].last, input, n, expected, size, &error));
        for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
            meso_model *model = open_model(nets[k].text, paths[p], 0);
            check(meso_model_tap(model, nets[k].last, input, n, got, size, &error));
            for (size_t i = 0; i < size; i++)
                harness_close((double)got[i], (double)expected[i], 2e-5, "%s, %s, value %zu",
                              nets[k].name, meso_path_name(paths[p]), i);
            meso_model_close(model);
        }
        free(got);
        free(expected);
        meso_model_close(plain);
    }
    meso_device_close(device);
}

/* More images at once than any buffer was made for in advance: each as it is alone. */
static void large_batches(void **state)
{
    enum { n = 700 };
    uint8_t *pixels = draw_pixels(n);
    meso_probability *p = malloc(n * sizeof *p);
    (void)state;
    device = harness_device();
    assert_non_null(p);
    for (size_t k = 0; k < n_nets; k++)
        for (int path = MESO_PATH_FUSED; nets[k].predicts && path <= MESO_PATH_PLAIN; path++) {
            meso_model *model = open_model(nets[k].text, (meso_path)path, n);
            check(meso_predict_rgb8(model, pixels, n, side, side, 3 * (size_t)side, p, &error));
            for (size_t i = 0; i < n; i += 233) {
                meso_probability alone;
                check(meso_predict_rgb8(model, pixels + i * pixels_of_one, 1, side, side,
                                        3 * (size_t)side, &alone, &error));
                if (memcmp(&alone, &p[i], sizeof alone) != 0)
                    fail_msg("%s, %s: image %zu is %.9g, alone %.9g", nets[k].name,
                             meso_path_name((meso_path)path), i, p[i].real, alone.real);
            }
            meso_model_close(model);
        }
    free(p);
    free(pixels);
    meso_device_close(device);
}

/* The families that a model goes by are those of its path. */
static void tuning_is_of_the_path(void **state)
{
    static const meso_tuning_family *const families[] = {&meso_tuning_fused, &meso_tuning_tiles,
                                                         &meso_tuning_clblast};
    (void)state;
    device = harness_device();
    for (size_t k = 0; k < 2; k++)
        for (int path = MESO_PATH_FUSED; path <= MESO_PATH_PLAIN; path++) {
            meso_model *model = open_model(nets[k].text, (meso_path)path, 0);
            int goes_by[3], values[MESO_MAX_TUNABLES], again[MESO_MAX_TUNABLES];
            const meso_model_info *info = meso_model_get_info(model);
            for (size_t i = 0; i < 3; i++) {
                goes_by[i] = meso_model_tuning(model, families[i], values);
                json_t *row = goes_by[i] ? meso_tuning_values_json(families[i], values) : NULL;
                assert_true(!goes_by[i] || meso_tuning_values(row, families[i], again));
                json_decref(row);
            }
            assert_int_equal(goes_by[0] + goes_by[1], info->path != MESO_PATH_PLAIN);
            if (info->path == MESO_PATH_PLAIN)
                assert_true(goes_by[2]);
            meso_model_tuning(model, &meso_tuning_fused, values);
            if (goes_by[0] && path == MESO_PATH_EXACT)
                assert_true(values[5] < MESO_STRIP_WINOGRAD_YX &&
                            values[6] < MESO_STRIP_WINOGRAD_YX);
            if (goes_by[0]) /* a head that is not fused is left to plain kernels */
                assert_int_equal(goes_by[2], k == 1);
            meso_model_close(model);
        }
    meso_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths_agree),
                                       cmocka_unit_test(large_batches),
                                       cmocka_unit_test(tuning_is_of_the_path)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices that are not here, in answers that the layer in tests/fault_layer changes: one of several
 * cores that cannot be split by core, where fused kernels run as one chain for a batch
 * (src/net/strip/strip_run.c), and a GPU, which has kernels of its own (src/net/tile/tile.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "fault_layer/fault_layer.h"
#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"
#include "picture/augment.h"
#include "picture/statistics.h"

enum { side = 256, most = 7, n_measured = 3 };

static fault_layer_state *layer;
static meso_error error;

/* The device under test in one piece; skips the test where it has one core. */
static meso_device *open_unsplit(void)
{
    meso_device *device = harness_device();
    const meso_device_info info = *meso_device_get_info(device);
    meso_device_close(device);
    if (info.type != MESO_DEVICE_CPU || info.compute_units < 2)
        skip();
    layer->code = CL_DEVICE_PARTITION_FAILED;
    for (layer->fail_at = 1;; layer->fail_at++) {
        layer->n_calls = 0;
        layer->failed = NULL;
        device = NULL;
        meso_device_open(NULL, &device, &error);
        if (device && (!layer->failed || strcmp(layer->failed, "clCreateSubDevices") == 0))
            break; /* a device that nobody splits makes no such call */
        meso_device_close(device);
    }
    layer->fail_at = 0;
    assert_int_equal(meso_device_n_lanes(device, 0), 1);
    return device;
}

static meso_model *open_random(meso_device *device, const char *name, meso_path path)
{
    meso_net *net = NULL;
    meso_model *model = NULL;
    meso_model_options options = MESO_INIT(meso_model_options);
    options.path = path;
    options.max_batch = most;
    if (meso_net_open(name, &net, &error) != MESO_OK ||
        meso_model_random(device, net, 3, &options, &model, &error) != MESO_OK)
        fail_msg("%s: %s", name, error.text);
    const meso_model_info *info = meso_model_get_info(model);
    assert_int_equal(info->path, path);
    meso_net_close(net);
    return model;
}

/* P(real) of the first n pictures; returns how many OpenCL calls it took. */
static size_t predict(meso_model *model, const uint8_t *pictures, size_t n, meso_probability *p)
{
    layer->n_calls = 0;
    if (meso_predict_rgb8(model, pictures, n, side, side, 3 * side, p, &error) != MESO_OK)
        fail_msg("%zu images: %s", n, error.text);
    return layer->n_calls;
}

static uint8_t *draw_pictures(void)
{
    uint8_t *pictures = malloc((size_t)most * side * side * 3);
    meso_random random = {5};
    assert_non_null(pictures);
    for (size_t i = 0; i < (size_t)most * side * side * 3; i++)
        pictures[i] = (uint8_t)meso_random_u64(&random);
    return pictures;
}

/* Batches of several sizes on a path against the plain one. */
static void compare_with_plain(meso_device *device, const char *net, meso_path path,
                               const uint8_t *pictures)
{
    meso_probability right[most], p[most];
    meso_model *plain = open_random(device, net, MESO_PATH_PLAIN);
    meso_model *fused = open_random(device, net, path);
    predict(plain, pictures, most, right);
    for (size_t n = 1; n <= most; n += n < 3 ? 1 : 4) {
        predict(fused, pictures, n, p);
        for (size_t i = 0; i < n; i++)
            harness_close(p[i].real, right[i].real, 5e-6, "%s, image %zu of %zu", net, i, n);
    }
    meso_model_close(fused);
    meso_model_close(plain);
}

static void chains_give_the_plain_answers(void **state)
{
    static const struct {
        const char *net;
        meso_path path;
    } rows[] = {{"meso4", MESO_PATH_FUSED},
                {"meso4_elu", MESO_PATH_EXACT},
                {"mesoinception4", MESO_PATH_FUSED}};
    uint8_t *pictures = draw_pictures();
    meso_device *device = open_unsplit();
    (void)state;
    harness_need_layers(FAULT_LAYER);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        meso_probability p[most];
        compare_with_plain(device, rows[r].net, rows[r].path, pictures);
        /* One launch, however many images. */
        meso_model *fused = open_random(device, rows[r].net, rows[r].path);
        const size_t few = predict(fused, pictures, 3, p), many = predict(fused, pictures, most, p);
        if (meso_device_get_info(device)->compute_units <= 3)
            assert_int_equal(few, many);
        meso_model_close(fused);
    }
    meso_device_close(device);
    free(pictures);
}

/* Every layer but the picture and the sigmoid is part of a fused kernel. */
static void check_whole(meso_device *device, const char *net)
{
    meso_model *model = open_random(device, net, MESO_PATH_FUSED);
    const meso_model_info *info = meso_model_get_info(model);
    assert_int_equal(info->n_fused_layers, meso_net_n_layers(meso_model_net(model)) - 2);
    meso_model_close(model);
}

/* P(real) from floats, and a layer inside a block, which the plain kernels give. */
static void check_floats_and_tap(meso_device *device, const uint8_t *pictures)
{
    enum { size = side * side * 3, tapped = 8 * side * side };
    meso_model *model = open_random(device, "meso4", MESO_PATH_FUSED);
    float *floats = malloc(size * sizeof *floats), *out = malloc(tapped * sizeof *out);
    meso_probability of_bytes, of_floats;
    assert_true(floats && out);
    for (size_t i = 0; i < size; i++)
        floats[i] = (float)pictures[i] / 255;
    predict(model, pictures, 1, &of_bytes);
    if (meso_predict_f32(model, floats, 1, &of_floats, &error) != MESO_OK ||
        meso_model_tap(model, "conv1_relu", floats, 1, out, tapped, &error) != MESO_OK)
        fail_msg("%s", error.text);
    harness_close(of_floats.real, of_bytes.real, 1e-6, "floats");
    free(out);
    free(floats);
    meso_model_close(model);
}

static meso_device *open_gpu(void)
{
    meso_device *device = NULL;
    meso_device_close(harness_device()); /* there is one */
    layer->poses_as_gpu = 1;
    if (meso_device_open(NULL, &device, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_int_equal(meso_device_get_info(device)->type, MESO_DEVICE_DGPU);
    return device;
}

static void tiles_give_the_plain_answers(void **state)
{
    static const char *const nets[] = {"meso4", "meso4_elu", "meso4_leaky", "mesoinception4"};
    uint8_t *pictures = draw_pictures();
    (void)state;
    harness_need_layers(FAULT_LAYER);
    meso_device *device = open_gpu();
    if (meso_device_get_info(device)->max_work_group < 16)
        skip();
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        compare_with_plain(device, nets[i], i % 2 ? MESO_PATH_EXACT : MESO_PATH_FUSED, pictures);
        check_whole(device, nets[i]);
    }
    check_floats_and_tap(device, pictures);
    meso_device_close(device);
    layer->poses_as_gpu = 0;
    free(pictures);
}

/* A GPU cuts pictures into bands, which a core takes whole: the sums are the same. */
static void measure(meso_device *device, const uint8_t *rgb, meso_image_statistics *results)
{
    static const unsigned heights[n_measured] = {37, 16, 50};
    meso_statistics *statistics = NULL;
    meso_picture pictures[n_measured];
    for (size_t i = 0; i < n_measured; i++)
        pictures[i] = (meso_picture){rgb + 1000 * i, 23, heights[i]};
    assert_int_equal(meso_statistics_open(device, 1, &statistics, &error), MESO_OK);
    assert_int_equal(meso_statistics_submit(statistics, 0, pictures, n_measured), MESO_OK);
    assert_int_equal(meso_statistics_wait(statistics, 0, results), MESO_OK);
    meso_statistics_close(statistics);
    meso_device_close(device);
}

static void statistics_are_those_of_a_cpu(void **state)
{
    uint8_t *pictures = draw_pictures();
    meso_image_statistics cpu[n_measured], gpu[n_measured];
    (void)state;
    harness_need_layers(FAULT_LAYER);
    measure(harness_device(), pictures, cpu);
    measure(open_gpu(), pictures, gpu);
    layer->poses_as_gpu = 0;
    for (size_t i = 0; i < n_measured * sizeof *cpu / sizeof(double); i++)
        harness_close(((double *)gpu)[i], ((double *)cpu)[i], 1e-12, "statistic %zu", i);
    free(pictures);
}

/* Images 1 … of larger buffers, which a GPU takes together and a CPU one by one. */
static float *augment(meso_device *device, const char *text, const uint8_t *rgb)
{
    enum { height = 35, width = 21, size = 3 * height * width };
    meso_augment_settings settings;
    meso_augment_draw drawn[most];
    meso_augment *augmenter = NULL;
    meso_buffer pixels, draws, out;
    float *values = malloc(most * size * sizeof *values);
    assert_non_null(values);
    assert_int_equal(meso_augment_parse(text, &settings, &error), MESO_OK);
    for (size_t i = 0; i < most; i++)
        meso_augment_draw_one(&settings, height, width, 3, 0, i, &drawn[i]);
    meso_status status = meso_augment_open(device, &settings, height, width, 255, most, &augmenter);
    assert_int_equal(status, MESO_OK);
    assert_int_equal(meso_buffer_create_filled(device, rgb, most * size, &pixels), MESO_OK);
    assert_int_equal(meso_buffer_create_filled(device, drawn, sizeof drawn, &draws), MESO_OK);
    assert_int_equal(meso_buffer_create(device, most * size * sizeof *values, &out), MESO_OK);
    assert_int_equal(meso_buffer_zero(device, &out), MESO_OK);
    status = meso_augment_enqueue(augmenter, &pixels, 1, most - 1, &draws, &out);
    assert_int_equal(status, MESO_OK);
    assert_int_equal(meso_buffer_read(device, &out, 0, values, most * size * sizeof *values),
                     MESO_OK);
    meso_buffer_release(&out);
    meso_buffer_release(&draws);
    meso_buffer_release(&pixels);
    meso_augment_close(augmenter);
    meso_device_close(device);
    return values;
}

static void augmented_as_on_a_cpu(void **state)
{
    static const char *const texts[] = {"rotation=20,zoom=0.8:1.2", "mesonet"};
    uint8_t *pictures = draw_pictures();
    (void)state;
    harness_need_layers(FAULT_LAYER);
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        float *cpu = augment(harness_device(), texts[t], pictures);
        float *gpu = augment(open_gpu(), texts[t], pictures);
        layer->poses_as_gpu = 0;
        for (size_t i = 0; i < most * 3 * 35 * 21; i++)
            harness_close(gpu[i], cpu[i], 1e-6, "%s: value %zu", texts[t], i);
        free(gpu);
        free(cpu);
    }
    free(pictures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(chains_give_the_plain_answers),
                                       cmocka_unit_test(tiles_give_the_plain_answers),
                                       cmocka_unit_test(statistics_are_those_of_a_cpu),
                                       cmocka_unit_test(augmented_as_on_a_cpu)};
    layer = harness_put_layer(FAULT_LAYER);
    if (!layer)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Prediction on devices that pose as GPUs: of many compute units, with memory of their own and in
 * the host's. The kernels themselves: test_tile.c.
 */
#include <dlfcn.h>
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
#include "mesocl/mesocl.h"
#include "net/tile/tile.h"

enum { side = 256, picture_bytes = 3 * side * side, most = 7 };
enum { most_values = 1 << 15, most_params = 64 }; /* of Meso-4 */

static fault_layer_state *layer;
static meso_error error;
static uint8_t *pictures;

/* kind: as fault_layer_state has it. */
static meso_device *open_gpu(int kind, unsigned units)
{
    const size_t least_group = 16;
    meso_device *device = NULL;
    meso_device_close(harness_device()); /* there is one */
    layer->poses_as_gpu = kind;
    layer->units = units;
    if (meso_device_open(NULL, &device, &error) != MESO_OK)
        fail_msg("%s", error.text);
    if (meso_device_get_info(device)->max_work_group < least_group)
        skip(); /* nothing is fused there */
    return device;
}

static meso_model *open_model(meso_device *device, const char *name, size_t max_batch)
{
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_net *net = NULL;
    meso_model *model = NULL;
    options.max_batch = max_batch;
    if (meso_net_open(name, &net, &error) != MESO_OK ||
        meso_model_random(device, net, 3, &options, &model, &error) != MESO_OK)
        fail_msg("%s: %s", name, error.text);
    meso_net_close(net);
    return model;
}

static void predict(meso_model *model, size_t n, meso_probability *p)
{
    if (meso_predict_rgb8(model, pictures, n, side, side, 3 * side, p, &error) != MESO_OK)
        fail_msg("%zu images: %s", n, error.text);
}

/* *n_few becomes the number of launches of kernels for few pictures. Returns that of all. */
static size_t count_launches(meso_device *device, size_t *n_few)
{
    meso_profile_row *rows = NULL;
    size_t n = 0, n_rows = 0;
    *n_few = 0;
    assert_int_equal(meso_device_get_profile(device, &rows, sizeof *rows, &n_rows, &error),
                     MESO_OK);
    for (size_t i = 0; i < n_rows; i++) {
        n += rows[i].n_launches;
        *n_few += strstr(rows[i].kernel, "_few") ? rows[i].n_launches : 0;
    }
    meso_free(rows);
    return n;
}

/* A GPU of 132 units has more work-groups for one picture; answers stay the same to the bit. */
static void few_pictures_have_sizes_of_their_own(void **state)
{
    static const struct {
        const char *net;
        size_t n, n_few; /* pictures; launches of kernels for few of them, of 5 */
    } rows[] = {{"meso4", 1, 3}, {"meso4", 4, 2}, {"meso4", most, 1}, {"mesoinception4", 1, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_probability p[2][most];
        for (int many = 0; many < 2; many++) {
            size_t n_few, n_launches;
            meso_device *device = open_gpu(1, many ? 132 : 1);
            meso_model *model = open_model(device, rows[i].net, 2 * most);
            assert_int_equal(meso_device_profile(device, MESO_PROFILE_ALONE, &error), MESO_OK);
            predict(model, rows[i].n, p[many]);
            n_launches = count_launches(device, &n_few);
            assert_int_equal(n_launches, 5);
            assert_int_equal(n_few, many ? rows[i].n_few : 0);
            meso_model_close(model);
            meso_device_close(device);
        }
        assert_memory_equal(p[0], p[1], rows[i].n * sizeof p[0][0]);
    }
}

/* Halves of a batch in turns, at the caller's size or the net's; also without a copy. */
static void slots_give_the_answers_of_single_pictures(void **state)
{
    (void)state;
    for (int kind = 1; kind <= 2; kind++) {
        meso_probability alone[most], together[most];
        meso_device *device = open_gpu(kind, 1);
        meso_model *model = open_model(device, "meso4", 4), *one = open_model(device, "meso4", 1);
        for (unsigned width = side; width >= side - 1; width--) { /* then not the net's size */
            for (size_t i = 0; i < most; i++)
                assert_int_equal(meso_predict_rgb8(one, pictures + i * picture_bytes, 1, width,
                                                   side, 3 * side, &alone[i], &error),
                                 MESO_OK);
            layer->counted = "clEnqueueWriteBuffer";
            layer->n_counted = 0;
            assert_int_equal(
                meso_predict_rgb8(model, pictures, most, width, side, 3 * side, together, &error),
                MESO_OK);
            assert_int_equal(layer->n_counted, kind == 1 ? 4 : 0);
            assert_memory_equal(together, alone, sizeof alone);
        }
        meso_model_close(one);
        meso_model_close(model);
        meso_device_close(device);
    }
}

static void large_gpus_take_larger_batches(void **state)
{
    static const struct {
        unsigned units;
        size_t batch;
    } rows[] = {{64, 64}, {65, 256}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_device *device = open_gpu(1, rows[i].units);
        meso_model *model = open_model(device, "meso4", 0);
        assert_int_equal(meso_model_get_info(model)->max_batch, rows[i].batch);
        meso_model_close(model);
        meso_device_close(device);
    }
}

/* Filters are copied into local memory only where that is faster memory. */
static void local_memory_may_be_global(void **state)
{
    meso_net *net = NULL;
    (void)state;
    assert_int_equal(meso_net_open("meso4", &net, &error), MESO_OK);
    for (int kind = 1; kind <= 3; kind += 2) {
        int values[MESO_MAX_TUNABLES];
        meso_tile_run *run = NULL;
        meso_device *device = open_gpu(kind, 1);
        float *zeros = calloc(most_values, sizeof *zeros);
        const float *params[most_params];
        assert_true(zeros && net->n_params <= most_params);
        for (size_t i = 0; i < net->n_params; i++)
            params[i] = zeros;
        assert_int_equal(meso_tile_create(device, net, params, NULL, &run), MESO_OK);
        meso_tile_tuning_values(run, values);
        assert_int_equal(values[4], kind == 1);
        meso_tile_close(run);
        meso_device_close(device);
        free(zeros);
    }
    layer->poses_as_gpu = 0;
    meso_net_close(net);
}

static int draw_pictures(void **state)
{
    meso_random random = {5};
    (void)state;
    pictures = malloc((size_t)most * picture_bytes);
    for (size_t i = 0; pictures && i < (size_t)most * picture_bytes; i++)
        pictures[i] = (uint8_t)meso_random_u64(&random);
    return pictures ? 0 : -1;
}

static int forget_pictures(void **state)
{
    (void)state;
    free(pictures);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(few_pictures_have_sizes_of_their_own),
                                       cmocka_unit_test(slots_give_the_answers_of_single_pictures),
                                       cmocka_unit_test(large_gpus_take_larger_batches),
                                       cmocka_unit_test(local_memory_may_be_global)};
    /* Before the first OpenCL call, which makes the loader look for layers. */
    void *library = dlopen(FAULT_LAYER, RTLD_NOW | RTLD_LOCAL);
    layer = library ? dlsym(library, FAULT_LAYER_SYMBOL) : NULL;
    if (!layer || setenv("OPENCL_LAYERS", FAULT_LAYER, 1) != 0) {
        fprintf(stderr, "%s: %s\n", FAULT_LAYER, dlerror());
        return 1;
    }
    return cmocka_run_group_tests(tests, draw_pictures, forget_pictures);
}

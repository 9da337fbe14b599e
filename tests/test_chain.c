/* SPDX-License-Identifier: Apache-2.0
 *
 * A device of several cores that cannot be split by core: fused kernels run as one chain for a
 * batch (src/net/strip_run.c). The layer in tests/fault_layer refuses the splitting.
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

enum { side = 256, most = 7 };

static fault_layer_state *layer;

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
        meso_error error = {0};
        layer->n_calls = 0;
        layer->failed = NULL;
        device = NULL;
        meso_device_open(NULL, &device, &error);
        if (device && (!layer->failed || strcmp(layer->failed, "clCreateSubDevices") == 0))
            break; /* a device that nobody splits makes no such call */
        meso_device_close(device);
    }
    layer->fail_at = 0;
    assert_int_equal(meso_device_n_lanes(device), 1);
    return device;
}

static meso_model *open_random(meso_device *device, const char *name, meso_path path)
{
    meso_net *net = NULL;
    meso_model *model = NULL;
    meso_error error = {0};
    meso_model_info info;
    meso_model_options options = MESO_MODEL_OPTIONS_INIT;
    options.path = path;
    options.max_batch = most;
    if (meso_net_open(name, &net, &error) != MESO_OK ||
        meso_model_random(device, net, 3, &options, &model, &error) != MESO_OK)
        fail_msg("%s: %s", name, error.text);
    meso_model_get_info(model, &info);
    assert_int_equal(info.path, path);
    meso_net_close(net);
    return model;
}

/* P(real) of the first n pictures; returns how many OpenCL calls it took. */
static size_t predict(meso_model *model, const uint8_t *pictures, size_t n, meso_probability *p)
{
    layer->n_calls = 0;
    if (meso_predict_rgb8(model, pictures, n, side, side, 3 * side, p) != MESO_OK)
        fail_msg("%zu images: %s", n, meso_model_error(model));
    return layer->n_calls;
}

static void chains_give_the_plain_answers(void **state)
{
    static const struct {
        const char *net;
        meso_path path;
    } rows[] = {{"meso4", MESO_PATH_FUSED},
                {"meso4_elu", MESO_PATH_EXACT},
                {"mesoinception4", MESO_PATH_FUSED}};
    uint8_t *pictures = malloc((size_t)most * side * side * 3);
    meso_device *device = open_unsplit();
    meso_random random = {5};
    (void)state;
    assert_non_null(pictures);
    for (size_t i = 0; i < (size_t)most * side * side * 3; i++)
        pictures[i] = (uint8_t)meso_random_u64(&random);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        meso_probability right[most], p[most];
        meso_model *plain = open_random(device, rows[r].net, MESO_PATH_PLAIN);
        meso_model *fused = open_random(device, rows[r].net, rows[r].path);
        predict(plain, pictures, most, right);
        for (size_t n = 1; n <= most; n += n < 3 ? 1 : 4) {
            predict(fused, pictures, n, p);
            for (size_t i = 0; i < n; i++)
                harness_close(p[i].real, right[i].real, 5e-6, "%s, image %zu of %zu", rows[r].net,
                              i, n);
        }
        /* One launch, however many images. */
        const size_t few = predict(fused, pictures, 3, p), many = predict(fused, pictures, most, p);
        if (meso_device_get_info(device)->compute_units <= 3)
            assert_int_equal(few, many);
        meso_model_close(fused);
        meso_model_close(plain);
    }
    meso_device_close(device);
    free(pictures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(chains_give_the_plain_answers)};
    /* Before the first OpenCL call, which makes the loader look for layers. */
    void *library = dlopen(FAULT_LAYER, RTLD_NOW | RTLD_LOCAL);
    layer = library ? dlsym(library, FAULT_LAYER_SYMBOL) : NULL;
    if (!layer || setenv("OPENCL_LAYERS", FAULT_LAYER, 1) != 0) {
        fprintf(stderr, "%s: %s\n", FAULT_LAYER, dlerror());
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

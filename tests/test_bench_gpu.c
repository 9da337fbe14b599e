/* SPDX-License-Identifier: Apache-2.0
 *
 * What device_bench says of a GPU's kernels, on a device that poses as one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "fault_layer/fault_layer.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_schema.h"

/* All that tiles fuse: an inception block, a block, a head. */
static const char net[] = "image = input height=16 width=16 channels=3 divide=255\n"
                          "a = conv image filters=2 window=1 stride=1 dilation=1 pad=same\n"
                          "ab = bias a\naa = relu ab\n"
                          "b = conv image filters=1 window=1 stride=1 dilation=1 pad=same\n"
                          "bb = bias b\nba = relu bb\n"
                          "c = conv ba filters=3 window=3 stride=1 dilation=2 pad=same\n"
                          "cb = bias c\nca = relu cb\njoined = concat aa ca\n"
                          "norm = batch_norm joined epsilon=0.001\n"
                          "pool = max_pool norm window=2 stride=2 pad=same\n"
                          "d = conv pool filters=2 window=3 stride=1 dilation=1 pad=same\n"
                          "db = bias d\nda = relu db\n"
                          "norm2 = batch_norm da epsilon=0.001\n"
                          "pool2 = max_pool norm2 window=2 stride=2 pad=same\n"
                          "flat = flatten pool2\nhidden = dense flat units=4\n"
                          "hb = bias hidden\nha = relu hb\nlast = dense ha units=1\n"
                          "lb = bias last\np = sigmoid lb\n";

/* A GPU's kernels do the work of all layers that they stand for. */
static void counts_what_a_gpus_kernels_do(void **state)
{
    static const char *const environment[] = {"OPENCL_LAYERS=" FAULT_LAYER, "MESO_FAULT_GPU=1",
                                              NULL};
    const harness_command command = {
        .program = DEVICE_BENCH_PROGRAM,
        .words = "net whole.net --batch 2 --cores 1 --seconds 0.001 --processes 1 --json",
        .environment = environment};
    static const struct {
        const char *kernel;
        double multiply_adds, bytes; /* 0: not known */
    } rows[] = {{"tile_inception_0_of_pixels", 16.0 * 16 * (2 * 3 + 3 + 3 * 9),
                 16 * 16 * 3 + 4.0 * 8 * 8 * 5},
                {"tile_block_1", 8.0 * 8 * 9 * 5 * 2, 4.0 * (8 * 8 * 5 + 4 * 4 * 2)},
                {"tile_head_2", 4.0 * 4 * 2 * 4 + 4, 0}};
    enum { n_rows = sizeof rows / sizeof rows[0] };
    const json_t *layer;
    size_t i, n_found = 0;
    (void)state;
    harness_need_layers(FAULT_LAYER);
    meso_device *device = harness_device();
    const size_t least_group = 16, most = meso_device_get_info(device)->max_work_group;
    meso_device_close(device);
    if (most < least_group)
        skip(); /* nothing is fused there */
    harness_put("whole.net", net, 0);
    harness_result run = harness_run(&command);
    if (run.code != 0)
        fail_msg("ended with %d: %s", run.code, run.err);
    json_t *document = json_loads(run.out, 0, NULL);
    const json_t *result = json_array_get(json_object_get(document, "results"), 0);
    json_array_foreach (json_object_get(result, "layers"), i, layer) {
        const char *kernel = json_string_value(json_object_get(layer, "kernel"));
        for (size_t k = 0; k < n_rows; k++)
            if (strncmp(kernel, rows[k].kernel, strlen(rows[k].kernel)) == 0) { /* or "…_few" */
                n_found++;
                assert_true(harness_number(layer, "multiply_adds") == rows[k].multiply_adds);
                const json_t *bytes = json_object_get(layer, "bytes");
                assert_true(json_is_number(bytes) == (rows[k].bytes > 0));
                assert_true(json_number_value(bytes) == rows[k].bytes);
            }
    }
    assert_int_equal(n_found, n_rows);
    assert_int_equal(json_array_size(json_object_get(result, "layers")), n_rows); /* no other */
    json_decref(document);
    harness_forget(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        counts_what_a_gpus_kernels_do, harness_enter_folder, harness_leave_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

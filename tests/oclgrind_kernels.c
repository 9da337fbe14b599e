/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels for Oclgrind to watch (tests/oclgrind.sh): two with a planted mistake, and the real ones
 * at small sizes.
 *
 *   oclgrind_kernels overrun | race | plain NET | fused NET
 *
 * Oclgrind says that it is a GPU, where no fused kernels are taken: `fused` asks for the narrowest
 * tuning row by name.
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

#include "harness_model.h"
#include "mesocl/mesocl.h"
#include "net/strip_run.h"
#include "runtime/program.h"

enum { n_items = 64 };

static const struct {
    const char *name, *source;
} planted[] = {
    {"overrun", "kernel void planted(global float *x) { x[get_global_id(0) + 1] = 1.0f; }"},
    {"race", "kernel void planted(global float *x) { x[get_global_id(0) / 2] += 1.0f; }"},
};

static meso_device *device;

static void check(meso_status status)
{
    if (status == MESO_OK)
        return;
    fprintf(stderr, "%s\n", meso_device_error(device));
    exit(1);
}

static int run_planted(const char *source)
{
    meso_text text = {0};
    meso_program program;
    meso_kernel kernel;
    meso_buffer buffer;
    meso_text_add(&text, source);
    check(meso_buffer_create(device, n_items * sizeof(float), &buffer));
    check(meso_buffer_zero(device, &buffer));
    check(meso_program_build(device, &text, &program));
    check(meso_program_kernel(device, &program, "planted", "b", &kernel));
    check(meso_launch_kernel(device, &kernel, MESO_GLOBAL(n_items, 1, 1),
                             MESO_ARGS(meso_arg_buffer(&buffer))));
    check(meso_device_finish(device));
    meso_kernel_release(&kernel);
    meso_program_release(&program);
    meso_buffer_release(&buffer);
    meso_text_free(&text);
    return 0;
}

/* Two images: what kernels read of one must not be the other's. */
static int run_net(const char *path, int fused)
{
    enum { n = 2 };
    meso_net *net;
    meso_weights *weights;
    meso_error error;
    if (meso_net_open(path, &net, &error) != MESO_OK ||
        meso_weights_random(net, 1, &weights, &error) != MESO_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    size_t size = meso_shape_size(net->layers[0].shape);
    uint8_t *pixels = malloc(n * size);
    if (!pixels)
        return 1;
    for (size_t i = 0; i < n * size; i++)
        pixels[i] = (uint8_t)(i * i / 7 + i);
    if (fused) {
        const meso_strip_tuning *row = &meso_strip_tunings[meso_n_strip_tunings - 1];
        const float **params = harness_params(net, weights);
        meso_strip_run *run;
        meso_buffer input;
        float logits[n];
        check(meso_strip_create(device, net, params, 0, 0, row, &run));
        if (!run || !meso_strip_get_plan(run)->head.flatten) {
            fprintf(stderr, "%s: not fused as a whole\n", path);
            return 1;
        }
        check(meso_buffer_wrap(device, pixels, n * size, &input));
        check(meso_strip_enqueue(run, &input, 0, n, NULL));
        check(meso_strip_logits(run, n, logits));
        printf("%g %g\n", (double)logits[0], (double)logits[1]);
        meso_buffer_release(&input);
        meso_strip_close(run);
        free(params);
    } else {
        const meso_model_options options = {
            .struct_bytes = sizeof options, .max_batch = n, .path = MESO_PATH_PLAIN};
        meso_model *model;
        meso_probability p[n];
        if (meso_model_random(device, net, 1, &options, &model, &error) != MESO_OK)
            return 1;
        if (meso_predict_rgb8(model, pixels, n, (unsigned)net->layers[0].shape.w,
                              (unsigned)net->layers[0].shape.h, 3 * (size_t)net->layers[0].shape.w,
                              p) != MESO_OK)
            return 1;
        printf("%g %g\n", p[0].real, p[1].real);
        meso_model_close(model);
    }
    free(pixels);
    meso_weights_close(weights);
    meso_net_close(net);
    return 0;
}

int main(int argc, char **argv)
{
    meso_error error;
    int end = 2;
    if (meso_device_open("auto", &device, &error) != MESO_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (size_t i = 0; argc == 2 && i < sizeof planted / sizeof planted[0]; i++)
        if (strcmp(argv[1], planted[i].name) == 0)
            end = run_planted(planted[i].source);
    if (argc == 3 && strcmp(argv[1], "plain") == 0)
        end = run_net(argv[2], 0);
    if (argc == 3 && strcmp(argv[1], "fused") == 0)
        end = run_net(argv[2], 1);
    meso_device_close(device);
    return end;
}

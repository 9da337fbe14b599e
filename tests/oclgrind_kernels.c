/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels for Oclgrind to watch (tests/oclgrind.sh): two with a planted mistake, and the real ones
 * at small sizes.
 *
 *   oclgrind_kernels overrun | race | plain NET | fused NET | tiled NET | train32 NET | … train256
 *
 * Oclgrind says that it is a GPU, where no kernels of CPUs are taken: `fused` asks for their
 * narrowest tuning row by name.
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
#include "model/train/trainer.h"
#include "net/strip/strip_run.h"
#include "net/tile/tile.h"
#include "runtime/device_object.h"
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
    check(meso_launch_kernel(device, &kernel, MESO_GLOBAL(n_items, 1, 1), MESO_ARGS(&buffer)));
    check(meso_device_finish(device));
    meso_kernel_release(&kernel);
    meso_program_release(&program);
    meso_buffer_release(&buffer);
    meso_text_free(&text);
    return 0;
}

/* Two images: what kernels read of one must not be the other's. */
typedef struct job {
    const char *path;
    meso_net *net;
    meso_weights *weights;
    const float **params;
    uint8_t *pixels;
} job;
enum { n_images = 2 };

static int run_plain(const job *j)
{
    const unsigned width = (unsigned)j->net->layers[0].shape.w;
    const meso_model_options options = {
        .struct_bytes = sizeof options, .max_batch = n_images, .path = MESO_PATH_PLAIN};
    meso_model *model;
    meso_error error;
    meso_probability p[n_images];
    if (meso_model_random(device, j->net, 1, &options, &model, &error) != MESO_OK)
        return 1;
    if (meso_predict_rgb8(model, j->pixels, n_images, width, (unsigned)j->net->layers[0].shape.h,
                          3 * (size_t)width, p, NULL) != MESO_OK)
        return 1;
    printf("%g %g\n", p[0].real, p[1].real);
    meso_model_close(model);
    return 0;
}

static int run_fused(const job *j)
{
    const meso_strip_tuning *rows;
    meso_strip_run *run;
    meso_buffer input;
    float logits[n_images];
    check(meso_strip_shipped(&rows, meso_device_error_slot(device)));
    check(meso_strip_create(device, j->net, j->params, 0,
                            &(meso_strip_tunings){{rows[MESO_N_STRIP_TUNINGS - 1]}, 1}, &run));
    if (!run || !meso_strip_get_plan(run)->head.flatten) {
        fprintf(stderr, "%s: not fused as a whole\n", j->path);
        return 1;
    }
    check(meso_buffer_wrap(device, j->pixels, n_images * meso_shape_size(j->net->layers[0].shape),
                           &input));
    check(meso_strip_enqueue(run, &input, 0, n_images, NULL));
    check(meso_strip_logits(run, n_images, logits));
    printf("%g %g\n", (double)logits[0], (double)logits[1]);
    meso_buffer_release(&input);
    meso_strip_close(run);
    return 0;
}

/* A GPU's kernels in each of their sizes, up to the layer in front of the sigmoid. */
static int run_tiled(const job *j)
{
    const meso_pictures pictures = {.values = j->pixels, .n = n_images};
    const unsigned amd = 0x1002;
    const meso_tile_tuning general = meso_tile_shipped(0);
    const meso_tile_tuning rows[] = {general, meso_tile_shipped(amd), meso_tile_few(&general)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_tile_run *tiles;
        meso_plan *plan;
        float logits[n_images];
        check(meso_tile_create(device, j->net, j->params, &rows[i], &tiles));
        if (!tiles)
            return 1;
        check(meso_plan_create(device, j->net, j->params, meso_tile_blocks(tiles), &plan));
        check(meso_plan_reserve(plan, n_images));
        check(meso_plan_run(plan, &pictures, 0, j->net->n_layers - 2, logits));
        printf("%g %g\n", (double)logits[0], (double)logits[1]);
        meso_plan_close(plan);
        meso_tile_close(tiles);
    }
    return 0;
}

/* A step of training as GPUs make it, by work-groups of so many work-items, and statistics. */
static int run_train(const job *j, size_t items)
{
    const meso_trainer_options options = {.settings.max_batch = n_images,
                                          .settings.beta1 = 0.9,
                                          .settings.beta2 = 0.999,
                                          .settings.epsilon = 1e-7,
                                          .settings.bn_momentum = 0.99,
                                          .path = MESO_PATH_FUSED};
    const uint8_t classes[n_images] = {0, 1};
    const meso_train_batch batch = {.pixels = j->pixels, .classes = classes, .n = n_images};
    meso_trainer *trainer;
    meso_error error;
    meso_step_result result;
    device->group_sizes[MESO_PROGRAM_PARALLEL] = items;
    if (meso_trainer_open(device, j->weights, &options, &trainer, &error) != MESO_OK ||
        strcmp(meso_trainer_path(trainer), "parallel") != 0 ||
        meso_trainer_step(trainer, &batch, 0.001, &result) != MESO_OK ||
        meso_trainer_statistics(trainer, &batch, 1) != MESO_OK)
        return 1;
    printf("%g\n", result.loss);
    meso_trainer_close(trainer);
    return 0;
}

static int run_train32(const job *j)
{
    return run_train(j, 32);
}

static int run_train64(const job *j)
{
    return run_train(j, 64);
}

static int run_train128(const job *j)
{
    return run_train(j, 128);
}

static int run_train256(const job *j)
{
    return run_train(j, 256);
}

static int run_net(const char *path, int (*run)(const job *))
{
    job j = {.path = path};
    meso_error error;
    int end = 1;
    if (meso_net_open(path, &j.net, &error) != MESO_OK ||
        meso_weights_random(j.net, 1, &j.weights, &error) != MESO_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    const size_t size = n_images * meso_shape_size(j.net->layers[0].shape);
    j.params = harness_params(j.net, j.weights);
    j.pixels = malloc(size);
    for (size_t i = 0; j.pixels && i < size; i++)
        j.pixels[i] = (uint8_t)(i * i / 7 + i);
    if (j.pixels)
        end = run(&j);
    free(j.pixels);
    free(j.params);
    meso_weights_close(j.weights);
    meso_net_close(j.net);
    return end;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const job *);
    } paths[] = {{"plain", run_plain},      {"fused", run_fused},     {"tiled", run_tiled},
                 {"train32", run_train32},  {"train64", run_train64}, {"train128", run_train128},
                 {"train256", run_train256}};
    meso_error error;
    int end = 2;
    if (meso_device_open("auto", &device, &error) != MESO_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (size_t i = 0; argc == 2 && i < sizeof planted / sizeof planted[0]; i++)
        if (strcmp(argv[1], planted[i].name) == 0)
            end = run_planted(planted[i].source);
    for (size_t i = 0; argc == 3 && i < sizeof paths / sizeof paths[0]; i++)
        if (strcmp(argv[1], paths[i].name) == 0)
            end = run_net(argv[2], paths[i].run);
    meso_device_close(device);
    return end;
}

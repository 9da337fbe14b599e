/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes what must stay the same to the bit while the code changes. It knows the public interface
 * alone, so that it builds against the library of an older commit, too: same_bits.py compares two
 * builds, same_bits.sh one build with hashes that are kept.
 *
 *   same_bits draw FOLDER FIRST N          N drawn pictures of each class, numbered from FIRST
 *   same_bits predict OUT FOLDER WEIGHTS…  OUT/predict.<weights>.<path>: P(fake), P(real), doubles
 *   same_bits train OUT FOLDER EPOCHS      OUT/train.<net>.<path>: the last weights, floats
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesocl/mesocl.h"

#ifndef MESO_INIT /* before 0.1.0: results had no size, a model kept its own sentence */
/* clang-format off */
#define MESO_INIT(type) INIT_##type
#define INIT_meso_dataset {0}
#define INIT_meso_image {0}
#define INIT_meso_train_summary {0}
#define INIT_meso_image_options MESO_IMAGE_OPTIONS_INIT
#define INIT_meso_model_options MESO_MODEL_OPTIONS_INIT
#define meso_predict_rgb8(model, pixels, n, width, height, stride, p, error) \
    meso_predict_rgb8(model, pixels, n, width, height, stride, p)
/* clang-format on */
#endif

enum { side = 256, n_bytes = 3 * side * side, max_images = 64 };

static int fail(const char *text)
{
    fprintf(stderr, "same_bits: %s\n", text);
    return 1;
}

static int write_file(const char *path, const char *header, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return fail(path);
    fputs(header, file);
    fwrite(bytes, 1, n, file);
    return fclose(file) == 0 ? 0 : fail(path);
}

/* A slope of colour with noise on it; the noise of fakes is coarser. */
static void draw_picture(uint8_t *pixels, uint32_t number, int is_fake)
{
    uint32_t noise = number * 2654435761u + 1;
    for (uint32_t k = 0; k < n_bytes; k++) {
        const uint32_t x = k / 3 % side, y = k / 3 / side, c = k % 3;
        if (!is_fake || x % 4 == 0)
            noise = noise * 1664525u + 1013904223u;
        pixels[k] = (uint8_t)((number % 16 * x / 16 + (c + 1) * y / 4 + (noise >> 24) / 4) & 255);
    }
}

static int draw(const char *folder, uint32_t first, uint32_t n)
{
    static uint8_t pixels[n_bytes];
    int failed = 0;
    for (uint32_t i = 0; i < 2 * n && !failed; i++) {
        char path[4096];
        draw_picture(pixels, first + i, i < n);
        snprintf(path, sizeof path, "%s/%s/%03u.ppm", folder, i < n ? "fake" : "real", first + i);
        failed = write_file(path, "P6 256 256 255\n", pixels, n_bytes);
    }
    return failed;
}

/* The pictures of a folder of classes, at the nets' size; how many, 0 with a sentence. */
static size_t load(const char *folder, uint8_t *pixels)
{
    meso_error error = {0};
    meso_dataset set = MESO_INIT(meso_dataset);
    if (meso_dataset_open(folder, NULL, &set, &error) != MESO_OK)
        return (size_t)(fail(error.text) - 1);
    size_t n = set.n_items < max_images ? set.n_items : max_images;
    for (size_t i = 0; i < n; i++) {
        meso_image_options options = MESO_INIT(meso_image_options);
        meso_image image = MESO_INIT(meso_image);
        options.width = options.height = side;
        options.into = pixels + i * n_bytes;
        if (meso_image_load(set.items[i].path, &options, &image, NULL, &error) != MESO_OK)
            n = (size_t)(fail(error.text) - 1);
    }
    meso_dataset_close(&set);
    return n;
}

static int predict(meso_device *device, const char *out, const char *weights, meso_path path,
                   const uint8_t *pixels, size_t n)
{
    meso_error error = {0};
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_model *model;
    meso_probability p[max_images];
    char name[4096];
    const char *base = strrchr(weights, '/') ? strrchr(weights, '/') + 1 : weights;
    options.path = path;
    if (meso_model_open(device, weights, &options, &model, &error) != MESO_OK)
        return fail(error.text);
    if (meso_predict_rgb8(model, pixels, n, side, side, 3 * side, p, &error) != MESO_OK)
        return fail(error.text);
    meso_model_close(model);
    snprintf(name, sizeof name, "%s/predict.%.*s.%s", out, (int)strcspn(base, "."), base,
             meso_path_name(path));
    return write_file(name, "", p, n * sizeof *p);
}

static int predict_all(meso_device *device, const char *out, const char *folder, char **weights)
{
    static const meso_path paths[] = {MESO_PATH_FUSED, MESO_PATH_EXACT, MESO_PATH_PLAIN};
    static uint8_t pixels[max_images * n_bytes];
    const size_t n = load(folder, pixels);
    int failed = n == 0;
    for (; *weights && !failed; weights++)
        for (size_t i = 0; i < 3 && !failed; i++)
            failed = predict(device, out, *weights, paths[i], pixels, n);
    return failed;
}

static int write_tensors(const char *path, const char *safetensors)
{
    meso_error error = {0};
    meso_weights *weights;
    if (meso_weights_read(safetensors, &weights, &error) != MESO_OK)
        return fail(error.text);
    FILE *file = fopen(path, "wb");
    if (!file)
        return fail(path);
    for (size_t i = 0; i < meso_weights_n_tensors(weights); i++) {
        const meso_tensor *t = meso_weights_tensor(weights, i);
        fwrite(t->values, sizeof(float), t->n_values, file);
    }
    meso_weights_close(weights);
    return fclose(file) == 0 ? 0 : fail(path);
}

/* Batches of 8 with all that augmentation and dropout draw. */
static int train(meso_device *device, const char *out, const char *folder, const char *net,
                 meso_path path, size_t epochs)
{
    meso_error error = {0};
    meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
    meso_train_summary summary = MESO_INIT(meso_train_summary);
    char run[4096], name[4096], last[4200];
    snprintf(run, sizeof run, "%s/run.%s.%s", out, net, meso_path_name(path));
    snprintf(name, sizeof name, "%s/train.%s.%s", out, net, meso_path_name(path));
    snprintf(last, sizeof last, "%s/last.safetensors", run);
    options.data = folder;
    options.augment = "mesonet";
    options.net = net;
    options.epochs = epochs;
    options.batch = 8;
    options.path = path;
    options.run = run;
    if (meso_train(device, &options, NULL, NULL, &summary, &error) != MESO_OK)
        return fail(error.text);
    return write_tensors(name, last);
}

static int train_all(meso_device *device, const char *out, const char *folder, size_t epochs)
{
    static const char *const nets[] = {"meso4", "mesoinception4"};
    static const meso_path paths[] = {MESO_PATH_FUSED, MESO_PATH_PLAIN};
    int failed = 0;
    for (size_t i = 0; i < 4 && !failed; i++)
        failed = train(device, out, folder, nets[i / 2], paths[i % 2], epochs);
    return failed;
}

int main(int argc, char **argv)
{
    meso_error error = {0};
    meso_device *device;
    const char *what = argc > 1 ? argv[1] : "";
    int failed = 2;
    if (argc == 5 && strcmp(what, "draw") == 0)
        return draw(argv[2], (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]));
    if (argc < 5)
        return fail("usage: see tests/same_bits.c");
    if (meso_device_open(NULL, &device, &error) != MESO_OK)
        return fail(error.text);
    if (strcmp(what, "predict") == 0)
        failed = predict_all(device, argv[2], argv[3], argv + 4);
    if (strcmp(what, "train") == 0)
        failed = train_all(device, argv[2], argv[3], (size_t)atoi(argv[4]));
    meso_device_close(device);
    return failed;
}

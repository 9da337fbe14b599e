/* SPDX-License-Identifier: Apache-2.0
 *
 * Augmentation on the device: the published values of its three meanings, and every setting against
 * the reference.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"
#include "picture/augment.h"
#include "reference_augment.h"

enum { n_guard = 64, max_images = 3 };

static meso_device *device;

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

static meso_augment_settings parse(const char *text)
{
    meso_augment_settings settings;
    meso_error error;
    if (meso_augment_parse(text, &settings, &error) != MESO_OK)
        fail_msg("%s: %s", text, error.text);
    return settings;
}

/* A quiet NaN with a payload that no kernel computes. */
static const uint32_t poison = 0x7FC5A5A5;

/* n pictures on a lane, images first … of larger buffers, whose other parts must stay as they are;
 * the result is the caller's to free. draws: NULL for none. */
typedef struct job {
    const meso_augment_settings *settings;
    unsigned height, width;
    const uint8_t *pixels;
    const meso_augment_draw *draws;
    size_t n;
    int lane;
} job;

static float *run(const job *j)
{
    const size_t picture = (size_t)3 * j->height * j->width, before = 1;
    const size_t n_floats = (before + j->n) * picture + n_guard;
    meso_augment *augment = NULL;
    meso_buffer pixels, draws = {0}, out;
    uint32_t *words = malloc(n_floats * sizeof *words);
    for (size_t i = 0; i < n_floats; i++)
        words[i] = poison;
    check(meso_augment_open(device, j->settings, j->height, j->width, 255, j->n, &augment));
    check(meso_buffer_create(device, (before + j->n) * picture, &pixels));
    check(meso_buffer_write(device, &pixels, before * picture, j->pixels, j->n * picture));
    check(meso_buffer_create(device, n_floats * sizeof(float), &out));
    check(meso_buffer_write(device, &out, 0, words, n_floats * sizeof(float)));
    if (j->draws) {
        check(meso_buffer_create(device, (before + j->n) * sizeof *j->draws, &draws));
        check(meso_buffer_write(device, &draws, before * sizeof *j->draws, j->draws,
                                j->n * sizeof *j->draws));
    }
    meso_device_use_lane(device, j->lane);
    check(meso_augment_enqueue(augment, &pixels, before, j->n, j->draws ? &draws : NULL, &out));
    check(meso_device_finish(device));
    meso_device_use_lane(device, MESO_WHOLE_DEVICE);
    check(meso_buffer_read(device, &out, 0, words, n_floats * sizeof(float)));
    for (size_t i = 0; i < n_floats; i++)
        if ((i < before * picture || i >= n_floats - n_guard) && words[i] != poison)
            fail_msg("float %zu outside the output was written", i);
    meso_buffer_release(&pixels);
    meso_buffer_release(&draws);
    meso_buffer_release(&out);
    meso_augment_close(augment);
    memmove(words, words + before * picture, j->n * picture * sizeof *words);
    return (float *)(void *)words;
}

/* 40 + ((row + 2 · column + 40 · channel) / 3) % 160, 256 × 256. */
static uint8_t *published_picture(void)
{
    uint8_t *pixels = malloc(256 * 256 * 3);
    for (int i = 0; i < 256 * 256 * 3; i++)
        pixels[i] = (uint8_t)(40 + (i / 768 + 2 * (i / 3 % 256) + 40 * (i % 3)) / 3 % 160);
    return pixels;
}

/* The picture's result in units of pixels. */
static float *published(const char *text, const meso_augment_parameters *parameters)
{
    const meso_augment_settings settings = parse(text);
    meso_augment_draw draw;
    uint8_t *pixels = published_picture();
    meso_augment_draw_of(parameters, settings.compat, 256, 256, &draw);
    float *out = run(&(job){&settings, 256, 256, pixels, &draw, 1, MESO_WHOLE_DEVICE});
    free(pixels);
    return out;
}

static void maps_as_published(void **state)
{
    /* Pixel (100, 37) by keras-preprocessing 1.1.2 and by Keras 2.9. */
    static const struct {
        meso_augment_parameters p;
        double expected[2][3];
    } cases[] = {{{10, 0, 0, 0, 1, 1, 0, 0, {0, 0, 0}, 1},
                  {{100.62096, 114.141945, 127.44112}, {96.7473, 110.10555, 123.15022}}},
                 {{0, 0, 0, 0, 1.1, 0.9, 0, 0, {0, 0, 0}, 1},
                  {{103.0225, 116.15, 129.2775}, {92.7125, 105.95, 118.9875}}},
                 {{0, 0, 12.5, -20.25, 1, 1, 0, 0, {0, 0, 0}, 1},
                  {{88.375, 101.75, 114.875}, {99.375, 112.5, 125.875}}},
                 {{10, 15, 12.5, -20.25, 1.1, 0.9, 0, 0, {0, 0, 0}, 1},
                  {{109.649925, 122.73933, 136.16597}, {100.00783, 113.748665, 126.75129}}}};
    static const char *const texts[] = {"rotation=1,compat=kp1.1.2", "rotation=1,compat=keras2.9",
                                        "rotation=1,compat=keras2.1.5"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t era = 0; era < 3; era++) { /* 2.1.5 has the geometry of 1.1.2 */
            float *out = published(texts[era], &cases[i].p);
            for (int c = 0; c < 3; c++)
                harness_close(255 * (double)out[(100 * 256 + 37) * 3 + c],
                              cases[i].expected[era % 2][c], 1e-4, "case %zu, %s, channel %d", i,
                              texts[era], c);
            free(out);
        }
}

static void colours_as_published(void **state)
{
    static const struct {
        const char *text;
        double shift, brightness, least, greatest, mean; /* mean 0: not published */
    } cases[] = {{"channel_shift=30,compat=kp1.1.2", 25.5, 1, 65.5, 199, 141.83203},
                 {"channel_shift=30", 25.5, 1, 65.5, 199, 141.83203},
                 {"brightness=0.8:1.2,compat=kp1.1.2", 0, 1.1, 0, 255, 136.10665},
                 {"brightness=0.8:1.2", 0, 1.1, 44, 218, 129.69376},
                 {"brightness=0.8:1.2,compat=kp1.1.2", 0, 1, 0, 255, 0},
                 {"brightness=0.8:1.2", 0, 1, 40, 199, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double s = cases[i].shift;
        float *out = published(
            cases[i].text,
            &(meso_augment_parameters){0, 0, 0, 0, 1, 1, 0, 0, {s, s, s}, cases[i].brightness});
        double least = 1e9, greatest = -1e9, sum = 0;
        for (size_t k = 0; k < 256 * 256 * 3; k++) {
            least = fmin(least, 255 * (double)out[k]);
            greatest = fmax(greatest, 255 * (double)out[k]);
            sum += 255 * (double)out[k];
        }
        harness_close(least, cases[i].least, 1e-4, "%s: least", cases[i].text);
        harness_close(greatest, cases[i].greatest, 1e-4, "%s: greatest", cases[i].text);
        if (cases[i].mean > 0)
            harness_close(sum / (256 * 256 * 3), cases[i].mean, 1e-4, "%s: mean", cases[i].text);
        free(out);
    }
}

/* Noise, or a flat colour, or something smooth. */
static void fill(meso_random *random, uint8_t *pixels, size_t n, int kind)
{
    const uint64_t colour = meso_random_u64(random);
    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(kind == 0   ? meso_random_u64(random)
                              : kind == 1 ? colour
                                          : 128 + 100 * sin((double)(i % 97) / 15));
}

static void compare(const job *j, const meso_augment_parameters *parameters, const float *out,
                    const char *text)
{
    const size_t picture = (size_t)3 * j->height * j->width;
    for (size_t i = 0; i < j->n; i++) {
        double slack;
        size_t n_wide = 0;
        reference_picture p = reference_picture_of(j->pixels + i * picture, j->height, j->width);
        if (j->draws)
            reference_augment(j->settings, &parameters[i], &p);
        reference_standardize(j->settings, 255, &p, &slack);
        for (size_t k = 0; k < picture; k++) {
            const double got = out[i * picture + k];
            const double room = slack + 4 * FLT_EPSILON * fabs(p.high[k]);
            if (!(got >= p.low[k] - room && got <= p.high[k] + room))
                fail_msg("%s, %u x %u, image %zu, value %zu: %.9g is not within %.9g … %.9g ± %.2g",
                         text, j->height, j->width, i, k, got, p.low[k], p.high[k], room);
        }
        /* What may be anything says nothing. Brightness rounds to one level or the next. */
        for (size_t k = 0; k < picture; k++)
            n_wide += !(p.high[k] - p.low[k] <= 0.01);
        if (4 * n_wide > picture && picture > 3)
            fail_msg("%s: %zu of %zu values have wide bounds", text, n_wide, picture);
        reference_picture_free(&p);
    }
}

/* Random draws of one setting on random pictures of one size. */
static void try_settings(const char *text, unsigned height, unsigned width, uint64_t seed,
                         int with_draws)
{
    const meso_augment_settings settings = parse(text);
    const size_t picture = (size_t)3 * height * width;
    meso_augment_parameters parameters[max_images];
    meso_augment_draw draws[max_images];
    meso_random random = {seed};
    uint8_t *pixels = malloc(max_images * picture);
    for (size_t i = 0; i < max_images; i++) {
        meso_augment_parameters_draw(&settings, height, width, seed, 1, i, &parameters[i]);
        meso_augment_draw_one(&settings, height, width, seed, 1, i, &draws[i]);
        fill(&random, pixels + i * picture, picture, (int)((seed + i) % 3));
    }
    const job j = {&settings,  height,           width, pixels, with_draws ? draws : NULL,
                   max_images, MESO_WHOLE_DEVICE};
    float *out = run(&j);
    compare(&j, parameters, out, text);
    free(out);
    free(pixels);
}

static const char *const compats[] = {"keras2.9", "kp1.1.2", "keras2.1.5"};

/* Each setting, and settings that mean different things in the eras in all of them. */
static void every_setting_alone(void **state)
{
    static const struct {
        const char *text;
        size_t n_eras;
    } cases[] = {{"none", 1},
                 {"rotation=180,width_shift=0.3,height_shift=4,shear=70,zoom=0.3:2.5", 3},
                 {"channel_shift=80", 3},
                 {"brightness=0.3:1.9", 3},
                 {"horizontal_flip=1", 1},
                 {"vertical_flip=1", 1},
                 {"samplewise_center=1", 1},
                 {"samplewise_std=1", 1},
                 {"featurewise_center=1,mean=0.25:0.5:0.75,std=0.1:0.2:0.3", 1},
                 {"featurewise_std=1,mean=0.25:0.5:0.75,std=0.1:0.2:0.3", 1}};
    uint64_t seed = 1;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t era = 0; era < cases[i].n_eras; era++) {
            char text[160];
            snprintf(text, sizeof text, "%s,compat=%s", cases[i].text, compats[era]);
            try_settings(text, 19, 33, seed++, 1);
        }
}

static void settings_together(void **state)
{
    static const char *const texts[] = {
        "mesonet", "transfer,mean=0.4:0.5:0.6,std=0.2:0.25:0.3",
        "mesonet,vertical_flip=1,samplewise_center=1,samplewise_std=1,featurewise_std=1,"
        "std=0.2:0.25:0.3"};
    static const unsigned sizes[][2] = {{1, 1}, {2, 3}, {16, 16}, {17, 15}, {31, 64}};
    const char *full = getenv("MESO_FULL");
    const size_t n =
        full && strcmp(full, "1") == 0 ? 20 : 1; /* each another draw and another era */
    uint64_t seed = 100;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t s = 0; s < n * sizeof sizes / sizeof sizes[0]; s++) {
            char text[200];
            snprintf(text, sizeof text, "%s,compat=%s", texts[i], compats[seed % 3]);
            try_settings(text, sizes[s / n][0], sizes[s / n][1], seed++, 1);
        }
}

static void without_draws(void **state)
{
    static const char *const texts[] = {
        "mesonet", "samplewise_center=1,samplewise_std=1",
        "featurewise_center=1,featurewise_std=1,mean=0.4:0.5:0.6,std=0.2:0.25:0.3"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        try_settings(texts[i], 20, 21, i, 0);
        try_settings(texts[i], 1, 1, i, 0);
    }
}

/* The same bits on each lane, and whatever else is in the batch. */
static void is_the_same_on_every_lane(void **state)
{
    const meso_augment_settings settings = parse("mesonet,samplewise_std=1");
    const size_t picture = 3 * 40 * 24;
    meso_augment_draw draws[max_images];
    meso_random random = {3};
    uint8_t *pixels = malloc(max_images * picture);
    (void)state;
    fill(&random, pixels, max_images * picture, 0);
    for (size_t i = 0; i < max_images; i++)
        meso_augment_draw_one(&settings, 40, 24, 1, 1, i, &draws[i]);
    job j = {&settings, 40, 24, pixels, draws, max_images, MESO_WHOLE_DEVICE};
    float *whole = run(&j);
    for (j.lane = 0; j.lane < (int)meso_device_n_lanes(device, 0) && j.lane < 4; j.lane++) {
        float *out = run(&j);
        assert_memory_equal(out, whole, max_images * picture * sizeof *out);
        free(out);
    }
    const job last = {&settings, 40, 24, pixels + 2 * picture, draws + 2, 1, 0};
    float *alone = run(&last);
    assert_memory_equal(alone, whole + 2 * picture, picture * sizeof *alone);
    free(alone);
    free(whole);
    free(pixels);
}

/* As bytes the same pictures, where the settings leave whole numbers. */
static void gives_pixels(void **state)
{
    static const unsigned sizes[][2] = {{1, 1}, {19, 33}, {32, 64}};
    meso_augment *augment = NULL;
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const meso_augment_settings settings = parse("mesonet,vertical_flip=1");
        const unsigned height = sizes[s][0], width = sizes[s][1];
        const size_t picture = (size_t)3 * height * width, n = max_images * picture;
        uint8_t *pixels = malloc(n), *bytes = malloc(n + n_guard);
        meso_augment_draw draws[max_images];
        meso_random random = {s};
        meso_buffer from, drawn, to;
        fill(&random, pixels, n, 0);
        memset(bytes, 0xA5, n + n_guard);
        for (size_t i = 0; i < max_images; i++)
            meso_augment_draw_one(&settings, height, width, 1, 1, i, &draws[i]);
        float *floats =
            run(&(job){&settings, height, width, pixels, draws, max_images, MESO_WHOLE_DEVICE});
        check(meso_augment_open(device, &settings, height, width, 255, 2, &augment));
        assert_true(meso_augment_gives_pixels(augment));
        check(meso_buffer_create(device, n, &from));
        check(meso_buffer_write(device, &from, 0, pixels, n));
        check(meso_buffer_create(device, sizeof draws, &drawn));
        check(meso_buffer_write(device, &drawn, 0, draws, sizeof draws));
        check(meso_buffer_create(device, n + n_guard, &to));
        check(meso_buffer_write(device, &to, 0, bytes, n + n_guard));
        check(meso_augment_enqueue_pixels(augment, &from, 0, max_images, &drawn, &to));
        check(meso_buffer_read(device, &to, 0, bytes, n + n_guard));
        for (size_t i = 0; i < n; i++)
            harness_close(bytes[i], 255 * (double)floats[i], 1e-4, "%u x %u, value %zu", height,
                          width, i);
        for (size_t i = n; i < n + n_guard; i++)
            assert_int_equal(bytes[i], 0xA5);
        meso_buffer_release(&from);
        meso_buffer_release(&drawn);
        meso_buffer_release(&to);
        meso_augment_close(augment);
        free(floats);
        free(bytes);
        free(pixels);
    }
    const meso_augment_settings whole = parse("mesonet,samplewise_center=1"),
                                none = parse("rotation=3");
    check(meso_augment_open(device, &whole, 8, 8, 255, 1, &augment));
    assert_false(meso_augment_gives_pixels(augment));
    meso_augment_close(augment);
    check(meso_augment_open(device, &none, 8, 8, 255, 1, &augment));
    assert_false(meso_augment_gives_pixels(augment));
    meso_augment_close(augment);
}

static int open_device(void **state)
{
    (void)state;
    device = harness_device();
    return 0;
}

static int close_device(void **state)
{
    (void)state;
    meso_device_close(device);
    return 0;
}

#define ON_DEVICE(test) cmocka_unit_test_setup_teardown(test, open_device, close_device)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DEVICE(maps_as_published),   ON_DEVICE(colours_as_published),
        ON_DEVICE(every_setting_alone), ON_DEVICE(settings_together),
        ON_DEVICE(without_draws),       ON_DEVICE(is_the_same_on_every_lane),
        ON_DEVICE(gives_pixels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

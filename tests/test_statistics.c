/* SPDX-License-Identifier: Apache-2.0
 *
 * Statistics of pictures: known answers of the study's own code, and obvious loops in double
 * precision for sizes from one pixel on.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"
#include "mesocl/image.h"
#include "picture/statistics.h"

static meso_image_statistics measure(meso_device *device, const meso_picture *picture)
{
    meso_statistics *statistics = NULL;
    meso_image_statistics result;
    meso_error error;
    if (meso_statistics_open(device, 1, &statistics, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_int_equal(meso_statistics_submit(statistics, 0, picture, 1), MESO_OK);
    assert_int_equal(meso_statistics_wait(statistics, 0, &result), MESO_OK);
    meso_statistics_close(statistics);
    return result;
}

/* ---- the reference: obvious loops ------------------------------------------------------------ */

static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

static const uint8_t *pixel(const meso_picture *p, int x, int y)
{
    return p->rgb + 3 * ((size_t)clamp(y, 0, (int)p->height - 1) * p->width +
                         (size_t)clamp(x, 0, (int)p->width - 1));
}

static double light(int v)
{
    double x = v / 255.0;
    return rint(2040 * (x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4)));
}

static int opencv_l(const uint8_t *p)
{
    int y = ((int)(871 * light(p[0]) + 2929 * light(p[1]) + 296 * light(p[2])) + 2048) >> 12;
    double x = y / 2040.0;
    double root = x >= 216.0 / 24389 ? cbrt(x) : x * 841 / 108 + 16.0 / 116;
    return (296 * (int)rint(32768 * root) - 1336934 + 16384) >> 15;
}

static int luma(const uint8_t *p)
{
    return (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 0x8000) >> 16;
}

static double local_contrast(const meso_picture *p, int x, int y)
{
    int low = 255, high = 0;
    for (int v = y - 2; v <= y + 2; v++)
        for (int u = x - 2; u <= x + 2; u++) {
            int l = opencv_l(pixel(p, u, v));
            low = l < low ? l : low;
            high = l > high ? l : high;
        }
    return high + low ? (double)(high - low) / (high + low) : 0;
}

static void reference_study(const meso_picture *p, meso_image_statistics *s)
{
    double n = (double)p->width * p->height, counts[256] = {0};
    for (int y = 0; y < (int)p->height; y++)
        for (int x = 0; x < (int)p->width; x++) {
            const uint8_t *c = pixel(p, x, y);
            s->red += c[0] / n;
            s->green += c[1] / n;
            s->blue += c[2] / n;
            s->brightness += luma(c) / n;
            s->contrast += 100 * local_contrast(p, x, y) / n;
            for (int k = 0; k < 3; k++)
                counts[c[k]]++;
        }
    for (int v = 0; v < 256; v++)
        if (counts[v] > 0)
            s->entropy -= counts[v] / (3 * n) * log2(counts[v] / (3 * n));
}

static void reference_edges(const meso_picture *p, meso_image_statistics *s)
{
    double n = (double)(p->width - 2) * (p->height - 2), sum = 0, squares = 0, noise = 0;
    static const int mask[9] = {1, -2, 1, -2, 4, -2, 1, -2, 1};
    for (int y = 1; y + 1 < (int)p->height; y++)
        for (int x = 1; x + 1 < (int)p->width; x++) {
            double laplacian = -4 * luma(pixel(p, x, y)), second = 0;
            laplacian += luma(pixel(p, x - 1, y)) + luma(pixel(p, x + 1, y)) +
                         luma(pixel(p, x, y - 1)) + luma(pixel(p, x, y + 1));
            for (int k = 0; k < 9; k++)
                second += mask[k] * luma(pixel(p, x + k % 3 - 1, y + k / 3 - 1));
            sum += laplacian;
            squares += laplacian * laplacian;
            noise += fabs(second);
        }
    s->sharpness = squares / n - sum / n * (sum / n);
    s->noise = sqrt(acos(-1) / 2) * noise / (6 * n);
}

static void reference_colours(const meso_picture *p, meso_image_statistics *s)
{
    double n = (double)p->width * p->height, sums[4] = {0};
    for (int y = 0; y < (int)p->height; y++)
        for (int x = 0; x < (int)p->width; x++) {
            const uint8_t *c = pixel(p, x, y);
            double rg = c[0] - c[1], yb = (c[0] + c[1]) / 2.0 - c[2];
            int high = c[0] > c[1] ? c[0] : c[1], low = c[0] < c[1] ? c[0] : c[1];
            high = c[2] > high ? c[2] : high;
            low = c[2] < low ? c[2] : low;
            sums[0] += rg / n;
            sums[1] += rg * rg / n;
            sums[2] += yb / n;
            sums[3] += yb * yb / n;
            s->saturation += high ? (double)(high - low) / high / n : 0;
        }
    s->colourfulness = sqrt(sums[1] - sums[0] * sums[0] + sums[3] - sums[2] * sums[2]) +
                       0.3 * sqrt(sums[0] * sums[0] + sums[2] * sums[2]);
}

static void reference_blocks(const meso_picture *p, meso_image_statistics *s)
{
    double sums[2] = {0}, counts[2] = {0}; /* within, across */
    for (int y = 0; y < (int)p->height; y++)
        for (int x = 0; x < (int)p->width; x++) {
            int here = luma(pixel(p, x, y));
            if (x + 1 < (int)p->width) {
                sums[x % 8 == 7] += abs(here - luma(pixel(p, x + 1, y)));
                counts[x % 8 == 7]++;
            }
            if (y + 1 < (int)p->height) {
                sums[y % 8 == 7] += abs(here - luma(pixel(p, x, y + 1)));
                counts[y % 8 == 7]++;
            }
        }
    s->blockiness =
        counts[1] > 0 && sums[0] > 0 ? sums[1] / counts[1] / (sums[0] / counts[0]) : NAN;
}

static meso_image_statistics reference(const meso_picture *p)
{
    meso_image_statistics s = {.sharpness = NAN, .noise = NAN};
    reference_study(p, &s);
    reference_colours(p, &s);
    reference_blocks(p, &s);
    if (p->width > 2 && p->height > 2)
        reference_edges(p, &s);
    return s;
}

static void check(const meso_image_statistics *got, const meso_image_statistics *expected,
                  const meso_picture *p)
{
    const double *a = (const double *)got, *b = (const double *)expected;
    for (size_t i = 0; i < sizeof *got / sizeof *a; i++)
        if (!(fabs(a[i] - b[i]) <= 1e-9 * (1 + fabs(b[i]))) && !(isnan(a[i]) && isnan(b[i])))
            fail_msg("%u x %u: statistic %zu is %.12g, not %.12g", p->width, p->height, i, a[i],
                     b[i]);
}

static void agrees_with_obvious_loops(void **state)
{
    static const unsigned sizes[][2] = {{1, 1},   {1, 7},    {7, 1},   {2, 2},   {3, 3},
                                        {4, 5},   {8, 8},    {9, 17},  {15, 16}, {64, 33},
                                        {61, 67}, {5000, 3}, {3, 131}, {257, 40}};
    meso_device *device = harness_device();
    meso_random random = {7};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = (size_t)sizes[i][0] * sizes[i][1] * 3;
        uint8_t *rgb = malloc(n);
        assert_non_null(rgb);
        for (size_t k = 0; k < n; k++) /* extremes often, so that every bin of a table is met */
            rgb[k] = (uint8_t)(k % 5 == 0 ? meso_random_u64(&random) % 2 * 255
                                          : meso_random_u64(&random) >> 56);
        const meso_picture picture = {rgb, sizes[i][0], sizes[i][1]};
        meso_image_statistics got = measure(device, &picture), expected = reference(&picture);
        check(&got, &expected, &picture);
        free(rgb);
    }
    meso_device_close(device);
}

/* Several pictures in each slot, all slots at work: results come to their own pictures. */
static void slots_keep_their_pictures(void **state)
{
    enum { per_slot = 3 };
    meso_device *device = harness_device();
    meso_statistics *statistics = NULL;
    meso_error error;
    (void)state;
    assert_int_equal(meso_statistics_open(device, 0, &statistics, &error), MESO_OK);
    size_t n_slots = meso_statistics_n_slots(statistics);
    for (int round = 0; round < 3; round++) {
        for (size_t s = 0; s < n_slots; s++) {
            uint8_t rgb[per_slot][12 * 300];
            meso_picture pictures[per_slot];
            for (size_t k = 0; k < per_slot; k++) {
                memset(rgb[k], (int)(10 * s + k + 1), sizeof rgb[k]);
                pictures[k] = (meso_picture){rgb[k], (unsigned)(10 * (k + 1)), 20};
            }
            assert_int_equal(meso_statistics_submit(statistics, s, pictures, per_slot), MESO_OK);
        } /* the pixels are gone */
        for (size_t s = 0; s < n_slots; s++) {
            meso_image_statistics results[per_slot];
            assert_int_equal(meso_statistics_wait(statistics, s, results), MESO_OK);
            for (size_t k = 0; k < per_slot; k++) {
                harness_close(results[k].red, (double)(10 * s + k + 1), 0, "slot %zu, %zu", s, k);
                assert_true(isnan(results[k].noise)); /* not asked for */
            }
        }
    }
    meso_statistics_close(statistics);
    meso_device_close(device);
}

/* The other statistics, too, are of each picture's own pixels: red ones, each lighter than the one
 * before. */
static void other_statistics_keep_their_pictures(void **state)
{
    enum { n = 3, side = 9 };
    meso_device *device = harness_device();
    meso_statistics *statistics = NULL;
    uint8_t rgb[n][side * side][3] = {{{0}}};
    meso_picture pictures[n];
    meso_image_statistics results[n];
    meso_error error;
    (void)state;
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < side * side; i++)
            rgb[k][i][0] = (uint8_t)(50 * (k + 1) + i);
        pictures[k] = (meso_picture){&rgb[k][0][0], side, side};
    }
    assert_int_equal(meso_statistics_open(device, 1, &statistics, &error), MESO_OK);
    assert_int_equal(meso_statistics_submit(statistics, 0, pictures, n), MESO_OK);
    assert_int_equal(meso_statistics_wait(statistics, 0, results), MESO_OK);
    for (size_t k = 0; k < n; k++) {
        const meso_image_statistics expected = reference(&pictures[k]);
        check(&results[k], &expected, &pictures[k]);
    }
    meso_statistics_close(statistics);
    meso_device_close(device);
}

/* 64×48: R = 7x + 13y, G = x² + 3y, B = 2x + y² modulo 256. From OpenCV, Pillow, scikit-image. */
static void known_answer_of_a_formula(void **state)
{
    uint8_t rgb[48][64][3];
    meso_device *device = harness_device();
    (void)state;
    for (int y = 0; y < 48; y++)
        for (int x = 0; x < 64; x++) {
            rgb[y][x][0] = (uint8_t)(7 * x + 13 * y);
            rgb[y][x][1] = (uint8_t)(x * x + 3 * y);
            rgb[y][x][2] = (uint8_t)(2 * x + y * y);
        }
    const meso_picture picture = {&rgb[0][0][0], 64, 48};
    meso_image_statistics s = measure(device, &picture);
    harness_close(s.red, 127.916667, 1e-6, "red");
    harness_close(s.green, 123.833333, 1e-6, "green");
    harness_close(s.blue, 122.333333, 1e-6, "blue");
    harness_close(s.contrast, 52.124502, 1e-6, "contrast");
    harness_close(s.brightness, 124.879557, 1e-6, "brightness");
    harness_close(s.entropy, 7.992374004, 1e-9, "entropy");
    meso_device_close(device);
}

/* The four published pictures through the study's own code. */
static void known_answers_of_published_pictures(void **state)
{
    static const struct {
        const char *file;
        double expected[6];
    } rows[] = {
        {"images/samples/df/df00204.jpg",
         {82.756925, 51.457671, 44.291252, 14.346463, 60.013363, 7.184615134}},
        {"images/samples/df/df01254.jpg",
         {169.002454, 142.094826, 127.826145, 9.671271, 148.492381, 7.721353383}},
        {"images/samples/real/real00240.jpg",
         {103.017197, 55.006622, 46.186401, 22.626340, 68.374481, 7.393676511}},
        {"images/samples/real/real00772.jpg",
         {201.389099, 122.753513, 126.980006, 10.019785, 146.752173, 7.639503815}},
    };
    (void)state;
    harness_data("images/samples");
    meso_device *device = harness_device();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_image image = MESO_INIT(meso_image);
        meso_error error;
        if (meso_image_load(harness_data(rows[i].file), NULL, &image, NULL, &error) != MESO_OK)
            fail_msg("%s", error.text);
        const meso_picture picture = {image.rgb, image.width, image.height};
        meso_image_statistics s = measure(device, &picture);
        const double got[6] = {s.red, s.green, s.blue, s.contrast, s.brightness, s.entropy};
        for (int k = 0; k < 6; k++)
            harness_close(got[k], rows[i].expected[k], 1e-6, "%s, statistic %d", rows[i].file, k);
        meso_image_free(&image);
    }
    meso_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_obvious_loops),
        cmocka_unit_test(slots_keep_their_pictures),
        cmocka_unit_test(other_statistics_keep_their_pictures),
        cmocka_unit_test(known_answer_of_a_formula),
        cmocka_unit_test(known_answers_of_published_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

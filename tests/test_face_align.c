/* SPDX-License-Identifier: Apache-2.0
 *
 * The square of a face: the specification's golden, and each pixel against loops of the rule's
 * own words.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "face/align.h"
#include "harness_device.h"

static const float golden[5][2] = {{100, 120}, {160, 130}, {128, 155}, {104, 180}, {150, 188}};

/* Where the centre of pixel (u, v) of n × n lies in the picture. */
static void source(const face_square_map *map, double u, double v, int n, double at[2])
{
    u = (u + 0.5) / n - 0.5;
    v = (v + 0.5) / n - 0.5;
    at[0] = map->x[0] + map->x[1] * u + map->x[2] * v;
    at[1] = map->y[0] + map->y[1] * u + map->y[2] * v;
}

static void the_golden_holds(void **state)
{
    face_square_map map;
    double at[2];
    (void)state;
    assert_true(face_align(golden, &(face_alignment){FACE_MARGIN, 1, FACE_ROTATE_ALWAYS}, &map));
    harness_close(map.side, 173.967008, 1e-6, "side");
    harness_close(map.angle, 9.462322, 1e-6, "angle");
    harness_close(map.x[0], 128.65, 1e-6, "centre x");
    harness_close(map.y[0], 151.55, 1e-6, "centre y");
    source(&map, 0, 0, 256, at);
    harness_close(at[0], 57.429297, 1e-6, "x of (0,0)");
    harness_close(at[1], 51.841016, 1e-6, "y of (0,0)");
    source(&map, 255, 255, 256, at);
    harness_close(at[0], 199.870703, 1e-6, "x of (255,255)");
    harness_close(at[1], 251.258984, 1e-6, "y of (255,255)");
    assert_true(face_align(golden, &(face_alignment){FACE_MARGIN, 1, FACE_ROTATE_AUTO}, &map));
    harness_close(map.x[1], map.side, 0, "not turned");
    harness_close(map.x[2], 0, 0, "not turned");
    harness_close(map.angle, 9.462322, 1e-6, "angle is told all the same");
}

/* Eyes `angle` degrees aslant, 40 apart. */
static face_square_map aslant(double angle, face_rotate rotate)
{
    const double a = angle / 180 * acos(-1), x = 20 * cos(a), y = 20 * sin(a);
    const float points[5][2] = {{(float)(100 - x), (float)(100 - y)},
                                {(float)(100 + x), (float)(100 + y)},
                                {100, 120},
                                {90, 130},
                                {110, 130}};
    face_square_map map;
    assert_true(face_align(points, &(face_alignment){FACE_MARGIN, 1, rotate}, &map));
    return map;
}

static void it_turns_above_15_degrees(void **state)
{
    (void)state;
    harness_close(aslant(14.9, FACE_ROTATE_AUTO).y[1], 0, 0, "14.9");
    harness_close(aslant(-14.9, FACE_ROTATE_AUTO).y[1], 0, 0, "−14.9");
    const face_square_map right = aslant(15.1, FACE_ROTATE_AUTO);
    harness_close(right.y[1], right.side * sin(15.1 / 180 * acos(-1)), 1e-4, "15.1");
    harness_close(aslant(-15.1, FACE_ROTATE_AUTO).y[1], -right.y[1], 1e-4, "−15.1");
    harness_close(aslant(80, FACE_ROTATE_NEVER).y[1], 0, 0, "never");
    harness_close(aslant(3, FACE_ROTATE_ALWAYS).angle, 3, 1e-4, "always");
    assert_true(aslant(3, FACE_ROTATE_ALWAYS).y[1] > 0);
}

/* A square of 24 rows is cut out, a smaller one is not; nor is what is no face at all. */
static void faces_that_cannot_be_cut_are_refused(void **state)
{
    const face_alignment how = {1, 1, FACE_ROTATE_AUTO};
    float points[5][2] = {{0, 0}, {10.91f, 0}, {5, 2}, {3, 4}, {7, 4}};
    const float bad[] = {NAN, INFINITY, -INFINITY};
    face_square_map map;
    (void)state;
    assert_true(face_align(points, &how, &map));
    points[1][0] = 10.90f; /* · 2.2 = 23.98 */
    assert_false(face_align(points, &how, &map));
    memset(points, 0, sizeof points);
    assert_false(face_align(points, &how, &map));
    for (int i = 0; i < 30; i++) {
        if (i / 6 == 2) /* the nose is not asked */
            continue;
        memcpy(points, golden, sizeof points);
        points[i / 6][i / 3 % 2] = bad[i % 3];
        assert_false(face_align(points, &how, &map));
    }
    const face_alignment senseless[] = {
        {NAN, 1, 0}, {-1, 1, 0}, {1.3, 0, 0}, {1.3, NAN, 0}, {1e300, 1, 0}};
    for (size_t i = 0; i < sizeof senseless / sizeof *senseless; i++)
        assert_false(face_align(golden, &senseless[i], &map));
}

/* Pixels twice as wide as high: the same face in half the columns. */
static void crops_have_square_pixels(void **state)
{
    face_square_map map, narrow;
    float half[5][2];
    (void)state;
    for (int i = 0; i < 5; i++) {
        half[i][0] = golden[i][0] / 2;
        half[i][1] = golden[i][1];
    }
    assert_true(face_align(golden, &(face_alignment){FACE_MARGIN, 1, FACE_ROTATE_ALWAYS}, &map));
    assert_true(face_align(half, &(face_alignment){FACE_MARGIN, 2, FACE_ROTATE_ALWAYS}, &narrow));
    harness_close(narrow.side, map.side, 1e-9, "side");
    harness_close(narrow.angle, map.angle, 1e-9, "angle");
    for (int i = 0; i < 3; i++) {
        harness_close(narrow.x[i], map.x[i] / 2, 1e-9, "x %d", i);
        harness_close(narrow.y[i], map.y[i], 1e-9, "y %d", i);
    }
}

/* The pixel `at` among n, walked to with a turn at each border pixel. */
static int walk(long at, int n)
{
    int place = 0, step = 1;
    for (long i = labs(at); i > 0 && n > 1; i--) {
        if (place + step < 0 || place + step >= n)
            step = -step;
        place += step;
    }
    return place;
}

static double value(const face_picture *picture, double x, double y, int c)
{
    double sum = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            const double column = floor(x) + j, row = floor(y) + i;
            const int at = walk(lround(row), picture->height) * picture->stride +
                           walk(lround(column), picture->width);
            sum += picture->rgb[3 * at + c] * (1 - fabs(x - column)) * (1 - fabs(y - row));
        }
    return sum;
}

/* Each pixel is the rounded mean; where the mean lies at a half, either neighbour. */
static void check_crop(const face_picture *picture, const face_square_map *map, int n)
{
    const int k = (int)ceil(map->side / n);
    uint8_t *out = malloc((size_t)n * (size_t)n * 3);
    assert_non_null(out);
    face_crop(picture, map, n, out);
    for (int i = 0; i < n * n * 3; i++) {
        double sum = 0, at[2];
        for (int s = 0; s < k * k; s++) {
            source(map, i / 3 % n * k + s / k, i / 3 / n * k + s % k, n * k, at);
            sum += value(picture, at[0], at[1], i % 3);
        }
        harness_close(out[i], sum / (k * k), 0.5 + 1e-9, "%d of %d × %d", i, n, n);
    }
    free(out);
}

static void each_pixel_is_the_mean_of_its_samples(void **state)
{
    meso_random random = {21};
    uint8_t rgb[40][50][3];
    (void)state;
    for (size_t i = 0; i < sizeof rgb; i++)
        (&rgb[0][0][0])[i] = (uint8_t)meso_random_below(&random, 256);
    const int widths[] = {50, 49, 1, 2, 1}, heights[] = {40, 1, 39, 3, 1};
    for (int i = 0; i < 25; i++) {
        const face_picture picture = {&rgb[0][0][0], widths[i % 5], heights[i % 5], 50};
        float points[5][2];
        face_square_map map;
        for (int j = 0; j < 10; j++)
            points[j / 2][j % 2] = (float)meso_random_uniform(&random, -10, 60);
        const face_alignment how = {1.3, meso_random_uniform(&random, 0.7, 1.5),
                                    (face_rotate)(i % 3)};
        if (face_align(points, &how, &map))
            check_crop(&picture, &map, 5 + (int)meso_random_below(&random, 36));
    }
}

static void halves_go_to_the_even_number(void **state)
{
    const uint8_t rgb[2][3] = {{10, 11, 0}, {11, 12, 255}};
    const face_picture picture = {&rgb[0][0], 2, 1, 2};
    const face_square_map middle = {{0.5, 0, 0}, {0, 0, 0}, 1, 0};
    uint8_t out[3];
    (void)state;
    face_crop(&picture, &middle, 1, out);
    assert_int_equal(out[0], 10);
    assert_int_equal(out[1], 12);
    assert_int_equal(out[2], 128);
}

/* A face far larger than its picture: an answer, and soon. Still larger ones are none. */
static void places_far_outside_are_harmless(void **state)
{
    const uint8_t rgb[3][3] = {{7, 7, 7}, {7, 7, 7}, {7, 7, 7}};
    const face_picture picture = {&rgb[0][0], 3, 1, 3};
    const face_alignment how = {1.3, 1, FACE_ROTATE_AUTO};
    float far[5][2] = {{-1e5f, 0}, {1e5f, 1e5f}, {0, 0}, {0, 1e5f}, {1, 1}};
    face_square_map map;
    uint8_t out[2 * 2 * 3];
    (void)state;
    assert_true(face_align(far, &how, &map));
    face_crop(&picture, &map, 2, out);
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 7);
    far[1][0] = FLT_MAX;
    assert_false(face_align(far, &how, &map));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_holds),
        cmocka_unit_test(it_turns_above_15_degrees),
        cmocka_unit_test(faces_that_cannot_be_cut_are_refused),
        cmocka_unit_test(crops_have_square_pixels),
        cmocka_unit_test(each_pixel_is_the_mean_of_its_samples),
        cmocka_unit_test(halves_go_to_the_even_number),
        cmocka_unit_test(places_far_outside_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

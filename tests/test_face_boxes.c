/* SPDX-License-Identifier: Apache-2.0
 *
 * What MTCNN does on the host, rule by rule, with figures made by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "face/boxes.h"
#include "harness_device.h"

static void levels_shrink_to_the_window(void **state)
{
    face_level levels[FACE_MAX_LEVELS];
    double pixels = 0;
    (void)state;
    const size_t n = face_levels(1280, 720, 40, levels);
    assert_int_equal(n, 9); /* 216 · .709⁸ = 13.8, the next 9.8 */
    for (size_t i = 0; i < n; i++)
        pixels += (double)levels[i].width * levels[i].height;
    harness_close(pixels, 168000, 1000, "pixels of the pyramid");
    harness_close(levels[1].scale, 0.3 * 0.709, 1e-12, "scale");
    assert_int_equal(levels[0].width, 385);
    assert_int_equal(levels[0].height, 217);
    assert_int_equal(levels[1].width, 273);
    assert_int_equal(face_levels(39, 200, 40, levels), 0);
    assert_int_equal(face_levels(1 << 30, 1 << 30, 1e-6, levels), FACE_MAX_LEVELS);
    harness_close(face_usual_min(1920, 1080), 60, 0, "1080 rows");
    harness_close(face_usual_min(640, 480), 40, 0, "480 rows");
}

/* Bins of 5 in 3 are 0–2, 1–4, 3–5: those in the middle of two count in both. */
static void pixels_are_averaged_by_area(void **state)
{
    uint8_t rgb[2][6][3];
    float out[3][3];
    (void)state;
    memset(rgb, 255, sizeof rgb); /* the sixth column lies outside */
    for (int y = 0; y < 2; y++)
        for (int x = 0; x < 5; x++)
            for (int c = 0; c < 3; c++)
                rgb[y][x][c] = (uint8_t)(10 * x + 3 * y + c);
    const face_picture picture = {&rgb[0][0][0], 5, 2, 6};
    face_shrink(&picture, 3, 1, &out[0][0]);
    const double means[] = {6.5, 21.5, 36.5};
    for (int x = 0; x < 3; x++)
        for (int c = 0; c < 3; c++)
            harness_close(out[x][c], (means[x] + c - 127.5) / 128, 1e-6, "bin %d", x);
    float large[4][3];
    const face_picture one = {&rgb[0][0][0], 1, 1, 6};
    face_shrink(&one, 2, 2, &large[0][0]);
    for (int i = 0; i < 4; i++)
        harness_close(large[i][2], (2 - 127.5) / 128, 1e-6, "pixel %d", i);
}

static void cells_become_boxes(void **state)
{
    float head[2][3][6] = {{{0}}};
    face_list list = {0};
    (void)state;
    const float found[6] = {-1, 1, 0.1f, 0.2f, 0.3f, 0.4f}, missed[6] = {0, 0.4f};
    memcpy(head[1][2], found, sizeof found);
    memcpy(head[0][1], missed, sizeof missed); /* P .5987 */
    assert_int_equal(face_cells(&head[0][0][0], 3, 2, 7, 0.3, 0.6, &list), 1);
    assert_int_equal(list.n, 1);
    const face *one = &list.items[0];
    assert_int_equal(one->picture, 7);
    harness_close(one->p, 1 / (1 + exp(-2)), 1e-6, "P");
    harness_close(one->x1, 16, 0, "x1"); /* ⌊5 / .3⌋ */
    harness_close(one->y1, 10, 0, "y1");
    harness_close(one->x2, 53, 0, "x2");
    harness_close(one->y2, 46, 0, "y2"); /* 14 / .3 = 46.7 */
    harness_close(one->regress[2], 0.3, 1e-6, "regress");
    free(list.items);
}

static void add(face_list *list, size_t picture, float x1, float side, float p)
{
    const face one = {.picture = picture, .x1 = x1, .x2 = x1 + side, .y2 = side, .p = p};
    assert_int_equal(face_add(list, &one), 1);
}

static void likelier_boxes_suppress(void **state)
{
    face_list list = {0};
    (void)state;
    add(&list, 0, 0, 10, 0.1f); /* before begin: stays */
    add(&list, 1, 0, 10, 0.7f);
    add(&list, 1, 4, 10, 0.9f);   /* 6 of 14: .4286 of the first */
    add(&list, 1, 5, 10, 0.9f);   /* equal to the last: the one in front stays */
    add(&list, 0, 1, 10, 0.2f);   /* another picture */
    add(&list, 1, 100, 10, 0.6f); /* alone */
    assert_int_equal(face_suppress(&list, 1, FACE_OF_UNION, 0.43), 1);
    const float left[] = {0, 1, 4, 0, 100};
    assert_int_equal(list.n, 5);
    for (size_t i = 0; i < list.n; i++)
        harness_close(list.items[i].x1, left[i], 0, "box %zu", i);
    assert_int_equal(face_suppress(&list, 1, FACE_OF_UNION, 0.42), 1);
    assert_int_equal(list.n, 4);
    free(list.items);
}

/* A box inside another is a small share of the union, and the whole of the smaller. */
static void small_boxes_inside_are_suppressed(void **state)
{
    face_list list = {0};
    (void)state;
    add(&list, 0, 0, 40, 0.9f);
    add(&list, 0, 10, 10, 0.8f);
    add(&list, 0, 37, 10, 0.7f); /* columns 37–40 of 37–47, with + 1: 4 of 11 */
    assert_int_equal(face_suppress(&list, 0, FACE_OF_UNION, 0.1), 1);
    assert_int_equal(list.n, 3);
    assert_int_equal(face_suppress(&list, 0, FACE_OF_SMALLER, 0.37), 1);
    assert_int_equal(list.n, 2);
    harness_close(list.items[1].x1, 37, 0, "the one beside");
    assert_int_equal(face_suppress(&list, 0, FACE_OF_SMALLER, 0.36), 1);
    assert_int_equal(list.n, 1);
    free(list.items);
}

static void boxes_are_moved_and_squared(void **state)
{
    face one = {.x1 = 10, .y1 = 20, .x2 = 29, .y2 = 59, .regress = {0.1f, -0.1f, 0.2f, 0.5f}};
    (void)state;
    face_regress(&one, 1); /* sides 20 and 40 */
    const double moved[] = {12, 16, 33, 79};
    const float *edges[] = {&one.x1, &one.y1, &one.x2, &one.y2};
    for (int i = 0; i < 4; i++)
        harness_close(*edges[i], moved[i], 1e-5, "edge %d", i);
    face_square(&one); /* 21 × 63 */
    const double squared[] = {-9, 16, 54, 79};
    for (int i = 0; i < 4; i++)
        harness_close(*edges[i], squared[i], 1e-5, "side %d", i);
}

/* Boxes count pixels from 1; what lies outside is cut off. */
static void parts_lie_inside(void **state)
{
    static const uint8_t rgb[3 * 9 * 6];
    const face_picture picture = {rgb, 8, 6, 9};
    const struct {
        face box;
        int left, top, width, height;
    } rows[] = {
        {{.x1 = 3.9f, .y1 = 2, .x2 = 6.9f, .y2 = 4}, 2, 1, 4, 3},
        {{.x1 = -5, .y1 = 0.5f, .x2 = 2, .y2 = 1.5f}, 0, 0, 2, 1},
        {{.x1 = 7, .y1 = 6, .x2 = 1e9f, .y2 = 1e9f}, 6, 5, 2, 1},
        {{.x1 = 9, .y1 = 1, .x2 = 20, .y2 = 5}, 0, 0, 0, 0},
        {{.x1 = 1, .y1 = -9, .x2 = 5, .y2 = 0.9f}, 0, 0, 0, 0},
        {{.x1 = NAN, .y1 = NAN, .x2 = NAN, .y2 = NAN}, 0, 0, 8, 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        face_picture part;
        assert_int_equal(face_cut(&picture, &rows[i].box, &part), rows[i].width > 0);
        if (rows[i].width == 0)
            continue;
        assert_int_equal(part.rgb - rgb, 3 * (9 * rows[i].top + rows[i].left));
        assert_int_equal(part.width, rows[i].width);
        assert_int_equal(part.height, rows[i].height);
        assert_int_equal(part.stride, 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_shrink_to_the_window),
        cmocka_unit_test(pixels_are_averaged_by_area),
        cmocka_unit_test(cells_become_boxes),
        cmocka_unit_test(likelier_boxes_suppress),
        cmocka_unit_test(small_boxes_inside_are_suppressed),
        cmocka_unit_test(boxes_are_moved_and_squared),
        cmocka_unit_test(parts_lie_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

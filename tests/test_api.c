/* SPDX-License-Identifier: Apache-2.0
 *
 * The promises of mesocl/status.h: a meso_error is filled by whatever call fails, in any order of
 * calls, and may be NULL; structs and arrays of programs that know fewer or more members.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"

enum { side = 32 };
static const char untouched = 0x5a;

static int enter(void **state)
{
    int failed = harness_enter_folder(state);
    harness_put_picture("a.ppm", side, 0x804020);
    return failed;
}

/* The obvious order, device and model first: the picture's error is in the same place. */
static void one_error_for_every_call(void **state)
{
    meso_error error = {0};
    meso_device *device = NULL;
    meso_model *model = NULL;
    meso_stream *stream = NULL;
    meso_probability p = {0}, by_rgb;
    meso_image image = MESO_INIT(meso_image);
    (void)state;
    assert_int_equal(meso_device_open("auto", &device, &error), MESO_OK);
    assert_int_equal(meso_model_open(device, NULL, NULL, &model, &error), MESO_OK);
    assert_string_equal(error.text, "");
    assert_int_equal(meso_predict_file(model, "missing.png", &p, &error), MESO_ERROR_NO_INPUT);
    assert_int_equal(error.status, MESO_ERROR_NO_INPUT);
    assert_non_null(strstr(error.text, "missing.png"));
    assert_int_equal(meso_predict_rgb8(model, NULL, 1, 0, 0, 0, &p, &error), MESO_ERROR_ARGUMENT);
    assert_non_null(strstr(error.text, "0 x 0"));
    assert_int_equal(meso_model_tap(model, "none", NULL, 0, NULL, 0, &error), MESO_ERROR_ARGUMENT);
    assert_non_null(strstr(error.text, "'none'"));
    assert_int_equal(meso_stream_open(model, SIZE_MAX, 1, &stream, &error), MESO_ERROR_ARGUMENT);
    assert_non_null(strstr(error.text, "a stream of"));
    assert_int_equal(meso_net_layer(meso_model_net(model), 999, &(meso_layer_info){0}, &error),
                     MESO_ERROR_ARGUMENT);
    assert_non_null(strstr(error.text, "no layer 999"));
    assert_int_equal(meso_predict_file(model, "missing.png", &p, NULL), MESO_ERROR_NO_INPUT);

    assert_int_equal(meso_predict_file(model, "a.ppm", &p, &error), MESO_OK);
    assert_non_null(strstr(error.text, "no layer 999")); /* a call that succeeds leaves it alone */
    assert_int_equal(meso_image_load("a.ppm", NULL, &image, NULL, &error), MESO_OK);
    assert_int_equal(meso_predict_rgb8(model, image.rgb, 1, side, side, 3 * side, &by_rgb, NULL),
                     MESO_OK);
    assert_memory_equal(&p, &by_rgb, sizeof p);
    meso_image_free(&image);
    meso_model_close(model);
    meso_device_close(device);
}

/* A program that knows no member behind `height`; one that knows 64 bytes more; one that forgot. */
static void structs_of_other_versions(void **state)
{
    struct {
        meso_image image;
        char more[64];
    } s;
    meso_image whole = MESO_INIT(meso_image);
    meso_error error = {0};
    const size_t known = offsetof(meso_image, file_width);
    (void)state;
    assert_int_equal(meso_image_load("a.ppm", NULL, &whole, NULL, &error), MESO_OK);

    memset(&s, untouched, sizeof s);
    s.image.struct_bytes = known;
    assert_int_equal(meso_image_load("a.ppm", NULL, &s.image, NULL, &error), MESO_OK);
    assert_int_equal(s.image.struct_bytes, known);
    assert_int_equal(s.image.width, side);
    assert_memory_equal(s.image.rgb, whole.rgb, 3 * side * side);
    meso_image_free(&s.image);
    assert_null(s.image.rgb);
    for (size_t i = known; i < sizeof s; i++)
        assert_int_equal(((char *)&s)[i], untouched);

    memset(&s, untouched, sizeof s);
    s.image.struct_bytes = sizeof s;
    assert_int_equal(meso_image_load("a.ppm", NULL, &s.image, NULL, &error), MESO_OK);
    assert_int_equal(s.image.struct_bytes, sizeof s);
    assert_string_equal(s.image.format, whole.format);
    for (size_t i = 0; i < sizeof s.more; i++)
        assert_int_equal(s.more[i], 0);
    meso_image_free(&s.image);

    memset(&s, untouched, sizeof s); /* never set up */
    assert_int_equal(meso_image_load("a.ppm", NULL, &s.image, NULL, &error), MESO_ERROR_ARGUMENT);
    assert_non_null(strstr(error.text, "MESO_INIT(meso_image)"));
    s.image.struct_bytes = 0;
    assert_int_equal(meso_image_load("a.ppm", NULL, &s.image, NULL, &error), MESO_ERROR_ARGUMENT);
    meso_image_free(&whole);
}

/* Options: what is not given has its default; what this library does not know must not be set. */
static void options_of_other_versions(void **state)
{
    struct {
        meso_image_options options;
        char more[64];
    } s = {.options = {.struct_bytes = sizeof s, .width = 8, .height = 8}};
    meso_image image = MESO_INIT(meso_image);
    meso_error error = {0};
    (void)state;
    assert_int_equal(meso_image_load("a.ppm", &s.options, &image, NULL, &error), MESO_OK);
    assert_int_equal(image.width, 8);
    meso_image_free(&image);
    s.more[63] = 1;
    assert_int_equal(meso_image_load("a.ppm", &s.options, &image, NULL, &error),
                     MESO_ERROR_ARGUMENT);
    assert_non_null(strstr(error.text, "needs a newer library"));
    s.options.struct_bytes = offsetof(meso_image_options, width);
    assert_int_equal(meso_image_load("a.ppm", &s.options, &image, NULL, &error), MESO_OK);
    assert_int_equal(image.width, side);
    meso_image_free(&image);
}

/* list[i] is right with the stride of a program that knows fewer or more members. */
static void arrays_have_the_programs_stride(void **state)
{
    enum { few = offsetof(meso_device_info, vendor), many = sizeof(meso_device_info) + 40 };
    const size_t strides[] = {sizeof(meso_device_info), few, many};
    meso_device_info *all = NULL;
    size_t n = 0, n_all = 0, match, n_matches;
    meso_error error = {0};
    (void)state;
    assert_int_equal(meso_device_list(&all, sizeof *all, &n_all, &error), MESO_OK);
    for (size_t s = 0; s < sizeof strides / sizeof strides[0]; s++) {
        meso_device_info *list = NULL;
        assert_int_equal(meso_device_list(&list, strides[s], &n, &error), MESO_OK);
        assert_int_equal(n, n_all);
        for (size_t i = 0; i < n; i++) {
            const meso_device_info *row = (void *)((char *)list + i * strides[s]);
            assert_int_equal(row->struct_bytes, strides[s]);
            assert_string_equal(row->name, all[i].name);
        }
        assert_int_equal(
            meso_device_match(list, strides[s], n, all[n - 1].name, &match, &n_matches, &error),
            MESO_OK);
        meso_free(list);
    }
    assert_int_equal(meso_device_list(&all, 0, &n, &error), MESO_ERROR_ARGUMENT);
    meso_free(all);
    meso_free(NULL);
}

/* A run tells its result, and its metrics where they are asked for, also to an older program. */
static void a_run_fills_no_more_than_it_may(void **state)
{
    meso_metrics metrics;
    meso_train_summary result = {.struct_bytes = offsetof(meso_train_summary, n_refused),
                                 .metrics = &metrics,
                                 .n_refused = 77};
    meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
    meso_error error = {0};
    meso_device *device = harness_device();
    (void)state;
    memset(&metrics, untouched, sizeof metrics);
    metrics.struct_bytes = offsetof(meso_metrics, mse);
    for (int i = 0; i < 4; i++) {
        char path[32];
        snprintf(path, sizeof path, "data/%s/%d.ppm", i % 2 ? "real" : "fake", i);
        harness_put_picture(path, side, 0x101010u * (unsigned)(i + 1));
    }
    options.data = "data";
    options.run = "run";
    options.epochs = 0;
    if (meso_train(device, &options, NULL, NULL, &result, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_int_equal(result.n_refused, 77);
    assert_int_equal(metrics.n, 4);
    for (size_t i = metrics.struct_bytes; i < sizeof metrics; i++)
        assert_int_equal(((char *)&metrics)[i], untouched);
    meso_device_close(device);
}

/* One number for the preprocessor, one text at run time, from one place. */
static void versions_agree(void **state)
{
    char text[32];
    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", MESO_VERSION / 10000, MESO_VERSION / 100 % 100,
             MESO_VERSION % 100);
    assert_string_equal(meso_version(), text);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(one_error_for_every_call),        IN_FOLDER(structs_of_other_versions),
        IN_FOLDER(options_of_other_versions),       IN_FOLDER(arrays_have_the_programs_stride),
        IN_FOLDER(a_run_fills_no_more_than_it_may), cmocka_unit_test(versions_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

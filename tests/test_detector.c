/* SPDX-License-Identifier: Apache-2.0
 *
 * The face detector on a device: scikit-image's astronaut.png against facenet-pytorch 2.6.0. The
 * picture is named by MESO_ASTRONAUT, the weights are those of `mesocl models --get faces`; without
 * either the test is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "face/detector.h"
#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/image.h"
#include "mesocl/weights.h"

static const char *data_home; /* before a test moved it */

static void restore_data_home(void)
{
    if (data_home)
        setenv("XDG_DATA_HOME", data_home, 1);
    else
        unsetenv("XDG_DATA_HOME");
}

static void without_weights_the_way_is_named(void **state)
{
    face_detector *detector;
    meso_error error = {0};
    (void)state;
    setenv("XDG_DATA_HOME", "/nonexistent", 1);
    assert_int_equal(face_detector_open(harness_device(), &detector, &error), MESO_ERROR_NO_INPUT);
    assert_null(detector);
    assert_non_null(strstr(error.text, "mesocl models --get faces"));
    restore_data_home();
}

/* A file of that name without the nets' tensors, or with one of another size. */
static void other_weights_are_refused(void **state)
{
    static const struct {
        const char *tensor, *said;
    } rows[] = {{"cat", "no tensor r_conv1.kernel of 756 values"},
                {"r_conv1.kernel", "no tensor r_conv1.kernel of 756 values"}};
    const float values[2] = {1, 2};
    const size_t dims[1] = {2};
    meso_error error = {0};
    (void)state;
    setenv("XDG_DATA_HOME", getcwd((char[4096]){0}, 4096), 1);
    harness_put("mesocl/weights/mtcnn.safetensors", "", 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        face_detector *detector;
        meso_weights *weights = NULL;
        assert_int_equal(meso_weights_create(&weights, &error), MESO_OK);
        assert_int_equal(meso_weights_add(weights, rows[i].tensor, dims, 1, values, &error),
                         MESO_OK);
        assert_int_equal(meso_weights_write(weights, "mesocl/weights/mtcnn.safetensors", &error),
                         MESO_OK);
        meso_weights_close(weights);
        assert_int_equal(face_detector_open(harness_device(), &detector, &error), MESO_ERROR_DATA);
        if (detector || !strstr(error.text, rows[i].said))
            fail_msg("%s", error.text);
    }
    restore_data_home();
}

static face_detector *open_detector(void)
{
    face_detector *detector;
    meso_error error = {0};
    const meso_status status = face_detector_open(harness_device(), &detector, &error);
    if (status != MESO_OK)
        print_message("%s\n", error.text);
    if (status == MESO_ERROR_NO_INPUT)
        skip();
    assert_int_equal(status, MESO_OK);
    return detector;
}

static void check_astronaut(const face *one)
{
    static const double points[5][2] = {{205.369, 101.485},
                                        {246.858, 103.105},
                                        {225.058, 129.244},
                                        {201.154, 139.576},
                                        {245.145, 141.092}};
    harness_close(one->x1, 180.322, 0.01, "x1");
    harness_close(one->y1, 60.713, 0.01, "y1");
    harness_close(one->x2, 268.395, 0.01, "x2");
    harness_close(one->y2, 172.167, 0.01, "y2");
    harness_close(one->p, 0.9999957, 1e-6, "P");
    for (int i = 0; i < 5; i++) {
        harness_close(one->points[i][0], points[i][0], 0.01, "x of point %d", i);
        harness_close(one->points[i][1], points[i][1], 0.01, "y of point %d", i);
    }
}

/* Alone, and as the last of ten pictures, of which the others are grey. */
static void finds_the_astronaut(void **state)
{
    enum { n = 10 };
    const char *path = getenv("MESO_ASTRONAUT");
    meso_image image = MESO_INIT(meso_image);
    meso_error error = {0};
    face_list faces = {0};
    (void)state;
    if (!path) {
        print_message("MESO_ASTRONAUT names no picture\n");
        skip();
    }
    face_detector *detector = open_detector();
    if (meso_image_load(path, NULL, &image, NULL, &error) != MESO_OK)
        fail_msg("%s", error.text);
    const size_t n_bytes = 3 * (size_t)image.width * image.height;
    uint8_t *grey = malloc(n_bytes);
    memset(grey, 128, n_bytes);
    face_picture pictures[n];
    for (int i = 0; i < n; i++)
        pictures[i] = (face_picture){i < n - 1 ? grey : image.rgb, (int)image.width,
                                     (int)image.height, (int)image.width};
    assert_int_equal(face_detect(detector, &pictures[n - 1], 1, 40, &faces, &error), MESO_OK);
    assert_int_equal(faces.n, 1);
    assert_int_equal(face_detect(detector, pictures, n, 40, &faces, &error), MESO_OK);
    assert_int_equal(faces.n, 2);
    assert_int_equal(faces.items[1].picture, n - 1);
    for (int i = 0; i < 2; i++)
        check_astronaut(&faces.items[i]);
    pictures[0].width = pictures[0].height = 39; /* too small for a face of 40 */
    assert_int_equal(face_detect(detector, pictures, 1, 40, &faces, &error), MESO_OK);
    assert_int_equal(faces.n, 2);
    free(faces.items);
    free(grey);
    meso_image_free(&image);
    face_detector_close(detector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_weights_the_way_is_named),
        cmocka_unit_test_setup_teardown(other_weights_are_refused, harness_enter_folder,
                                        harness_leave_folder),
        cmocka_unit_test(finds_the_astronaut),
    };
    data_home = getenv("XDG_DATA_HOME");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

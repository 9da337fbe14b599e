/* SPDX-License-Identifier: Apache-2.0
 *
 * The face detector on a device: scikit-image's astronaut.png against facenet-pytorch 2.6.0. The
 * picture is named by MESO_ASTRONAUT, the weights are those of `mesocl models --get faces`; without
 * either the test is skipped. And a reference picture against the same rules with nets in double
 * precision.
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
#include "net/infer.h"
#include "reference.h"

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

/* ---- the nets in double precision, in place of the device's ---- */

static int in_double;      /* what is opened from now on */
static size_t n_in_double; /* calls */

typedef struct double_net {
    const meso_net *net;
    const float *params[64];
} double_net;

static meso_status compute_in_double(void *run, const meso_pictures *pictures, size_t last,
                                     float *out)
{
    const double_net *d = run;
    const meso_shape in = d->net->layers[0].shape;
    const float *values = pictures->values;
    const size_t n = pictures->n, n_in = n * meso_shape_size(in);
    double *input = malloc(n_in * sizeof *input);
    reference_tensor result;
    assert_non_null(input);
    for (size_t i = 0; i < n_in; i++)
        input[i] = values[i];
    reference_net(d->net, d->params, input, n, last, &result);
    const size_t n_channels = (size_t)result.shape.c;
    const size_t n_places = (size_t)result.shape.h * (size_t)result.shape.w;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < n_channels; c++)
            for (size_t at = 0; at < n_places; at++)
                out[(i * n_places + at) * n_channels + c] =
                    (float)result.value[(i * n_channels + c) * n_places + at];
    reference_tensor_free(&result);
    free(input);
    n_in_double++;
    return MESO_OK;
}

static const meso_infer_kind double_kind = {.compute = compute_in_double, .close = free};

/* The linker gives these two the detector's calls, and the library's function (-Wl,--wrap). */
meso_status __real_meso_infer_open(meso_device *device, const meso_net *net, meso_path wanted,
                                   const meso_infer_settings *settings, meso_infer *infer);
meso_status __wrap_meso_infer_open(meso_device *device, const meso_net *net, meso_path wanted,
                                   const meso_infer_settings *settings, meso_infer *infer);
meso_status __wrap_meso_infer_open(meso_device *device, const meso_net *net, meso_path wanted,
                                   const meso_infer_settings *settings, meso_infer *infer)
{
    if (!in_double)
        return __real_meso_infer_open(device, net, wanted, settings, infer);
    double_net *d = calloc(1, sizeof *d);
    assert_non_null(d);
    assert_true(net->n_params <= sizeof d->params / sizeof d->params[0]);
    d->net = net;
    memcpy(d->params, settings->params, net->n_params * sizeof d->params[0]);
    *infer = (meso_infer){.kind = &double_kind, .run = d};
    return MESO_OK;
}

static void finds_them_where_double_precision_does(void **state)
{
    enum { on_device, in_doubles };
    const double min_face = 60, tolerance = 0.05; /* pixels */
    meso_image image = MESO_INIT(meso_image);
    meso_error error = {0};
    face_list faces[2] = {0};
    (void)state;
    const char *path = harness_data("images/samples/df/df01254.jpg");
    for (in_double = 0; in_double < 2; in_double++) {
        face_detector *detector = open_detector();
        if (!image.rgb && meso_image_load(path, NULL, &image, NULL, &error) != MESO_OK)
            fail_msg("%s", error.text);
        const face_picture picture = {image.rgb, (int)image.width, (int)image.height,
                                      (int)image.width};
        assert_int_equal(face_detect(detector, &picture, 1, min_face, &faces[in_double], &error),
                         MESO_OK);
        face_detector_close(detector);
    }
    in_double = 0;
    assert_true(n_in_double > 3);
    assert_int_equal(faces[on_device].n, 1);
    assert_int_equal(faces[in_doubles].n, 1);
    const face *a = faces[on_device].items, *b = faces[in_doubles].items;
    harness_close(a->x1, b->x1, tolerance, "x1");
    harness_close(a->y1, b->y1, tolerance, "y1");
    harness_close(a->x2, b->x2, tolerance, "x2");
    harness_close(a->y2, b->y2, tolerance, "y2");
    harness_close(a->p, b->p, 1e-5, "P");
    for (int i = 0; i < 5; i++)
        for (int axis = 0; axis < 2; axis++)
            harness_close(a->points[i][axis], b->points[i][axis], tolerance, "point %d", i);
    for (int i = 0; i < 2; i++)
        free(faces[i].items);
    meso_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_weights_the_way_is_named),
        cmocka_unit_test_setup_teardown(other_weights_are_refused, harness_enter_folder,
                                        harness_leave_folder),
        cmocka_unit_test(finds_the_astronaut),
        cmocka_unit_test(finds_them_where_double_precision_does),
    };
    data_home = getenv("XDG_DATA_HOME");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

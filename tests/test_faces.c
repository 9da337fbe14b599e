/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl faces as a program. What it finds needs the weights of `mesocl models --get faces` and the
 * reference pictures; without either those tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "data/list/csv.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_schema.h"
#include "model/weights/weights.h"

static int set_up(void **state)
{
    if (harness_enter_folder(state) != 0)
        return -1;
    meso_device_close(harness_device());
    harness_put_picture("grey.ppm", 64, 0x808080);
    harness_put("broken.jpg", "x", 0);
    return 0;
}

/* The photo; without it or the weights the test ends here. */
static const char *need_photo(void)
{
    meso_text path = {0};
    const int there = meso_shipped_file(&meso_detector, &path);
    meso_text_free(&path);
    if (!there) {
        print_message("no weights: mesocl models --get faces\n");
        skip();
    }
    return harness_data("images/samples/df/df01254.jpg");
}

static harness_result run(const char *options, const char *const *environment, int code)
{
    char words[8192];
    snprintf(words, sizeof words, "faces %s", options);
    harness_result r = harness_run(&(harness_command){.words = words, .environment = environment});
    if (r.code != code)
        fail_msg("%s\nended with %d instead of %d:\n%s%s", words, r.code, code, r.out, r.err);
    return r;
}

static void without_weights_the_way_is_named(void **state)
{
    static const char *const nowhere[] = {"XDG_DATA_HOME=/nonexistent", NULL};
    (void)state;
    harness_result r = run("--json --csv faces.csv grey.ppm", nowhere, 66);
    assert_string_equal(r.out, "");
    assert_non_null(strstr(r.err, "mesocl models --get faces"));
    assert_int_equal(access("faces.csv", F_OK), -1);
    harness_forget(&r);
}

static void wrong_command_lines(void **state)
{
    static const harness_row rows[] = {
        {"faces", 2, "nothing is given"},
        {"faces --min-face 11 grey.ppm", 2, "--min-face takes a number from 12 to 65535"},
        {"faces --csv grey.ppm grey.ppm", 73, "grey.ppm"},
        {"faces empty", 66, "no images in empty"},
    };
    (void)state;
    harness_put("empty/readme.txt", "no picture", 0);
    harness_run_rows(NULL, rows, sizeof rows / sizeof rows[0]);
}

static double value(const json_t *list, size_t i)
{
    return json_number_value(json_array_get(list, i));
}

/* A face as faces stand: eyes over nose over mouth, within the box. */
static void check_face(const json_t *one)
{
    const json_t *box = json_object_get(one, "box"), *points = json_object_get(one, "points");
    double x[5], y[5];
    assert_int_equal(json_array_size(box), 4);
    assert_int_equal(json_array_size(points), 5);
    for (size_t i = 0; i < 5; i++) {
        x[i] = value(json_array_get(points, i), 0);
        y[i] = value(json_array_get(points, i), 1);
        assert_true(x[i] > value(box, 0) && x[i] < value(box, 2));
        assert_true(y[i] > value(box, 1) && y[i] < value(box, 3));
    }
    assert_true(x[0] < x[2] && x[2] < x[1] && x[3] < x[4]);
    assert_true(y[0] < y[2] && y[1] < y[2] && y[2] < y[3] && y[2] < y[4]);
    assert_true(value(box, 2) - value(box, 0) > 100);
    assert_true(harness_number(one, "detector_p") > 0.99);
}

static const char *reason_of(const json_t *image)
{
    return json_string_value(json_object_get(image, "reason"));
}

/* The CSV has what the JSON has. */
static void check_csv(const json_t *one)
{
    static const char *const reasons[] = {"reason", "", "no_face", "unknown_format"};
    meso_csv csv;
    meso_error error = {0};
    void *text;
    size_t n;
    assert_int_equal(meso_file_read("faces.csv", SIZE_MAX, &text, &n, NULL, &error), MESO_OK);
    meso_csv_start(&csv, text, n, "faces.csv");
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(meso_csv_next(&csv, &error), MESO_OK);
        assert_int_equal(csv.n_fields, 19);
        assert_string_equal(csv.fields[18], reasons[i]);
        if (i != 1)
            continue;
        harness_close(atof(csv.fields[6]), value(json_object_get(one, "box"), 3), 1e-6, "y2");
        const json_t *corner = json_array_get(json_object_get(one, "points"), 4);
        harness_close(atof(csv.fields[15]), value(corner, 0), 1e-6, "x of the last point");
        harness_close(atof(csv.fields[17]), harness_number(one, "detector_p"), 1e-9, "P");
    }
    assert_int_equal(meso_csv_next(&csv, &error), MESO_OK);
    assert_int_equal(csv.n_fields, 0);
    free(text);
}

/* A photo, a picture without a face, a file that is none: a row for each, in that order. */
static void finds_the_face_of_a_photo(void **state)
{
    char options[5000];
    (void)state;
    snprintf(options, sizeof options, "--json --csv faces.csv %s grey.ppm broken.jpg",
             need_photo());
    harness_result r = run(options, NULL, 0);
    json_t *document = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    harness_check_schema(document, "faces");
    const json_t *images = json_object_get(document, "images");
    assert_int_equal(json_array_size(images), 3);
    const json_t *first = json_array_get(images, 0), *faces = json_object_get(first, "faces");
    assert_int_equal(json_array_size(faces), 1);
    assert_null(reason_of(first));
    check_face(json_array_get(faces, 0));
    check_csv(json_array_get(faces, 0));
    assert_string_equal(reason_of(json_array_get(images, 1)), "no_face");
    assert_int_equal(harness_number(json_array_get(images, 1), "width"), 64);
    assert_string_equal(reason_of(json_array_get(images, 2)), "unknown_format");
    assert_true(json_is_null(json_object_get(json_array_get(images, 2), "width")));
    assert_non_null(strstr(r.err, "refused: broken.jpg: unknown_format"));
    assert_non_null(strstr(r.err, "2 images read: 1 faces, 1 images without one; 1 refused"));
    json_decref(document);
    harness_forget(&r);
}

/* The lines of people, of a list on stdin; and what --min-face keeps out. */
static void prints_a_line_for_each_picture(void **state)
{
    char options[5000], list[5000];
    float p, box[4];
    (void)state;
    const char *photo = need_photo();
    snprintf(list, sizeof list, "grey.ppm\n%s\n", photo);
    harness_result r = harness_run(&(harness_command){.words = "faces -", .input = list});
    assert_int_equal(r.code, 0);
    assert_memory_equal(r.out, "no_face  grey.ppm\n", 18);
    assert_int_equal(sscanf(r.out + 18, "%f %f %f %f %f", &p, &box[0], &box[1], &box[2], &box[3]),
                     5);
    assert_true(p > 0.99 && box[2] - box[0] > 100);
    assert_non_null(strstr(r.out, photo));
    harness_forget(&r);
    snprintf(options, sizeof options, "--min-face 1000 %s", photo);
    r = run(options, NULL, 0);
    assert_memory_equal(r.out, "no_face  ", 9);
    harness_forget(&r);
}

static void nothing_readable_is_bad_data(void **state)
{
    (void)state;
    need_photo();
    harness_result r = run("broken.jpg", NULL, 65);
    harness_forget(&r);
    r = run("gone.jpg", NULL, 66);
    harness_forget(&r);
}

int main(void)
{
    char path[4096];
    const char *where = getenv("MESO_TEST_DATA");
    if (realpath(where ? where : "../shared/data", path))
        setenv("MESO_TEST_DATA", path, 1); /* the folder is left below */
    if (realpath("docs/schema", path))
        setenv("MESO_SCHEMAS", path, 1);
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, harness_leave_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(without_weights_the_way_is_named), IN_FOLDER(wrong_command_lines),
        IN_FOLDER(finds_the_face_of_a_photo),        IN_FOLDER(prints_a_line_for_each_picture),
        IN_FOLDER(nothing_readable_is_bad_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

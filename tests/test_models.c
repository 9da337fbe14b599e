/* SPDX-License-Identifier: Apache-2.0
 *
 * What a user names a model by: weights that come with MesoCL, the folder of a run, a file whatever
 * its ending; and what is said of files that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness_device.h"
#include "harness_run.h"
#include "harness_train.h"
#include "mesocl/device.h"
#include "mesocl/weights.h"
#include "model/weights/weights.h"

static void run_and_find(const char *words, int code, const char *part)
{
    const harness_command command = {.words = words};
    harness_result result = harness_run(&command);
    if (result.code != code || !strstr(code ? result.err : result.out, part))
        fail_msg("mesocl %s\nended with %d instead of %d, or does not say \"%s\":\n%s%s", words,
                 result.code, code, part, result.out, result.err);
    harness_forget(&result);
}

/* The bytes say what it is: a model that others named, and a net that is called a model. */
static void endings_say_nothing(void **state)
{
    (void)state;
    run_and_find("init meso4 -o a.safetensors", 0, "");
    assert_int_equal(rename("a.safetensors", "a.st"), 0);
    run_and_find("inspect a.st", 0, "not trained");
    harness_put("tiny.safetensors", harness_tiny_net, 0);
    run_and_find("inspect tiny.safetensors", 0, "net tiny.safetensors");
    run_and_find("init meso4 -o a.st", 2, "--output a.st: a model file ends in .safetensors");
    run_and_find("init meso4 -o .safetensors", 2, "ends in .safetensors");
}

static void a_run_means_its_best(void **state)
{
    (void)state;
    mkdir("run", 0777);
    run_and_find("inspect run", 66, "run: a folder, and not that of a run");
    run_and_find("init meso4 -o run/best.safetensors", 0, "");
    run_and_find("inspect run", 0, "not trained");
    run_and_find("inspect run/", 0, "not trained");
    harness_put("saved/saved_model.pb", "x", 0);
    run_and_find("inspect saved", 65, "saved: a SavedModel folder of TensorFlow");
    harness_put("study/study.json", "{}", 0);
    run_and_find("report study", 66, "study: the folder of a study: dataset_bench report study");
}

static void says_what_else_it_is(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *said;
    } rows[] = {
        {"\x89HDF\r\n\x1a\n", 8, "convert it first: mesocl convert file.h5 -o file.safetensors"},
        {"PK\3\4......metadata.json", 23, "a Keras file: convert it first"},
        {"{\"weight_map\": {}}", 18, "a Keras file: convert it first"},
        {"PK\3\4......a/data.pkl", 20, "not a model of MesoCL but a pickle, as PyTorch writes it"},
        {"\x80\2}q", 4, "a pickle, as PyTorch writes it"},
        {"PK\3\4......a.txt", 15, "a ZIP archive"},
        {"\x08\x07\x12\x07pytorch", 11, "an ONNX model"},
        {"\x1C\0\0\0TFL3", 8, "a TensorFlow Lite model"},
        {"\x93NUMPY\1", 7, "a NumPy array"},
        {"version https://git-lfs.github.com", 34, "a Git LFS pointer"},
        {"<!DOCTYPE html>", 15, "a web page"},
        {"image = input height=8", 22, "text; a .net file is named with --net"},
        {"\x89PNG\r\n\x1a\n", 8, "a PNG image"},
        {"\0\0\0\0\0\0\0\1{", 9, "a header of 72057594037927936 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_weights *weights = NULL;
        meso_error error = {0};
        harness_put("file.h5", rows[i].bytes, rows[i].n);
        if (meso_weights_read("file.h5", &weights, &error) != MESO_ERROR_DATA ||
            !strstr(error.text, rows[i].said))
            fail_msg("expected \"%s\", got \"%s\"", rows[i].said, error.text);
    }
    run_and_find("inspect file.h5", 65, "no .net text, for it holds a NUL byte");
    harness_put("file.h5", rows[0].bytes, rows[0].n);
    run_and_find("inspect file.h5", 65, "convert it first");
}

/* Each name is that of a net, and its weights fit it; anything of that path makes it unclear. */
static void weights_have_names(void **state)
{
    meso_error error = {0};
    (void)state;
    for (const meso_shipped_weights *row = meso_shipped; row->name; row++) {
        meso_weights *weights = NULL;
        meso_net *net = NULL;
        if (meso_weights_read(row->name, &weights, &error) != MESO_OK ||
            meso_net_open(row->name, &net, &error) != MESO_OK ||
            meso_weights_check(weights, net, &error) != MESO_OK)
            fail_msg("%s", error.text);
        meso_weights_close(weights);
        meso_net_close(net);
    }
    meso_weights *weights = NULL;
    assert_int_equal(meso_weights_read("nonsense", &weights, &error), MESO_ERROR_NO_INPUT);
    assert_non_null(strstr(error.text, "no weights of that name"));
    mkdir("meso4", 0777);
    assert_int_equal(meso_weights_read("meso4", &weights, &error), MESO_ERROR_ARGUMENT);
    assert_non_null(strstr(error.text, "./meso4"));
}

/* By name, as a run's folder, and with a net that the weights do not fit. */
static void whatever_takes_weights_takes_them(void **state)
{
    (void)state;
    meso_device_close(harness_device());
    harness_put_picture("0.ppm", 8, 0x804020);
    run_and_find("predict -w mesoinception4 --json 0.ppm", 0,
                 "/weights/mesoinception4.safetensors\"");
    run_and_find("predict -w meso4 --json 0.ppm", 0, "\"weights\": \"built in\"");
    run_and_find("predict --net mesoinception4 0.ppm", 65,
                 "of the net meso4, not mesoinception4 (tensor inc1a.kernel is missing); for this "
                 "net: -w mesoinception4");
    mkdir("run", 0777);
    mkdir("saved", 0777);
    harness_put("tiny.net", harness_tiny_net, 0);
    harness_put_training(2);
    run_and_find("init tiny.net -o run/best.safetensors", 0, "");
    run_and_find("predict -w run --json 0.ppm", 0, "\"weights\": \"run/best.safetensors\"");
    run_and_find("train data --init run --batch 2 --epochs 1 -o out", 0, "");
    run_and_find("train data --init saved --batch 2 -o bad", 66, "not that of a run");
    run_and_find("evaluate -w out data --resamples 9", 0, "out/best.safetensors");
}

static void models_lists_them(void **state)
{
    const harness_command command = {.words = "models --json"};
    (void)state;
    run_and_find("models", 0, "mesoinception4  mesoinception4");
    harness_result result = harness_run(&command);
    json_t *document = json_loads(result.out, 0, NULL);
    const json_t *models = json_object_get(document, "models");
    assert_int_equal(json_array_size(models), 3); /* and the detector, tests/get_faces.sh */
    for (size_t i = 0; i < 2; i++) {
        const json_t *row = json_array_get(models, i);
        const char *file = json_string_value(json_object_get(row, "file"));
        assert_int_equal(access(file, R_OK), 0);
        assert_string_equal(json_string_value(json_object_get(row, "licence")), "Apache-2.0");
        assert_int_equal(json_integer_value(json_object_get(row, "parameters")),
                         i == 0 ? 27977 : 28615);
    }
    json_decref(document);
    harness_forget(&result);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(endings_say_nothing),  IN_FOLDER(a_run_means_its_best),
        IN_FOLDER(says_what_else_it_is), IN_FOLDER(weights_have_names),
        IN_FOLDER(models_lists_them),    IN_FOLDER(whatever_takes_weights_takes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

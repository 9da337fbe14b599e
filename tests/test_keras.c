/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras files, whole way: mesocl-h5import, stream, net, weights. The fixtures and what Keras says
 * of them are made by tests/golden/make_keras_fixtures.py.
 */
#include <jansson.h>
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
#include "harness_model.h"
#include "mesocl/image.h"
#include "model/keras/keras_import.h"
#include "run_h5import.h"

static meso_keras_file *read_one(const char *path)
{
    void *stream = NULL;
    size_t n = 0;
    meso_error error = {0};
    meso_keras_file *file = NULL;
    if (tool_run_h5import(path, &stream, &n, &error) != MESO_OK ||
        meso_keras_parse(stream, n, &file, &error) != MESO_OK)
        fail_msg("%s", error.text);
    free(stream);
    return file;
}

/* The fixture in two files is one. */
static meso_keras_file *read_file(const char *path)
{
    const char *const parts = strstr(path, "parts.weights.json");
    if (!parts)
        return read_one(path);
    meso_keras_file *file = read_one("tests/fixtures/kind_parts_00000.weights.h5");
    meso_keras_file *more = read_one("tests/fixtures/kind_parts_00001.weights.h5");
    assert_int_equal(meso_keras_join(file, more, NULL), MESO_OK);
    return file;
}

/* Imports; the caller closes both. */
static void import_file(const char *path, const char *net_name, meso_weights **weights,
                        meso_net **net, meso_keras_found *found)
{
    meso_error error = {0};
    meso_net *given = NULL;
    meso_keras_file *file = read_file(path);
    if (net_name)
        assert_int_equal(meso_net_open(net_name, &given, NULL), MESO_OK);
    const meso_keras_options options = {given, "fake,real", path};
    if (meso_keras_import(file, &options, weights, found, &error) != MESO_OK)
        fail_msg("%s: %s", path, error.text);
    assert_int_equal(meso_net_parse(meso_weights_get(*weights, "mesocl.net"), path, net, NULL),
                     MESO_OK);
    assert_int_equal(meso_weights_check(*weights, *net, NULL), MESO_OK);
    assert_string_equal(meso_weights_get(*weights, "mesocl.source_sha256"), file->sha256);
    meso_net_close(given);
    meso_keras_close(file);
}

/* Places count, so that exchanged arrays of one shape are noticed. */
static double weighted_sum(const meso_tensor *tensor)
{
    double sum = 0;
    for (size_t i = 0; i < tensor->n_values; i++)
        sum += (double)(i + 1) * (double)tensor->values[i];
    return sum;
}

static void check_outputs(const meso_weights *weights, const meso_net *net, const json_t *outputs,
                          const char *path)
{
    enum { side = 32 };
    static float input[side * side * 3];
    const char *name;
    json_t *expected;
    json_object_foreach ((json_t *)outputs, name, expected) {
        double p = 0;
        int ramp = strcmp(name, "ramp") == 0;
        for (int i = 0; i < side * side * 3; i++) {
            int h = i / (3 * side), w = i / 3 % side, c = i % 3;
            int value = ramp ? (31 * h + 17 * w + 59 * c) % 256 : (h + 2 * w + 40 * c) / 3 % 256;
            input[i] = (float)value / 255;
        }
        harness_reference_p(net, weights, input, 1, &p);
        json_t *last = json_array_get(expected, json_array_size(expected) - 1);
        harness_close(p, json_real_value(last), 2e-6, "%s, %s", path, name);
    }
}

/* Returns how many tensors were compared. */
static size_t check_golden(const char *golden_path, size_t n_rows)
{
    json_t *golden = json_load_file(golden_path, 0, NULL);
    json_t *rows = json_object_get(golden, "fixtures"), *row;
    size_t i, n_tensors = 0;
    assert_true(json_array_size(rows) >= n_rows);
    json_array_foreach (rows, i, row) {
        const char *path = json_string_value(json_object_get(row, "file"));
        const char *net_name = json_string_value(json_object_get(row, "net"));
        meso_weights *weights = NULL;
        meso_net *net = NULL;
        meso_keras_found found;
        const char *tensor;
        json_t *sum;
        import_file(path, net_name, &weights, &net, &found);
        assert_int_equal(found.how, net_name ? MESO_KERAS_NET_GIVEN : MESO_KERAS_NET_IN_FILE);
        json_object_foreach (json_object_get(row, "tensors"), tensor, sum) {
            const meso_tensor *t = meso_weights_find(weights, tensor);
            if (!t)
                fail_msg("%s: no tensor %s", path, tensor);
            harness_close(weighted_sum(t), json_real_value(sum), 1e-9, "%s: %s", path, tensor);
            n_tensors++;
        }
        check_outputs(weights, net, json_object_get(row, "outputs"), path);
        meso_weights_close(weights);
        meso_net_close(net);
    }
    json_decref(golden);
    return n_tensors;
}

static void test_fixtures(void **state)
{
    (void)state;
    assert_true(check_golden("tests/golden/keras_fixtures.json", 7) > 150);
}

/* What other writers leave: the names of Keras 1 and TensorFlow 1.13, bfloat16, float16, float64,
 * several files, layers that act in training alone, a logit. */
static void test_kinds(void **state)
{
    meso_weights *weights = NULL;
    meso_net *net = NULL;
    meso_keras_found found;
    (void)state;
    check_golden("tests/golden/keras_kinds.json", 4);
    import_file("tests/fixtures/kind_bfloat16.keras", NULL, &weights, &net, &found);
    assert_int_equal(found.sigmoid, 1);
    assert_int_equal(found.rescaled, 0);
    assert_non_null(strstr(found.idle, "random_rotation"));
    assert_non_null(strstr(found.idle, "activity_regularization"));
    assert_non_null(strstr(meso_weights_get(weights, "mesocl.source"), "sigmoid added"));
    assert_int_equal(net->n_layers, 10);
    meso_weights_close(weights);
    meso_net_close(net);
}

/* scale=False and center=False: what Keras does not keep is 1 and 0. */
static void test_absent_gamma_and_beta(void **state)
{
    meso_weights *weights = NULL;
    meso_net *net = NULL;
    meso_keras_found found;
    (void)state;
    import_file("tests/fixtures/keras3_functional.keras", NULL, &weights, &net, &found);
    const meso_tensor *gamma = meso_weights_find(weights, "batch_normalization_4.gamma");
    const meso_tensor *beta = meso_weights_find(weights, "batch_normalization_5.beta");
    assert_int_equal(gamma->n_values, 11);
    assert_int_equal(beta->n_values, 5);
    for (size_t i = 0; i < 11; i++)
        assert_true(gamma->values[i] == 1);
    for (size_t i = 0; i < 5; i++)
        assert_true(beta->values[i] == 0);
    meso_weights_close(weights);
    meso_net_close(net);
}

/* The net of one fixture, line by line: settings, names, activations. */
static void test_net_text(void **state)
{
    static const char expected[] =
        "input_layer_1 = input height=32 width=32 channels=3 divide=255\n"
        "conv2d_5 = conv input_layer_1 filters=3 dilation=1x1 window=1x1 stride=1x1 pad=same\n"
        "conv2d_5_bias = bias conv2d_5\n"
        "conv2d_5_relu = relu conv2d_5_bias\n";
    static const char *const lines[] = {
        "\nconv2d_8 = conv conv2d_7_relu filters=3 dilation=2x2 window=3x3 stride=1x1 pad=same\n",
        "\nconcatenate = concat conv2d_4_relu conv2d_6_relu conv2d_8_relu conv2d_10_relu\n",
        "\nbatch_normalization_4 = batch_norm concatenate epsilon=0.001\n",
        "\nmax_pooling2d_4 = max_pool batch_normalization_4 window=3x2 stride=2x2 pad=valid\n",
        ("\nconv2d_11 = conv max_pooling2d_4 filters=5 dilation=1x1 window=3x4 stride=2x1 "
         "pad=valid\n"),
        "\nelu = elu batch_normalization_5 alpha=0.7\n",
        "\nre_lu = relu conv2d_12_bias cap=0.9\n",
        "\nglobal_average_pooling2d = global_avg_pool re_lu\n",
        "\nleaky_re_lu_1 = leaky_relu dense_2_bias slope=0.3\n",
        "\nactivation = softmax dense_3_bias\n",
    };
    meso_weights *weights = NULL;
    meso_net *net = NULL;
    meso_keras_found found;
    (void)state;
    import_file("tests/fixtures/keras3_functional.keras", NULL, &weights, &net, &found);
    const char *text = meso_weights_get(weights, "mesocl.net");
    assert_memory_equal(text, expected, sizeof expected - 1);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (!strstr(text, lines[i]))
            fail_msg("missing: %s in\n%s", lines[i], text);
    assert_string_equal(meso_weights_get(weights, "mesocl.net_name"), "keras3_functional");
    meso_weights_close(weights);
    meso_net_close(net);
}

/* Files of other writers, with what Keras answers for one picture: the writer's own where it is
 * still to be had, else Keras 3.15 with the same weights in float32. */
static void test_faults(void **state)
{
    enum { side = 32 };
    static const struct {
        const char *file;
        double p;
    } rows[] = {
        {"dead_filter_variance_0_keras2.15.h5", 0.1033},
        {"keras224_theano_backend.h5", 0.14768},
        {"tf1.13_batchnormalizationv1.h5", 0.59984732},
        {"bfloat16_policy_keras3.15.keras", 0.04744075},
        {"logit_head_keras3.15.keras", 0.88758}, /* of the logit 2.06634 */
        {"random_flip_layers_keras3.15.keras", 0.47832024},
        {"plain_keras3.15.keras", 0.01344359},
    };
    static float input[side * side * 3];
    meso_image image = MESO_INIT(meso_image);
    char name[128];
    (void)state;
    assert_int_equal(meso_image_load(harness_data("faults/in32.png"), NULL, &image, NULL, NULL),
                     MESO_OK);
    for (int i = 0; i < side * side * 3; i++)
        input[i] = (float)image.rgb[i] / 255;
    meso_image_free(&image);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_weights *weights = NULL;
        meso_net *net = NULL;
        meso_keras_found found;
        double p = 0;
        snprintf(name, sizeof name, "faults/%s", rows[i].file);
        import_file(harness_data(name), NULL, &weights, &net, &found);
        harness_reference_p(net, weights, input, 1, &p);
        harness_close(p, rows[i].p, 5e-5, "%s", rows[i].file);
        meso_weights_close(weights);
        meso_net_close(net);
    }
}

/* Sums computed with h5py from the files, layers by the number in their names: Σ t · i · value, t
 * the tensor's and i the value's place, from 1. In MesoInception's files layer_names stands in
 * another order. */
static const struct published {
    const char *name, *net, *also;
    size_t n_tensors, n_values;
    double sum;
} published[] = {
    {"Meso4_DF", "meso4", "meso4_elu, meso4_leaky", 28, 28073, -9059166.32769332},
    {"Meso4_F2F", "meso4", "meso4_elu, meso4_leaky", 28, 28073, -887999.720678506},
    {"MesoInception_DF", "mesoinception4", "", 52, 28725, -36629030.16655428},
    {"MesoInception_F2F", "mesoinception4", "", 52, 28725, -59734019.74701043},
};

static void test_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        const struct published *row = &published[i];
        char name[64];
        double sum = 0;
        size_t n_values = 0;
        meso_weights *weights = NULL;
        meso_net *net = NULL;
        meso_keras_found found;
        snprintf(name, sizeof name, "weights/%s.h5", row->name);
        const char *path = harness_data(name);
        meso_keras_file *file = read_file(path);
        assert_int_equal(file->kind, MESO_KERAS_H5_WEIGHTS);
        assert_string_equal(file->version, "2.1.5");
        assert_string_equal(meso_keras_published(file), row->name);
        meso_keras_close(file);

        import_file(path, NULL, &weights, &net, &found);
        assert_int_equal(found.how, MESO_KERAS_NET_BY_SHAPE);
        assert_string_equal(found.also, row->also);
        assert_string_equal(meso_weights_get(weights, "mesocl.net_name"), row->net);
        assert_string_equal(meso_weights_get(weights, "mesocl.classes"), "fake,real");
        assert_non_null(strstr(meso_weights_get(weights, "mesocl.source"), row->name));
        for (size_t t = 0; t < net->n_params; t++) {
            const meso_tensor *tensor = meso_weights_find(weights, net->params[t].name);
            sum += (double)(t + 1) * weighted_sum(tensor);
            n_values += tensor->n_values;
        }
        assert_int_equal(meso_weights_n_tensors(weights), row->n_tensors);
        assert_int_equal(n_values, row->n_values);
        harness_close(sum, row->sum, 1e-4, "%s", row->name);
        meso_weights_close(weights);
        meso_net_close(net);
    }
}

/* A file that fits no net, or not the one that was named. */
static void test_misfits(void **state)
{
    static const struct {
        const char *file, *net, *reason;
    } rows[] = {
        {"tests/fixtures/keras3.weights.h5", NULL, "fit no built-in net"},
        {"tests/fixtures/keras3.weights.h5", "meso4",
         "shape 3x3x3x4; conv1.kernel of the net needs"},
        {"tests/fixtures/keras3.weights.h5", "mesoinception4",
         "inc1a.kernel of the net needs 1x1x3x1"},
        {"tests/fixtures/keras3_inception.weights.h5", "meso4", "it has more convolutions than"},
        {"tests/fixtures/keras2_functional.h5", "tests/fixtures/meso4_small.net",
         "it has more convolutions than"},
        {"tests/fixtures/split_names.h5", NULL, "fit no built-in net"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_net *net = NULL;
        meso_weights *weights = NULL;
        meso_keras_found found;
        meso_error error = {0};
        meso_keras_file *file = read_file(rows[i].file);
        if (rows[i].net)
            assert_int_equal(meso_net_open(rows[i].net, &net, NULL), MESO_OK);
        const meso_keras_options options = {net, "fake,real", rows[i].file};
        if (meso_keras_import(file, &options, &weights, &found, &error) != MESO_ERROR_DATA ||
            weights || !strstr(error.text, rows[i].reason))
            fail_msg("row %zu: expected '%s', got '%s'", i, rows[i].reason, error.text);
        meso_net_close(net);
        meso_keras_close(file);
    }
}

/* Long lists of names are split over several attributes; deflate and F16 are read. */
static void test_split_names(void **state)
{
    (void)state;
    meso_keras_file *file = read_file("tests/fixtures/split_names.h5");
    assert_int_equal(file->n_layers, 2);
    assert_string_equal(file->layers[1].name, "dense_1");
    assert_int_equal(file->layers[1].n_arrays, 2);
    assert_int_equal(file->layers[1].arrays[0].n_values, 4);
    assert_string_equal(file->layers[1].arrays[1].name, "bias:0");
    assert_true(file->layers[1].arrays[1].values[1] == 1);
    meso_keras_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_absent_gamma_and_beta),
        cmocka_unit_test(test_net_text),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_split_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

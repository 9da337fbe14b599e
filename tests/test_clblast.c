/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers as products of matrices by CLBlast: against the double-precision reference over the shapes
 * of test_ops.c, from several threads at once, and with a library in its place that is wrong. Where
 * there is no CLBlast, the stub of the tests computes.
 */
#include <float.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness_device.h"
#include "harness_model.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"
#include "reference.h"
#include "runtime/clblast.h"
#include "runtime/tuning.h"

enum { text_size = 1024, most_floats = 1 << 16 };

static const int all_layers[] = {1, 1};
static meso_device *device;

/* A document in which CLBlast computes every layer of a net that it can. */
static json_t *row_for(const char *net)
{
    json_t *document = json_object();
    assert_true(meso_tuning_put(document, meso_device_get_info(device), &meso_tuning_clblast, net,
                                all_layers, json_object()));
    return document;
}

static int enter(void **state)
{
    (void)state;
    device = harness_device();
    json_t *document = row_for("net");
    meso_tuning_replace(document);
    json_decref(document);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    meso_tuning_replace(NULL);
    meso_device_close(device);
    return 0;
}

static meso_model *open_model(meso_device *on, const meso_net *net, size_t batch)
{
    meso_model *model;
    meso_error error;
    const meso_model_options options = {
        .struct_bytes = sizeof options, .max_batch = batch, .path = MESO_PATH_PLAIN};
    if (meso_model_random(on, net, 1, &options, &model, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return model;
}

/* Values [n][height][width][channels] against the reference's [n][channels][height][width]. */
static void compare(const float *got, const reference_tensor *expected, size_t n, double k,
                    const char *text)
{
    const meso_shape s = expected->shape;
    for (size_t i = 0; i < n * meso_shape_size(s); i++) {
        const size_t c = i % (size_t)s.c, x = i / (size_t)s.c % (size_t)s.w;
        const size_t y = i / (size_t)(s.c * s.w) % (size_t)s.h, image = i / meso_shape_size(s);
        const size_t e = ((image * (size_t)s.c + c) * (size_t)s.h + y) * (size_t)s.w + x;
        harness_close(got[i], expected->value[e],
                      k * FLT_EPSILON * expected->magnitude[e] + FLT_MIN, "%s: value %zu", text, i);
    }
}

/* A net up to its layer `c` on n of 5 images. Returns 0 where a window does not fit. */
static int try_case(const char *text, size_t n, double k)
{
    enum { batch = 5 };
    static float input[most_floats], got[most_floats];
    static double exact[most_floats];
    meso_net *net;
    meso_weights *weights;
    meso_random random = {3};
    reference_tensor expected;
    meso_error error;
    if (meso_net_parse(text, "net", &net, NULL) != MESO_OK)
        return 0;
    const size_t last = (size_t)(meso_net_find(net, "c") - net->layers);
    const size_t size = n * meso_shape_size(net->layers[0].shape);
    const size_t n_out = n * meso_shape_size(net->layers[last].shape);
    assert_true(size <= most_floats && n_out <= most_floats);
    harness_fill(&random, input, size);
    for (size_t i = 0; i < size; i++)
        exact[i] = input[i];
    meso_model *model = open_model(device, net, batch);
    const meso_model_info *info = meso_model_get_info(model);
    if (!strstr(info->clblast, "dense layer"))
        fail_msg("%s: %s", text, info->clblast);
    if (meso_model_tap(model, "c", input, n, got, n_out, &error) != MESO_OK)
        fail_msg("%s: %s", text, error.text);
    assert_int_equal(meso_weights_random(net, 1, &weights, NULL), MESO_OK);
    const float **params = harness_params(net, weights);
    reference_net(net, params, exact, n, last, &expected);
    assert_int_equal(n * meso_shape_size(expected.shape), n_out);
    compare(got, &expected, n, k, text);
    reference_tensor_free(&expected);
    free(params);
    meso_weights_close(weights);
    meso_model_close(model);
    meso_net_close(net);
    return 1;
}

#define EACH(i, array) for (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

/* Every third case has a convolution behind it, which wants zeros between the product's rows. */
static void test_convolutions(void **state)
{
    static const int sizes[][2] = {{1, 1}, {1, 64}, {2, 63}, {65, 3}, {7, 13}, {16, 17}};
    static const char *const windows[] = {"1x1", "3x3", "5x5", "2x3", "7x1"};
    static const char *const strides[] = {"1", "2", "2x3"};
    static const char *const dilations[] = {"1", "2", "3x1"};
    static const char *const pads[] = {"same", "valid", "1", "3x2"};
    const size_t step = getenv("MESO_FULL") ? 1 : 7; /* 7 divides none of the lists' lengths */
    char text[text_size];
    size_t turn = 0, ran = 0;
    (void)state;
    EACH (s, sizes)
        EACH (w, windows)
            EACH (t, strides)
                EACH (d, dilations)
                    EACH (p, pads) {
                        if (turn++ % step)
                            continue;
                        snprintf(text, sizeof text,
                                 "i = input height=%d width=%d channels=%zu divide=1\n"
                                 "c = conv i filters=%zu window=%s stride=%s dilation=%s pad=%s\n"
                                 "d = conv c filters=2 window=%s stride=1 dilation=1 pad=same\n"
                                 "f = flatten d\ne = dense f units=1\n",
                                 sizes[s][0], sizes[s][1], 1 + turn % 3, 1 + turn % 4, windows[w],
                                 strides[t], dilations[d], pads[p], turn % 3 ? "1" : "3x5");
                        ran += (size_t)try_case(text, 1 + turn % 2, 4);
                    }
    if (ran * step < 770)
        fail_msg("only %zu of %zu cases fit", ran, turn / step);
}

static void test_dense_layers(void **state)
{
    static const int lengths[] = {1, 2, 63, 64, 65, 1024}, units[] = {1, 16, 67};
    static const size_t batches[] = {1, 2, 5};
    char text[text_size];
    (void)state;
    EACH (s, lengths)
        EACH (u, units)
            EACH (b, batches) {
                snprintf(text, sizeof text,
                         "i = input height=1 width=1 channels=%d divide=1\nc = dense i units=%d\n",
                         lengths[s], units[u]);
                assert_int_equal(try_case(text, batches[b], 4), 1);
            }
}

/* A convolution beside a dense layer wants zeros around each value of its vector: that one stays
 * plain. */
static void test_vector_with_zeros(void **state)
{
    (void)state;
    assert_int_equal(try_case("i = input height=1 width=1 channels=9 divide=1\n"
                              "c = dense i units=5\n"
                              "d = conv i filters=2 window=3 stride=1 dilation=1 pad=same\n"
                              "f = flatten d\ng = dense f units=1\n",
                              2, 4),
                     1);
}

/* A band holds 43 of 70 rows of b's input. Three layers' errors add up. */
static void test_bands(void **state)
{
    (void)state;
    assert_int_equal(try_case("i = input height=70 width=30 channels=9 divide=1\n"
                              "a = conv i filters=128 window=1 stride=1 dilation=1 pad=same\n"
                              "b = conv a filters=4 window=5x5 stride=1 dilation=1 pad=same\n"
                              "c = conv b filters=2 window=3 stride=1 dilation=1 pad=same\n"
                              "f = flatten c\nd = dense f units=1\n",
                              2, 64),
                     1);
}

/* d has fewer than 65536 inputs: rusticl's llvmpipe ends a work-item's loops there. */
enum { n_threads = 4, side = 32 };

typedef struct worker {
    pthread_t thread;
    meso_probability p;
    char clblast[128];
} worker;

static pthread_barrier_t together;

static void *work(void *argument)
{
    static uint8_t picture[3 * side * side];
    worker *w = argument;
    meso_device *own = NULL;
    meso_net *net = NULL;
    static const char text[] = "i = input height=32 width=32 channels=3 divide=255\n"
                               "c = conv i filters=40 window=3 stride=1 dilation=1 pad=same\n"
                               "f = flatten c\nd = dense f units=1\np = sigmoid d\n";
    pthread_barrier_wait(&together);
    if (meso_device_open(NULL, &own, NULL) != MESO_OK ||
        meso_net_parse(text, "net", &net, NULL) != MESO_OK)
        return NULL;
    meso_model *model = open_model(own, net, 2);
    const meso_model_info *info = meso_model_get_info(model);
    snprintf(w->clblast, sizeof w->clblast, "%s", info->clblast);
    for (int i = 0; i < 10; i++)
        meso_predict_rgb8(model, picture, 1, side, side, 3 * side, &w->p, NULL);
    meso_model_close(model);
    meso_net_close(net);
    meso_device_close(own);
    return NULL;
}

static void test_threads(void **state)
{
    worker workers[n_threads] = {0};
    (void)state;
    pthread_barrier_init(&together, NULL, n_threads);
    for (int i = 0; i < n_threads; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (int i = 0; i < n_threads; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < n_threads; i++) {
        assert_string_equal(workers[i].clblast, "1 convolution, 1 dense layer");
        assert_true(workers[i].p.real > 0);
        assert_memory_equal(&workers[i].p, &workers[0].p, sizeof workers[0].p);
    }
}

/* The environment's row by which the library in a folder is found first; a driver's own libraries
 * may stand there, too. */
static void find_first(const char *folder, char row[2 * PATH_MAX])
{
    const char *others = getenv("LD_LIBRARY_PATH");
    snprintf(row, 2 * PATH_MAX, "LD_LIBRARY_PATH=%s%s%s", folder, others ? ":" : "",
             others ? others : "");
}

/* What mesocl says of a picture with the library in a folder, and of CLBlast. */
static double predict(const char *folder, const char *way, char clblast[256])
{
    char path[2 * PATH_MAX], wrong[64];
    find_first(folder, path);
    snprintf(wrong, sizeof wrong, "TEST_CLBLAST=%s", way);
    const char *const environment[] = {path, wrong, NULL};
    harness_result run = harness_run(&(harness_command){
        .words = "predict -w m.safetensors --json a.ppm", .environment = environment});
    json_t *document = json_loads(run.out, 0, NULL);
    if (run.code != 0 || !document)
        fail_msg("ended with %d: %s", run.code, run.err);
    const char *said =
        json_string_value(json_object_get(json_object_get(document, "provenance"), "clblast"));
    snprintf(clblast, 256, "%s", said ? said : "");
    const double p = json_number_value(
        json_object_get(json_array_get(json_object_get(document, "images"), 0), "p_real"));
    json_decref(document);
    harness_forget(&run);
    return p;
}

static int enter_as_user(void **state)
{
    char folder[PATH_MAX];
    if (enter(state) != 0 || harness_enter_folder(state) != 0 || !getcwd(folder, sizeof folder))
        return -1;
    return setenv("XDG_CONFIG_HOME", folder, 1);
}

static int leave_as_user(void **state)
{
    unsetenv("XDG_CONFIG_HOME");
    return leave(state) | harness_leave_folder(state);
}

static void test_wrong_products(void **state)
{
    static const struct {
        const char *folder, *way, *said;
    } rows[] = {{STUB_FOLDER, "right", "2 convolutions, 1 dense layer"},
                {STUB_FOLDER, "wrong", "switched off: layer conv1: a product differs by "},
                {STUB_FOLDER, "fails", "switched off: layer conv1: CLBlastSgemm of 16 x "},
                {"broken", "right", "switched off: this build or this machine has no CLBlast"}};
    char said[256];
    meso_error error;
    (void)state;
    harness_put("broken/libclblast.so.1", "no library", 0);
    harness_put_picture("a.ppm", 300, 0x406080);
    harness_result made = harness_run(&(harness_command){.words = "init meso1 -o m.safetensors"});
    assert_int_equal(made.code, 0);
    harness_forget(&made);
    const double expected = predict(STUB_FOLDER, "wrong", said);
    assert_string_equal(said, ""); /* no row, nothing to say */
    json_t *document = row_for("meso1");
    char path[2 * PATH_MAX];
    assert_int_equal(meso_tuning_write(document, path, &error), MESO_OK);
    json_decref(document);
    EACH (i, rows) {
        const double p = predict(rows[i].folder, rows[i].way, said);
        if (strncmp(said, rows[i].said, strlen(rows[i].said)) != 0)
            fail_msg("%s: said '%s'", rows[i].way, said);
        harness_close(p, expected, i == 0 ? 1e-6 : 0, "P(real), %s", rows[i].way);
    }
    find_first(STUB_FOLDER, path);
    const char *const environment[] = {path, "TEST_CLBLAST=wrong", NULL};
    harness_result run =
        harness_run(&(harness_command){.words = "selftest", .environment = environment});
    assert_int_equal(run.code, 0);
    if (!strstr(run.out, "CLBlast: switched off: layer conv1"))
        fail_msg("%s", run.out);
    harness_forget(&run);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!meso_clblast_load() && !getenv("TEST_CLBLAST")) {
        char row[2 * PATH_MAX];
        find_first(STUB_FOLDER, row);
        setenv("LD_LIBRARY_PATH", strchr(row, '=') + 1, 1);
        setenv("TEST_CLBLAST", "right", 1);
        execv("/proc/self/exe", argv);
    }
#define WITH_ROW(test) cmocka_unit_test_setup_teardown(test, enter, leave)
    const struct CMUnitTest tests[] = {
        WITH_ROW(test_convolutions),
        WITH_ROW(test_dense_layers),
        WITH_ROW(test_vector_with_zeros),
        WITH_ROW(test_bands),
        WITH_ROW(test_threads),
        cmocka_unit_test_setup_teardown(test_wrong_products, enter_as_user, leave_as_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

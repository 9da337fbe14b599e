/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that runs out at any allocation: an error comes back, and nothing is leaked. (Disks that
 * fail: test_disk_faults.)
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "data/batch/loader.h"
#include "fault_layer/fault_libc.h"
#include "harness_device.h"
#include "harness_encode.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"
#include "model/keras/keras_import.h"
#include "model/train/trainer.h"
#include "run_h5import.h"

enum { side = 64, n_scores = 40, most_tried = 200 };

static char tree[4096];
static char net_file[4200], keras_file[4200];
static void *keras_stream;
static size_t n_keras_stream;

/* Paths through the library, each freeing all that it made. */
typedef meso_status path_function(meso_error *error);

static meso_status read_weights(meso_error *error)
{
    meso_weights *weights = NULL;
    meso_status status = meso_weights_read("w.safetensors", &weights, error);
    meso_weights_close(weights);
    return status;
}

static void expect_equal_files(const char *a, const char *b)
{
    static char bytes[2][1 << 17];
    size_t n[2] = {0};
    for (int i = 0; i < 2; i++) { /* without a buffer: memory may have run out */
        int fd = open(i ? b : a, O_RDONLY);
        for (ssize_t got; (got = read(fd, bytes[i] + n[i], sizeof bytes[i] - n[i])) > 0;)
            n[i] += (size_t)got;
        close(fd);
    }
    if (n[0] == 0 || n[0] == sizeof bytes[0] || n[0] != n[1] || memcmp(bytes[0], bytes[1], n[0]))
        fail_msg("%s differs from %s", a, b);
}

static meso_status write_weights(meso_error *error)
{
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    meso_status status = MESO_OK;
    MESO_TRY(meso_net_open(net_file, &net, error));
    MESO_TRY(meso_weights_random(net, 1, &weights, error));
    MESO_TRY(meso_weights_write(weights, "out.safetensors", error));
    expect_equal_files("out.safetensors", "w.safetensors");
out:
    meso_weights_close(weights);
    meso_net_close(net);
    return status;
}

static meso_status import_keras(meso_error *error)
{
    meso_keras_file *file = NULL;
    meso_weights *weights = NULL;
    meso_keras_found found;
    const meso_keras_options options = {NULL, "fake,real", "file.h5"};
    meso_status status = MESO_OK;
    MESO_TRY(meso_keras_parse(keras_stream, n_keras_stream, &file, error));
    MESO_TRY(meso_keras_import(file, &options, &weights, &found, error));
out:
    meso_weights_close(weights);
    meso_keras_close(file);
    return status;
}

static meso_status open_dataset(const char *root, const char *manifest, const char *group,
                                meso_error *error)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    options.manifest = manifest;
    options.group = group;
    meso_status status = meso_dataset_open(root, &options, &dataset, error);
    if (status == MESO_OK && dataset.n_items != 6)
        fail_msg("%zu items", dataset.n_items);
    if (status == MESO_OK)
        meso_dataset_close(&dataset);
    return status;
}

static meso_status scan_folder(meso_error *error)
{
    return open_dataset("set", NULL, NULL, error);
}

static meso_status group_by_name(meso_error *error)
{
    return open_dataset("set", NULL, "([0-9])[.]ppm", error);
}

static meso_status read_manifest(meso_error *error)
{
    return open_dataset(NULL, "set.csv", NULL, error);
}

static meso_status load(const char *name, meso_error *error)
{
    meso_image_options options = MESO_INIT(meso_image_options);
    meso_image image = MESO_INIT(meso_image);
    static char before[33], before_name[32];
    char hash[33];
    options.width = options.height = 20;
    meso_status status = meso_image_load(name, &options, &image, NULL, error);
    if (status == MESO_OK) {
        meso_hash_hex(image.rgb, 3 * 20 * 20, hash);
        if (strcmp(name, before_name) != 0) /* the first time, with memory */
            memcpy(before, hash, sizeof hash);
        snprintf(before_name, sizeof before_name, "%s", name);
        assert_string_equal(hash, before);
    }
    meso_image_free(&image);
    return status;
}

static meso_status load_jpeg(meso_error *error)
{
    return load("image.jpg", error);
}

static meso_status load_scans(meso_error *error)
{
    return load("scans.jpg", error);
}

static meso_status load_png(meso_error *error)
{
    return load("image.png", error);
}

static meso_status load_interlaced(meso_error *error)
{
    return load("interlaced.png", error);
}

static meso_status load_ppm(meso_error *error)
{
    return load("set/fake/0.ppm", error);
}

static meso_status load_many(meso_error *error)
{
    static const char *const paths[] = {"image.jpg", "set/fake/0.ppm", "image.png", "gone.png"};
    const meso_loader_options options = {.paths = paths,
                                         .n = 4,
                                         .n_threads = 1,
                                         .n_slots = 2,
                                         .image = MESO_INIT(meso_image_options)};
    meso_loader *loader = NULL;
    const meso_loaded *item;
    meso_status status = meso_loader_start(&options, &loader, error);
    for (int i = 0; i < 4 && status == MESO_OK; i++) {
        status = meso_loader_next(loader, &item, error);
        if (status == MESO_OK)
            meso_loader_release(loader, 1);
    }
    meso_loader_stop(loader);
    return status;
}

static meso_status compute_metrics(meso_error *error)
{
    static double real[n_scores], fake[n_scores];
    static unsigned char truth[n_scores];
    static size_t group[n_scores];
    const meso_scores scores = {real, fake, truth, group, n_scores};
    meso_metrics metrics = MESO_INIT(meso_metrics);
    meso_metrics_intervals intervals = MESO_INIT(meso_metrics_intervals);
    meso_group_score *groups = NULL;
    meso_roc_point *points = NULL;
    size_t n_groups, n_points;
    meso_status status = MESO_OK;
    for (int i = 0; i < n_scores; i++) {
        real[i] = (i * 7 % n_scores) / (double)n_scores;
        fake[i] = 1 - real[i];
        truth[i] = i & 1;
        group[i] = (size_t)i / 2 % 4;
    }
    MESO_TRY(meso_metrics_compute(&scores, 0.5, &metrics, error));
    MESO_TRY(meso_metrics_groups(&scores, &groups, sizeof *groups, &n_groups, error));
    MESO_TRY(meso_metrics_roc(&scores, &points, sizeof *points, &n_points, error));
    MESO_TRY(meso_metrics_bootstrap(&scores, 0.5, 20, 0, &intervals, error));
out:
    meso_free(groups);
    meso_free(points);
    return status;
}

static int ignore_score(const meso_file_score *score, void *user)
{
    (void)score, (void)user;
    return 0;
}

/* On one path of the net: open, predict, score files, close. */
static meso_status use_model(meso_path path, meso_error *error)
{
    static const char *const files[] = {"set/fake/0.ppm", "image.jpg", "image.png"};
    static uint8_t pixels[2 * side * side * 3];
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_probability p[2];
    meso_device *device = NULL;
    meso_model *model = NULL;
    meso_status status = MESO_OK;
    options.path = path;
    MESO_TRY(meso_device_open(NULL, &device, error));
    MESO_TRY(meso_model_open(device, "w.safetensors", &options, &model, error));
    MESO_TRY(meso_predict_rgb8(model, pixels, 2, side, side, 3 * side, p, error));
    MESO_TRY(meso_score_files(model, files, 3, NULL, ignore_score, NULL, error));
out:
    meso_model_close(model);
    meso_device_close(device);
    return status;
}

static meso_status use_fused_model(meso_error *error)
{
    return use_model(MESO_PATH_FUSED, error);
}

static meso_status use_plain_model(meso_error *error)
{
    return use_model(MESO_PATH_PLAIN, error);
}

/* On one path of the net: two steps of training, and the weights that became of it. */
static meso_status train(meso_path path, meso_error *error)
{
    static uint8_t pixels[2 * side * side * 3];
    static const uint8_t classes[2] = {0, 1};
    const meso_trainer_options options = {.settings.max_batch = 2,
                                          .settings.loss = MESO_LOSS_BCE,
                                          .settings.optimizer = MESO_OPTIMIZER_ADAM,
                                          .settings.beta1 = 0.9,
                                          .settings.beta2 = 0.999,
                                          .settings.epsilon = 1e-7,
                                          .settings.bn_momentum = 0.99,
                                          .settings.seed = 1,
                                          .path = path};
    const meso_train_batch batch = {.pixels = pixels, .classes = classes, .n = 2};
    meso_device *device = NULL;
    meso_weights *start = NULL, *trained = NULL;
    meso_trainer *trainer = NULL;
    meso_step_result result;
    meso_status status = MESO_OK;
    MESO_TRY(meso_weights_read("w.safetensors", &start, error));
    MESO_TRY(meso_device_open(NULL, &device, error));
    MESO_TRY(meso_trainer_open(device, start, &options, &trainer, error));
    for (int i = 0; i < 2; i++) {
        status = meso_trainer_step(trainer, &batch, 1e-3, &result);
        MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(trainer));
    }
    MESO_TRY(meso_weights_create(&trained, error));
    status = meso_trainer_get(trainer, trained);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(trainer));
out:
    meso_weights_close(trained);
    meso_trainer_close(trainer);
    meso_device_close(device);
    meso_weights_close(start);
    return status;
}

static meso_status train_fused(meso_error *error)
{
    return train(MESO_PATH_FUSED, error);
}

static meso_status train_plain(meso_error *error)
{
    return train(MESO_PATH_PLAIN, error);
}

static const struct path {
    const char *name;
    path_function *run;
    /* Allocations of libraries do not fail: drivers may end the process, and regcomp() of glibc
     * leaks. */
    int own_code;
    int may_succeed; /* with less, and the right answer: the folder is not synced, blocks smaller */
} paths[] = {
    {"read weights", read_weights, 0, 0},   {"write weights", write_weights, 0, 1},
    {"import Keras", import_keras, 0, 0},   {"scan a folder", scan_folder, 0, 0},
    {"group by name", group_by_name, 1, 0}, {"read a manifest", read_manifest, 0, 0},
    {"load a JPEG", load_jpeg, 0, 1},       {"load scans", load_scans, 0, 1},
    {"load a PNG", load_png, 0, 0},         {"load interlaced", load_interlaced, 0, 0},
    {"load a PPM", load_ppm, 0, 0},         {"load many", load_many, 1, 0},
    {"metrics", compute_metrics, 0, 0},     {"fused model", use_fused_model, 1, 0},
    {"plain model", use_plain_model, 1, 0}, {"train fused", train_fused, 1, 0},
    {"train plain", train_plain, 1, 0},
};

/* Allocation n fails (and with `lost` all behind it). Returns 1 if it was made at all. */
static int try_allocation(const struct path *path, size_t n, int lost)
{
    const fault_plan plan = {
        .kinds = FAULT_MEMORY, .fail_at = n, .lost = lost, .own_code = path->own_code};
    meso_error error = {0};
    fault_begin(&plan);
    meso_status status = path->run(&error);
    fault_result result = fault_end();
    if (!path->own_code && result.n_live != 0)
        fail_msg("%s: allocation %zu: %ld blocks are leaked", path->name, n, result.n_live);
    if (result.failed && status != MESO_ERROR_MEMORY && status != MESO_OK)
        fail_msg("%s: allocation %zu: %s: %s", path->name, n, meso_status_name(status), error.text);
    if (result.failed && status == MESO_OK && !path->may_succeed)
        fail_msg("%s: allocation %zu is not missed", path->name, n);
    if (!result.failed && status != MESO_OK)
        fail_msg("%s: %s", path->name, error.text);
    return result.failed;
}

static void each_allocation_fails(void **state)
{
    (void)state;
    if (!fault_memory_works())
        skip();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        meso_error error = {0};
        if (paths[i].run(&error) != MESO_OK) /* and what libraries keep for ever is there now */
            fail_msg("%s: %s", paths[i].name, error.text);
        const fault_plan none = {.kinds = FAULT_MEMORY, .own_code = paths[i].own_code};
        fault_begin(&none);
        paths[i].run(&error);
        size_t total = fault_end().n_calls;
        size_t step = getenv("MESO_FULL") ? 1 : 1 + total / most_tried;
        for (int lost = 0; lost < 2; lost++)
            for (size_t n = 1 + (size_t)lost * step / 2; try_allocation(&paths[i], n, lost);)
                n += step;
        print_message("%s: %zu allocations, every %zu. fails\n", paths[i].name, total, step);
        assert_true(total > 0);
    }
}

static void put_encoded(const char *name, encoded file)
{
    harness_put(name, (const char *)file.bytes, file.n);
    free(file.bytes);
}

static int set_up(void **state)
{
    static uint8_t pixels[side * side * 3];
    char name[64];
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    meso_text manifest = {0};
    if (!getcwd(tree, sizeof tree) || harness_enter_folder(state) != 0)
        return -1;
    setenv("XDG_CONFIG_HOME", "/none", 1); /* a user's tuning is done without where memory ends */
    snprintf(net_file, sizeof net_file, "%s/tests/fault_layer/fault.net", tree);
    snprintf(keras_file, sizeof keras_file, "%s/tests/fixtures/keras2_sequential.h5", tree);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i / 7);
    jpeg_request jpeg = {side, side, JCS_RGB, JCS_YCbCr, 0, NULL, 0};
    put_encoded("image.jpg", encode_jpeg(&jpeg, pixels));
    jpeg.progressive = 1;
    put_encoded("scans.jpg", encode_jpeg(&jpeg, pixels));
    put_encoded("image.png", encode_png(pixels, side, side, 2, 8, 0, 0));
    put_encoded("interlaced.png", encode_png(pixels, side, side, 2, 8, 1, 0));
    meso_text_add(&manifest, "file,label,group\n");
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "set/%s/%d.ppm", i & 1 ? "real" : "fake", i);
        harness_put_picture(name, side, 0x102030u * (unsigned)i);
        meso_text_format(&manifest, "%s,%s,g%d\n", name, i & 1 ? "real" : "fake", i / 2);
    }
    harness_put("set.csv", manifest.bytes, 0);
    meso_text_free(&manifest);
    assert_int_equal(meso_net_open(net_file, &net, NULL), MESO_OK);
    assert_int_equal(meso_weights_random(net, 1, &weights, NULL), MESO_OK);
    assert_int_equal(meso_weights_write(weights, "w.safetensors", NULL), MESO_OK);
    meso_weights_close(weights);
    meso_net_close(net);
    return tool_run_h5import(keras_file, &keras_stream, &n_keras_stream, NULL) == MESO_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    free(keras_stream);
    return harness_leave_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

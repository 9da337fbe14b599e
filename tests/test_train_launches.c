/* SPDX-License-Identifier: Apache-2.0
 *
 * What a training step on a GPU is made of, counted by the layer that stands between the library
 * and the driver: how many launches, over how many work-groups, and that the host waits for none.
 * Launches are counted and not made, so batches may be large.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault_layer/fault_layer.h"
#include "harness_device.h"
#include "model/train/trainer.h"

enum { side = 256, least_groups = 132 /* multiprocessors of a large GPU */ };

static fault_layer_state *layer;

/* Their data are a number for each channel, or a few for each image. */
static const char *const small[] = {
    "batch_norm_combine",
    "batch_norm_backward_combine",
    "loss",
    "bias_train",
    "bias_backward",
    "leaky_relu_forward",
    "leaky_relu_backward",
    "dropout",
    "dense_train",
    "dense_backward_weights",
    "dense_backward_data",
};

static int is_small(const char *kernel)
{
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        if (strcmp(kernel, small[i]) == 0)
            return 1;
    return 0;
}

static meso_trainer *open_trainer(meso_device *device, const char *name, size_t batch)
{
    const meso_trainer_options options = {.settings.max_batch = batch,
                                          .settings.beta1 = 0.9,
                                          .settings.beta2 = 0.999,
                                          .settings.epsilon = 1e-7,
                                          .settings.bn_momentum = 0.99};
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    meso_trainer *trainer = NULL;
    meso_error error = {0};
    if (meso_net_open(name, &net, &error) != MESO_OK ||
        meso_weights_random(net, 1, &weights, &error) != MESO_OK ||
        meso_trainer_open(device, weights, &options, &trainer, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_string_equal(meso_trainer_path(trainer), "parallel");
    meso_weights_close(weights);
    meso_net_close(net);
    return trainer;
}

static void check_groups(const char *name, size_t batch)
{
    for (size_t i = 0; i < layer->n_launches; i++) {
        const fault_launch *l = &layer->launches[i];
        size_t groups = 1, items = 1;
        for (int d = 0; d < 3; d++) {
            groups *= l->global[d] / l->local[d];
            items *= l->local[d];
        }
        if (getenv("MESO_TEST_VERBOSE"))
            print_message("%s %zu: %s %zu x %zu\n", name, batch, l->kernel, groups, items);
        if (items < 32 || (batch >= 64 && groups < least_groups && !is_small(l->kernel)))
            fail_msg("%s, %zu images: %s has %zu work-groups of %zu", name, batch, l->kernel,
                     groups, items);
        for (int d = 1; d < 3; d++) /* what CUDA allows */
            if (l->global[d] / l->local[d] > 65535)
                fail_msg("%s, %zu images: %s has %zu work-groups in dimension %d", name, batch,
                         l->kernel, l->global[d], d);
    }
}

/* Launches of a step. */
static size_t count(const char *name, size_t batch)
{
    harness_need_layers(FAULT_LAYER);
    meso_device *device = harness_device();
    layer->skips = 1;
    meso_trainer *trainer = open_trainer(device, name, batch);
    const size_t size = batch * side * side * 3;
    uint8_t *pixels = calloc(size, 1), *classes = calloc(batch, 1);
    const meso_train_batch input = {.pixels = pixels, .classes = classes, .n = batch};
    meso_step_result result;
    assert_true(pixels && classes);
    layer->n_launches = layer->n_waits = 0;
    if (meso_trainer_step(trainer, &input, 0.001, &result) != MESO_OK)
        fail_msg("%s", meso_trainer_error(trainer));
    const size_t n = layer->n_launches;
    print_message("%s, %zu images: %zu launches\n", name, batch, n);
    assert_in_range(n, 1, FAULT_MAX_LAUNCHES);
    assert_int_equal(layer->n_waits, 0);
    check_groups(name, batch);
    layer->skips = 0;
    free(pixels);
    free(classes);
    meso_trainer_close(trainer);
    meso_device_close(device);
    return n;
}

/* Augmentation in front of a step is as parallel, and nobody waits for it. */
static void test_augmented(void **state)
{
    enum { batch = 64 };
    static meso_augment_draw draws[batch];
    static const uint8_t classes[batch];
    meso_augment_settings settings;
    meso_augment *augment = NULL;
    meso_step_result result;
    (void)state;
    harness_need_layers(FAULT_LAYER);
    meso_device *device = harness_device();
    layer->skips = 1;
    meso_trainer *trainer = open_trainer(device, "meso4", batch);
    uint8_t *pixels = calloc(batch, side * side * 3);
    assert_int_equal(
        meso_augment_parse("mesonet,samplewise_center=1,samplewise_std=1", &settings, NULL),
        MESO_OK);
    assert_int_equal(meso_augment_open(device, &settings, side, side, 255, batch, &augment),
                     MESO_OK);
    const meso_train_batch input = {
        .pixels = pixels, .classes = classes, .n = batch, .augment = augment, .draws = draws};
    layer->n_launches = layer->n_waits = 0;
    if (meso_trainer_step(trainer, &input, 0.001, &result) != MESO_OK)
        fail_msg("%s", meso_trainer_error(trainer));
    assert_string_equal(layer->launches[0].kernel, "augment_words");
    assert_int_equal(layer->n_waits, 0);
    check_groups("augmented", batch);
    layer->skips = 0;
    free(pixels);
    meso_augment_close(augment);
    meso_trainer_close(trainer);
    meso_device_close(device);
}

static void try_net(const char *name, size_t most)
{
    const size_t n = count(name, 32);
    assert_in_range(n, 1, most);
    assert_int_equal(count(name, 1), n);
    assert_int_equal(count(name, 64), n);
}

static void test_meso4(void **state)
{
    (void)state;
    try_net("meso4", 60);
}

static void test_mesoinception4(void **state)
{
    (void)state;
    try_net("mesoinception4", 160);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_meso4),
                                       cmocka_unit_test(test_mesoinception4),
                                       cmocka_unit_test(test_augmented)};
    setenv("MESO_FAULT_GPU", "1", 1);
    layer = harness_put_layer(FAULT_LAYER);
    if (!layer)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

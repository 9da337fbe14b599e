/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding runs beside training: a run is as fast as the slower of the two. Decoding is held back
 * to rates below the device's, and left alone with all pictures in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "data/batch/batches_object.h"
#include "harness_device.h"
#include "harness_run.h"
#include "model/train/trainer.h"

enum { side = 256, batch_size = 32, n_files = 64 };

static char names[n_files][16];
static meso_dataset_item items[n_files];

typedef struct subject {
    meso_device *device;
    meso_weights *weights;
    meso_trainer *trainer;
    meso_dataset dataset;
    meso_contents contents;
} subject;

static void check(meso_status status, const char *sentence)
{
    if (status != MESO_OK)
        fail_msg("%s", sentence);
}

static subject open_subject(void)
{
    subject s = {
        .device = harness_device(),
        .dataset = {.items = items, .n_items = n_files, .n_class = {n_files / 2, n_files / 2}}};
    const meso_trainer_options options = {.settings.max_batch = batch_size,
                                          .settings.beta1 = 0.9,
                                          .settings.beta2 = 0.999,
                                          .settings.epsilon = 1e-7,
                                          .settings.bn_momentum = 0.99,
                                          .path = MESO_PATH_FUSED};
    meso_net *net = NULL;
    meso_error error = {0};
    for (size_t i = 0; i < n_files; i++) {
        snprintf(names[i], sizeof names[i], "%02zu.ppm", i);
        harness_put_picture(names[i], side, (unsigned)i * 0x010203);
        items[i] =
            (meso_dataset_item){names[i], i < n_files / 2 ? MESO_FAKE : MESO_REAL, NULL, NULL};
    }
    check(meso_contents_read(&s.dataset, 2, &s.contents, &error), error.text);
    check(meso_net_open("meso4", &net, &error), error.text);
    check(meso_weights_random(net, 1, &s.weights, &error), error.text);
    check(meso_trainer_open(s.device, s.weights, &options, &s.trainer, &error), error.text);
    meso_net_close(net);
    return s;
}

static void close_subject(subject *s)
{
    meso_trainer_close(s->trainer);
    meso_weights_close(s->weights);
    meso_contents_free(&s->contents);
    meso_device_close(s->device);
}

static void train(subject *s, const meso_batch *batch)
{
    const meso_train_batch given = {.pixels = batch->pixels, .classes = batch->real, .n = batch->n};
    meso_step_result result;
    check(meso_trainer_step(s->trainer, &given, 1e-3, &result), meso_trainer_error(s->trainer));
}

/* Images a second of so many epochs from a standing start; decodes_per_second: 0: all pictures are
 * in memory before. */
static double train_epochs(subject *s, double decodes_per_second, size_t epochs)
{
    const int kept = decodes_per_second == 0;
    const meso_batches_options options = {.dataset = &s->dataset,
                                          .contents = &s->contents,
                                          .width = side,
                                          .height = side,
                                          .batch = batch_size,
                                          .shuffle = 1,
                                          .n_threads = 2,
                                          .cache_bytes = kept ? (uint64_t)1 << 30 : 0};
    const size_t first = kept ? 1 : 0; /* epoch that is timed */
    meso_batches *batches = NULL;
    meso_batch batch = {0};
    meso_error error = {0};
    double started = meso_seconds();
    check(meso_batches_open(&options, &batches, &error), error.text);
    batches->decodes_per_second = decodes_per_second;
    while (batch.epoch + (uint64_t)batch.last < epochs + first) {
        check(meso_batches_next(batches, &batch, &error), error.text);
        train(s, &batch);
        if (kept && batch.epoch == 0 && batch.last)
            started = meso_seconds();
    }
    double rate = (double)(epochs * n_files) / (meso_seconds() - started);
    meso_batches_close(batches);
    return rate;
}

/* The same step on the same pictures: the device alone. */
static double compute_rate(subject *s, size_t steps)
{
    uint8_t *pixels = calloc(batch_size, 3 * side * side), classes[batch_size] = {0};
    const meso_batch batch = {.pixels = pixels, .real = classes, .n = batch_size};
    assert_non_null(pixels);
    train(s, &batch);
    double started = meso_seconds();
    for (size_t i = 0; i < steps; i++)
        train(s, &batch);
    double rate = (double)(steps * batch_size) / (meso_seconds() - started);
    free(pixels);
    return rate;
}

/* MESO_FULL=1 asks for what an idle machine must do; otherwise others may be at work beside. */
static void is_as_fast_as_the_slower(void **state)
{
    static const struct {
        double decodes_per_second;
        size_t epochs;
    } rows[] = {{60, 4}, {300, 20}, {0, 40}};
    const double least = getenv("MESO_FULL") ? 0.95 : 0.7;
    subject s = open_subject();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double before = compute_rate(&s, 16);
        double both = train_epochs(&s, rows[i].decodes_per_second, rows[i].epochs);
        double after = compute_rate(&s, 16), compute = before < after ? before : after;
        double decode = rows[i].decodes_per_second,
               slower = decode > 0 && decode < compute ? decode : compute;
        printf("decoding %.0f a second (0: in memory), device %.0f: %.1f images/s, %.3f of the "
               "slower\n",
               decode, compute, both, both / slower);
        if (!(both >= least * slower))
            fail_msg("%.1f images/s where decoding brings %.0f (0: in memory) and the device %.1f",
                     both, decode, compute);
    }
    close_subject(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        is_as_fast_as_the_slower, harness_enter_folder, harness_leave_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The trainer: nets of all shapes against the double-precision reference, the same bits on any
 * number of lanes, freezing, state, and what it refuses.
 */
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
#include "model/train/trainer_object.h"
#include "reference_train.h"

enum { max_batch = 24 };

/* Branches that end in one layer, one that is read by several, dilations and strides, dropout in
 * the middle of a picture. */
#define BRANCHES                                                      \
    "i = input height=18 width=20 channels=3 divide=1\n"              \
    "a = conv i filters=5 window=3 stride=1 dilation=2 pad=same\n"    \
    "ab = bias a\n"                                                   \
    "ar = relu ab\n"                                                  \
    "b = conv ar filters=4 window=3x5 stride=1 dilation=1 pad=same\n" \
    "be = elu b alpha=1\n"                                            \
    "c = concat ar be ar\n"                                           \
    "n = batch_norm c epsilon=0.001\n"                                \
    "m = max_pool n window=3 stride=2 pad=same\n"                     \
    "d = dropout m rate=0.3\n"                                        \
    "s = conv d filters=6 window=3 stride=2x1 dilation=1 pad=1\n"     \
    "sb = bias s\n"                                                   \
    "sl = leaky_relu sb slope=0.2\n"                                  \
    "sg = sigmoid sl\n"                                               \
    "n2 = batch_norm sg epsilon=0.001\n"
#define ONE_OUTPUT               \
    "f = flatten n2\n"           \
    "h = dense f units=7\n"      \
    "hr = relu h cap=6\n"        \
    "hd = dropout hr rate=0.5\n" \
    "o = dense hd units=1\n"     \
    "ob = bias o\n"              \
    "p = sigmoid ob\n"
#define TWO_OUTPUTS            \
    "g = global_avg_pool n2\n" \
    "q = softmax g\n"          \
    "o = dense q units=2\n"    \
    "p = softmax o\n"

static const meso_trainer_options base_options = {.settings.max_batch = max_batch,
                                                  .settings.loss = MESO_LOSS_BCE,
                                                  .settings.beta1 = 0.9,
                                                  .settings.beta2 = 0.999,
                                                  .settings.epsilon = 1e-7,
                                                  .settings.momentum = 0.9,
                                                  .settings.bn_momentum = 0.99,
                                                  .settings.seed = 0xfedcba9876543210u,
                                                  .path = MESO_PATH_FUSED};

/* A net with seeded weights, some gammas negative, and images for it. */
typedef struct subject {
    meso_device *device;
    meso_net *net;
    meso_weights *weights;
    float *values;
    uint8_t classes[max_batch];
} subject;

static subject open_subject(const char *text)
{
    subject s = {.device = harness_device()};
    meso_random random = {5};
    meso_error error = {0};
    if (meso_net_parse(text, "case", &s.net, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_int_equal(meso_weights_random(s.net, 3, &s.weights, NULL), MESO_OK);
    for (size_t i = 0; i < s.net->n_params; i++) {
        const meso_tensor *tensor = meso_weights_find(s.weights, s.net->params[i].name);
        if (s.net->params[i].kind != MESO_PARAM_KERNEL)
            harness_fill(&random, tensor->values, tensor->n_values);
        if (s.net->params[i].kind == MESO_PARAM_VARIANCE)
            for (size_t k = 0; k < tensor->n_values; k++)
                tensor->values[k] = fabsf(tensor->values[k]) + 0.5f;
    }
    const size_t size = meso_shape_size(s.net->layers[0].shape);
    s.values = malloc(max_batch * size * sizeof *s.values);
    assert_non_null(s.values);
    harness_fill(&random, s.values, max_batch * size);
    for (size_t i = 0; i < max_batch; i++)
        s.classes[i] = (uint8_t)meso_random_below(&random, 2);
    return s;
}

static void close_subject(subject *s)
{
    meso_weights_close(s->weights);
    meso_net_close(s->net);
    meso_device_close(s->device);
    free(s->values);
}

static meso_train_batch batch_of(const subject *s, size_t n)
{
    return (meso_train_batch){.values = s->values, .classes = s->classes, .n = n};
}

static meso_trainer *open_trainer(const subject *s, const meso_trainer_options *options)
{
    meso_trainer *trainer = NULL;
    meso_error error = {0};
    if (meso_trainer_open(s->device, s->weights, options, &trainer, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return trainer;
}

static meso_step_result train(meso_trainer *trainer, const subject *s, size_t n, double rate)
{
    const meso_train_batch batch = batch_of(s, n);
    meso_step_result result;
    if (meso_trainer_step(trainer, &batch, rate, &result) != MESO_OK)
        fail_msg("%s", meso_trainer_error(trainer));
    return result;
}

static meso_weights *weights_of(meso_trainer *trainer)
{
    meso_weights *weights = NULL;
    assert_int_equal(meso_weights_create(&weights, NULL), MESO_OK);
    assert_int_equal(meso_trainer_get(trainer, weights), MESO_OK);
    return weights;
}

static meso_weights *state_of(meso_trainer *trainer)
{
    meso_weights *state = NULL;
    assert_int_equal(meso_weights_create(&state, NULL), MESO_OK);
    assert_int_equal(meso_trainer_save_state(trainer, state), MESO_OK);
    return state;
}

/* Byte by byte; only: tensors whose name begins so, or NULL. Returns how many differ. */
static size_t count_different(const meso_weights *a, const meso_weights *b, const char *only)
{
    size_t n = 0;
    assert_int_equal(meso_weights_n_tensors(a), meso_weights_n_tensors(b));
    for (size_t i = 0; i < meso_weights_n_tensors(a); i++) {
        const meso_tensor *t = meso_weights_tensor(a, i);
        const meso_tensor *u = meso_weights_find(b, t->name);
        assert_non_null(u);
        if (!only || strncmp(t->name, only, strlen(only)) == 0)
            n += memcmp(t->values, u->values, t->n_values * sizeof(float)) != 0;
    }
    return n;
}

/* Three steps of n images by SGD, whose weights follow the gradients, against the reference. */
static void try_net(const char *text, meso_loss loss, const char *freeze, size_t n)
{
    subject s = open_subject(text);
    meso_trainer_options options = base_options;
    reference_trainer reference;
    options.settings.loss = loss;
    options.settings.optimizer = MESO_OPTIMIZER_SGD;
    options.freeze = freeze;
    options.settings.bn_biased_variance = n % 2;
    meso_trainer *trainer = open_trainer(&s, &options);
    reference_trainer_open(&reference, s.net, s.weights, &options);
    for (int step = 0; step < 3; step++) {
        const double exact = reference_trainer_step(&reference, s.values, s.classes, n, 0.01);
        harness_close(train(trainer, &s, n, 0.01).loss, exact, 2e-5 * (1 + exact), "loss");
    }
    meso_weights *now = weights_of(trainer);
    for (size_t i = 0; i < s.net->n_params; i++) {
        const meso_tensor *tensor = meso_weights_find(now, s.net->params[i].name);
        const meso_tensor *start = meso_weights_find(s.weights, tensor->name);
        double moved = 0, off = 0;
        for (size_t k = 0; k < tensor->n_values; k++) {
            const double to = reference.params[i][k];
            moved += pow(to - (double)start->values[k], 2);
            off += pow((double)tensor->values[k] - to, 2);
        }
        /* What rounding of the weights themselves explains, and 1e-4 of the way. */
        harness_close(sqrt(off), 0, 1e-7 * sqrt((double)tensor->n_values) + 1e-4 * sqrt(moved),
                      "%s with %zu images", tensor->name, n);
        if (moved > 0 && reference.frozen[s.net->params[i].layer])
            fail_msg("%s is frozen", tensor->name);
    }
    meso_weights_close(now);
    reference_trainer_close(&reference);
    meso_trainer_close(trainer);
    close_subject(&s);
}

static void test_against_reference(void **state)
{
    static const size_t batches[] = {2, 5, 8, 13};
    (void)state;
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        try_net(BRANCHES ONE_OUTPUT, MESO_LOSS_BCE, NULL, batches[i]);
        try_net(BRANCHES TWO_OUTPUTS, MESO_LOSS_CCE, NULL, batches[i]);
    }
    try_net(BRANCHES ONE_OUTPUT, MESO_LOSS_MSE, NULL, 3);
    try_net(BRANCHES TWO_OUTPUTS, MESO_LOSS_MSE, NULL, 9);
    try_net(BRANCHES ONE_OUTPUT, MESO_LOSS_BCE, "n,s*", 9);
    try_net(BRANCHES ONE_OUTPUT, MESO_LOSS_BCE, "a*,b*,[n-s]?,n,s", 9);
    try_net("i = input height=1 width=1 channels=6 divide=1\no = dense i units=1\np = sigmoid o\n",
            MESO_LOSS_BCE, NULL, 1);
}

/* The built-in net with branches, as Adam trains it. */
static void test_lanes_give_the_same_bits(void **state)
{
    (void)state;
    subject s = open_subject(BRANCHES ONE_OUTPUT);
    meso_weights *weights[2], *states[2];
    for (size_t l = 0; l < 2; l++) {
        meso_trainer_options options = base_options;
        options.settings.n_lanes = l + 1;
        meso_trainer *trainer = open_trainer(&s, &options);
        for (size_t step = 0; step < 4; step++)
            train(trainer, &s, step == 2 ? 19 : max_batch, 0.01);
        weights[l] = weights_of(trainer);
        states[l] = state_of(trainer);
        meso_trainer_close(trainer);
    }
    assert_int_equal(count_different(weights[0], weights[1], NULL), 0);
    assert_int_equal(count_different(states[0], states[1], NULL), 0);
    for (size_t l = 0; l < 2; l++) {
        meso_weights_close(weights[l]);
        meso_weights_close(states[l]);
    }
    close_subject(&s);
}

static void test_frozen_layers_stay(void **state)
{
    (void)state;
    subject s = open_subject(BRANCHES ONE_OUTPUT);
    meso_trainer_options options = base_options;
    options.freeze = "a*,b,n*,s*";
    meso_trainer *trainer = open_trainer(&s, &options);
    for (int step = 0; step < 3; step++)
        train(trainer, &s, max_batch, 0.01);
    meso_weights *now = weights_of(trainer), *saved = state_of(trainer);
    static const char *const frozen[] = {"a.", "ab.", "b.", "n.", "n2.", "s.", "sb."};
    for (size_t i = 0; i < sizeof frozen / sizeof frozen[0]; i++)
        assert_int_equal(count_different(s.weights, now, frozen[i]), 0);
    assert_int_equal(count_different(s.weights, now, NULL), 3); /* h, o and ob */
    assert_int_equal(meso_weights_n_tensors(saved), 3 * 3);
    meso_weights_close(saved);
    meso_weights_close(now);
    meso_trainer_close(trainer);
    close_subject(&s);
}

/* Two steps, saved, three more: the same as from the saved state in a new trainer. */
static void test_state_goes_on(void **state)
{
    (void)state;
    subject s = open_subject(BRANCHES ONE_OUTPUT);
    for (int optimizer = MESO_OPTIMIZER_ADAM; optimizer <= MESO_OPTIMIZER_SGD; optimizer++) {
        meso_trainer_options options = base_options;
        meso_error error = {0};
        options.settings.optimizer = (meso_optimizer)optimizer;
        meso_trainer *trainer = open_trainer(&s, &options), *other = open_trainer(&s, &options);
        for (int step = 0; step < 2; step++)
            train(trainer, &s, max_batch, 0.01);
        meso_weights *weights = weights_of(trainer), *saved = state_of(trainer);
        train(other, &s, 7, 0.1); /* something to be forgotten */
        if (meso_trainer_load_state(other, weights, saved, &error) != MESO_OK)
            fail_msg("%s", error.text);
        assert_int_equal(other->steps, 2);
        for (int step = 0; step < 3; step++) {
            assert_true(train(trainer, &s, 11, 0.01).loss == train(other, &s, 11, 0.01).loss);
        }
        meso_weights *a = weights_of(trainer), *b = weights_of(other);
        assert_int_equal(count_different(a, b, NULL), 0);
        assert_true(count_different(a, weights, NULL) > 0);
        assert_string_equal(meso_weights_get(a, "mesocl.net"), meso_net_text(s.net));

        assert_int_equal(meso_trainer_load_state(other, weights, weights, &error), MESO_ERROR_DATA);
        meso_weights_close(a);
        meso_weights_close(b);
        meso_weights_close(saved);
        meso_weights_close(weights);
        meso_trainer_close(trainer);
        meso_trainer_close(other);
    }
    close_subject(&s);
}

/* Moving statistics become the means over the batches given, and nothing else changes. */
static void test_statistics(void **state)
{
    (void)state;
    subject s = open_subject("i = input height=4 width=5 channels=3 divide=1\n"
                             "d = dropout i rate=0.5\n"
                             "n = batch_norm d epsilon=0.001\n"
                             "f = flatten n\no = dense f units=1\np = sigmoid o\n");
    meso_trainer *trainer = open_trainer(&s, &base_options);
    const size_t batches[] = {6, 10}, size = 4 * 5;
    double mean[3] = {0}, variance[3] = {0};
    for (size_t b = 0; b < 2; b++) {
        const size_t n = batches[b];
        const meso_train_batch batch = batch_of(&s, n);
        assert_int_equal(meso_trainer_statistics(trainer, &batch, b == 0), MESO_OK);
        for (size_t c = 0; c < 3; c++) {
            double sum = 0, squares = 0;
            for (size_t p = 0; p < n * size; p++)
                sum += s.values[p * 3 + c];
            for (size_t p = 0; p < n * size; p++)
                squares += pow(s.values[p * 3 + c] - sum / (double)(n * size), 2);
            mean[c] += sum / (double)(n * size) * (double)n / 16;
            variance[c] += squares / (double)(n * size - 1) * (double)n / 16;
        }
    }
    meso_weights *now = weights_of(trainer);
    for (size_t c = 0; c < 3; c++) {
        harness_close(meso_weights_find(now, "n.moving_mean")->values[c], mean[c], 1e-6, "mean");
        harness_close(meso_weights_find(now, "n.moving_variance")->values[c], variance[c], 1e-6,
                      "variance");
    }
    assert_int_equal(count_different(s.weights, now, NULL), 2);
    meso_weights_close(now);
    meso_trainer_close(trainer);
    close_subject(&s);
}

static void refuse_open(const subject *s, const meso_trainer_options *options, meso_status expected,
                        const char *words)
{
    meso_trainer *trainer = NULL;
    meso_error error = {0};
    assert_int_equal(meso_trainer_open(s->device, s->weights, options, &trainer, &error), expected);
    assert_null(trainer);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" lacks \"%s\"", error.text, words);
}

/* GPUs, and what else has no vectors, take the parallel path unless they are asked not to. */
static void test_path(void **state)
{
    (void)state;
    subject s = open_subject(BRANCHES ONE_OUTPUT);
    meso_trainer_options options = base_options;
    meso_trainer *trainer = open_trainer(&s, &options);
    assert_string_equal(meso_trainer_path(trainer),
                        meso_device_has_vectors(s.device) ? "plain" : "parallel");
    meso_trainer_close(trainer);
    options.path = MESO_PATH_PLAIN;
    trainer = open_trainer(&s, &options);
    assert_string_equal(meso_trainer_path(trainer), "plain");
    meso_trainer_close(trainer);
    close_subject(&s);
}

static void test_refusals(void **state)
{
    (void)state;
    subject s = open_subject(BRANCHES ONE_OUTPUT);
    meso_trainer_options o = base_options;
    o.settings.max_batch = 0;
    refuse_open(&s, &o, MESO_ERROR_ARGUMENT, "a batch of 0 images");
    o = base_options;
    o.settings.beta2 = 1;
    refuse_open(&s, &o, MESO_ERROR_ARGUMENT, "beta2 is 1");
    o = base_options;
    o.settings.epsilon = NAN;
    refuse_open(&s, &o, MESO_ERROR_ARGUMENT, "epsilon");
    o = base_options;
    o.freeze = "conv*";
    refuse_open(&s, &o, MESO_ERROR_ARGUMENT, "no layer of net case is called conv*");
    o.freeze = "*";
    refuse_open(&s, &o, MESO_ERROR_ARGUMENT, "nothing is left to train");
    o = base_options;
    o.settings.loss = MESO_LOSS_CCE;
    refuse_open(&s, &o, MESO_ERROR_DATA, "take binary cross-entropy");
    meso_weights_find(s.weights, "h.kernel")->values[3] = NAN;
    refuse_open(&s, &base_options, MESO_ERROR_DATA, "h.kernel: value 3 is not finite");
    close_subject(&s);
}

/* What stops being finite is an error that names step and tensor. */
static void test_not_finite(void **state)
{
    (void)state;
    subject s = open_subject(BRANCHES ONE_OUTPUT);
    meso_trainer_options options = base_options;
    meso_step_result result;
    meso_train_batch batch = batch_of(&s, max_batch);
    options.settings.optimizer = MESO_OPTIMIZER_SGD;
    meso_trainer *trainer = open_trainer(&s, &options);
    train(trainer, &s, 4, 0.01);
    assert_int_equal(meso_trainer_step(trainer, &batch, 0, &result), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_trainer_step(trainer, &batch, NAN, &result), MESO_ERROR_ARGUMENT);
    batch.n = max_batch + 1;
    assert_int_equal(meso_trainer_step(trainer, &batch, 0.1, &result), MESO_ERROR_ARGUMENT);
    batch.n = max_batch;
    assert_int_equal(meso_trainer_step(trainer, &batch, 1e300, &result), MESO_ERROR_DATA);
    if (!strstr(meso_trainer_error(trainer), "step 2: tensor "))
        fail_msg("%s", meso_trainer_error(trainer));
    meso_trainer_close(trainer);

    trainer = open_trainer(&s, &options);
    s.values[17] = INFINITY;
    assert_int_equal(meso_trainer_step(trainer, &batch, 0.1, &result), MESO_ERROR_DATA);
    if (!strstr(meso_trainer_error(trainer), "step 1: the loss is "))
        fail_msg("%s", meso_trainer_error(trainer));
    s.classes[0] = 2;
    assert_int_equal(meso_trainer_step(trainer, &batch, 0.1, &result), MESO_ERROR_ARGUMENT);
    meso_trainer_close(trainer);
    close_subject(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_reference),  cmocka_unit_test(test_lanes_give_the_same_bits),
        cmocka_unit_test(test_frozen_layers_stay), cmocka_unit_test(test_state_goes_on),
        cmocka_unit_test(test_statistics),         cmocka_unit_test(test_path),
        cmocka_unit_test(test_refusals),           cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

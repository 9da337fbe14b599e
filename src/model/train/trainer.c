/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/trainer_object.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/op/op.h"
#include "net/train/strip_train.h"

meso_status meso_trainer_device_failed(meso_trainer *trainer, meso_status status)
{
    return meso_fail(&trainer->error, status, "%s", meso_device_error(trainer->device));
}

meso_status meso_trainer_check_path(meso_path path, meso_error *error)
{
    if (path != MESO_PATH_EXACT)
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_ARGUMENT,
                     "the path exact is for predictions: training takes fused or plain");
}

meso_trainer_options meso_trainer_options_of(const meso_train_options *run)
{
    return (meso_trainer_options){.settings = {.max_batch = run->batch,
                                               .n_lanes = run->n_lanes,
                                               .loss = run->loss,
                                               .optimizer = run->optimizer,
                                               .beta1 = run->beta1,
                                               .beta2 = run->beta2,
                                               .epsilon = run->epsilon,
                                               .momentum = run->momentum,
                                               .bn_momentum = run->bn_momentum,
                                               .bn_biased_variance = run->bn_biased_variance,
                                               .seed = run->seed},
                                  .freeze = run->freeze,
                                  .path = run->path};
}

static meso_status check_settings(const meso_train_settings *o, meso_error *error)
{
    enum { largest_batch = 1 << 16 };
    MESO_DEMAND(o->max_batch >= 1 && o->max_batch <= largest_batch, error, MESO_ERROR_ARGUMENT,
                "a batch of %zu images: 1 to %d are possible", o->max_batch, (int)largest_batch);
    const struct {
        const char *name;
        double value;
    } shares[] = {{"beta1", o->beta1},
                  {"beta2", o->beta2},
                  {"momentum", o->momentum},
                  {"momentum of batch norm", o->bn_momentum}};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
        MESO_DEMAND(shares[i].value >= 0 && shares[i].value < 1, error, MESO_ERROR_ARGUMENT,
                    "%s is %g; it must be at least 0 and below 1", shares[i].name, shares[i].value);
    MESO_DEMAND(o->epsilon > 0 && o->epsilon < 1, error, MESO_ERROR_ARGUMENT,
                "epsilon is %g; it must be above 0 and below 1", o->epsilon);
    return MESO_OK;
}

/* The loss is computed from the logits that the last layer squashes, so it must fit that one. */
static meso_status check_loss(const meso_net *net, meso_loss loss, meso_error *error)
{
    const meso_layer *last = &net->layers[net->n_layers - 1];
    const size_t outputs = meso_shape_size(last->shape);
    const int sigmoid = last->op == &meso_op_sigmoid && outputs == 1;
    const int softmax = last->op == &meso_op_softmax && outputs == 2;
    MESO_DEMAND(sigmoid || softmax, error, MESO_ERROR_DATA,
                "net %s ends with %s of %zu outputs; MesoCL trains nets that end with a sigmoid "
                "of 1 output or a softmax of 2",
                net->name, last->op->name, outputs);
    MESO_DEMAND(loss != MESO_LOSS_BCE || sigmoid, error, MESO_ERROR_DATA,
                "net %s ends with a softmax; binary cross-entropy needs a sigmoid: take "
                "categorical cross-entropy",
                net->name);
    MESO_DEMAND(loss != MESO_LOSS_CCE || softmax, error, MESO_ERROR_DATA,
                "net %s ends with a sigmoid; categorical cross-entropy needs a softmax: take "
                "binary cross-entropy",
                net->name);
    return MESO_OK;
}

/* "conv*,bn*" → frozen layers. */
static meso_status freeze(meso_trainer *t, const char *patterns, meso_error *error)
{
    meso_status status = MESO_OK;
    char *copy = strdup(patterns ? patterns : ""), *rest = NULL;
    MESO_REQUIRE_MEMORY(copy, error);
    for (char *p = strtok_r(copy, ",", &rest); p; p = strtok_r(NULL, ",", &rest)) {
        int n = 0;
        for (size_t i = 0; i < t->net->n_layers; i++)
            if (fnmatch(p, t->net->layers[i].name, 0) == 0) {
                t->frozen[i] = 1;
                n++;
            }
        MESO_REQUIRE(n > 0, error, MESO_ERROR_ARGUMENT, "no layer of net %s is called %s",
                     t->net->name, MESO_PRINTABLE(p));
    }
    int n_trained = 0;
    for (size_t i = 0; i < t->net->n_params; i++)
        n_trained += meso_train_is_trained(&t->settings, &t->net->params[i]);
    MESO_REQUIRE(n_trained > 0, error, MESO_ERROR_ARGUMENT,
                 "%s freezes all of net %s: nothing is left to train",
                 MESO_PRINTABLE(patterns ? patterns : "nothing"), t->net->name);
out:
    free(copy);
    return status;
}

/* Host arrays of every parameter; zeros. */
static float **make_arrays(const meso_net *net)
{
    float **arrays = calloc(net->n_params + 1, sizeof *arrays);
    for (size_t i = 0; arrays && i < net->n_params; i++)
        if (!(arrays[i] = calloc(net->params[i].n_values + 1, sizeof **arrays))) {
            while (i-- > 0)
                free(arrays[i]);
            free(arrays);
            return NULL;
        }
    return arrays;
}

static void free_arrays(const meso_net *net, float **arrays)
{
    for (size_t i = 0; arrays && i < net->n_params; i++)
        free(arrays[i]);
    free(arrays);
}

/* The path that was asked for, else the plain one. */
static meso_status choose_path(meso_trainer *t, meso_path wanted)
{
    /* Best first; a path that cannot train the net leaves `run` NULL. */
    static const meso_train_path *const paths[] = {&meso_train_fused, &meso_train_parallel,
                                                   &meso_train_plain};
    const size_t n = sizeof paths / sizeof paths[0];
    meso_status status = MESO_OK;
    for (size_t i = wanted == MESO_PATH_FUSED ? 0 : n - 1; i < n && !t->run; i++) {
        t->path = paths[i];
        status = t->path->create(t->device, t->net, &t->settings, &t->run);
        if (status != MESO_OK)
            return meso_trainer_device_failed(t, status);
    }
    return status;
}

/* The net of the weights, and arrays of their values. */
static meso_status take_weights(meso_trainer *t, const meso_weights *start, meso_error *error)
{
    MESO_CHECK(meso_weights_net(start, "the weights", &t->net, error));
    MESO_CHECK(meso_weights_check(start, t->net, error));
    MESO_CHECK(meso_weights_copy(start, &t->start, error));
    t->params = make_arrays(t->net);
    t->first = make_arrays(t->net);
    t->second = make_arrays(t->net);
    t->rest = make_arrays(t->net);
    MESO_DEMAND_MEMORY(t->params && t->first && t->second && t->rest ? t : NULL, error);
    for (size_t i = 0; i < t->net->n_params; i++) {
        const meso_param *param = &t->net->params[i];
        memcpy(t->params[i], meso_weights_find(start, param->name)->values,
               param->n_values * sizeof(float));
    }
    return MESO_OK;
}

meso_status meso_trainer_open(meso_device *device, const meso_weights *start,
                              const meso_trainer_options *options, meso_trainer **trainer,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    meso_trainer *t = calloc(1, sizeof *t);
    MESO_REQUIRE_MEMORY(t, error);
    t->device = device;
    MESO_TRY(check_settings(&options->settings, error));
    MESO_TRY(meso_trainer_check_path(options->path, error));
    MESO_TRY(take_weights(t, start, error));
    MESO_TRY(check_loss(t->net, options->settings.loss, error));
    t->settings = options->settings;
    t->settings.frozen = t->frozen;
    MESO_TRY(freeze(t, options->freeze, error));
    t->n_lanes = meso_device_n_lanes(device, options->settings.n_lanes);
    status = choose_path(t, options->path);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", t->error.text);
    const meso_train_values values = {.params = t->params};
    status = t->path->copy(t->run, &values, MESO_TO_DEVICE);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(device));
    *trainer = t;
    t = NULL;
out:
    meso_trainer_close(t);
    return status;
}

void meso_trainer_close(meso_trainer *trainer)
{
    if (!trainer)
        return;
    if (trainer->path)
        trainer->path->close(trainer->run);
    if (trainer->net) {
        free_arrays(trainer->net, trainer->params);
        free_arrays(trainer->net, trainer->first);
        free_arrays(trainer->net, trainer->second);
        free_arrays(trainer->net, trainer->rest);
    }
    meso_buffer_release(&trainer->augmented);
    meso_weights_close(trainer->start);
    meso_net_close(trainer->net);
    free(trainer);
}

const char *meso_trainer_error(const meso_trainer *trainer)
{
    return trainer->error.text;
}

const char *meso_trainer_path(const meso_trainer *trainer)
{
    return trainer->path->name;
}

size_t meso_trainer_n_lanes(const meso_trainer *trainer)
{
    return trainer->n_lanes;
}

const meso_net *meso_trainer_net(const meso_trainer *trainer)
{
    return trainer->net;
}

const char *meso_trainer_tuning(const meso_trainer *trainer)
{
    return trainer->path->tuning ? trainer->path->tuning(trainer->run) : "";
}

/* What is no longer finite never becomes so again, and makes plausible probabilities. */
static meso_status check_finite(meso_trainer *t, double loss)
{
    meso_status status = MESO_OK;
    MESO_REQUIRE(isfinite(loss), &t->error, MESO_ERROR_DATA,
                 "step %llu: the loss is not finite: the learning rate is too high, or an input is "
                 "not finite",
                 (unsigned long long)t->steps);
    const meso_train_values values = {.params = t->params};
    status = t->path->copy(t->run, &values, MESO_FROM_DEVICE);
    if (status != MESO_OK)
        return meso_trainer_device_failed(t, status);
    for (size_t i = 0; i < t->net->n_params; i++) {
        const meso_param *param = &t->net->params[i];
        size_t bad = meso_first_not_finite(t->params[i], param->n_values);
        MESO_REQUIRE(bad == param->n_values, &t->error, MESO_ERROR_DATA,
                     "step %llu: tensor %s: value %zu is not finite: the learning rate is too high",
                     (unsigned long long)t->steps, param->name, bad);
    }
out:
    return status;
}

/* ---- a batch on its way to the device ---- */

/* A batch on the device. */
typedef struct device_batch {
    meso_buffer given, draws; /* the caller's memory */
    meso_train_input input;
} device_batch;

static meso_status check_batch(meso_trainer *t, const meso_train_batch *batch)
{
    meso_error_clear(&t->error);
    MESO_DEMAND(batch->n >= 1 && batch->n <= t->settings.max_batch, &t->error, MESO_ERROR_ARGUMENT,
                "a batch of %zu images; the trainer was opened for 1 to %zu", batch->n,
                t->settings.max_batch);
    MESO_DEMAND(!batch->pixels != !batch->values, &t->error, MESO_ERROR_ARGUMENT,
                "a batch has either pixels or values");
    MESO_DEMAND(!batch->augment || batch->pixels, &t->error, MESO_ERROR_ARGUMENT,
                "augmentation takes pixels, not values");
    for (size_t i = 0; i < batch->n; i++)
        MESO_DEMAND(batch->classes[i] <= 1, &t->error, MESO_ERROR_ARGUMENT,
                    "image %zu is of class %d; there are 0 and 1", i, batch->classes[i]);
    return MESO_OK;
}

/* Drawn pictures that stay whole numbers go the way of pixels. */
static int stays_pixels(const meso_train_batch *batch)
{
    return batch->draws && meso_augment_gives_pixels(batch->augment);
}

/* Pixels → t->augmented, on all lanes. */
static meso_status augment(meso_trainer *t, const meso_train_batch *batch, const device_batch *u)
{
    meso_status status = MESO_OK;
    const size_t size = meso_shape_size(t->net->layers[0].shape);
    const meso_buffer *draws = batch->draws ? &u->draws : NULL;
    if (!t->augmented.memory)
        MESO_TRY(meso_buffer_create(t->device, t->settings.max_batch * size * sizeof(float),
                                    &t->augmented));
    for (size_t l = 0; l < t->n_lanes; l++) {
        const meso_share own = meso_lane_share(l, t->n_lanes, batch->n);
        if (own.n == 0)
            continue;
        meso_device_use_lane(t->device, (int)l);
        MESO_TRY((stays_pixels(batch) ? meso_augment_enqueue_pixels : meso_augment_enqueue)(
            batch->augment, &u->given, own.first, own.n, draws, &t->augmented));
        MESO_TRY(meso_device_flush(t->device));
    }
    MESO_TRY(meso_device_join_lanes(t->device, t->n_lanes));
out:
    meso_device_use_lane(t->device, MESO_WHOLE_DEVICE);
    return status;
}

/* Augmented, where the batch says so. The upload is to be released, also where this fails. */
static meso_status upload_batch(meso_trainer *t, const meso_train_batch *batch, device_batch *u)
{
    const size_t n_values = batch->n * meso_shape_size(t->net->layers[0].shape);
    void *memory = batch->pixels ? (void *)batch->pixels : (void *)batch->values;
    const int is_float = !batch->pixels || (batch->augment && !stays_pixels(batch));
    *u = (device_batch){.input = {.is_float = is_float, .classes = batch->classes, .n = batch->n}};
    meso_status status = check_batch(t, batch);
    if (status != MESO_OK)
        return status;
    /* Memory that the device shares is not copied. */
    MESO_TRY(meso_buffer_wrap(t->device, memory, n_values * (batch->pixels ? 1 : sizeof(float)),
                              &u->given));
    if (batch->augment && batch->draws)
        MESO_TRY(meso_buffer_wrap(t->device, (void *)batch->draws, batch->n * sizeof *batch->draws,
                                  &u->draws));
    if (batch->augment)
        MESO_TRY(augment(t, batch, u));
    u->input.pixels = batch->augment ? &t->augmented : &u->given;
out:
    return status == MESO_OK ? status : meso_trainer_device_failed(t, status);
}

/* What failed may still be read by what was enqueued before. */
static void upload_release(meso_trainer *t, device_batch *u, meso_status status)
{
    if (status != MESO_OK)
        meso_device_finish_all(t->device);
    meso_buffer_release(&u->given);
    meso_buffer_release(&u->draws);
}

/* ---- steps ---- */

meso_status meso_trainer_step(meso_trainer *trainer, const meso_train_batch *batch,
                              double learning_rate, meso_step_result *result)
{
    meso_status status = MESO_OK;
    device_batch given;
    meso_train_result sums;
    MESO_TRY(upload_batch(trainer, batch, &given));
    MESO_REQUIRE(learning_rate > 0 && isfinite(learning_rate), &trainer->error, MESO_ERROR_ARGUMENT,
                 "a learning rate of %g; it must be above 0", learning_rate);
    trainer->steps++;
    status = trainer->path->step(trainer->run, &given.input, trainer->steps, learning_rate, &sums);
    if (status != MESO_OK) {
        meso_trainer_device_failed(trainer, status);
        goto out;
    }
    MESO_TRY(check_finite(trainer, sums.loss));
    *result = (meso_step_result){sums.loss, sums.n_correct};
out:
    upload_release(trainer, &given, status);
    return status;
}

meso_status meso_trainer_statistics(meso_trainer *trainer, const meso_train_batch *batch, int first)
{
    meso_status status = MESO_OK;
    device_batch given;
    MESO_TRY(upload_batch(trainer, batch, &given));
    trainer->n_statistics = batch->n + (first ? 0 : trainer->n_statistics);
    status = trainer->path->statistics(trainer->run, &given.input,
                                       (double)batch->n / (double)trainer->n_statistics);
    if (status != MESO_OK)
        meso_trainer_device_failed(trainer, status);
    else
        status = check_finite(trainer, 0);
out:
    upload_release(trainer, &given, status);
    return status;
}

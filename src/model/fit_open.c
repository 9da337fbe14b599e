/* SPDX-License-Identifier: Apache-2.0
 *
 * Data, net and trainer of a run, from its options.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/feature_fit.h"
#include "data/labels.h"
#include "model/fit.h"
#include "model/weights.h"

static void note_unreadable(meso_fit *fit, const meso_dataset *dataset)
{
    char text[640];
    snprintf(text, sizeof text, "%zu folders could not be opened; the first: %s",
             dataset->n_unreadable, dataset->unreadable);
    meso_fit_note(fit, text);
}

static meso_status open_dataset(meso_fit *fit, const char *folder, const char *manifest,
                                meso_fit_set *set, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_dataset_options options = fit->options.dataset;
    options.manifest = manifest;
    /* Groups are for splitting: a set that is given whole needs none. */
    if (fit->options.split_by != MESO_SPLIT_GROUP)
        options.group = NULL;
    MESO_TRY(meso_dataset_open(folder, &options, &set->own, error));
    set->dataset = &set->own;
    set->n_items = set->own.n_items;
    if (set->own.n_unreadable > 0)
        note_unreadable(fit, &set->own);
    MESO_TRY(meso_contents_read(&set->own, fit->options.n_threads, &set->own_contents, error));
    set->contents = &set->own_contents;
out:
    return status;
}

/* A part of the data set. */
static meso_fit_set part_of(const meso_fit_set *whole, const size_t *items, size_t n)
{
    return (meso_fit_set){
        .dataset = whole->dataset, .contents = whole->contents, .items = items, .n_items = n};
}

static meso_status open_data(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_train_options *o = &fit->options;
    MESO_TRY(open_dataset(fit, o->data, o->dataset.manifest, &fit->train, error));
    MESO_TRY(meso_split_make(&fit->train.own, o->split_by, o->validation_split, o->seed,
                             &fit->split, error));
    if (o->validation_data || o->validation_manifest) {
        MESO_TRY(
            open_dataset(fit, o->validation_data, o->validation_manifest, &fit->validation, error));
    } else if (o->validation_split > 0) {
        fit->validation = part_of(&fit->train, fit->split.validation, fit->split.n_validation);
        fit->train.items = fit->split.train;
        fit->train.n_items = fit->split.n_train;
    }
out:
    return status;
}

/* Finds a picture of the class that can be used, if the set has any of that class. */
static meso_status check_class(const meso_fit *fit, const meso_fit_set *set, meso_label label,
                               meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    meso_image_options options = MESO_IMAGE_OPTIONS_INIT;
    size_t n = 0;
    options.max_pixels = fit->options.max_pixels;
    for (size_t i = 0; i < set->n_items; i++) {
        const meso_dataset_item *item = &set->dataset->items[set->items ? set->items[i] : i];
        meso_image image = {0};
        meso_refusal refusal = MESO_IMAGE_OK;
        if (item->label != label)
            continue;
        status = meso_image_load(item->path, &options, &image, &refusal, &why);
        meso_image_free(&image);
        if (status == MESO_OK)
            return MESO_OK;
        MESO_REQUIRE(refusal != MESO_IMAGE_OK, error, status, "%s", why.text);
        n++;
    }
    status = MESO_OK;
    MESO_REQUIRE(n == 0, error, MESO_ERROR_DATA,
                 "not one of the %zu images of the class %s can be used; the last: %s", n,
                 meso_label_name(label), why.text);
out:
    return status;
}

/* Before anything is written. batches leave out what cannot be used, so a run would go on, and end,
 * with one class. */
static meso_status check_pictures(const meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_fit_set *sets[] = {&fit->train, &fit->validation};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        MESO_TRY(check_class(fit, sets[i], MESO_FAKE, error));
        MESO_TRY(check_class(fit, sets[i], MESO_REAL, error));
    }
out:
    return status;
}

static meso_status open_batches(meso_fit *fit, meso_fit_set *set, int training, size_t batch,
                                meso_error *error)
{
    const meso_train_options *o = &fit->options;
    const meso_shape input = fit->net->layers[0].shape;
    const meso_batches_options options = {
        .dataset = set->dataset,
        .contents = set->contents,
        .items = set->items,
        .n_items = set->n_items,
        .width = (unsigned)input.w,
        .height = (unsigned)input.h,
        .batch = batch < set->n_items || training ? batch : set->n_items,
        .shuffle = training,
        .seed = o->seed,
        .one_epoch = !training,
        .n_threads = o->n_threads,
        /* Every epoch needs both sets; the training set is the larger one. */
        .cache_bytes = training ? o->cache_bytes - o->cache_bytes / 4 : o->cache_bytes / 4,
        .max_pixels = o->max_pixels,
        .exif_orient = o->exif_orient,
    };
    return meso_batches_open(&options, &set->batches, error);
}

static void tell_refused(size_t item, meso_refusal refusal, const char *sentence, void *user)
{
    meso_fit *fit = user;
    (void)item;
    (void)refusal;
    fit->result->n_refused++;
    meso_fit_tell(fit, (meso_train_event){.kind = MESO_TRAIN_REFUSED, .text = sentence});
}

static meso_status open_sets(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_train_options *o = &fit->options;
    fit->measured = fit->validation.dataset ? fit->validation : fit->train;
    fit->measured.batches = NULL;
    MESO_TRY(open_batches(fit, &fit->train, 1, o->batch, error));
    MESO_TRY(open_batches(fit, &fit->measured, 0, o->validation_batch, error));
    meso_batches_on_refused(fit->train.batches, tell_refused, fit);
    if (fit->validation.dataset) /* else they are the same pictures again */
        meso_batches_on_refused(fit->measured.batches, tell_refused, fit);
out:
    return status;
}

/* ---- net and weights ---------------------------------------------------------------------------
 */

static meso_status net_of_weights(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    const char *init = fit->options.init;
    const char *text = meso_weights_get(fit->start, "mesocl.net");
    const char *name = meso_weights_get(fit->start, "mesocl.net_name");
    MESO_REQUIRE(text, error, MESO_ERROR_DATA,
                 "%s: no net in its metadata (mesocl.net): name one with --net",
                 MESO_PRINTABLE(init));
    status = meso_net_parse(text, name ? name : "net", &fit->net, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", MESO_PRINTABLE(init), why.text);
out:
    return status;
}

/* A net that is named replaces the one in the file, whose weights must fit it. */
static meso_status open_init(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    const meso_train_options *o = &fit->options;
    MESO_TRY(meso_weights_read(o->init, &fit->start, error));
    if (o->net) {
        MESO_TRY(meso_net_open(o->net, &fit->net, error));
        MESO_TRY(meso_weights_set(fit->start, "mesocl.net", fit->net->text, error));
        MESO_TRY(meso_weights_set(fit->start, "mesocl.net_name", fit->net->name, error));
    } else {
        MESO_TRY(net_of_weights(fit, error));
    }
    status = meso_weights_check(fit->start, fit->net, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", MESO_PRINTABLE(o->init), why.text);
out:
    return status;
}

static meso_status open_weights(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_train_options *o = &fit->options;
    if (o->init) {
        MESO_TRY(open_init(fit, error));
    } else {
        MESO_TRY(meso_net_open(o->net ? o->net : "meso4", &fit->net, error));
        MESO_TRY(meso_weights_initialize(fit->net, o->initializer, o->seed, &fit->start, error));
    }
    const char *classes = meso_weights_get(fit->start, "mesocl.classes");
    MESO_TRY(
        meso_classes_parse(classes ? classes : "fake,real", MESO_ERROR_DATA, &fit->classes, error));
    MESO_REQUIRE(fit->net->layers[0].shape.c == 3, error, MESO_ERROR_DATA,
                 "net %s takes %d channels; pictures have 3", fit->net->name,
                 (int)fit->net->layers[0].shape.c);
out:
    return status;
}

/* ---- the trainer -------------------------------------------------------------------------------
 */

static meso_status open_trainer(meso_fit *fit, meso_error *error)
{
    const meso_train_options *o = &fit->options;
    const meso_trainer_options options = {
        .max_batch = o->batch,
        .loss = o->loss,
        .optimizer = o->optimizer,
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .epsilon = o->epsilon,
        .momentum = o->momentum,
        .bn_momentum = o->bn_momentum,
        .bn_biased_variance = o->bn_biased_variance,
        .seed = o->seed,
        .freeze = o->freeze,
        .path = o->path,
        .n_lanes = o->n_lanes,
    };
    return meso_trainer_open(fit->device, fit->start, &options, &fit->trainer, error);
}

/* Centring and scaling that the start was trained with go on, unless the options have their own. */
static meso_status inherit_normalization(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_augment_settings old, *now = &fit->augment;
    const char *text = meso_weights_get(fit->start, "mesocl.normalization");
    if (!text || meso_augment_normalization(now, &old))
        return MESO_OK;
    MESO_TRY(meso_augment_parse(text, &old, error));
    now->samplewise_center = old.samplewise_center;
    now->samplewise_std = old.samplewise_std;
    now->featurewise_center = old.featurewise_center;
    now->featurewise_std = old.featurewise_std;
    memcpy(now->mean, old.mean, sizeof now->mean);
    memcpy(now->std, old.std, sizeof now->std);
out:
    return status;
}

/* Is there something to be fitted that the options do not say? */
static int needs_fit(const meso_augment_settings *s)
{
    static const double none[3] = {0};
    return (s->featurewise_center && memcmp(s->mean, none, sizeof none) == 0) ||
           (s->featurewise_std && memcmp(s->std, none, sizeof none) == 0);
}

static meso_status open_augment(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_train_options *o = &fit->options;
    const meso_layer *input = &fit->net->layers[0];
    MESO_TRY(meso_augment_parse(o->augment ? o->augment : "none", &fit->augment, error));
    MESO_TRY(inherit_normalization(fit, error));
    if (needs_fit(&fit->augment))
        MESO_TRY(
            meso_feature_fit(fit->train.batches, input->set.input.divide, &fit->augment, error));
    fit->has_normalization = meso_augment_normalization(&fit->augment, &fit->normalization);
    if (meso_augment_is_random(&fit->augment) || fit->has_normalization) {
        status = meso_augment_open(fit->device, &fit->augment, (unsigned)input->shape.h,
                                   (unsigned)input->shape.w, input->set.input.divide, o->batch,
                                   &fit->augmenter);
        MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(fit->device));
    }
    fit->draws = calloc(o->batch, sizeof *fit->draws);
    fit->batch_classes = calloc(o->batch, 1);
    MESO_REQUIRE(fit->draws && fit->batch_classes, error, MESO_ERROR_MEMORY, "out of memory");
out:
    return status;
}

static void choose_monitor(meso_fit *fit)
{
    const meso_train_options *o = &fit->options;
    fit->monitor = o->monitor;
    if (fit->monitor == MESO_MONITOR_AUTO)
        fit->monitor = fit->validation.dataset ? MESO_MONITOR_VAL_LOSS : MESO_MONITOR_LOSS;
    int is_loss = fit->monitor == MESO_MONITOR_LOSS || fit->monitor == MESO_MONITOR_VAL_LOSS;
    fit->state.watch.mode = o->mode != MESO_MODE_AUTO ? o->mode
                            : is_loss                 ? MESO_MODE_MIN
                                                      : MESO_MODE_MAX;
    fit->result->monitor = fit->monitor;
}

meso_status meso_fit_open(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_train_options *o = &fit->options;
    MESO_TRY(open_weights(fit, error)); /* before the data: it is quick */
    MESO_TRY(open_data(fit, error));
    MESO_REQUIRE(o->epochs == 0 || o->batch <= fit->train.n_items, error, MESO_ERROR_ARGUMENT,
                 "a batch of %zu is larger than the training set of %zu images", o->batch,
                 fit->train.n_items);
    MESO_TRY(meso_schedule_resolve(&fit->options.schedule, o->learning_rate, o->epochs,
                                   fit->train.n_items, o->batch, error));
    MESO_TRY(check_pictures(fit, error));
    MESO_TRY(open_sets(fit, error));
    MESO_TRY(open_augment(fit, error));
    MESO_TRY(open_trainer(fit, error));
    MESO_TRY(meso_fit_probe(fit, error));
    choose_monitor(fit);
out:
    return status;
}

static void close_set(meso_fit_set *set)
{
    meso_batches_close(set->batches);
    meso_contents_free(&set->own_contents);
    meso_dataset_close(&set->own);
}

void meso_fit_close(meso_fit *fit)
{
    meso_trainer_close(fit->trainer);
    meso_augment_close(fit->augmenter);
    meso_batches_close(fit->measured.batches); /* the rest of it is another set's */
    close_set(&fit->train);
    close_set(&fit->validation);
    meso_split_free(&fit->split);
    meso_weights_close(fit->start);
    meso_weights_close(fit->best);
    meso_net_close(fit->net);
    meso_history_free(&fit->history);
    free(fit->draws);
    free(fit->batch_classes);
    json_decref(fit->config);
    if (fit->lock >= 0)
        close(fit->lock);
    *fit = (meso_fit){.lock = -1};
}

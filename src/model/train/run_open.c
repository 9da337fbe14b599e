/* SPDX-License-Identifier: Apache-2.0
 *
 * Data, net and trainer of a run, from its options.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/batch/batches.h"
#include "data/list/labels.h"
#include "data/list/layout.h"
#include "data/list/passed.h"
#include "model/train/run.h"
#include "model/weights/weights.h"

/* What of the folder is not in the set. */
static void note_left_out(meso_run *run, const char *source, const meso_dataset *dataset)
{
    char text[640];
    meso_text passed = {0}, note = {0};
    if (dataset->n_unreadable > 0) {
        snprintf(text, sizeof text, "%zu folders could not be opened; the first: %s",
                 dataset->n_unreadable, dataset->unreadable);
        meso_run_note(run, text);
    }
    if (meso_layout_name(dataset->layout)) {
        snprintf(text, sizeof text, "%.500s: laid out as %s", MESO_PRINTABLE(source),
                 meso_layout_name(dataset->layout));
        meso_run_note(run, text);
    }
    meso_passed_say(dataset, &passed);
    if (passed.length > 0)
        meso_text_format(&note, "%s: passed over: %s", MESO_PRINTABLE(source), passed.bytes);
    if (note.length > 0)
        meso_run_note(run, note.bytes);
    meso_text_free(&passed);
    meso_text_free(&note);
}

static meso_status open_dataset(meso_run *run, const char *folder, const char *manifest,
                                meso_run_set *set, meso_error *error)
{
    const meso_train_options *o = &run->options;
    meso_dataset_options options = {.struct_bytes = sizeof options,
                                    .manifest = manifest,
                                    .fake = o->fake,
                                    .real = o->real,
                                    .layout = manifest ? MESO_LAYOUT_AUTO : o->layout,
                                    .max_per_class = o->max_per_class};
    /* Groups are for splitting: a set that is given whole needs none. */
    if (o->split_by == MESO_SPLIT_GROUP)
        options.group = o->group;
    set->own = (meso_dataset)MESO_INIT(meso_dataset);
    MESO_CHECK(meso_dataset_open(folder, &options, &set->own, error));
    set->dataset = &set->own;
    set->n_items = set->own.n_items;
    note_left_out(run, folder ? folder : manifest, &set->own);
    MESO_CHECK(meso_contents_read(&set->own, o->n_threads, &set->own_contents, error));
    set->contents = &set->own_contents;
    return MESO_OK;
}

/* A part of the data set. */
static meso_run_set part_of(const meso_run_set *whole, const size_t *items, size_t n)
{
    return (meso_run_set){
        .dataset = whole->dataset, .contents = whole->contents, .items = items, .n_items = n};
}

static meso_status open_data(meso_run *run, meso_error *error)
{
    const meso_train_options *o = &run->options;
    MESO_CHECK(open_dataset(run, o->data, o->manifest, &run->train, error));
    MESO_CHECK(meso_split_make(&run->train.own, o->split_by, o->validation_split, o->seed,
                               &run->split, error));
    if (o->validation_data || o->validation_manifest) {
        MESO_CHECK(
            open_dataset(run, o->validation_data, o->validation_manifest, &run->validation, error));
    } else if (o->validation_split > 0) {
        run->validation = part_of(&run->train, run->split.validation, run->split.n_validation);
        run->train.items = run->split.train;
        run->train.n_items = run->split.n_train;
    }
    return MESO_OK;
}

static int compare_hashes(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static int is_readable(const meso_run_set *set, size_t i, size_t *item)
{
    *item = set->items ? set->items[i] : i;
    return set->contents->refusals[*item] == MESO_IMAGE_OK;
}

/* A picture that trains and validates tells what the net knows by heart. Said, not refused: to see
 * a net overfit is a wish that people have. */
static meso_status tell_shared(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_run_set *train = &run->train, *validation = &run->validation;
    const char *first = NULL;
    char text[640];
    size_t n = 0, item, n_shared = 0;
    uint64_t *hashes = calloc(train->n_items + 1, sizeof *hashes);
    MESO_REQUIRE_MEMORY(hashes, error);
    for (size_t i = 0; i < train->n_items; i++)
        if (is_readable(train, i, &item))
            hashes[n++] = train->contents->hashes[item];
    qsort(hashes, n, sizeof *hashes, compare_hashes);
    for (size_t i = 0; i < validation->n_items; i++)
        if (is_readable(validation, i, &item) &&
            bsearch(&validation->contents->hashes[item], hashes, n, sizeof *hashes,
                    compare_hashes) &&
            n_shared++ == 0)
            first = validation->dataset->items[item].path;
    if (n_shared == 0)
        goto out;
    if (n_shared == validation->n_items)
        snprintf(text, sizeof text,
                 "warning: all %zu validation images are training images, too: this measures what "
                 "the net knows by heart; validate on others",
                 n_shared);
    else
        snprintf(text, sizeof text,
                 "warning: %zu of %zu validation images are training images, too (%s, byte for "
                 "byte): validation looks better than it is",
                 n_shared, validation->n_items, MESO_PRINTABLE(first));
    meso_run_note(run, text);
out:
    free(hashes);
    return status;
}

/* Finds a picture of the class that can be used, if the set has any of that class. */
static meso_status check_class(const meso_run *run, const meso_run_set *set, meso_label label,
                               meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    meso_image_options options = MESO_INIT(meso_image_options);
    size_t n = 0;
    options.max_pixels = run->options.max_pixels;
    for (size_t i = 0; i < set->n_items; i++) {
        const meso_dataset_item *item = &set->dataset->items[set->items ? set->items[i] : i];
        meso_image image = MESO_INIT(meso_image);
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
                 "none of the %zu images of the class %s can be used; the last: %s", n,
                 meso_label_name(label), why.text);
out:
    return status;
}

/* Before anything is written. batches leave out what cannot be used, so a run would go on, and end,
 * with one class. */
static meso_status check_pictures(const meso_run *run, meso_error *error)
{
    const meso_run_set *sets[] = {&run->train, &run->validation};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        MESO_CHECK(check_class(run, sets[i], MESO_FAKE, error));
        MESO_CHECK(check_class(run, sets[i], MESO_REAL, error));
    }
    return MESO_OK;
}

static meso_status open_batches(meso_run *run, meso_run_set *set, int training, size_t batch,
                                meso_error *error)
{
    const meso_train_options *o = &run->options;
    const meso_shape input = run->net->layers[0].shape;
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
    meso_run *run = user;
    (void)item;
    (void)refusal;
    run->result.n_refused++;
    meso_run_tell(run, (meso_train_event){.kind = MESO_TRAIN_REFUSED, .text = sentence});
}

static meso_status open_sets(meso_run *run, meso_error *error)
{
    const meso_train_options *o = &run->options;
    run->measured = run->validation.dataset ? run->validation : run->train;
    run->measured.batches = NULL;
    MESO_CHECK(open_batches(run, &run->train, 1, o->batch, error));
    MESO_CHECK(open_batches(run, &run->measured, 0, o->validation_batch, error));
    meso_batches_on_refused(run->train.batches, tell_refused, run);
    if (run->validation.dataset) /* else they are the same pictures again */
        meso_batches_on_refused(run->measured.batches, tell_refused, run);
    return MESO_OK;
}

/* ---- net and weights ---- */

/* A net that is named replaces the one in the file, whose weights must run it. */
static meso_status open_init(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    const meso_train_options *o = &run->options;
    MESO_TRY(meso_weights_read(o->init, &run->start, error));
    if (o->net) {
        MESO_TRY(meso_net_open(o->net, &run->net, error));
        MESO_TRY(meso_weights_set_net(run->start, run->net, error));
    } else {
        MESO_TRY(meso_weights_net(run->start, o->init, &run->net, error));
    }
    status = meso_weights_check(run->start, run->net, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", MESO_PRINTABLE(o->init), why.text);
out:
    return status;
}

static meso_status open_weights(meso_run *run, meso_error *error)
{
    const meso_train_options *o = &run->options;
    if (o->init) {
        MESO_CHECK(open_init(run, error));
    } else {
        MESO_CHECK(meso_net_open(o->net ? o->net : "meso4", &run->net, error));
        MESO_CHECK(meso_weights_initialize(run->net, o->initializer, o->seed, &run->start, error));
    }
    MESO_CHECK(meso_classes_parse(meso_weights_classes(run->start), MESO_ERROR_DATA, &run->classes,
                                  error));
    MESO_DEMAND(run->net->layers[0].shape.c == 3, error, MESO_ERROR_DATA,
                "net %s takes %d channels; pictures have 3", run->net->name,
                (int)run->net->layers[0].shape.c);
    return MESO_OK;
}

/* ---- the trainer ---- */

static meso_status open_trainer(meso_run *run, meso_error *error)
{
    const meso_trainer_options options = meso_trainer_options_of(&run->options);
    return meso_trainer_open(run->device, run->start, &options, &run->trainer, error);
}

/* Centring and scaling that the start was trained with go on, unless the options have their own. */
static meso_status inherit_normalization(meso_run *run, meso_error *error)
{
    meso_augment_settings old, *now = &run->augment;
    const char *text = meso_weights_get(run->start, "mesocl.normalization");
    if (!text || meso_augment_normalization(now, &old))
        return MESO_OK;
    MESO_CHECK(meso_augment_parse(text, &old, error));
    now->samplewise_center = old.samplewise_center;
    now->samplewise_std = old.samplewise_std;
    now->featurewise_center = old.featurewise_center;
    now->featurewise_std = old.featurewise_std;
    memcpy(now->mean, old.mean, sizeof now->mean);
    memcpy(now->std, old.std, sizeof now->std);
    return MESO_OK;
}

/* Is there something to be fitted that the options do not say? */
static int needs_fit(const meso_augment_settings *s)
{
    static const double none[3] = {0};
    return (s->featurewise_center && memcmp(s->mean, none, sizeof none) == 0) ||
           (s->featurewise_std && memcmp(s->std, none, sizeof none) == 0);
}

static meso_status open_augment(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_train_options *o = &run->options;
    const meso_layer *input = &run->net->layers[0];
    MESO_TRY(meso_augment_parse(o->augment ? o->augment : "none", &run->augment, error));
    MESO_TRY(inherit_normalization(run, error));
    if (needs_fit(&run->augment))
        MESO_TRY(
            meso_feature_fit(run->train.batches, input->set.input.divide, &run->augment, error));
    run->has_normalization = meso_augment_normalization(&run->augment, &run->normalization);
    if (meso_augment_is_random(&run->augment) || run->has_normalization) {
        status = meso_augment_open(run->device, &run->augment, (unsigned)input->shape.h,
                                   (unsigned)input->shape.w, input->set.input.divide, o->batch,
                                   &run->augmenter);
        MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(run->device));
    }
    run->draws = calloc(o->batch, sizeof *run->draws);
    run->batch_classes = calloc(o->batch, 1);
    MESO_REQUIRE_MEMORY(run->draws && run->batch_classes, error);
out:
    return status;
}

static void choose_monitor(meso_run *run)
{
    const meso_train_options *o = &run->options;
    run->monitor = o->monitor;
    if (run->monitor == MESO_MONITOR_AUTO)
        run->monitor = run->validation.dataset ? MESO_MONITOR_VAL_LOSS : MESO_MONITOR_LOSS;
    int is_loss = run->monitor == MESO_MONITOR_LOSS || run->monitor == MESO_MONITOR_VAL_LOSS;
    run->state.early_stop.mode = o->mode != MESO_MODE_AUTO ? o->mode
                                 : is_loss                 ? MESO_MODE_MIN
                                                           : MESO_MODE_MAX;
    run->result.monitor = run->monitor;
}

/* A step takes what there is. The run's options record it: --resume goes on with the same steps. */
static meso_status limit_batch(meso_run *run, meso_error *error)
{
    char text[128];
    const size_t n = run->train.n_items;
    if (run->options.batch <= n || run->options.epochs == 0)
        return MESO_OK;
    snprintf(text, sizeof text, "batch %zu instead of %zu: the training set has %zu images", n,
             run->options.batch, n);
    run->options.batch = n;
    meso_run_note(run, text);
    return json_object_set_new(run->config, "batch", json_integer((json_int_t)n)) == 0
               ? MESO_OK
               : meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
}

meso_status meso_run_open(meso_run *run, meso_error *error)
{
    const meso_train_options *o = &run->options;
    MESO_CHECK(open_weights(run, error)); /* before the data: it is quick */
    MESO_CHECK(open_data(run, error));
    MESO_CHECK(tell_shared(run, error));
    MESO_CHECK(limit_batch(run, error));
    MESO_CHECK(meso_schedule_resolve(&run->options.schedule, o->learning_rate, o->epochs,
                                     run->train.n_items, o->batch, error));
    MESO_CHECK(check_pictures(run, error));
    MESO_CHECK(open_sets(run, error));
    MESO_CHECK(open_augment(run, error));
    MESO_CHECK(open_trainer(run, error));
    MESO_CHECK(meso_run_probe(run, error));
    choose_monitor(run);
    return MESO_OK;
}

static void close_set(meso_run_set *set)
{
    meso_batches_close(set->batches);
    meso_contents_free(&set->own_contents);
    meso_dataset_close(&set->own);
}

void meso_run_close(meso_run *run)
{
    meso_trainer_close(run->trainer);
    meso_augment_close(run->augmenter);
    meso_batches_close(run->measured.batches); /* the rest of it is another set's */
    close_set(&run->train);
    close_set(&run->validation);
    meso_split_free(&run->split);
    meso_weights_close(run->start);
    meso_weights_close(run->best);
    meso_net_close(run->net);
    meso_history_free(&run->history);
    free(run->draws);
    free(run->batch_classes);
    json_decref(run->config);
    if (run->lock >= 0)
        close(run->lock);
    *run = (meso_run){.lock = -1};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Epochs and steps.
 */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "model/fit.h"
#include "model/weights.h"

int meso_fit_tell(meso_fit *fit, meso_train_event event)
{
    const meso_fit_state *s = &fit->state;
    if (!fit->callback)
        return 0;
    event.epoch = (size_t)s->epoch + 1;
    event.epochs = fit->options.epochs;
    event.n_train = fit->train.n_items;
    event.n_validation = fit->validation.n_items;
    event.net = fit->net ? fit->net->name : "";
    event.path = fit->trainer ? meso_trainer_path(fit->trainer) : "";
    event.loss = s->n_images ? s->loss_sum / (double)s->n_images : NAN;
    event.accuracy = s->n_images ? (double)s->n_correct / (double)s->n_images : NAN;
    if (event.kind != MESO_TRAIN_VALIDATING) {
        event.images = (size_t)s->position;
        event.n_images = fit->train.n_items;
    }
    return fit->callback(&event, fit->user);
}

void meso_fit_note(meso_fit *fit, const char *text)
{
    meso_fit_tell(fit, (meso_train_event){.kind = MESO_TRAIN_NOTE, .text = text});
}

/* What the batch's pictures are, and what is drawn for them. */
static void prepare_batch(meso_fit *fit, const meso_batch *batch)
{
    const meso_shape input = fit->net->layers[0].shape;
    for (size_t i = 0; i < batch->n; i++) {
        fit->batch_classes[i] =
            batch->real[i] ? (uint8_t)fit->classes.real : (uint8_t)!fit->classes.real;
        if (fit->augmenter)
            meso_augment_draw_one(&fit->augment, (unsigned)input.h, (unsigned)input.w,
                                  fit->options.seed, batch->epoch, batch->items[i], &fit->draws[i]);
    }
}

static meso_status step(meso_fit *fit, const meso_batch *batch, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_fit_state *s = &fit->state;
    meso_step_result result = {0};
    prepare_batch(fit, batch);
    const meso_train_batch given = {
        .pixels = batch->pixels,
        .augment = fit->augmenter,
        .draws = fit->augmenter ? fit->draws : NULL,
        .classes = fit->batch_classes,
        .n = batch->n,
    };
    s->rate =
        meso_schedule_rate(&fit->options.schedule, fit->options.learning_rate, s->step, s->epoch);
    status = meso_trainer_step(fit->trainer, &given, s->rate, &result);
    MESO_REQUIRE(status == MESO_OK, error, status, "epoch %llu: %s",
                 (unsigned long long)s->epoch + 1, meso_trainer_error(fit->trainer));
    s->step++;
    s->loss_sum += result.loss * (double)batch->n;
    s->n_correct += result.n_correct;
    s->n_images += batch->n;
out:
    return status;
}

/* A checkpoint, then the end. */
static meso_status interrupt(meso_fit *fit, meso_error *error)
{
    meso_status status = meso_fit_checkpoint(fit, error);
    if (status != MESO_OK)
        return status;
    return meso_fail(error, MESO_ERROR_CANCELLED,
                     "interrupted in epoch %llu of %zu; %s holds a checkpoint to go on from",
                     (unsigned long long)fit->state.epoch + 1, fit->options.epochs,
                     MESO_PRINTABLE(fit->options.run));
}

static int is_due(const meso_fit *fit)
{
    return meso_seconds() - fit->last_checkpoint > fit->options.checkpoint_seconds;
}

static meso_status train_epoch(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_fit_state *s = &fit->state;
    meso_batch batch = {0};
    double from = meso_seconds();
    if (s->trained) /* gone on with: its validation was interrupted */
        return MESO_OK;
    MESO_TRY(meso_batches_seek(fit->train.batches, s->epoch, (size_t)s->position, error));
    while (!s->trained) {
        MESO_TRY(meso_batches_next(fit->train.batches, &batch, error));
        if (batch.n > 0)
            MESO_TRY(step(fit, &batch, error));
        s->trained = batch.last;
        s->position = batch.last ? fit->train.n_items : batch.next_position;
        s->seconds += meso_seconds() - from;
        from = meso_seconds();
        if (meso_fit_tell(fit, (meso_train_event){.kind = MESO_TRAIN_STEP})) {
            status = interrupt(fit, error);
            goto out;
        }
        if (!s->trained && is_due(fit))
            MESO_TRY(meso_fit_checkpoint(fit, error));
    }
    MESO_REQUIRE(s->n_images > 0, error, MESO_ERROR_DATA,
                 "no picture of the training set could be used");
out:
    return status;
}

static meso_status measure_epoch(meso_fit *fit, meso_train_record *record, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_fit_state *s = &fit->state;
    meso_fit_scores scores = {0};
    meso_weights *weights = NULL;
    *record = (meso_train_record){
        .epoch = (size_t)s->epoch + 1,
        .step = s->step,
        .learning_rate = s->rate,
        .loss = s->loss_sum / (double)s->n_images,
        .accuracy = (double)s->n_correct / (double)s->n_images,
        .val_loss = NAN,
        .val_accuracy = NAN,
        .val_auc = NAN,
        .seconds = s->seconds,
        .images_per_second = s->seconds > 0 ? (double)s->n_images / s->seconds : NAN,
    };
    if (!fit->validation.dataset)
        return MESO_OK;
    MESO_TRY(meso_fit_weights(fit, &weights, error));
    status = meso_fit_score(fit, &fit->measured, weights, &scores, error);
    if (status == MESO_ERROR_CANCELLED)
        status = interrupt(fit, error);
    if (status != MESO_OK)
        goto out;
    record->val_loss = scores.loss;
    record->val_accuracy = scores.metrics.accuracy;
    record->val_auc = scores.metrics.auc;
out:
    meso_fit_scores_free(&scores);
    return status;
}

/* Files are synced, which takes as long as a short epoch. */
static const double flush_seconds = 1;

static meso_status keep_epoch(meso_fit *fit, const meso_train_record *record, int best,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    char epoch[24];
    snprintf(epoch, sizeof epoch, "%zu", record->epoch);
    if (best) {
        meso_weights_close(fit->best);
        fit->best = NULL;
        MESO_TRY(meso_fit_weights(fit, &fit->best, error));
        MESO_TRY(meso_weights_set(fit->best, MESO_KEY_EPOCH, epoch, error));
    }
    MESO_TRY(meso_history_add(&fit->history, record, error));
    fit->history_written = 0;
    MESO_TRY(meso_fit_write_event(fit, error));
    if (meso_seconds() - fit->last_flush > flush_seconds)
        MESO_TRY(meso_fit_flush(fit, error));
out:
    return status;
}

static void begin_epoch(meso_fit_state *s)
{
    s->epoch++;
    s->position = s->n_correct = s->n_images = 0;
    s->loss_sum = s->seconds = 0;
    s->trained = 0;
}

static void note_early_stop(meso_fit *fit)
{
    char text[160];
    const meso_watch *watch = &fit->state.watch;
    snprintf(text, sizeof text,
             "stopped early: %s has not improved for %zu epochs (best: epoch %zu)",
             meso_monitor_name(fit->monitor), watch->waited, watch->best_epoch);
    meso_fit_note(fit, text);
}

static meso_status end_epoch(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_fit_state *s = &fit->state;
    meso_train_record record;
    MESO_TRY(measure_epoch(fit, &record, error));
    int best = meso_watch_update(&s->watch, &fit->options.early_stop, record.epoch,
                                 meso_history_value(&record, fit->monitor), &s->stopped_early);
    MESO_TRY(keep_epoch(fit, &record, best || s->epoch == 0, error));
    int stop = meso_fit_tell(
        fit, (meso_train_event){.kind = MESO_TRAIN_EPOCH, .record = &record, .best = best});
    if (s->stopped_early)
        note_early_stop(fit);
    begin_epoch(s);
    s->done = s->stopped_early || s->epoch == fit->options.epochs;
    if (stop && !s->done)
        status = interrupt(fit, error);
    else if (s->done || is_due(fit))
        status = meso_fit_checkpoint(fit, error);
out:
    return status;
}

meso_status meso_fit_run(meso_fit *fit, meso_error *error)
{
    meso_status status = MESO_OK;
    while (!fit->state.done) {
        MESO_TRY(train_epoch(fit, error));
        MESO_TRY(end_epoch(fit, error));
    }
out:
    return status;
}

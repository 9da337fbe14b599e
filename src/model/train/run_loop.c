/* SPDX-License-Identifier: Apache-2.0
 *
 * Epochs and steps.
 */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "model/train/run.h"
#include "model/weights/weights.h"

/* What the batch's pictures are, and what is drawn for them. */
static void prepare_batch(meso_run *run, const meso_batch *batch)
{
    const meso_shape input = run->net->layers[0].shape;
    for (size_t i = 0; i < batch->n; i++) {
        run->batch_classes[i] =
            batch->real[i] ? (uint8_t)run->classes.real : (uint8_t)!run->classes.real;
        if (run->augmenter)
            meso_augment_draw_one(&run->augment, (unsigned)input.h, (unsigned)input.w,
                                  run->options.seed, batch->epoch, batch->items[i], &run->draws[i]);
    }
}

static meso_status step(meso_run *run, const meso_batch *batch, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_run_state *s = &run->state;
    meso_step_result result = {0};
    prepare_batch(run, batch);
    const meso_train_batch given = {
        .pixels = batch->pixels,
        .augment = run->augmenter,
        .draws = run->augmenter ? run->draws : NULL,
        .classes = run->batch_classes,
        .n = batch->n,
    };
    s->rate =
        meso_schedule_rate(&run->options.schedule, run->options.learning_rate, s->step, s->epoch);
    status = meso_trainer_step(run->trainer, &given, s->rate, &result);
    MESO_REQUIRE(status == MESO_OK, error, status, "epoch %llu: %s",
                 (unsigned long long)s->epoch + 1, meso_trainer_error(run->trainer));
    s->step++;
    s->loss_sum += result.loss * (double)batch->n;
    s->n_correct += result.n_correct;
    s->n_images += batch->n;
out:
    return status;
}

/* A checkpoint, then the end. */
static meso_status interrupt(meso_run *run, meso_error *error)
{
    MESO_CHECK(meso_run_checkpoint(run, error));
    return meso_fail(error, MESO_ERROR_CANCELLED,
                     "interrupted in epoch %llu of %zu; %s holds a checkpoint to resume from",
                     (unsigned long long)run->state.epoch + 1, run->options.epochs,
                     MESO_PRINTABLE(run->options.run));
}

static int is_due(const meso_run *run)
{
    return meso_seconds() - run->last_checkpoint > run->options.checkpoint_seconds;
}

static meso_status train_epoch(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_run_state *s = &run->state;
    meso_batch batch = {0};
    double from = meso_seconds();
    if (s->trained) /* resumed: its validation was interrupted */
        return MESO_OK;
    MESO_TRY(meso_batches_seek(run->train.batches, s->epoch, (size_t)s->position, error));
    while (!s->trained) {
        MESO_TRY(meso_batches_next(run->train.batches, &batch, error));
        if (batch.n > 0)
            MESO_TRY(step(run, &batch, error));
        s->trained = batch.last;
        s->position = batch.last ? run->train.n_items : batch.next_position;
        s->seconds += meso_seconds() - from;
        from = meso_seconds();
        if (meso_run_tell(run, (meso_train_event){.kind = MESO_TRAIN_STEP})) {
            status = interrupt(run, error);
            goto out;
        }
        if (!s->trained && is_due(run))
            MESO_TRY(meso_run_checkpoint(run, error));
    }
    MESO_REQUIRE(s->n_images > 0, error, MESO_ERROR_DATA,
                 "no picture of the training set could be used");
out:
    return status;
}

static meso_status measure_epoch(meso_run *run, meso_train_record *record, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_run_state *s = &run->state;
    meso_run_scores scores = {0};
    meso_weights *weights = NULL;
    *record = (meso_train_record){
        .struct_bytes = sizeof *record,
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
    if (!run->validation.dataset)
        return MESO_OK;
    MESO_TRY(meso_run_weights(run, &weights, error));
    status = meso_run_score(run, &run->measured, weights, &scores, error);
    if (status == MESO_ERROR_CANCELLED)
        status = interrupt(run, error);
    if (status != MESO_OK)
        goto out;
    record->val_loss = scores.loss;
    record->val_accuracy = scores.metrics.accuracy;
    record->val_auc = scores.metrics.auc;
out:
    meso_run_scores_free(&scores);
    return status;
}

/* Files are synced, which takes as long as a short epoch. */
static const double flush_seconds = 1;

static meso_status keep_epoch(meso_run *run, const meso_train_record *record, int best,
                              meso_error *error)
{
    char epoch[24];
    snprintf(epoch, sizeof epoch, "%zu", record->epoch);
    if (best) {
        meso_weights_close(run->best);
        run->best = NULL;
        MESO_CHECK(meso_run_weights(run, &run->best, error));
        MESO_CHECK(meso_weights_set(run->best, MESO_KEY_EPOCH, epoch, error));
    }
    MESO_CHECK(meso_history_add(&run->history, record, error));
    run->history_written = 0;
    MESO_CHECK(meso_run_write_event(run, error));
    if (meso_seconds() - run->last_flush > flush_seconds)
        MESO_CHECK(meso_run_flush(run, error));
    return MESO_OK;
}

static void begin_epoch(meso_run_state *s)
{
    s->epoch++;
    s->position = s->n_correct = s->n_images = 0;
    s->loss_sum = s->seconds = 0;
    s->trained = 0;
}

static void note_early_stop(meso_run *run)
{
    char text[160];
    const meso_early_stop_state *watch = &run->state.early_stop;
    snprintf(text, sizeof text,
             "stopped early: %s has not improved for %zu epochs (best: epoch %zu)",
             meso_monitor_name(run->monitor), watch->waited, watch->best_epoch);
    meso_run_note(run, text);
}

static meso_status end_epoch(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_run_state *s = &run->state;
    meso_train_record record;
    MESO_TRY(measure_epoch(run, &record, error));
    int best = meso_early_stop_update(&s->early_stop, &run->options.early_stop, record.epoch,
                                      meso_history_value(&record, run->monitor), &s->stopped_early);
    MESO_TRY(keep_epoch(run, &record, best || s->epoch == 0, error));
    const int validates = run->validation.dataset != NULL;
    const int learned =
        meso_run_has_learned(run, &run->measured, validates ? record.val_loss : record.loss,
                             validates ? record.val_accuracy : record.accuracy);
    int stop = meso_run_tell(
        run,
        (meso_train_event){.kind = MESO_TRAIN_EPOCH, .record = &record, .best = best && learned});
    if (s->stopped_early)
        note_early_stop(run);
    begin_epoch(s);
    s->done = s->stopped_early || s->epoch == run->options.epochs;
    if (stop && !s->done)
        status = interrupt(run, error);
    else if (s->done || is_due(run))
        status = meso_run_checkpoint(run, error);
out:
    return status;
}

meso_status meso_run_run(meso_run *run, meso_error *error)
{
    while (!run->state.done) {
        MESO_CHECK(train_epoch(run, error));
        MESO_CHECK(end_epoch(run, error));
    }
    return MESO_OK;
}

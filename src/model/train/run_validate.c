/* SPDX-License-Identifier: Apache-2.0
 *
 * How weights do on a set: pictures as they are, batches of their own size, in the set's order.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "mesocl/evaluate.h"
#include "model/model.h"
#include "model/selftest_inputs.h"
#include "model/train/learned.h"
#include "model/train/run.h"

void meso_run_scores_free(meso_run_scores *scores)
{
    free(scores->p_real);
    free(scores->p_fake);
    free(scores->real);
    free(scores->items);
    *scores = (meso_run_scores){0};
}

static meso_status make_room(meso_run_scores *scores, size_t n, meso_error *error)
{
    *scores = (meso_run_scores){calloc(n, sizeof(double)),
                                calloc(n, sizeof(double)),
                                calloc(n, 1),
                                calloc(n, sizeof(size_t)),
                                0,
                                NAN,
                                MESO_INIT(meso_metrics)};
    MESO_DEMAND_MEMORY(scores->p_real && scores->p_fake && scores->real && scores->items, error);
    return MESO_OK;
}

/* The loss of one picture, from probabilities that have all their digits. Over two softmax outputs
 * the mean of squares is that of one of them. */
static double loss_of(meso_loss loss, double p_real, double p_fake, int real)
{
    double p_true = real ? p_real : p_fake, p_other = real ? p_fake : p_real;
    return loss == MESO_LOSS_MSE ? p_other * p_other : -log(fmax(p_true, 1e-300));
}

static void take_scores(const meso_batch *batch, const meso_probability *p, meso_loss loss,
                        meso_run_scores *scores)
{
    for (size_t i = 0; i < batch->n; i++, scores->n++) {
        scores->loss += loss_of(loss, p[i].real, p[i].fake, batch->real[i]);
        scores->p_real[scores->n] = meso_probability_rounded(p[i]);
        scores->p_fake[scores->n] = 1 - scores->p_real[scores->n];
        scores->real[scores->n] = batch->real[i];
        scores->items[scores->n] = batch->items[i];
    }
}

/* One batch of a pass that does not train is behind. */
static meso_status tell_batch(meso_run *run, const meso_run_set *set, const meso_batch *batch,
                              meso_error *error)
{
    const meso_train_event event = {.kind = MESO_TRAIN_VALIDATING,
                                    .images = batch->last ? set->n_items : batch->next_position,
                                    .n_images = set->n_items};
    if (meso_run_tell(run, event))
        return meso_fail(error, MESO_ERROR_CANCELLED, "interrupted");
    return MESO_OK;
}

static meso_status score_batches(meso_run *run, meso_run_set *set, meso_model *model,
                                 meso_probability *p, meso_run_scores *scores, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_shape input = run->net->layers[0].shape;
    meso_batch batch = {0};
    meso_error reason;
    MESO_TRY(meso_batches_seek(set->batches, 0, 0, error));
    do {
        MESO_TRY(meso_batches_next(set->batches, &batch, error));
        if (batch.n > 0) {
            status = meso_predict_rgb8(model, batch.pixels, batch.n, (unsigned)input.w,
                                       (unsigned)input.h, (size_t)input.w * 3, p, &reason);
            MESO_REQUIRE(status == MESO_OK, error, status, "validation: %s", reason.text);
        }
        take_scores(&batch, p, run->options.loss, scores);
        MESO_TRY(tell_batch(run, set, &batch, error));
    } while (!batch.last);
out:
    return status;
}

static meso_status open_model(meso_run *run, meso_weights *weights, meso_model **model,
                              meso_error *error)
{
    meso_net *net = NULL;
    meso_model_options options = MESO_INIT(meso_model_options);
    options.max_batch = run->options.validation_batch;
    options.path = run->options.path;
    options.n_lanes = run->options.n_lanes;
    meso_status status = meso_net_copy(run->net, &net, error);
    if (status != MESO_OK) {
        meso_weights_close(weights);
        return status;
    }
    return meso_model_create(run->device, net, weights, &options, model, error);
}

meso_status meso_run_probe(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_shape input = run->net->layers[0].shape;
    meso_weights *weights = NULL;
    meso_model *model = NULL;
    meso_probability p;
    meso_error reason;
    float *picture = calloc(meso_shape_size(input), sizeof *picture);
    MESO_REQUIRE_MEMORY(picture, error);
    MESO_TRY(meso_run_weights(run, &weights, error));
    MESO_TRY(open_model(run, weights, &model, error));
    meso_selftest_draw("smooth", input, picture);
    status = meso_predict_f32(model, picture, 1, &p, &reason);
    MESO_REQUIRE(status == MESO_OK, error, status, "net %s: %s", run->net->name, reason.text);
    const meso_model_info *info = meso_model_get_info(model);
    const char *training = meso_trainer_tuning(run->trainer);
    const int same = strcmp(training, info->tuning) == 0;
    snprintf(run->tuning, sizeof run->tuning, "%s%s%s", info->tuning,
             same || !*training || !*info->tuning ? "" : ", ", same ? "" : training);
    meso_hash_hex(&p, sizeof p, run->arithmetic);
out:
    meso_model_close(model);
    free(picture);
    return status;
}

meso_status meso_run_score(meso_run *run, meso_run_set *set, meso_weights *weights,
                           meso_run_scores *scores, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model *model = NULL;
    meso_probability *p = calloc(run->options.validation_batch, sizeof *p);
    *scores = (meso_run_scores){0};
    MESO_TRY(open_model(run, weights, &model, error));
    MESO_REQUIRE_MEMORY(p, error);
    MESO_TRY(make_room(scores, set->n_items, error));
    scores->loss = 0;
    MESO_TRY(score_batches(run, set, model, p, scores, error));
    MESO_REQUIRE(scores->n > 0, error, MESO_ERROR_DATA, "no picture of the set could be scored");
    scores->loss /= (double)scores->n;
    const meso_scores all = {scores->p_real, scores->p_fake, scores->real, NULL, scores->n};
    MESO_TRY(meso_metrics_compute(&all, 0.5, &scores->metrics, error));
out:
    meso_model_close(model);
    free(p);
    if (status != MESO_OK)
        meso_run_scores_free(scores);
    return status;
}

int meso_run_has_learned(const meso_run *run, const meso_run_set *set, double loss, double accuracy)
{
    size_t n[2] = {0, 0};
    for (size_t i = 0; i < set->n_items; i++)
        n[set->dataset->items[set->items ? set->items[i] : i].label == MESO_REAL]++;
    return meso_has_learned(run->options.loss, n[0], n[1], loss, accuracy);
}

/* The trainer goes on from the weights; whoever needs its own later loads them again. */
meso_status meso_run_reestimate(meso_run *run, meso_weights **weights, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *state = NULL, *fresh = NULL;
    meso_batch batch = {0};
    int first = 1;
    MESO_TRY(meso_weights_create(&state, error));
    status = meso_trainer_save_state(run->trainer, state);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(run->trainer));
    MESO_TRY(meso_trainer_load_state(run->trainer, *weights, state, error));
    MESO_TRY(meso_batches_seek(run->train.batches, 0, 0, error));
    do {
        MESO_TRY(meso_batches_next(run->train.batches, &batch, error));
        const meso_train_batch given = {.pixels = batch.pixels,
                                        .augment = run->has_normalization ? run->augmenter : NULL,
                                        .classes = run->batch_classes,
                                        .n = batch.n};
        if (batch.n > 0)
            status = meso_trainer_statistics(run->trainer, &given, first);
        MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(run->trainer));
        first = first && batch.n == 0;
        MESO_TRY(tell_batch(run, &run->train, &batch, error));
    } while (!batch.last);
    MESO_TRY(meso_run_weights(run, &fresh, error));
    MESO_TRY(meso_weights_set(fresh, MESO_KEY_REESTIMATED, "yes", error));
    const char *epoch = meso_weights_get(*weights, MESO_KEY_EPOCH);
    if (epoch)
        MESO_TRY(meso_weights_set(fresh, MESO_KEY_EPOCH, epoch, error));
    meso_weights_close(*weights);
    *weights = fresh;
    fresh = NULL;
out:
    meso_weights_close(state);
    meso_weights_close(fresh);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run tells the caller while it works.
 */
#include <math.h>

#include "model/train/run.h"

int meso_run_tell(meso_run *run, meso_train_event event)
{
    const meso_run_state *s = &run->state;
    if (!run->callback)
        return 0;
    event.struct_bytes = sizeof event;
    event.epoch = (size_t)s->epoch + 1;
    event.epochs = run->options.epochs;
    event.n_train = run->train.n_items;
    event.n_validation = run->validation.n_items;
    event.net = run->net ? run->net->name : "";
    event.path = run->trainer ? meso_trainer_path(run->trainer) : "";
    event.loss = s->n_images ? s->loss_sum / (double)s->n_images : NAN;
    event.accuracy = s->n_images ? (double)s->n_correct / (double)s->n_images : NAN;
    if (event.kind != MESO_TRAIN_VALIDATING) {
        event.images = (size_t)s->position;
        event.n_images = run->train.n_items;
    }
    return run->callback(&event, run->user);
}

void meso_run_note(meso_run *run, const char *text)
{
    meso_run_tell(run, (meso_train_event){.kind = MESO_TRAIN_NOTE, .text = text});
}

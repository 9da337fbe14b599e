/* SPDX-License-Identifier: Apache-2.0
 *
 * A run while it trains. run_train.c opens one and closes it; run_*.c are its parts:
 *   run_open.c      data, net, trainer from the options
 *   run_loop.c      epochs and steps
 *   run_validate.c  scores of a set, metrics
 *   run_model.c     weights with the metadata of a model's file
 *   run_events.c    what the caller is told
 *   run_state.c     what a checkpoint holds besides weights
 *   run_files.c     what stands in the run's folder
 */
#ifndef MESO_MODEL_RUN_H
#define MESO_MODEL_RUN_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "data/batch/batches.h"
#include "data/list/split.h"
#include "mesocl/train.h"
#include "model/train/history.h"
#include "model/train/trainer.h"
#include "model/weights/weights.h"
#include "net/net.h"
#include "picture/augment.h"

/* Where a run stands. All of it is in every checkpoint. */
typedef struct meso_run_state {
    uint64_t checkpoint; /* number of the last one */
    uint64_t epoch;      /* at work, from 0 */
    uint64_t position;   /* entries of the epoch's order that are behind */
    int trained;         /* its training is done, its validation not */
    int done;            /* all epochs are */
    int stopped_early;
    uint64_t step;
    double rate; /* of the last step */
    /* sums over the epoch so far */
    double loss_sum, seconds;
    uint64_t n_correct, n_images;
    meso_early_stop_state early_stop;
} meso_run_state;

/* A set of pictures with what is known of it. */
typedef struct meso_run_set {
    meso_dataset own; /* where it was opened for this set */
    meso_contents own_contents;
    const meso_dataset *dataset;
    const meso_contents *contents;
    const size_t *items; /* positions in the dataset; NULL: all */
    size_t n_items;
    meso_batches *batches;
} meso_run_set;

/* Scores of a set's pictures, in its order. */
typedef struct meso_run_scores {
    double *p_real, *p_fake;
    unsigned char *real;
    size_t *items; /* positions in the dataset */
    size_t n;
    double loss;
    meso_metrics metrics;
} meso_run_scores;

typedef struct meso_run {
    meso_device *device;
    meso_train_options options; /* strings are config's, but for run, which is the caller's */
    json_t *config;
    meso_train_callback callback;
    void *user;
    meso_train_summary result;

    meso_run_set train, validation; /* without a validation set that one has no dataset */
    meso_run_set measured;          /* what metrics are computed on: validation, else train */
    meso_split split;
    meso_net *net;
    meso_classes classes;
    meso_weights *start;
    meso_augment_settings augment;
    meso_augment_settings normalization; /* of pictures that are not augmented */
    int has_normalization;
    meso_augment *augmenter;  /* NULL: pictures are taken as they are */
    meso_augment_draw *draws; /* [batch] */
    uint8_t *batch_classes;   /* [batch] */
    meso_trainer *trainer;
    meso_monitor monitor; /* not AUTO */
    char tuning[64];      /* rows of the kernels that validate and train; "" on the plain path */
    char arithmetic[33];  /* hash of the start's answer to a drawn picture: the same device may
                             compute  differently under another setting of its driver */

    meso_run_state state;
    meso_history history;
    char events[64];        /* name of the TensorBoard file of this process */
    double last_checkpoint; /* meso_seconds() */
    meso_weights *best;     /* not written yet */
    int history_written;
    int lock; /* the run's folder, open; −1: not yet */
    double last_flush;
} meso_run;

/* Opens what the options name; nothing is written. Errors: those of meso_train. */
meso_status meso_run_open(meso_run *run, meso_error *error);
void meso_run_close(meso_run *run);

/* Trains from run->state on until all epochs are done. CANCELLED: the callback stopped it, and a
 * checkpoint holds the state. */
meso_status meso_run_run(meso_run *run, meso_error *error);

/* Tells the callback; not 0 asks to stop. */
int meso_run_tell(meso_run *run, meso_train_event event);
void meso_run_note(meso_run *run, const char *text);

/* meso_has_learned() of a set's pictures. */
int meso_run_has_learned(const meso_run *run, const meso_run_set *set, double loss,
                         double accuracy);

/* Scores a set with weights, which are taken over. Errors: CANCELLED besides others. */
meso_status meso_run_score(meso_run *run, meso_run_set *set, meso_weights *weights,
                           meso_run_scores *scores, meso_error *error);
void meso_run_scores_free(meso_run_scores *scores);

/* Fills tuning and arithmetic. Errors: DATA (a net whose answer is no P(real)) besides others. */
meso_status meso_run_probe(meso_run *run, meso_error *error);

/* The moving statistics of *weights become means over the training set, without augmentation. */
meso_status meso_run_reestimate(meso_run *run, meso_weights **weights, meso_error *error);

/* The trainer's weights as a model's file has them. */
meso_status meso_run_weights(meso_run *run, meso_weights **weights, meso_error *error);

/* Writes the best weights and the history if there are newer ones than in the folder. */
meso_status meso_run_flush(meso_run *run, meso_error *error);

/* run_state.c. What a checkpoint knows of is written before it. Restoring checks that data, device
 * and program are those of the run. */
meso_status meso_run_checkpoint(meso_run *run, meso_error *error);
meso_status meso_run_restore(meso_run *run, const meso_weights *checkpoint, meso_error *error);

/* run_files.c: names in the run's folder. */
meso_status meso_run_path(const meso_run *run, const char *name, meso_text *path,
                          meso_error *error);
meso_status meso_run_write_weights(const meso_run *run, const char *name,
                                   const meso_weights *weights, meso_error *error);
meso_status meso_run_read_weights(const meso_run *run, const char *name, meso_weights **weights,
                                  meso_error *error);
meso_status meso_run_write_config(meso_run *run, meso_error *error);
meso_status meso_run_write_event(meso_run *run, meso_error *error); /* the last epoch's */
meso_status meso_run_write_result(meso_run *run, const meso_run_scores *scores, meso_error *error);
void meso_run_clean(const char *run); /* removes temporary files of a process that was killed */

/* "mesocl.train.…" of models and checkpoints. */
#define MESO_KEY_CONFIG "mesocl.train.config"
#define MESO_KEY_STATE "mesocl.train.state"
#define MESO_KEY_EPOCH "mesocl.train.epoch"
#define MESO_KEY_REESTIMATED "mesocl.train.bn_reestimated"

#endif

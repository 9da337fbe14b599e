/* SPDX-License-Identifier: Apache-2.0
 *
 * Training: from a labelled dataset to a model file.
 *
 *   meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
 *   options.data = "data/Train";
 *   options.validation_split = 0.2;
 *   options.run = "run1";
 *   status = meso_train(device, &options, NULL, NULL, &result, &error);
 *
 * The run's folder then holds best.safetensors and last.safetensors, models for meso_model_open;
 * history.jsonl and history.csv, a row for each epoch; events.out.tfevents… for TensorBoard;
 * config.json; metrics.json and validation.csv, how the chosen weights do on the validation set;
 * and the last two checkpoints. meso_train_resume continues a run that was interrupted, killed or
 * cut off; it ends with the same bits as a run that was not.
 *
 * Same options, same files, same device, same program: same bits, whatever the number of decoding
 * threads and lanes.
 */
#ifndef MESOCL_TRAIN_H
#define MESOCL_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/augment.h"
#include "mesocl/dataset.h"
#include "mesocl/device.h"
#include "mesocl/metrics.h"
#include "mesocl/model.h"
#include "mesocl/status.h"
#include "mesocl/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is minimised, by Keras' definitions; y is 1 for the image's class, else 0. */
typedef enum meso_loss {
    MESO_LOSS_MSE, /* mean of (p − y)² over batch and outputs: the published programs' choice */
    MESO_LOSS_BCE, /* binary cross-entropy from the logit; a net that ends with one sigmoid */
    MESO_LOSS_CCE /* categorical cross-entropy from logits; a net that ends with a softmax of two */
} meso_loss;

typedef enum meso_optimizer {
    MESO_OPTIMIZER_ADAM, /* w −= α·m / (√v + ε), α = lr·√(1 − β2ᵗ) / (1 − β1ᵗ) */
    MESO_OPTIMIZER_SGD   /* v = momentum·v − lr·g, w += v */
} meso_optimizer;

/* ---- learning rate ----------------------------------------------------------------------------
 *
 * lr · rateᵏ, never below limit. k counts drops:
 *   constant     none
 *   exponential  ⌊step / s⌋ with s = (images / batch) · (epochs / n), whole divisions, and
 *                n = ⌊log(limit / lr) / log rate⌋: the limit is reached as training ends
 *                (MalayAgr's MesoNet)
 *   epochs       ⌊epoch / every⌋
 *   iterations   ⌊step / every⌋
 */
typedef enum meso_schedule_kind {
    MESO_SCHEDULE_CONSTANT,
    MESO_SCHEDULE_EXPONENTIAL,
    MESO_SCHEDULE_EPOCHS,
    MESO_SCHEDULE_ITERATIONS,
    MESO_SCHEDULE_N_KINDS
} meso_schedule_kind;

typedef struct meso_schedule {
    meso_schedule_kind kind;
    double rate, limit;
    uint64_t every; /* epochs or steps; EXPONENTIAL: meso_schedule_resolve fills it */
} meso_schedule;

/* Reads a kind and settings, with commas between:
 *   constant
 *   exponential,rate=0.1,limit=1e-6
 *   epochs,every=10,rate=0.1,limit=0
 *   iterations,every=1000,rate=0.1,limit=1e-6 ("paper" for short)
 * Defaults: rate 0.1; limit 1e-6 for exponential, else 0; every must be there. Errors: ARGUMENT. */
MESO_API meso_status meso_schedule_parse(const char *text, meso_schedule *schedule,
                                         meso_error *error);

enum { MESO_SCHEDULE_TEXT_SIZE = 128 };
/* As text that meso_schedule_parse reads back to the same bits. Returns out. */
MESO_API const char *meso_schedule_format(const meso_schedule *schedule,
                                          char out[MESO_SCHEDULE_TEXT_SIZE]);

/* Computes what an exponential schedule takes from the training; others stay as they are. Errors:
 * ARGUMENT (a limit that is not below the rate, fewer epochs than drops). batch ≤ n_images. */
MESO_API meso_status meso_schedule_resolve(meso_schedule *schedule, double learning_rate,
                                           size_t epochs, size_t n_images, size_t batch,
                                           meso_error *error);

/* The rate of a step; both count from 0 over the whole run. */
MESO_API double meso_schedule_rate(const meso_schedule *schedule, double learning_rate,
                                   uint64_t step, uint64_t epoch);

/* ---- watching a metric ------------------------------------------------------------------------
 *
 * Best epoch and early stopping, as Keras' ModelCheckpoint and EarlyStopping have them.
 */
typedef enum meso_monitor {
    MESO_MONITOR_AUTO, /* val_loss; loss without a validation set */
    MESO_MONITOR_LOSS,
    MESO_MONITOR_ACCURACY,
    MESO_MONITOR_VAL_LOSS,
    MESO_MONITOR_VAL_ACCURACY,
    MESO_MONITOR_VAL_AUC,
    MESO_MONITOR_N
} meso_monitor;

/* "auto", "loss", "accuracy", "val_loss", "val_accuracy", "val_auc". */
MESO_API const char *meso_monitor_name(meso_monitor monitor);

typedef enum meso_monitor_mode {
    MESO_MODE_AUTO, /* max for accuracy and AUC, min for losses */
    MESO_MODE_MIN,
    MESO_MODE_MAX
} meso_monitor_mode;

typedef struct meso_early_stop {
    int on;
    size_t patience;  /* epochs without improvement after which training ends; default 0 */
    double min_delta; /* an improvement is larger than this; default 0 */
    int restore_best; /* last.safetensors gets the best epoch's weights; default 0 */
} meso_early_stop;

/* Reads "5", or settings with commas between: patience=5,min_delta=0.001,restore_best=1; "off".
 * Errors: ARGUMENT. */
MESO_API meso_status meso_early_stop_parse(const char *text, meso_early_stop *stop,
                                           meso_error *error);

/* Starts from {.mode} with the rest zero. */
typedef struct meso_early_stop_state {
    meso_monitor_mode mode; /* MIN or MAX */
    int any;                /* has seen a value */
    double best;            /* of all epochs: by it the best weights are kept */
    size_t best_epoch;      /* from 1 */
    double reference;       /* the value that the next must be better than by min_delta */
    size_t waited;          /* epochs since */
} meso_early_stop_state;

/* Takes an epoch's value (NaN is never better). Returns 1 where it is the best so far; *stop
 * becomes 1 where patience is at an end, as Keras counts it. */
MESO_API int meso_early_stop_update(meso_early_stop_state *watch, const meso_early_stop *rule,
                                    size_t epoch, double value, int *stop);

/* ---- a run ---- */

/* Fill with MESO_TRAIN_OPTIONS_INIT, then change what is needed. Strings may be NULL unless told.
 */
typedef struct meso_train_options {
    size_t struct_bytes;
    /* The data */
    const char *data;                /* folder of class folders … */
    const char *manifest;            /* … or a manifest, as in meso_dataset_options; … */
    const char *fake, *real, *group; /* … and likewise, for both sets */
    meso_layout layout;              /* likewise */
    size_t max_per_class;            /* likewise */
    const char *validation_data;     /* a folder of its own … */
    const char *validation_manifest; /* … or a manifest … */
    double validation_split;         /* … or this part of data; 0: no validation */
    meso_split_kind split_by;
    uint64_t max_pixels; /* as in meso_image_options */
    int exif_orient;
    const char *augment; /* as meso_augment_parse reads it */
    /* The net */
    const char *net;  /* built in, or a file; NULL: that of init, else meso4 */
    const char *init; /* weights to start from (meso_weights_read); NULL: random by seed */
    meso_initializer initializer;
    const char *freeze; /* "conv*,bn*": patterns of layers that are not trained */
    /* The method */
    size_t epochs; /* 0: only evaluates */
    size_t batch;  /* the whole training set where that is smaller, which a NOTE says */
    size_t validation_batch;
    uint64_t seed;
    meso_loss loss;
    meso_optimizer optimizer;
    double beta1, beta2, epsilon; /* of Adam */
    double momentum;              /* of SGD */
    double bn_momentum;
    int bn_biased_variance; /* 0: moving variance as in Keras 2, N/(N−1); 1: as in 3 */
    int bn_reestimate;      /* moving statistics are computed anew after training */
    double learning_rate;
    meso_schedule schedule;
    meso_monitor monitor;
    meso_monitor_mode mode;
    meso_early_stop early_stop;
    meso_path path; /* FUSED or PLAIN */
    /* The run */
    const char *run;           /* its folder, made where it is missing; required */
    const char *command;       /* the command line, for config.json */
    double checkpoint_seconds; /* between checkpoints */
    /* Without influence on the result */
    size_t n_threads;     /* that decode; 0: one for each processor */
    size_t n_lanes;       /* 0: all */
    uint64_t cache_bytes; /* for decoded pictures */
} meso_train_options;

static inline meso_train_options meso_train_options_init(void)
{
    meso_train_options options = MESO_INIT(meso_train_options);
    options.epochs = 30;
    options.batch = options.validation_batch = 32;
    options.seed = 1;
    options.beta1 = 0.9;
    options.beta2 = 0.999;
    options.epsilon = 1e-7;
    options.bn_momentum = 0.99;
    options.learning_rate = 1e-3;
    options.checkpoint_seconds = 30;
    options.cache_bytes = (uint64_t)1 << 30;
    return options;
}
#define MESO_TRAIN_OPTIONS_INIT meso_train_options_init()

/* One epoch, as in history.jsonl. Missing values are NaN. */
typedef struct meso_train_record {
    size_t struct_bytes;
    size_t epoch;          /* from 1 */
    uint64_t step;         /* steps done by its end */
    double learning_rate;  /* of its last step */
    double loss, accuracy; /* means over its images while they trained */
    double val_loss, val_accuracy, val_auc;
    double seconds;           /* of the training part, without interruptions */
    double images_per_second; /* likewise */
} meso_train_record;

typedef enum meso_train_event_kind {
    MESO_TRAIN_STARTED, /* sets and net are known */
    MESO_TRAIN_STEP,
    MESO_TRAIN_VALIDATING, /* a batch of validation, or of statistics that are estimated anew */
    MESO_TRAIN_EPOCH,      /* an epoch has ended, its validation too */
    MESO_TRAIN_REFUSED,    /* a picture that cannot be used, told once; text says why */
    MESO_TRAIN_NOTE        /* text for people: a damaged checkpoint, early stopping */
} meso_train_event_kind;

typedef struct meso_train_event {
    size_t struct_bytes;
    meso_train_event_kind kind;
    size_t epoch, epochs;            /* from 1; of so many */
    size_t images, n_images;         /* of this epoch, or of validation: done, all */
    double loss, accuracy;           /* of the epoch so far */
    const meso_train_record *record; /* of EPOCH */
    int best;                        /* of EPOCH: the best so far, and it has learned */
    const char *text;                /* of REFUSED and NOTE */
    size_t n_train, n_validation;    /* images */
    const char *net, *path;          /* "meso4", "fused" */
} meso_train_event;

/* Called on the caller's thread. Any value but 0 stops the run after the step at hand: a checkpoint
 * is written and meso_train returns CANCELLED. */
typedef int (*meso_train_callback)(const meso_train_event *event, void *user);

/* Start from MESO_INIT(meso_train_summary). */
typedef struct meso_train_summary {
    size_t struct_bytes;
    size_t epochs; /* done */
    uint64_t steps;
    int stopped_early;
    int resumable;     /* the folder holds a checkpoint to go on from */
    size_t best_epoch; /* 0: none */
    meso_monitor monitor;
    double best;           /* its value */
    meso_metrics *metrics; /* NULL, or where those of best.safetensors are to be written */
    int on_validation;     /* they are of the validation set; 0: of the training set */
    size_t n_refused;
    int learned; /* they are better than those of one answer for every picture */
} meso_train_summary;

/* Errors: ARGUMENT (options), NO_INPUT, DATA (dataset, weights, a class without images, a split
 * that leaves nothing, the run's folder holds a run already, loss no longer finite), CREATE and IO
 * (the run's folder; the last good checkpoint stays), DEVICE, MEMORY, CANCELLED. result is written
 * in any case; callback may be NULL. */
MESO_API meso_status meso_train(meso_device *device, const meso_train_options *options,
                                meso_train_callback callback, void *user,
                                meso_train_summary *result, meso_error *error);

/* Continues a run. The options are the run's own, except for these. Start from
 * MESO_INIT(meso_resume_options). */
typedef struct meso_resume_options {
    size_t struct_bytes;
    const char *data;          /* where the run's data are now; NULL: where they were */
    double checkpoint_seconds; /* 0: as it was */
    size_t n_threads, n_lanes;
    uint64_t cache_bytes; /* 0: the default */
} meso_resume_options;

/* A complete run is left as it is, and its result is returned. Errors: as above; NO_INPUT (no run
 * there), DATA (data, device or program are not those of the run; no checkpoint is whole). */
MESO_API meso_status meso_train_resume(meso_device *device, const char *run,
                                       const meso_resume_options *options,
                                       meso_train_callback callback, void *user,
                                       meso_train_summary *result, meso_error *error);

#ifdef __cplusplus
}
#endif
#endif

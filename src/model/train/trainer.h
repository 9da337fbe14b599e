/* SPDX-License-Identifier: Apache-2.0
 *
 * A net in training on a device, one step at a time (trainer.c), and its state (trainer_state.c).
 * The loop around it is run_loop.c.
 */
#ifndef MESO_MODEL_TRAINER_H
#define MESO_MODEL_TRAINER_H

#include "mesocl/model.h"
#include "mesocl/train.h"
#include "mesocl/weights.h"
#include "net/train/train.h"
#include "picture/augment.h"

typedef struct meso_trainer meso_trainer;

typedef struct meso_trainer_options {
    meso_train_settings settings; /* `frozen` is the trainer's */
    const char *freeze; /* "conv*,bn*": patterns (fnmatch) of layers that are not trained, or NULL.
                           A frozen batch norm works as at inference. */
    meso_path path;     /* FUSED, the fastest there is: see meso_trainer_path; or PLAIN */
} meso_trainer_options;

/* Those of a run. */
meso_trainer_options meso_trainer_options_of(const meso_train_options *run);

/* A batch. Exactly one of pixels and values, both [n][height][width][3] at the net's size. */
typedef struct meso_train_batch {
    const uint8_t *pixels;       /* page-aligned where it can be: then nothing is copied on a CPU */
    const float *values;         /* as meso_predict_f32 */
    const meso_augment *augment; /* NULL: none; else applied to pixels on the device. Opened for
                                    the net's size, `divide` and max_batch. */
    const meso_augment_draw *draws; /* [n], as meso_augment_enqueue takes them */
    const uint8_t *classes;         /* [n] 0 or 1: the class as the model's class names count */
    size_t n;
} meso_train_batch;

typedef struct meso_step_result {
    double loss;      /* mean of the batch, before the step */
    size_t n_correct; /* of the n images, as Keras' accuracy: p > 0.5 */
} meso_step_result;

/* Refuses EXACT, a path of predictions. Errors: ARGUMENT. */
meso_status meso_trainer_check_path(meso_path path, meso_error *error);

/* Starts from weights that carry their net. Errors: ARGUMENT (options out of range, a pattern that
 * fits no layer), DATA (weights that do not fit their net; a net that cannot be trained with this
 * loss), DEVICE, MEMORY. */
meso_status meso_trainer_open(meso_device *device, const meso_weights *start,
                              const meso_trainer_options *options, meso_trainer **trainer,
                              meso_error *error);
void meso_trainer_close(meso_trainer *trainer); /* NULL is allowed */

/* The last failure; "" if none. */
const char *meso_trainer_error(const meso_trainer *trainer);

/* One step of the optimiser. learning_rate > 0. Errors: ARGUMENT, DEVICE, MEMORY, DATA (loss or a
 * weight is no longer finite; the sentence says at which step and which tensor). */
meso_status meso_trainer_step(meso_trainer *trainer, const meso_train_batch *batch,
                              double learning_rate, meso_step_result *result);

/* Re-estimates batch norm's moving statistics as the mean over batches, without training; first: 1
 * for the first of these batches. */
meso_status meso_trainer_statistics(meso_trainer *trainer, const meso_train_batch *batch,
                                    int first);

/* Adds the current weights to an empty set: the tensors and the metadata of `start`. */
meso_status meso_trainer_get(meso_trainer *trainer, meso_weights *weights);

/* Adds the optimiser's state to an empty set: "adam.m.conv1.kernel", "adam.v.…" or "sgd.v.…", and
 * "….rest.…", what rounding has taken from weights, of what is trained; the step in metadata
 * mesocl.train.step. */
meso_status meso_trainer_save_state(meso_trainer *trainer, meso_weights *state);

/* Goes on from weights and state that a trainer of the same options has saved. Errors: DATA. */
meso_status meso_trainer_load_state(meso_trainer *trainer, const meso_weights *weights,
                                    const meso_weights *state, meso_error *error);

/* "plain" or "fused": what computes. */
const char *meso_trainer_path(const meso_trainer *trainer);
size_t meso_trainer_n_lanes(const meso_trainer *trainer);
const meso_net *meso_trainer_net(const meso_trainer *trainer); /* the trainer's own */

/* The name of its kernels' tuning row; "" on the plain path. */
const char *meso_trainer_tuning(const meso_trainer *trainer);

#endif

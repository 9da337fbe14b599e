/* SPDX-License-Identifier: Apache-2.0
 *
 * Training of a whole net in double precision.
 */
#ifndef MESO_TESTS_REFERENCE_TRAIN_H
#define MESO_TESTS_REFERENCE_TRAIN_H

#include "model/train/trainer.h"
#include "reference_backward.h"

typedef struct reference_trainer {
    const meso_net *net;
    meso_trainer_options options; /* of it: loss, optimizer, their constants, bn_…, seed */
    unsigned char frozen[MESO_MAX_LAYERS];
    double *params[MESO_MAX_LAYERS]; /* in the net's order, and the same for the rest */
    double *gradients[MESO_MAX_LAYERS], *first[MESO_MAX_LAYERS], *second[MESO_MAX_LAYERS];
    uint64_t steps;
} reference_trainer;

/* The net and the weights' values. */
void reference_trainer_open(reference_trainer *trainer, const meso_net *net,
                            const meso_weights *weights, const meso_trainer_options *options);
void reference_trainer_close(reference_trainer *trainer);

/* A step with n images [n][height][width][channels]; the gradients stay. Returns the loss. */
double reference_trainer_step(reference_trainer *trainer, const float *values,
                              const uint8_t *classes, size_t n, double learning_rate);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Training in double precision, op by op: forward where it differs from inference, and backward.
 * Plain sums; convolutions walk along rows, so that a batch of Meso-4 takes seconds, not minutes.
 */
#ifndef MESO_TESTS_REFERENCE_BACKWARD_H
#define MESO_TESTS_REFERENCE_BACKWARD_H

#include "reference.h"

/* What a layer's training depends on beside its inputs. */
typedef struct reference_layer {
    const meso_net *net;
    const meso_layer *layer;
    const double *params[MESO_MAX_PARAMS]; /* in the op's order */
    size_t n;                              /* images */
    int frozen;                            /* batch norm: moving statistics */
    uint64_t seed, step;                   /* dropout; step 0: none */
} reference_layer;

/* Gradients; the caller frees them by reference_gradients_free. */
typedef struct reference_gradients {
    reference_tensor inputs[MESO_MAX_INPUTS];
    double *params[MESO_MAX_PARAMS];    /* NULL: the op has none, or does not train it */
    double *magnitude[MESO_MAX_PARAMS]; /* of params */
} reference_gradients;

/* One op in training. The caller frees out. with_magnitude: 1 fills the magnitudes, too: the sum of
 * what was added up, each with its absolute value. */
void reference_train_forward(const reference_layer *layer, const reference_tensor *inputs,
                             int with_magnitude, reference_tensor *out);

/* Gradients of Σ d_out · out. */
void reference_backward(const reference_layer *layer, const reference_tensor *inputs,
                        const reference_tensor *out, const reference_tensor *d_out,
                        int with_magnitude, reference_gradients *gradients);
void reference_gradients_free(reference_gradients *gradients);

/* Mean and biased variance of channel c of n images. */
void reference_moments(const reference_tensor *in, size_t n, int c, double *mean, double *variance);

/* 1 where dropout keeps a unit. */
int reference_keeps(uint64_t seed, uint64_t step, size_t layer, size_t image, size_t unit,
                    double rate);

#endif

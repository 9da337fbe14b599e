/* SPDX-License-Identifier: Apache-2.0
 *
 * One layer for tests of training, from a net text whose last line it is.
 */
#ifndef MESO_TESTS_HARNESS_LAYER_H
#define MESO_TESTS_HARNESS_LAYER_H

#include "base/random.h"
#include "reference_backward.h"

typedef struct harness_layer {
    meso_net *net;
    reference_layer l;
    float *params[MESO_MAX_PARAMS]; /* the same values as l.params */
} harness_layer;

/* Parameters are random. Returns 0 where the text is refused because the window does not fit. */
int harness_layer_open(harness_layer *layer, const char *text, size_t n, int frozen,
                       meso_random *random);
void harness_layer_close(harness_layer *layer);

/* Random values of a parameter, malloc'd: gammas of both signs, variances > 0. */
float *harness_param(const meso_param *param, meso_random *random);

/* Random values of a parameter of a fused block. Where the output is small beside the sums that it
 * comes from, its rms is no measure of its errors; so kernels keep sums near 1, means and betas are
 * small, and where batch norm's scale is negative, so that the smallest sum of a window counts, the
 * bias lifts it: for filters of an even number, or with an odd first_sign of an odd one. */
void harness_block_param(const meso_param *p, meso_random *random, size_t first_sign,
                         float *values);

#endif

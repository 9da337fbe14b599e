/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole nets for tests: weights as the reference takes them, its answers, and published weight
 * files.
 */
#ifndef MESO_TESTS_HARNESS_MODEL_H
#define MESO_TESTS_HARNESS_MODEL_H

#include "mesocl/weights.h"
#include "net/net.h"

/* The weights' values in the order of the net's parameters; the caller frees the array alone. */
const float **harness_params(const meso_net *net, const meso_weights *weights);

/* P(class 1) of n float images [n][height][width][channels] by the double-precision reference. */
void harness_reference_p(const meso_net *net, const meso_weights *weights, const float *input,
                         size_t n, double *p);

#endif

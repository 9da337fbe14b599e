/* SPDX-License-Identifier: Apache-2.0
 *
 * Every op in double precision, as obvious loops: what the kernels are judged by. Nothing here is
 * fast or shares code with src/net beyond the parsed layer.
 *
 * Beside each value stands its magnitude: the same sum with every term's absolute value, Σ|w·x|.
 * Rounding errors of a float computation are bounded by k · eps · magnitude, whatever the order of
 * its sums.
 */
#ifndef MESO_TESTS_REFERENCE_H
#define MESO_TESTS_REFERENCE_H

#include "net/net.h"

/* n images of one layer, [n][channels][height][width]. */
typedef struct reference_tensor {
    meso_shape shape;
    double *value;
    double *magnitude; /* of how the value came about from exact inputs */
} reference_tensor;

/* One op. values of its inputs are taken as exact; params in the op's order. The caller frees out.
 */
void reference_op(const meso_layer *layer, const reference_tensor *inputs,
                  const float *const *params, size_t n, reference_tensor *out);

/* A whole net on input [n][height][width][channels], up to and with layer `last`; params: every
 * parameter of the net in its order. The caller frees out. */
void reference_net(const meso_net *net, const float *const *params, const double *input, size_t n,
                   size_t last, reference_tensor *out);

/* Ends the program: an op without a row. */
_Noreturn void reference_missing(const struct meso_op *op);

reference_tensor reference_tensor_new(meso_shape shape, size_t n);
void reference_tensor_free(reference_tensor *tensor);

#endif

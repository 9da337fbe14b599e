/* SPDX-License-Identifier: Apache-2.0
 *
 * How far float arithmetic may be from the reference, layer by layer: each layer passes on what its
 * input may be off by and adds its own rounding errors.
 */
#ifndef MESO_TESTS_REFERENCE_BOUND_H
#define MESO_TESTS_REFERENCE_BOUND_H

#include "net/strip/strip.h"
#include "reference.h"

/* Values of n images, and for each of them the largest error that is no mistake. */
typedef struct reference_bounded {
    size_t n;
    reference_tensor value;
    reference_tensor bound; /* in bound.value */
} reference_bounded;

/* Images [n][height][width][channels], exact. */
reference_bounded reference_bounded_input(meso_shape shape, const double *images, size_t n);
void reference_bounded_free(reference_bounded *tensor);

/* Replaces *tensor by the layer's output. params: of this layer. method: how a convolution is
 * computed. eps: FLT_EPSILON, or almost nothing for a layer that computes its values exactly. */
void reference_bounded_op(const meso_layer *layer, const float *const *params,
                          meso_strip_method method, double eps, reference_bounded *tensor);

#endif

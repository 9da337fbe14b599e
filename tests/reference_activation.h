/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations and their derivatives in double precision: a row for each.
 */
#ifndef MESO_TESTS_REFERENCE_ACTIVATION_H
#define MESO_TESTS_REFERENCE_ACTIVATION_H

#include "net/op/op.h"

typedef struct reference_activation {
    const meso_op *op;
    double (*value)(const meso_settings *set, double in);
    double (*slope)(const meso_settings *set, double in,
                    double out); /* of value at in; out is it */
} reference_activation;

/* NULL where the op is none. */
const reference_activation *reference_activation_of(const meso_op *op);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Training.
 */
#ifndef MESOCL_TRAIN_H
#define MESOCL_TRAIN_H

#include "mesocl/status.h"

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

#ifdef __cplusplus
}
#endif
#endif

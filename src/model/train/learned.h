/* SPDX-License-Identifier: Apache-2.0
 *
 * Has training taught a net anything? It has not while one answer for every picture would do as
 * well.
 */
#ifndef MESO_MODEL_TRAIN_LEARNED_H
#define MESO_MODEL_TRAIN_LEARNED_H

#include <stddef.h>

#include "mesocl/train.h"

/* Fewer have hardly ever taught a net anything; and until then the moving statistics of batch norm
 * remember where they started: 0.99^300 is 5 %. */
enum { MESO_FEW_STEPS = 300 };

/* Of the best constant answer, the share of reals as P(real). */
double meso_constant_loss(meso_loss loss, size_t n_fake, size_t n_real);

/* Of n = n_fake + n_real pictures: is the loss below the constant's by more than 2 % and what
 * chance gives, 1/2√n of it, or the accuracy above the larger class' share by two standard errors?
 * NaN is neither. */
int meso_has_learned(meso_loss loss, size_t n_fake, size_t n_real, double reached, double accuracy);

#endif

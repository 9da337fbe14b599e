/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tuner asks a model (model.c).
 */
#ifndef MESO_MODEL_TUNING_H
#define MESO_MODEL_TUNING_H

#include "mesocl/model.h"
#include "runtime/tuning.h"

/* The values of the family's row that the model computes by; 0: it computes by none of them. */
int meso_model_tuning(const meso_model *model, const meso_tuning_family *family,
                      int values[MESO_MAX_TUNABLES]);

#endif

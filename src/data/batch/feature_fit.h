/* SPDX-License-Identifier: Apache-2.0
 *
 * Mean and standard deviation of a training set, channel by channel.
 */
#ifndef MESO_DATA_FEATURE_FIT_H
#define MESO_DATA_FEATURE_FIT_H

#include "data/batch/batches.h"
#include "mesocl/augment.h"

/* Goes through epoch 0 once, without its augmentation, and leaves the batches at its beginning.
 * settings->mean and ->std are of pixels / divide; sums are whole numbers, so that order does not
 * matter. Errors: those of meso_batches_next. */
meso_status meso_feature_fit(meso_batches *batches, double divide, meso_augment_settings *settings,
                             meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The pictures of selftest.c, for all who check a net without a file.
 */
#ifndef MESO_MODEL_SELFTEST_INPUTS_H
#define MESO_MODEL_SELFTEST_INPUTS_H

#include "model/train/trainer.h"
#include "net/net.h"

/* The pictures of the known answers, [height][width][channels], 0…1:
 *   ramp    ((31y + 17x + 59c) mod 256) / 255      smooth  (⌊(y + 2x + 40c) / 3⌋ mod 256) / 255 */
void meso_selftest_draw(const char *input, meso_shape shape, float *values);

/* The row "training": steps of SGD with both pictures, ramp as class 0 and smooth as class 1. Its
 * answer is the loss of the last one, so that everything behind a step but Adam has its part. */
enum { MESO_SELFTEST_STEPS = 2, MESO_SELFTEST_PICTURES = 2 };
extern const meso_trainer_options meso_selftest_training;
extern const double meso_selftest_rate;

#endif

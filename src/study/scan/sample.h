/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_STUDY_SAMPLE_H
#define MESO_STUDY_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/dataset.h"

/* Keeps n files of each class (or what there is), drawn from the seed, in their order. */
void study_sample(meso_dataset *files, size_t n, uint64_t seed);

#endif

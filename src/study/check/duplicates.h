/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures that are the same, in one dataset or across two.
 */
#ifndef MESO_STUDY_DUPLICATES_H
#define MESO_STUDY_DUPLICATES_H

#include "study/check/pairs.h"
#include "study/scan/study_scan.h"

/* Pairs a < b of one dataset: each image of a set of same files or pixels is paired with the set's
 * first only, near pairs are found between sets. Errors: ARGUMENT (not a whole scan), MEMORY. */
meso_status study_duplicates(const study_dataset *dataset, study_pairs *pairs, meso_error *error);

/* Pairs of an image of `train` and one of `test`, by b: each image of `test` in at most one pair,
 * of the surest kind that it has, near ones with the image that it differs from least. Recordings
 * are compared by the name of the group, whatever the class. Errors: MEMORY. */
meso_status study_leaks(const study_dataset *train, const study_dataset *test, study_pairs *pairs,
                        meso_error *error);

#endif

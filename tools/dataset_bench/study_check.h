/* SPDX-License-Identifier: Apache-2.0
 *
 * Before a study begins: can it be done as planned, and what will it take (study_dry_run.c)?
 */
#ifndef MESO_TOOLS_STUDY_CHECK_H
#define MESO_TOOLS_STUDY_CHECK_H

#include "study/plan/study_plan.h"

/* Sizes by the files' names alone. */
typedef struct db_sizes {
    size_t n_files[2 * STUDY_MAX_SETS][2]; /* of each class; training sets, then test sets */
    size_t per_class[2];                   /* as of study_plan_per_class() */
    uint64_t model_bytes[STUDY_MAX_SETS];  /* of a variant's weights */
} db_sizes;

/* Every set has both classes, no test set lies in a training set, nets and weights can be read and
 * fit. Errors: DATA, NO_INPUT, with the name of the set or variant. */
meso_status db_study_check(const study_plan *plan, db_sizes *sizes, meso_error *error);

/* Prints what would run; measures this machine's speed for a moment. */
meso_status db_study_dry_run(const study_plan *plan, const db_sizes *sizes, meso_error *error);

#endif

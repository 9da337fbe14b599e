/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of `dataset_bench run`, and the plan that it comes to.
 */
#ifndef MESO_TOOLS_STUDY_OPTIONS_H
#define MESO_TOOLS_STUDY_OPTIONS_H

#include <stdint.h>

#include "study/plan/study_plan.h"

typedef struct db_run_options {
    const char *document; /* study.json; NULL: the options say it all */
    const char *output;   /* folder */
    const char *resume;   /* folder of a study that was begun; NULL: a new one */
    int dry_run, thumbnails;
    uint64_t n_parallel; /* jobs side by side; 0: as many as there are processors */
    json_t *overrides;   /* what the options say, in the plan's words; owned */
} db_run_options;

/* Starts from {.overrides = json_object()}. Returns -1: go on; else the exit code. To be freed in
 * any case. */
int db_run_options_parse(int argc, char **argv, db_run_options *options);
void db_run_options_free(db_run_options *options);

/* The plan of a new study. */
meso_status db_run_options_plan(db_run_options *options, study_plan *plan, meso_error *error);

#endif

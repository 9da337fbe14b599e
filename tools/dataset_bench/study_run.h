/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of `dataset_bench run`: its command line and the plan that it comes to
 * (study_options.c); whether that can be done (study_check.c), and what it will take
 * (study_dry_run.c); its jobs (study_queue.c).
 */
#ifndef MESO_TOOLS_STUDY_RUN_H
#define MESO_TOOLS_STUDY_RUN_H

#include <stdint.h>

#include "study/plan/study_plan.h"
#include "study_folder.h"

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

/* Each job is a child process: this program runs itself again as `study-job`. One that crashes
 * costs itself; what the others have done is on disk.
 *
 * Runs the job that scans the datasets, whose words and progress go to stderr as they are. Returns
 * -1, or its exit code. */
int db_queue_prepare(const db_study *study);

/* Which jobs are on disk, whole? done [n_jobs], written. Returns how many. */
size_t db_queue_done(const db_study *study, unsigned char *done);

/* Runs the others, n_parallel at a time (0: one for each processor), and says on stderr how each
 * ended. Returns -1 when all are done, else an exit code: of a job where going on makes no sense
 * (no space, no device), 75 after Ctrl-C, 70 when single jobs failed. */
int db_queue_run(const db_study *study, unsigned char *done, size_t n_parallel);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of a study:
 *
 *   study.json            the plan, complete
 *   lists/<set>.csv       the files of each dataset with their hashes; <set>.used.csv: what trains
 *   facts.json            properties, shortcuts, leaks
 *   jobs/<job>.json       what a finished job has left; <job>.log: what a failed one said
 *   models/<job>.safetensors
 *   study_result.json, .csv, .md, .html
 *
 * Each file appears whole or not at all, so a study that was killed goes on from what is there.
 * study_folder.c reads and makes it; study_prepare.c, study_job.c, study_train.c and
 * study_features.c are what the child processes of a study do.
 */
#ifndef MESO_TOOLS_STUDY_FOLDER_H
#define MESO_TOOLS_STUDY_FOLDER_H

#include "base/text.h"
#include "drivers.h"
#include "mesocl/device.h"
#include "result_folder.h"
#include "study/plan/study_list.h"
#include "study/plan/study_plan.h"
#include "study/result/study_facts.h"
#include "study/result/study_outcome.h"

typedef struct db_study {
    const char *folder;
    study_plan plan;
    study_list *lists; /* [n_train + n_test], training sets first; NULL before they are read */
    study_facts facts;
} db_study;

/* Reads the plan of a folder. Errors: NO_INPUT (no study there), DATA. */
meso_status db_study_open(const char *folder, db_study *study, meso_error *error);

extern const tool_result db_study_result;

/* Makes a folder for a plan, which it takes over. Errors: those of tool_result_begin. */
meso_status db_study_create(const char *folder, study_plan *plan, db_study *study,
                            meso_error *error);

/* Reads lists and facts, which the preparing job has left. */
meso_status db_study_load(db_study *study, meso_error *error);
void db_study_close(db_study *study);

/* Keeps other processes from working on the folder until this one ends, however it does; then
 * clears away what a killed one had not finished. */
meso_status db_study_lock(const db_study *study, meso_error *error);

/* "<folder>/<printf>", in a buffer of the caller's. Returns it. */
enum { DB_PATH_SIZE = 4096 };
const char *db_study_path(const db_study *study, char path[DB_PATH_SIZE], const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *db_job_path(const db_study *study, size_t job, const char *format,
                        char path[DB_PATH_SIZE]); /* format: "jobs/%s.json" */

/* Scans the datasets, and refuses where they are not what they were when the study began. Leaves
 * lists and facts. */
meso_status db_job_prepare(db_study *study, meso_error *error);

/* Trains, tests, and leaves the outcome. n_threads: processors that this job may use. */
meso_status db_job_run(db_study *study, size_t job, size_t n_threads, meso_error *error);

/* What opens a job's devices: those of its plan, else the one to train its first net on. */
const char *db_device_selector(const study_plan *plan, size_t job, tool_selector text);

/* Trains a job's net, or takes it as it is where it has no epochs, and leaves it at model_path.
 * Fills the outcome's part on training. */
meso_status db_job_train(const db_study *study, size_t job, size_t n_threads, meso_device *device,
                         const char *model_path, study_outcome *outcome, meso_error *error);

/* Measures how far all sets lie from each other in the features of the model. Adds to the outcome;
 * a net that flattens nothing has no such features. */
meso_status db_job_features(const db_study *study, meso_device *device, const char *model_path,
                            study_outcome *outcome, meso_error *error);

#endif

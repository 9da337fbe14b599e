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
 */
#ifndef MESO_TOOLS_STUDY_FOLDER_H
#define MESO_TOOLS_STUDY_FOLDER_H

#include "base/text.h"
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

#endif

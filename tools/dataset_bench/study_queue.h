/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs of a study, each in a child process: this program runs itself again as `study-job`. A job
 * that crashes costs itself; what the others have done is on disk.
 */
#ifndef MESO_TOOLS_STUDY_QUEUE_H
#define MESO_TOOLS_STUDY_QUEUE_H

#include "study_folder.h"

/* Runs the job that scans the datasets, whose words and progress go to stderr as they are. Returns
 * -1, or its exit code. */
int db_queue_prepare(const db_study *study);

/* Which jobs are on disk, whole? done [n_jobs], written. Returns how many. */
size_t db_queue_done(const db_study *study, unsigned char *done);

/* Runs the others, n_parallel at a time (0: one for each processor), and says on stderr how each
 * ended. Returns -1 when all are done, else an exit code: of a job where going on makes no sense
 * (no space, no device), 75 after Ctrl-C, 70 when single jobs failed. */
int db_queue_run(const db_study *study, unsigned char *done, size_t n_parallel);

#endif

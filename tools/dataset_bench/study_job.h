/* SPDX-License-Identifier: Apache-2.0
 *
 * What the child processes of a study do: study_prepare.c, study_train.c and study_features.c.
 */
#ifndef MESO_TOOLS_STUDY_JOB_H
#define MESO_TOOLS_STUDY_JOB_H

#include "drivers.h"
#include "mesocl/device.h"
#include "study_folder.h"

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

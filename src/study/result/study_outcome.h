/* SPDX-License-Identifier: Apache-2.0
 *
 * What one job has left on disk: how training went, and the score of every test image on every
 * device. Everything a report says is computed from these files.
 */
#ifndef MESO_STUDY_STUDY_OUTCOME_H
#define MESO_STUDY_STUDY_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

/* One test set on one device. */
typedef struct study_scored {
    char device[128];
    double seconds; /* scoring alone, decoding included */
    float *p_real;  /* [n] in the list's order; −1 where the image was refused this time */
    size_t n;
} study_scored;

typedef struct study_epoch {
    double loss, accuracy, seconds;
} study_epoch;

/* Between two datasets, in the features of this job's net. */
typedef struct study_feature_distance {
    char a[64], b[64];
    double squared; /* Fréchet distance */
    size_t n;       /* images of each */
} study_feature_distance;

typedef struct study_outcome {
    char device[128], driver[128], path[16]; /* that trained */
    char model_hash[33];
    char list_hash[33]; /* of the training set's list */
    uint64_t n_images, n_steps;
    double seconds; /* of training */
    study_epoch *epochs;
    size_t n_epochs;
    study_scored *scored; /* [n_tests][n_devices] */
    size_t n_tests, n_devices;
    study_feature_distance *distances;
    size_t n_distances; /* 0 but for the jobs that are asked for them */
} study_outcome;

/* Whole or not at all. Errors: CREATE, IO, MEMORY. */
meso_status study_outcome_write(const study_outcome *outcome, const char *path, meso_error *error);

/* Errors: NO_INPUT (the job is not done), DATA (the file is damaged), IO, MEMORY. */
meso_status study_outcome_read(const char *path, study_outcome *outcome, meso_error *error);
void study_outcome_free(study_outcome *outcome); /* zeroed is allowed */

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run of training left in its folder (run_files.c), read back.
 */
#ifndef MESO_MODEL_RUN_FOLDER_H
#define MESO_MODEL_RUN_FOLDER_H

#include <jansson.h>

#include "mesocl/dataset.h"
#include "mesocl/metrics.h"
#include "model/train/history.h"

typedef struct meso_run_folder {
    json_t *config;  /* config.json */
    json_t *metrics; /* metrics.json; NULL while the run is not complete */
    meso_history history;
    /* validation.csv; n_scores = 0 while the run is not complete */
    meso_dataset files;
    double *p_real, *p_fake;
    unsigned char *real;
    size_t *group; /* NULL without groups */
    size_t n_scores;
} meso_run_folder;

/* Errors: NO_INPUT (no such run), DATA (a file is not what train writes), IO, MEMORY; free in any
 * case. */
meso_status meso_run_folder_read(const char *run, meso_run_folder *folder, meso_error *error);
void meso_run_folder_free(meso_run_folder *folder);

meso_scores meso_run_folder_scores(const meso_run_folder *folder);

/* The names of files that train and report write there, as patterns of fnmatch(3); NULL ends
 * them. */
extern const char *const meso_run_names[];
int meso_run_writes(const char *name);

#endif

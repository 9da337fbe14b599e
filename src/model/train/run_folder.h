/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run of training left in its folder (run_files.c), read back (run_folder.c), and its
 * checkpoints (checkpoint.c).
 */
#ifndef MESO_MODEL_RUN_FOLDER_H
#define MESO_MODEL_RUN_FOLDER_H

#include <jansson.h>
#include <stdint.h>

#include "base/text.h"
#include "mesocl/dataset.h"
#include "mesocl/metrics.h"
#include "mesocl/weights.h"
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

/* Checkpoints are checkpoint-<number>.safetensors in the folder, numbers rising, the last two kept.
 * Each bears the hash of all its bytes.
 *
 * Writes the set, to which it adds metadata, as checkpoint `number`; then removes those before
 * number − 1. Errors: CREATE, IO (all older ones stay), DATA, MEMORY. */
meso_status meso_checkpoint_write(const char *folder, uint64_t number, meso_weights *set,
                                  meso_error *error);

/* Reads the one of the highest number that is whole. Of others a sentence each is added to notes,
 * with a line break. Errors: NO_INPUT (there is none), DATA (none is whole), MEMORY. */
meso_status meso_checkpoint_read(const char *folder, meso_weights **set, uint64_t *number,
                                 meso_text *notes, meso_error *error);

/* Is there any? */
int meso_checkpoint_exists(const char *folder);

#endif

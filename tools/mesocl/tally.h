/* SPDX-License-Identifier: Apache-2.0
 *
 * What became of the files of a run, counted and told to people on stderr: predict and evaluate.
 */
#ifndef MESO_TOOLS_TALLY_H
#define MESO_TOOLS_TALLY_H

#include "mesocl/evaluate.h"

typedef struct tool_tally {
    size_t n_scored, n_refused;
    size_t n_by_refusal[MESO_IMAGE_ODD_SIZE + 1];
    size_t n_suspect, n_turned;
    size_t n_called[2]; /* fake, real; 0: nobody counts */
} tool_tally;

void tool_tally_add(tool_tally *tally, const meso_file_score *score);

/* "refused: FILE: REASON: DETAIL" */
void tool_tally_print_refusal(const meso_file_score *score);

/* "3 images scored, 2 refused (1 truncated, 1 vanished)", then what else should be known. */
void tool_tally_print(const tool_tally *tally, const meso_dataset *files, int exif_orient);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run of training left in its folder, read back for the report.
 */
#ifndef MESO_TOOLS_RUN_FOLDER_H
#define MESO_TOOLS_RUN_FOLDER_H

#include <jansson.h>

#include "mesocl/metrics.h"
#include "model/train/history.h"

typedef struct tool_run_row {
    char *file;
    size_t group; /* number; 0 where there are no groups */
} tool_run_row;

typedef struct tool_run_folder {
    json_t *config;  /* config.json */
    json_t *metrics; /* metrics.json; NULL while the run is not complete */
    meso_history history;
    /* validation.csv; n_scores = 0 while the run is not complete */
    tool_run_row *rows;
    double *p_real, *p_fake;
    unsigned char *real;
    size_t *group; /* NULL without groups */
    size_t n_scores;
} tool_run_folder;

/* Errors: NO_INPUT (no such run), DATA (a file is not what train writes), IO, MEMORY; free in any
 * case. */
meso_status tool_run_folder_read(const char *run, tool_run_folder *folder, meso_error *error);
void tool_run_folder_free(tool_run_folder *folder);

meso_scores tool_run_folder_scores(const tool_run_folder *folder);

/* "options.batch" of config.json as text; "" where it is missing or null. Valid until the next
 * call. */
const char *tool_run_config_text(const tool_run_folder *folder, const char *key);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores that predict keeps until all are there: for rows in order of their scores, and for means
 * over recordings.
 */
#ifndef MESO_TOOLS_PREDICT_KEPT_H
#define MESO_TOOLS_PREDICT_KEPT_H

#include "mesocl/dataset.h"
#include "mesocl/evaluate.h"

typedef struct tool_predict_group {
    const char *name; /* the dataset's */
    size_t n;         /* images */
    meso_probability p;
} tool_predict_group;

/* Starts from {0}. */
typedef struct tool_predict_kept {
    meso_file_score *scores; /* details are their own */
    size_t n, capacity;
    tool_predict_group *groups;
    size_t n_groups;
} tool_predict_kept;

/* Names the recording of every file by the pattern, on its path. Errors: ARGUMENT, DATA (a path in
 * which the pattern finds none), MEMORY. */
meso_status tool_predict_name_groups(meso_dataset *files, const char *pattern, meso_error *error);

meso_status tool_predict_keep(tool_predict_kept *kept, const meso_file_score *score);

/* The likeliest fakes first, those refused last. */
void tool_predict_sort(tool_predict_kept *kept);

/* Means over the images that were scored, in order of the names, or the likeliest fakes first.
 * Errors: MEMORY. */
meso_status tool_predict_make_groups(tool_predict_kept *kept, const meso_dataset *files,
                                     int sorted);
void tool_predict_forget(tool_predict_kept *kept);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What predict keeps (predict_kept.c) and prints (predict_output.c): one row per file, in one of
 * four formats.
 */
#ifndef MESO_TOOLS_PREDICT_OUTPUT_H
#define MESO_TOOLS_PREDICT_OUTPUT_H

#include "common.h"
#include "mesocl/dataset.h"
#include "mesocl/evaluate.h"
#include "mesocl/metrics.h"
#include "report/report_provenance.h"

/* Scores that predict keeps until all are there: for rows in order of their scores, and for means
 * over recordings. */
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

typedef enum tool_predict_format {
    TOOL_PREDICT_TEXT,
    TOOL_PREDICT_JSON,
    TOOL_PREDICT_JSONL,
    TOOL_PREDICT_CSV
} tool_predict_format;

/* Rows are printed as they come, so that a run that is interrupted has shown what it had. */
typedef struct tool_predict_output {
    tool_predict_format format;
    double threshold;            /* of the label: meso_is_real */
    const tool_scoring *scoring; /* knows which device of several a row is of */
    int of_groups;               /* rows are of recordings; in JSON they follow the images */
    size_t n_ok, n_refused, n_groups;
    size_t n_called[2]; /* fake, real */
} tool_predict_output;

/* All return MESO_OK, MEMORY or IO (stdout did not take it). */
meso_status tool_predict_output_begin(const tool_predict_output *output,
                                      const report_provenance *provenance);
meso_status tool_predict_output_row(tool_predict_output *output, const meso_file_score *score);
/* After the images, if any. */
meso_status tool_predict_output_group(tool_predict_output *output, const tool_predict_group *group);

/* error: the sentence of a run that ended before its time, or NULL. times: [TOOL_N_TIMES] or NULL.
 */
meso_status tool_predict_output_end(const tool_predict_output *output, const meso_dataset *files,
                                    const char *error, const tool_time *times);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What predict prints: one row per file, in one of four formats.
 */
#ifndef MESO_TOOLS_PREDICT_OUTPUT_H
#define MESO_TOOLS_PREDICT_OUTPUT_H

#include "common.h"
#include "mesocl/evaluate.h"
#include "mesocl/metrics.h"
#include "predict_kept.h"
#include "report/report_provenance.h"

typedef enum tool_predict_format {
    TOOL_PREDICT_TEXT,
    TOOL_PREDICT_JSON,
    TOOL_PREDICT_JSONL,
    TOOL_PREDICT_CSV
} tool_predict_format;

/* Rows are printed as they come, so that a run that is interrupted has shown what it had. */
typedef struct tool_predict_output {
    tool_predict_format format;
    double threshold; /* of the label: meso_is_real */
    const tool_scoring *scoring; /* knows which device of several a row is of */
    int of_groups;    /* rows are of recordings; in JSON they follow the images */
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * What train prints: a line for each epoch, a progress bar, the result.
 */
#ifndef MESO_TOOLS_TRAIN_OUTPUT_H
#define MESO_TOOLS_TRAIN_OUTPUT_H

#include "mesocl/train.h"
#include "progress.h"

typedef struct tool_train_output {
    int json;
    const char *run;
    tool_progress progress, epochs; /* of the epoch's images; of the run */
    meso_train_event_kind shown;    /* what the progress bar counts */
    char epoch[48];                 /* in front of it */
    meso_train_summary result;
    meso_metrics metrics; /* of result */
} tool_train_output;

/* A meso_train_callback; user is the output. */
int tool_train_output_event(const meso_train_event *event, void *user);

/* Ends the progress bar. */
void tool_train_output_end(tool_train_output *output);

/* Prints the result and returns the exit code. */
int tool_train_output_result(const tool_train_output *output);

#endif

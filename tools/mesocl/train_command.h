/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of `mesocl train`: the library's table of training options, and what has no
 * influence on the result (train_command.c); and what it prints (train_output.c).
 */
#ifndef MESO_TOOLS_TRAIN_COMMAND_H
#define MESO_TOOLS_TRAIN_COMMAND_H

#include "base/text.h"
#include "mesocl/train.h"
#include "outputs.h"
#include "progress.h"

/* What train prints: a line for each epoch, a progress bar, the result. */
typedef struct tool_train_output {
    int json;
    const char *run;
    tool_progress progress, epochs; /* of the epoch's images; of the run */
    meso_train_event_kind shown;    /* what the progress bar counts */
    char epoch[48];                 /* in front of it */
    meso_train_summary result;
    meso_metrics metrics; /* of result */
} tool_train_output;

typedef struct train_command {
    meso_train_options options;
    const char *device, *resume;
    uint64_t threads, cache_mb;
    int compat;        /* of the augmentation */
    meso_text augment; /* its settings, where compat is among them */
    tool_train_output output;
} train_command;

extern const tool_result train_result; /* the folder of a run */

/* Starts from TRAIN_COMMAND_INIT. Returns -1, or the exit code; augment is to be freed in any case.
 */
#define TRAIN_COMMAND_INIT                                   \
    {                                                        \
        .options = MESO_TRAIN_OPTIONS_INIT, .cache_mb = 1024 \
    }
int train_command_parse(train_command *command, int argc, char **argv);

/* A meso_train_callback; user is the output. */
int tool_train_output_event(const meso_train_event *event, void *user);

/* Ends the progress bar. */
void tool_train_output_end(tool_train_output *output);

/* Prints the result and returns the exit code. */
int tool_train_output_result(const tool_train_output *output);

#endif

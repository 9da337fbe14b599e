/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of `mesocl train`: the library's table of training options, and what has no
 * influence on the result.
 */
#ifndef MESO_TOOLS_TRAIN_COMMAND_H
#define MESO_TOOLS_TRAIN_COMMAND_H

#include "base/text.h"
#include "mesocl/train.h"
#include "outputs.h"
#include "train_output.h"

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

#endif

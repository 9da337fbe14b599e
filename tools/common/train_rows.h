/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's table of training options (model/train/train_options.h) as rows of a command line.
 */
#ifndef MESO_TOOLS_TRAIN_ROWS_H
#define MESO_TOOLS_TRAIN_ROWS_H

#include "model/train/train_options.h"
#include "options.h"

enum { TOOL_MAX_TRAIN_ROWS = 64 };

/* As it was typed; [i] belongs to the library's row i. Starts from {0}. */
typedef struct tool_train_words {
    const char *text[TOOL_MAX_TRAIN_ROWS]; /* NULL: not given */
    int on[TOOL_MAX_TRAIN_ROWS];           /* of a switch */
    char help[TOOL_MAX_TRAIN_ROWS][256];
} tool_train_words;

/* Writes the rows, or only those that a study's variant can have, and returns how many.
 * --help tells the defaults of `usual`. */
size_t tool_train_rows(tool_train_words *words, const meso_train_options *usual, int varied_only,
                       tool_option *rows);

int tool_train_given(const tool_train_words *words, size_t i);

/* Stores what was given. Returns -1, or 2 after a sentence about the command's option. */
int tool_train_take(const tool_train_words *words, const char *command,
                    meso_train_options *options);

#endif

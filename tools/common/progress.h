/* SPDX-License-Identifier: Apache-2.0
 *
 * A progress bar with count, rate and time left on stderr. Where stderr is no terminal all of this
 * does nothing. Plain characters in one line: nothing that NO_COLOR would have to switch off.
 */
#ifndef MESO_TOOLS_PROGRESS_H
#define MESO_TOOLS_PROGRESS_H

#include <stddef.h>

typedef struct tool_progress {
    const char *what; /* "images" */
    size_t total;
    int on;
    int width; /* of the line on the screen now; 0: none */
    double started, drawn;
} tool_progress;

void tool_progress_start(tool_progress *progress, const char *what, size_t total);

/* Draws at most every 100 ms. */
void tool_progress_update(tool_progress *progress, size_t done);

/* Wipes the line: before anything else is printed to the terminal, and at the end. */
void tool_progress_clear(tool_progress *progress);

/* The line itself, without its return: columns wide at most. Apart for the tests. */
void tool_progress_format(const tool_progress *progress, size_t done, double seconds, int columns,
                          char *line, size_t size);

#endif

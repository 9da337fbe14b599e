/* SPDX-License-Identifier: Apache-2.0
 *
 * A progress bar with count, rate and time left on stderr. Where stderr is no terminal all of this
 * does nothing. Plain characters in one line: nothing that NO_COLOR would have to switch off.
 */
#ifndef MESO_TOOLS_PROGRESS_H
#define MESO_TOOLS_PROGRESS_H

#include <stddef.h>

typedef struct meso_progress {
    const char *what; /* "images" */
    size_t total;
    int on;
    int width; /* of the line on the screen now; 0: none */
    double started, drawn;
} meso_progress;

void meso_progress_start(meso_progress *progress, const char *what, size_t total);

/* Draws at most every 100 ms. */
void meso_progress_update(meso_progress *progress, size_t done);

/* Wipes the line: before anything else is printed to the terminal, and at the end. */
void meso_progress_clear(meso_progress *progress);

/* The line itself, without its return: columns wide at most. Apart for the tests. */
void meso_progress_format(const meso_progress *progress, size_t done, double seconds, int columns,
                          char *line, size_t size);

#endif

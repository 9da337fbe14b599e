/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a long command is, in two ways at once:
 *
 *   - a bar with count, rate and time left on stderr, where that is a terminal. Plain characters in
 *     one line: nothing that NO_COLOR would have to switch off;
 *   - events on the descriptor that --progress-fd names, each a line of JSON
 *     (docs/schema/progress.schema.json), for programs.
 *
 *   tool_progress progress = {.what = "images", .total = n};
 *   tool_progress_start(&progress);
 *   … tool_progress_update(&progress, n_done); …
 *   tool_progress_end(&progress);
 */
#ifndef MESO_TOOLS_PROGRESS_H
#define MESO_TOOLS_PROGRESS_H

#include <stddef.h>

#include "base/text.h"

typedef struct tool_progress {
    const char *what;                  /* "images"; NULL: nothing is under way */
    const char *subject;               /* whose: the name of a dataset; NULL: there is but one */
    const char *head;                  /* in front of the bar: "epoch 2/30"; NULL: nothing */
    const struct tool_progress *whole; /* whose time left is told; NULL: its own */
    size_t total;
    size_t before;      /* done already when it starts */
    double part;        /* of the next one, how much is done: 0 to 1 */
    int no_bar;         /* 1: other lines are printed meanwhile */
    size_t done;        /* the rest is progress.c's own */
    double part_before; /* when it started */
    int on;             /* 1: there is a bar */
    int width;          /* of the line on the screen now; 0: none */
    double started, drawn;
} tool_progress;

void tool_progress_start(tool_progress *progress);

/* Draws and tells at most every 100 ms. */
void tool_progress_update(tool_progress *progress, size_t done);

/* The same as a callback of the library, where user is the progress, with what, subject and head:
 * starts at the first call. 1 after Ctrl-C. */
int tool_progress_show(size_t done, size_t total, void *user);

/* Wipes the line: before anything else is printed to the terminal. */
void tool_progress_clear(tool_progress *progress);
void tool_progress_end(tool_progress *progress);

/* By the rate so far; NaN where nothing has been done yet. */
double tool_progress_seconds_left(const tool_progress *progress);

/* The line itself, without its return: columns wide at most. Apart for the tests. */
void tool_progress_format(const tool_progress *progress, double seconds, int columns, char *line,
                          size_t size);

/* ---- --progress-fd ---- */

/* The row for option tables. Another value than a descriptor that is open for writing, above those
 * of the standard streams, is refused with 64. */
#define OPT_PROGRESS                                    \
    OPT_CALL("progress-fd", 0, tool_progress_open, "N", \
             "tell how far it is on this open descriptor, 3 or above, one JSON event a line")
int tool_progress_open(const char *command, const char *descriptor);
int tool_progress_is_open(void);

/* A tool_pipe's take (process.h): hands the events of a child on as our own. */
int tool_progress_forward(void *unused, meso_text *lines);

#endif

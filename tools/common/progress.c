/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum { min_columns = 10, max_columns = 200, bar_cells = 30 };

/* COLUMNS if it is set, else what the terminal says, else 80. */
static int terminal_columns(void)
{
    const char *variable = getenv("COLUMNS");
    struct winsize size;
    int columns = variable ? atoi(variable) : 0;
    if (columns <= 0 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    if (columns <= 0)
        columns = 80;
    if (columns < min_columns)
        columns = min_columns;
    return columns > max_columns ? max_columns : columns;
}

void tool_progress_start(tool_progress *progress, const char *what, size_t total)
{
    const char *terminal = getenv("TERM");
    int dumb = terminal && strcmp(terminal, "dumb") == 0;
    *progress = (tool_progress){.what = what, .total = total, .started = meso_seconds()};
    progress->on = isatty(STDERR_FILENO) && !dumb;
}

/* "[######........]  120/1000 images  85/s  0:10 left": the bar gives way on a narrow screen. */
void tool_progress_format(const tool_progress *progress, size_t done, double seconds, int columns,
                          char *line, size_t size)
{
    char bar[bar_cells + 1], text[128];
    double rate = seconds > 0 ? (double)done / seconds : 0;
    size_t filled = progress->total ? bar_cells * done / progress->total : 0;
    int n = snprintf(text, sizeof text, "%zu/%zu %s", done, progress->total, progress->what);
    if (rate > 0) {
        double left = (double)(progress->total - done) / rate;
        int whole = left < 359999 ? (int)left : 359999;
        snprintf(text + n, sizeof text - (size_t)n, "  %.*f/s  %d:%02d:%02d left", rate < 10, rate,
                 whole / 3600, whole / 60 % 60, whole % 60);
    }
    memset(bar, '.', bar_cells);
    memset(bar, '#', filled);
    bar[bar_cells] = '\0';
    n = bar_cells + 4 + (int)strlen(text) < columns ? snprintf(line, size, "[%s] %s", bar, text)
                                                    : snprintf(line, size, "%s", text);
    /* A full last column would scroll the terminal. */
    if (n >= columns)
        line[columns - 1] = '\0';
}

void tool_progress_update(tool_progress *progress, size_t done)
{
    char line[256];
    double now = meso_seconds();
    if (!progress->on || now - progress->drawn < 0.1)
        return;
    tool_progress_format(progress, done, now - progress->started, terminal_columns(), line,
                         sizeof line);
    int width = (int)strlen(line);
    int stale = progress->width > width ? progress->width - width : 0;
    fprintf(stderr, "\r%s%*s", line, stale, "");
    fflush(stderr);
    progress->width = width;
    progress->drawn = now;
}

void tool_progress_clear(tool_progress *progress)
{
    if (progress->width > 0)
        fprintf(stderr, "\r%*s\r", progress->width, "");
    progress->width = 0;
}

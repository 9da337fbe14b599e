/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_builder.h"
#include "options.h"

enum { min_columns = 10, max_columns = 200, bar_cells = 30, usage_error = 64 };

static const double interval = 0.1; /* seconds between two words */

/* ---- words ---- */

static double seconds_left(const tool_progress *p, double seconds)
{
    const double here = (double)p->done - (double)p->before;
    const double missing = (double)p->total - (double)p->done;
    return here > 0 && p->total > 0 ? fmax(missing, 0) * seconds / here : NAN;
}

double tool_progress_seconds_left(const tool_progress *progress)
{
    return seconds_left(progress, meso_seconds() - progress->started);
}

/* "120/1000 images of control  85/s  0:10 left" */
static void describe(const tool_progress *p, double seconds, char *text, size_t size)
{
    const double left = seconds_left(p, seconds);
    const double rate = seconds > 0 ? ((double)p->done - (double)p->before) / seconds : 0;
    int n = snprintf(text, size, "%zu/%zu %s%s%.40s", p->done, p->total, p->what,
                     p->subject ? " of " : "", p->subject ? MESO_PRINTABLE(p->subject) : "");
    if (rate > 0 && isfinite(left)) {
        const int whole = left < 359999 ? (int)left : 359999;
        snprintf(text + n, size - (size_t)n, "  %.*f/s  %d:%02d:%02d left", rate < 10, rate,
                 whole / 3600, whole / 60 % 60, whole % 60);
    }
}

/* "[######........]  120/1000 images  85/s  0:10 left": the bar gives way on a narrow screen. */
void tool_progress_format(const tool_progress *p, double seconds, int columns, char *line,
                          size_t size)
{
    char bar[bar_cells + 1], text[192];
    const size_t filled = p->total ? bar_cells * p->done / p->total : 0;
    describe(p, seconds, text, sizeof text);
    memset(bar, '.', bar_cells);
    memset(bar, '#', filled < bar_cells ? filled : bar_cells);
    bar[bar_cells] = '\0';
    int n = bar_cells + 4 + (int)strlen(text) < columns ? snprintf(line, size, "[%s] %s", bar, text)
                                                        : snprintf(line, size, "%s", text);
    /* A full last column would scroll the terminal. */
    if (n >= columns)
        line[columns - 1] = '\0';
}

/* ---- events ---- */

static int channel = -1; /* that --progress-fd names */

int tool_progress_is_open(void)
{
    return channel >= 0;
}

int tool_progress_open(const char *command, const char *descriptor)
{
    const int is_number = *descriptor && strspn(descriptor, "0123456789") == strlen(descriptor);
    const long fd = is_number ? strtol(descriptor, NULL, 10) : -1;
    const int flags = fd > STDERR_FILENO && fd < 1 << 20 ? fcntl((int)fd, F_GETFL) : -1;
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
        tool_options_usage_error(command,
                                 "--progress-fd takes a descriptor, 3 or above, that is open for "
                                 "writing (in a shell: 3>FILE), not \"%s\"",
                                 MESO_PRINTABLE(descriptor));
        return usage_error;
    }
    channel = (int)fd;
    fcntl(channel, F_SETFD, FD_CLOEXEC); /* the reader sees the end when we end */
    return -1;
}

/* A line for which there is no room now is dropped: a slow reader must not slow us. One that has
 * gone away is not told any more. */
static void tell_line(const char *line, size_t n)
{
    struct pollfd row = {channel, POLLOUT, 0};
    if (channel < 0 || poll(&row, 1, 0) == 0)
        return;
    if (row.revents != POLLOUT || write(channel, line, n) < 0)
        channel = -1;
}

static void tell(const char *event, const tool_progress *p)
{
    char text[192];
    if (channel < 0)
        return;
    describe(p, meso_seconds() - p->started, text, sizeof text);
    meso_builder row = meso_build_object();
    meso_build_text(&row, "event", event);
    meso_build_count(&row, "done", p->done);
    meso_build_count(&row, "total", p->total);
    meso_build_text(&row, "unit", p->what);
    meso_build_number(&row, "seconds_left", tool_progress_seconds_left(p));
    meso_build_text(&row, "text", text);
    json_t *object = meso_build_end(&row);
    char *line = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (line) {
        const size_t n = strlen(line);
        line[n] = '\n'; /* in the place of the end of the string */
        tell_line(line, n + 1);
    }
    free(line);
    json_decref(object);
}

int tool_progress_forward(void *unused, meso_text *lines)
{
    const char *end;
    (void)unused;
    while (lines->length > 0 && (end = memchr(lines->bytes, '\n', lines->length))) {
        const size_t n = (size_t)(end + 1 - lines->bytes);
        tell_line(lines->bytes, n);
        lines->length -= n;
        memmove(lines->bytes, lines->bytes + n, lines->length);
    }
    return 1;
}

/* ---- progress ---- */

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

void tool_progress_start(tool_progress *progress)
{
    const char *terminal = getenv("TERM");
    const int dumb = terminal && strcmp(terminal, "dumb") == 0;
    progress->done = progress->before;
    progress->on = isatty(STDERR_FILENO) && !dumb && !progress->no_bar;
    progress->width = 0;
    progress->started = meso_seconds();
    progress->drawn = 0;
    tell("start", progress);
}

static void draw(tool_progress *progress, double now)
{
    char line[256];
    tool_progress_format(progress, now - progress->started, terminal_columns(), line, sizeof line);
    int width = (int)strlen(line);
    int stale = progress->width > width ? progress->width - width : 0;
    fprintf(stderr, "\r%s%*s", line, stale, "");
    fflush(stderr);
    progress->width = width;
}

void tool_progress_update(tool_progress *progress, size_t done)
{
    progress->done = done;
    if (!progress->on && channel < 0)
        return;
    const double now = meso_seconds();
    if (now - progress->drawn < interval)
        return;
    progress->drawn = now;
    if (progress->on)
        draw(progress, now);
    tell("progress", progress);
}

void tool_progress_clear(tool_progress *progress)
{
    if (progress->width > 0)
        fprintf(stderr, "\r%*s\r", progress->width, "");
    progress->width = 0;
}

void tool_progress_end(tool_progress *progress)
{
    tool_progress_clear(progress);
    if (progress->what)
        tell("end", progress);
    progress->what = NULL;
}

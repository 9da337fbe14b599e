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
#include "common.h"
#include "options.h"

enum { min_columns = 10, max_columns = 200, least_cells = 10, most_cells = 30, usage_error = 64 };

static const double interval = 0.1; /* seconds between two words */

/* ---- words ---- */

static double seconds_left(const tool_progress *p, double seconds)
{
    const double done = (double)p->done + p->part, here = done - (double)p->before - p->part_before;
    const double missing = (double)p->total - done;
    return here > 0 && p->total > 0 ? fmax(missing, 0) * seconds / here : NAN;
}

double tool_progress_seconds_left(const tool_progress *progress)
{
    if (progress->whole)
        progress = progress->whole;
    return seconds_left(progress, meso_seconds() - progress->started);
}

/* "120/1000 images of control  85/s  0:10 left", or "1:02:03 left". */
static void describe(const tool_progress *p, double seconds, char *text, size_t size)
{
    const double left = p->whole ? tool_progress_seconds_left(p) : seconds_left(p, seconds);
    const double done = (double)p->done - (double)p->before;
    const double rate = seconds >= interval ? done / seconds : 0; /* less time says nothing */
    size_t n =
        (size_t)snprintf(text, size, "%zu/%zu %s%s%.40s", p->done, p->total, p->what,
                         p->subject ? " of " : "", p->subject ? MESO_PRINTABLE(p->subject) : "");
    if (rate > 0)
        n += (size_t)snprintf(text + n, size - n, "  %.*f/s", rate < 10, rate);
    if (isfinite(left)) {
        const int whole = left < 359999 ? (int)left : 359999;
        n += (size_t)snprintf(text + n, size - n, "  ");
        if (whole >= 3600)
            n += (size_t)snprintf(text + n, size - n, "%d:%02d", whole / 3600, whole / 60 % 60);
        else
            n += (size_t)snprintf(text + n, size - n, "%d", whole / 60);
        snprintf(text + n, size - n, ":%02d left", whole % 60);
    }
}

/* "epoch 2/30 [######........] 120/1000 images  85/s  0:10 left": the bar becomes shorter on a
 * narrow screen, and gives way. */
void tool_progress_format(const tool_progress *p, double seconds, int columns, char *line,
                          size_t size)
{
    char bar[most_cells + 4] = "", text[192];
    const char *head = p->head ? p->head : "", *gap = *head ? " " : "";
    describe(p, seconds, text, sizeof text);
    int cells = columns - (int)(strlen(head) + strlen(gap) + strlen("[] ") + strlen(text)) - 1;
    cells = cells < most_cells ? cells : most_cells;
    if (cells >= least_cells) {
        const size_t filled = p->total ? (size_t)cells * p->done / p->total : 0;
        bar[0] = '[';
        memset(bar + 1, '.', (size_t)cells);
        memset(bar + 1, '#', filled < (size_t)cells ? filled : (size_t)cells);
        memcpy(bar + 1 + cells, "] ", 3);
    }
    int n = snprintf(line, size, "%s%s%s%s", head, gap, bar, text);
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
    progress->part_before = progress->part;
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

int tool_progress_show(size_t done, size_t total, void *user)
{
    tool_progress *progress = user;
    if (progress->started == 0) {
        progress->total = total;
        progress->before = done;
        tool_progress_start(progress);
    }
    tool_progress_update(progress, done);
    return tool_interrupted();
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
    if (progress->what && progress->started > 0)
        tell("end", progress);
    progress->what = NULL;
}

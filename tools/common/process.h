/* SPDX-License-Identifier: Apache-2.0
 *
 * Child processes: one way to start, feed, hear, limit and end them.
 *
 *   const char *const argv[] = {"sh", "-c", "sort", NULL};
 *   tool_process p = {.program = "/bin/sh", .argv = argv, .feed = "b\na\n", .n_feed = 4,
 *                     .pipes = {{.number = 1, .most = 1 << 20}}, .seconds = 10};
 *   if (tool_process_start(&p, &error) == MESO_OK)
 *       tool_process_run(&p);
 *   … p.end, p.code, p.pipes[0].text …
 *   tool_process_free(&p);
 *
 * A child does not outlive the thread that started it, nor do the child's own children that are
 * started in this way. Ctrl-C (tool_interrupt_catch) asks each child to end, once, by SIGTERM.
 */
#ifndef MESO_TOOLS_PROCESS_H
#define MESO_TOOLS_PROCESS_H

#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"
#include "confine.h"

enum { TOOL_MAX_PIPES = 3, TOOL_OURS = -1 };

/* What the child writes into one of its descriptors; it is read while the child runs. */
typedef struct tool_pipe {
    int number;  /* of the child's descriptor, below 16; 0: none, and none behind it */
    size_t most; /* bytes that are taken; with more to come the pipe is closed */
    /* After each piece; may take from the text what it understands. 0: that is all that is wanted
     * of the child. NULL: it is all kept. */
    int (*take)(void *user, meso_text *text);
    void *user;
    meso_text text; /* what has come; freed by tool_process_free */
    int end;        /* ours; process.c's own */
} tool_pipe;

typedef enum tool_process_end {
    TOOL_PROCESS_RUNS,      /* or was never started */
    TOOL_PROCESS_EXITED,    /* code: its exit code */
    TOOL_PROCESS_KILLED,    /* code: the signal that ended it */
    TOOL_PROCESS_LATE,      /* it was killed, for it took too long */
    TOOL_PROCESS_IDLE,      /* it was killed, for it did nothing */
    TOOL_PROCESS_NOT_NEEDED /* it was killed, for nothing more was wanted of it */
} tool_process_end;

typedef struct tool_process {
    /* What it is started with; zeros are the usual. */
    const char *program;     /* a path; NULL: this program, run anew */
    const char *const *argv; /* [0] a name; NULL at the end */
    int in, out, err; /* 0: /dev/null; TOOL_OURS: as ours; else a descriptor that becomes it */
    const char *log;  /* a file, made new, in place of out and err */
    const void *feed; /* bytes in place of `in`; they stay until it has ended */
    size_t n_feed;
    int stays_open; /* 1: once n_feed has become 0, both may be set anew; there is no end of input
                     */
    tool_pipe pipes[TOOL_MAX_PIPES];
    double seconds, idle_seconds; /* without an end, without work; 0: no limit. With the second one
                                     the first counts no more than the process worked */
    confine_limits limits;
    confine_profile profile;
    /* How it goes. */
    tool_process_end end;
    int code;
    /* process.c's own. */
    pid_t pid; /* 0: not there (any more) */
    int feeder, is_killed, is_asked;
    double left, cpu, cpu_before, idle, nap;
} tool_process;

/* Errors: INTERNAL (it cannot be started), CREATE (the log). Nothing is left to be freed then but
 * for what the caller has. */
meso_status tool_process_start(tool_process *process, meso_error *error);

/* Feeds and hears n processes that were started until one has something to say, but for at most so
 * many seconds, and kills those whose time is over. Returns how many still run: a process is over
 * when it has ended and its pipes are closed. */
size_t tool_processes_wait(tool_process *const *all, size_t n, double seconds);

/* Until it is over. */
void tool_process_run(tool_process *process);
int tool_process_is_over(const tool_process *process);

/* From now on it has so many seconds. */
void tool_process_extend(tool_process *process, double seconds);

/* How a process ended that uses a driver and was not to end: DEVICE. */
void tool_process_say_end(const tool_process *process, meso_error *error);

/* Kills it, should it run, and frees its texts. */
void tool_process_free(tool_process *process);

#endif

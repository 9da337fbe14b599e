/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue of jobs, each a process (process.h), some of them at once. A job that crashes costs
 * itself. What is done is the caller's to know, so that a queue that was cut short goes on: jobs
 * whose `done` is set are passed over.
 */
#ifndef MESO_TOOLS_QUEUE_H
#define MESO_TOOLS_QUEUE_H

#include "process.h"
#include "progress.h"

typedef struct tool_queue {
    size_t n_jobs;
    size_t n_parallel;   /* 0: one for each processor; tool_queue_run sets what it comes to */
    unsigned char *done; /* [n_jobs] */
    /* Says what a job's process is, and starts it; its limits are its time. On failure the queue
     * ends. */
    meso_status (*start)(void *user, size_t job, tool_process *process, meso_error *error);
    /* A job's process has ended after so many seconds. Without tool_queue_mark_done the job has
     * failed. May set `stop`. */
    void (*ended)(void *user, size_t job, const tool_process *process, double seconds);
    void *user;
    int stop; /* other than 0: no more jobs are started, and it is the queue's exit code */
    tool_progress progress; /* of all jobs; lines that `ended` prints stand for a bar */
} tool_queue;

/* Returns -1 when all jobs are done, else an exit code: `stop`, 75 after Ctrl-C (all that run were
 * asked to end), 70 where jobs have failed. */
int tool_queue_run(tool_queue *queue);
void tool_queue_mark_done(tool_queue *queue, size_t job);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include <unistd.h>

#include "base/clock.h"
#include "common.h"

enum { most_parallel = 64, exit_failed = 70, exit_interrupted = 75 };

static const double tick_seconds = 0.25;

/* Room for a job. */
typedef struct place {
    tool_process process;
    size_t job;
    double started; /* 0: it is free */
} place;

static size_t count_done(const tool_queue *q)
{
    size_t n = 0;
    for (size_t job = 0; job < q->n_jobs; job++)
        n += q->done[job];
    return n;
}

static size_t count_places(const tool_queue *q, size_t n_missing)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = q->n_parallel ? q->n_parallel : (size_t)(processors > 0 ? processors : 1);
    n = n < most_parallel ? n : most_parallel;
    return n < n_missing ? n : n_missing;
}

/* 1: there is one more job; *next: its number. */
static int find_next(const tool_queue *q, size_t *next)
{
    while (*next < q->n_jobs && q->done[*next])
        ++*next;
    return *next < q->n_jobs && !q->stop && !tool_interrupted();
}

static void start(tool_queue *q, place *p, size_t job)
{
    meso_error error = {0};
    *p = (place){.job = job, .started = meso_seconds()};
    if (q->start(q->user, job, &p->process, &error) == MESO_OK)
        return;
    q->stop = tool_fail(&error);
    p->started = 0;
}

void tool_queue_mark_done(tool_queue *q, size_t job)
{
    q->done[job] = 1;
    tool_progress_update(&q->progress, q->progress.done + 1);
}

static void finish(tool_queue *q, place *p)
{
    q->ended(q->user, p->job, &p->process, meso_seconds() - p->started);
    tool_process_free(&p->process);
    p->started = 0;
}

/* Goes on while a job runs or can be started. */
static void run_all(tool_queue *q)
{
    place places[most_parallel] = {0};
    tool_process *processes[most_parallel];
    size_t next = 0, n_running;
    do {
        for (size_t i = 0; i < q->n_parallel; i++) {
            processes[i] = &places[i].process;
            if (places[i].started == 0 && find_next(q, &next))
                start(q, &places[i], next++);
        }
        n_running = tool_processes_wait(processes, q->n_parallel, tick_seconds);
        for (size_t i = 0; i < q->n_parallel; i++)
            if (places[i].started > 0 && tool_process_is_over(processes[i]))
                finish(q, &places[i]);
    } while (n_running > 0 || find_next(q, &next));
}

int tool_queue_run(tool_queue *q)
{
    const size_t n_before = count_done(q);
    q->n_parallel = count_places(q, q->n_jobs - n_before);
    q->progress =
        (tool_progress){.what = "jobs", .total = q->n_jobs, .before = n_before, .no_bar = 1};
    tool_progress_start(&q->progress);
    run_all(q);
    tool_progress_end(&q->progress);
    if (tool_interrupted())
        return exit_interrupted;
    return q->stop ? q->stop : q->progress.done < q->n_jobs ? exit_failed : -1;
}

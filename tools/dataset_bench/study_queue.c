/* SPDX-License-Identifier: Apache-2.0 */
#include "study_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "common.h"
#include "options.h"

extern char **environ;

enum {
    exit_interrupted = 75, /* state is saved */
    exit_failed = 70,
    max_parallel = 64,
    max_log = 1 << 16
};

typedef struct child {
    size_t job;
    double started;
} child;

typedef struct queue {
    const bench_study *study;
    unsigned char *done;
    pid_t pids[max_parallel]; /* 0: a free place */
    child children[max_parallel];
    size_t n_parallel, n_running, n_jobs, next;
    size_t n_done, n_failed, n_before; /* before: done when this process began */
    double started;
    int stop; /* exit code that ends the queue, -1: none */
} queue;

/* log: the file that takes the child's words; NULL: they go to stderr. */
static int spawn(char *const *argv, const char *log, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    /* stdout belongs to the report. */
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (log) {
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC,
                                         0666);
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    }
    int code = posix_spawn(pid, "/proc/self/exe", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* The next of our processes to end, with its exit code, or 1000 and the signal that ended it; after
 * Ctrl-C all of them are asked to end. Looks every few milliseconds, so that it is noticed. */
static pid_t wait_for_any(const pid_t *ours, size_t n, int *code)
{
    const struct timespec moment = {0, 5000000};
    int state = 0, told = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &state, WNOHANG)) == 0) {
        for (size_t i = 0; i < n && tool_interrupted() && !told; i++)
            if (ours[i])
                kill(ours[i], SIGTERM);
        told = tool_interrupted();
        nanosleep(&moment, NULL);
    }
    *code = WIFEXITED(state) ? WEXITSTATUS(state) : 1000 + WTERMSIG(state);
    return pid;
}

int bench_queue_prepare(const bench_study *study)
{
    char *argv[] = {(char *)tool_program_name, (char *)"study-job", (char *)study->folder,
                    (char *)"prepare", NULL};
    pid_t pid;
    int code = spawn(argv, NULL, &pid);
    if (code != 0) {
        fprintf(stderr, "%s: cannot start a process: %s\n", tool_program_name, strerror(code));
        return exit_failed;
    }
    wait_for_any(&pid, 1, &code);
    if (tool_interrupted())
        return exit_interrupted;
    if (code > 1000)
        fprintf(stderr, "%s: the process that scans the datasets was ended by signal %d\n",
                tool_program_name, code - 1000);
    return code == 0 ? -1 : code > 1000 ? exit_failed : code;
}

size_t bench_queue_done(const bench_study *study, unsigned char *done)
{
    char path[BENCH_PATH_SIZE];
    size_t n = 0;
    for (size_t job = 0; job < study_plan_n_jobs(&study->plan); job++) {
        study_outcome outcome;
        const char *file = bench_job_path(study, job, "jobs/%s.json", path);
        done[job] = access(file, F_OK) == 0 && study_outcome_read(file, &outcome, NULL) == MESO_OK;
        if (done[job])
            study_outcome_free(&outcome);
        n += done[job];
    }
    return n;
}

/* ---- one job -----------------------------------------------------------------------------------
 */

static void name_job(const queue *q, size_t job, char name[STUDY_JOB_NAME_SIZE])
{
    study_job_name(&q->study->plan, study_plan_job(&q->study->plan, job), name);
}

static int start(queue *q, size_t place, size_t job)
{
    char log[BENCH_PATH_SIZE], number[24], threads[24];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(number, sizeof number, "%zu", job);
    snprintf(threads, sizeof threads, "%zu",
             (size_t)processors > q->n_parallel ? (size_t)processors / q->n_parallel : 1);
    char *argv[] = {(char *)tool_program_name,
                    (char *)"study-job",
                    (char *)q->study->folder,
                    number,
                    threads,
                    NULL};
    bench_job_path(q->study, job, "jobs/%s.log", log);
    int code = spawn(argv, log, &q->pids[place]);
    if (code != 0) {
        fprintf(stderr, "%s: cannot start a process: %s\n", tool_program_name, strerror(code));
        q->pids[place] = 0;
        return 0;
    }
    q->children[place] = (child){job, meso_seconds()};
    q->n_running++;
    return 1;
}

/* The last line that a child has said, printable. */
static void last_words(const char *log, char *words, size_t size)
{
    void *bytes = NULL;
    size_t n = 0;
    words[0] = '\0';
    if (meso_file_read(log, max_log, &bytes, &n, NULL, NULL) != MESO_OK)
        return;
    char *text = bytes;
    while (n > 0 && text[n - 1] == '\n')
        text[--n] = '\0';
    char *line = strrchr(text, '\n');
    meso_printable(line ? line + 1 : text, words, size);
    free(bytes);
}

/* Failures that every other job would meet as well. */
static int is_hopeless(int code)
{
    return code == 69 || code == 73 || code == 74;
}

static void say_failed(queue *q, const child *c, int code)
{
    char name[STUDY_JOB_NAME_SIZE], log[BENCH_PATH_SIZE], words[512], how[64];
    bench_job_path(q->study, c->job, "jobs/%s.log", log);
    name_job(q, c->job, name);
    last_words(log, words, sizeof words);
    if (code > 1000)
        snprintf(how, sizeof how, "was ended by signal %d", code - 1000);
    else
        snprintf(how, sizeof how, "failed with exit code %d", code);
    fprintf(stderr, "%s: job %s %s%s%s\n", tool_program_name, name, how, words[0] ? ": " : "",
            words);
    q->n_failed++;
    if (is_hopeless(code) && q->stop < 0)
        q->stop = code;
}

static void say_done(const queue *q, const child *c)
{
    char name[STUDY_JOB_NAME_SIZE];
    double now = meso_seconds();
    size_t here = q->n_done - q->n_before;
    double left = (now - q->started) / (double)here * (double)(q->n_jobs - q->n_done);
    name_job(q, c->job, name);
    fprintf(stderr, "%s: %zu of %zu jobs: %s, %.1f s; about %.0f s left\n", tool_program_name,
            q->n_done, q->n_jobs, name, now - c->started, left);
}

/* A child has ended. Only its file says that it is done. */
static void finish(queue *q, size_t place, int code)
{
    const child *c = &q->children[place];
    char path[BENCH_PATH_SIZE];
    study_outcome outcome;
    const char *file = bench_job_path(q->study, c->job, "jobs/%s.json", path);
    q->n_running--;
    if (code == 0 && study_outcome_read(file, &outcome, NULL) == MESO_OK) {
        study_outcome_free(&outcome);
        q->done[c->job] = 1;
        q->n_done++;
        say_done(q, c);
        unlink(bench_job_path(q->study, c->job, "jobs/%s.log", path));
    } else if (!tool_interrupted()) {
        say_failed(q, c, code);
    }
    q->pids[place] = 0;
}

/* ---- all ---------------------------------------------------------------------------------------
 */

/* Fills free places. */
static void start_more(queue *q)
{
    for (size_t i = 0; i < q->n_parallel; i++) {
        while (q->next < q->n_jobs && q->done[q->next])
            q->next++;
        if (q->pids[i] || q->next == q->n_jobs || q->stop >= 0 || tool_interrupted())
            continue;
        if (!start(q, i, q->next++))
            q->stop = exit_failed;
    }
}

static void wait_for_one(queue *q)
{
    int code;
    pid_t pid = wait_for_any(q->pids, q->n_parallel, &code);
    for (size_t i = 0; pid > 0 && i < q->n_parallel; i++)
        if (q->pids[i] == pid)
            finish(q, i, code);
}

int bench_queue_run(const bench_study *study, unsigned char *done, size_t n_parallel)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    queue q = {.study = study,
               .done = done,
               .n_parallel = n_parallel ? n_parallel : (size_t)(processors > 0 ? processors : 1),
               .n_jobs = study_plan_n_jobs(&study->plan),
               .started = meso_seconds(),
               .stop = -1};
    for (size_t job = 0; job < q.n_jobs; job++)
        q.n_before += done[job];
    q.n_done = q.n_before;
    q.n_parallel = q.n_parallel < max_parallel ? q.n_parallel : max_parallel;
    if (q.n_parallel > q.n_jobs - q.n_before)
        q.n_parallel = q.n_jobs - q.n_before;
    for (start_more(&q); q.n_running > 0; start_more(&q))
        wait_for_one(&q);
    if (tool_interrupted())
        return exit_interrupted;
    if (q.stop >= 0)
        fprintf(
            stderr,
            "%s: the study stops here, since no job could do better; what is done is kept: mend "
            "it (make room), then dataset_bench run --resume %s\n",
            tool_program_name, MESO_PRINTABLE(study->folder));
    return q.stop >= 0 ? q.stop : q.n_failed > 0 ? exit_failed : -1;
}

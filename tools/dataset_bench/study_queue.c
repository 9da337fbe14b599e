/* SPDX-License-Identifier: Apache-2.0 */
#include "study_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "common.h"
#include "options.h"
#include "queue.h"

enum { exit_interrupted = 75 /* state is saved */, exit_failed = 70, max_log = 1 << 16 };

typedef struct study_run {
    const db_study *study;
    tool_queue queue;
} study_run;

int db_queue_prepare(const db_study *study)
{
    const int channel = 3, is_told = tool_progress_is_open();
    const char *const argv[] = {tool_program_name,
                                "study-job",
                                study->folder,
                                "prepare",
                                is_told ? "--progress-fd=3" : NULL,
                                NULL};
    tool_process p = {
        .argv = argv, .out = STDERR_FILENO /* stdout is the report's */, .err = TOOL_OURS};
    meso_error error = {0};
    if (is_told)
        p.pipes[0] =
            (tool_pipe){.number = channel, .most = SIZE_MAX, .take = tool_progress_forward};
    if (tool_process_start(&p, &error) != MESO_OK)
        return tool_fail(&error);
    tool_process_run(&p);
    tool_process_free(&p);
    if (tool_interrupted())
        return exit_interrupted;
    if (p.end == TOOL_PROCESS_EXITED)
        return p.code == 0 ? -1 : p.code;
    fprintf(stderr, "%s: the process that scans the datasets was ended by signal %d\n",
            tool_program_name, p.code);
    return exit_failed;
}

size_t db_queue_done(const db_study *study, unsigned char *done)
{
    char path[DB_PATH_SIZE];
    size_t n = 0;
    for (size_t job = 0; job < study_plan_n_jobs(&study->plan); job++) {
        study_outcome outcome;
        const char *file = db_job_path(study, job, "jobs/%s.json", path);
        done[job] = access(file, F_OK) == 0 && study_outcome_read(file, &outcome, NULL) == MESO_OK;
        if (done[job])
            study_outcome_free(&outcome);
        n += done[job];
    }
    return n;
}

/* ---- one job ---- */

static void name_job(const study_run *r, size_t job, char name[STUDY_JOB_NAME_SIZE])
{
    study_job_name(&r->study->plan, study_plan_job(&r->study->plan, job), name);
}

static meso_status start(void *user, size_t job, tool_process *process, meso_error *error)
{
    const study_run *r = user;
    char log[DB_PATH_SIZE], number[24], threads[24];
    const size_t n = r->queue.n_parallel, n_processors = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    const char *const argv[] = {tool_program_name, "study-job", r->study->folder, number,
                                threads,           NULL};
    snprintf(number, sizeof number, "%zu", job);
    snprintf(threads, sizeof threads, "%zu", n_processors > n ? n_processors / n : 1);
    process->argv = argv;
    process->log = db_job_path(r->study, job, "jobs/%s.log", log);
    return tool_process_start(process, error);
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
static int is_hopeless(const tool_process *process)
{
    const int code = process->end == TOOL_PROCESS_EXITED ? process->code : 0;
    return code == 69 || code == 73 || code == 74;
}

static void say_failed(study_run *r, size_t job, const tool_process *process)
{
    char name[STUDY_JOB_NAME_SIZE], log[DB_PATH_SIZE], words[512];
    db_job_path(r->study, job, "jobs/%s.log", log);
    name_job(r, job, name);
    last_words(log, words, sizeof words);
    fprintf(stderr, "%s: job %s %s %d%s%s\n", tool_program_name, name,
            process->end == TOOL_PROCESS_EXITED ? "failed with exit code" : "was ended by signal",
            process->code, words[0] ? ": " : "", words);
    if (is_hopeless(process) && !r->queue.stop)
        r->queue.stop = process->code;
}

static void say_done(const study_run *r, size_t job, double seconds)
{
    char name[STUDY_JOB_NAME_SIZE];
    name_job(r, job, name);
    fprintf(stderr, "%s: %zu of %zu jobs: %s, %.1f s; about %.0f s left\n", tool_program_name,
            r->queue.progress.done, r->queue.n_jobs, name, seconds,
            tool_progress_seconds_left(&r->queue.progress));
}

/* Only its file says that a job is done. */
static void ended(void *user, size_t job, const tool_process *process, double seconds)
{
    study_run *r = user;
    char path[DB_PATH_SIZE];
    study_outcome outcome;
    const char *file = db_job_path(r->study, job, "jobs/%s.json", path);
    const int exited_well = process->end == TOOL_PROCESS_EXITED && process->code == 0;
    if (!exited_well || study_outcome_read(file, &outcome, NULL) != MESO_OK) {
        if (!tool_interrupted())
            say_failed(r, job, process);
        return;
    }
    study_outcome_free(&outcome);
    tool_queue_mark_done(&r->queue, job);
    say_done(r, job, seconds);
    unlink(db_job_path(r->study, job, "jobs/%s.log", path));
}

int db_queue_run(const db_study *study, unsigned char *done, size_t n_parallel)
{
    study_run r = {.study = study,
                   .queue = {.n_jobs = study_plan_n_jobs(&study->plan),
                             .n_parallel = n_parallel,
                             .done = done,
                             .start = start,
                             .ended = ended,
                             .user = &r}};
    const int code = tool_queue_run(&r.queue);
    if (r.queue.stop && !tool_interrupted())
        fprintf(
            stderr,
            "%s: the study stops here, since no job could do better; what is done is kept: mend "
            "it (make room), then dataset_bench run --resume %s\n",
            tool_program_name, MESO_PRINTABLE(study->folder));
    return code;
}

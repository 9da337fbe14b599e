/* SPDX-License-Identifier: Apache-2.0
 *
 * The argument comes on stdin. An answer is a header and bytes on file descriptor 3, since drivers
 * print to stdout and stderr. Parent and child are the same program, so that structs travel as they
 * are.
 */
#include "child.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"
#include "report/report_json.h"

enum { answer_fd = 3, largest_answer = 1 << 24 };

static const char option[] = "--child";

static int is_child;

static struct {
    const char *name;
    tool_child_work *function;
    tool_child_json_work *json; /* the one or the other */
} works[4];                     /* two of every program and its own */
static size_t n_works;

void tool_child_offer(const char *name, tool_child_work *function)
{
    works[n_works].name = name;
    works[n_works++].function = function;
}

void tool_child_offer_json(const char *name, tool_child_json_work *function)
{
    works[n_works].name = name;
    works[n_works++].json = function;
}

/* Of an answer; or alone, with `patience` above 0: the next one comes within so many seconds. */
typedef struct header {
    uint64_t n_bytes, n_steps;
    double patience;
    meso_error error;
} header;

/* ---- in the child ---- */

static int write_all(const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t written = write(answer_fd, at, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return 0;
        at += written;
        n -= (size_t)written;
    }
    return 1;
}

static void read_argument(meso_text *argument)
{
    char bytes[4096];
    ssize_t n;
    meso_text_add(argument, "");
    while ((n = read(STDIN_FILENO, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            meso_text_add_n(argument, bytes, (size_t)n);
}

static int is_pipe(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode);
}

/* Without a core file, and with these drivers alone. */
static void restrict_child(const char *vendors)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (*vendors) {
        setenv("OCL_ICD_VENDORS", vendors, 1);
        unsetenv("OCL_ICD_FILENAMES"); /* more drivers, for Khronos' loader */
    }
}

static meso_status work_json(tool_child_json_work *function, const char *argument,
                             meso_text *answer, meso_error *error)
{
    meso_status status = MESO_OK;
    json_t *found = NULL, *question = json_loads(argument, JSON_DECODE_ANY, NULL);
    MESO_REQUIRE(question, error, MESO_ERROR_INTERNAL, "the job of a process cannot be read");
    MESO_TRY(function(question, &found, error));
    MESO_REQUIRE_MEMORY(found, error);
    report_json_write(found, REPORT_JSON_LINE, answer);
out:
    json_decref(found);
    json_decref(question);
    return status;
}

static meso_status work(const char *name, const char *argument, meso_text *answer,
                        meso_error *error)
{
    for (size_t i = 0; i < n_works; i++)
        if (strcmp(works[i].name, name) == 0)
            return works[i].json ? work_json(works[i].json, argument, answer, error)
                                 : works[i].function(argument, answer, error);
    return MESO_ERROR_INTERNAL;
}

int tool_child_main(int argc, char **argv, int *code)
{
    meso_text argument = {0}, answer = {0};
    header head = {0};
    if (argc != 4 || strcmp(argv[1], option) != 0 || !is_pipe(answer_fd))
        return 0;
    is_child = 1;
    restrict_child(argv[3]);
    read_argument(&argument);
    head.error.status = MESO_ERROR_INTERNAL;
    if (!argument.out_of_memory)
        head.error.status = work(argv[2], argument.bytes, &answer, &head.error);
    if (argument.out_of_memory || answer.out_of_memory)
        meso_fail(&head.error, MESO_ERROR_MEMORY, "out of memory");
    head.n_bytes = answer.length;
    *code = write_all(&head, sizeof head) && write_all(answer.bytes, answer.length) ? 0 : 74;
    _exit(*code); /* drivers also crash while they are unloaded */
}

static uint64_t n_steps;

void tool_child_step(void)
{
    n_steps++;
}

void tool_child_announce(double seconds)
{
    const header head = {.patience = seconds, .n_steps = n_steps};
    if (is_child)
        write_all(&head, sizeof head);
}

/* ---- in the parent ---- */

/* What came begins with a header. */
static int has_header(const meso_text *text, header *head)
{
    if (text->length < sizeof *head)
        return 0;
    memcpy(head, text->bytes, sizeof *head);
    return 1;
}

static void drop_header(meso_text *text)
{
    text->length -= sizeof(header);
    memmove(text->bytes, text->bytes + sizeof(header), text->length);
}

static int is_whole(const meso_text *text)
{
    header head;
    return has_header(text, &head) && text->length - sizeof head >= head.n_bytes;
}

/* Takes announcements; 0: the answer is there. */
static int hear(void *user, meso_text *text)
{
    tool_child *child = user;
    header head;
    while (has_header(text, &head) && head.patience > 0) {
        child->patience = head.patience;
        tool_process_extend(&child->process, head.patience);
        if (child->progress)
            tool_progress_update(child->progress, child->n_before + head.n_steps);
        drop_header(text);
    }
    return !is_whole(text);
}

static void start(tool_child *child, double seconds)
{
    const char *const argv[] = {tool_program_name, option, child->work,
                                child->vendors ? child->vendors : "", NULL};
    const char *argument = child->argument ? child->argument : "";
    child->error = (meso_error){0};
    child->patience = seconds;
    child->n_before = child->progress ? child->progress->done : 0;
    child->process = (tool_process){
        .argv = argv,
        .err = child->quiet ? 0 : TOOL_OURS,
        .feed = argument,
        .n_feed = strlen(argument),
        .pipes = {{.number = answer_fd, .most = largest_answer, .take = hear, .user = child}},
        .seconds = seconds,
        .idle_seconds = child->idle_limit};
    tool_process_start(&child->process, &child->error);
}

/* How a child ended that gave no answer. */
static void say_end(const tool_process *process, double patience, meso_error *error)
{
    if (process->end == TOOL_PROCESS_LATE)
        meso_fail(error, MESO_ERROR_DEVICE, "the driver gave no answer within %g seconds",
                  patience);
    else if (process->end == TOOL_PROCESS_IDLE)
        meso_fail(error, MESO_ERROR_DEVICE, "the driver hangs: it did nothing within %g seconds",
                  process->idle_seconds);
    else
        tool_process_say_end(process, error);
}

/* Splits what came into the child's own error and its answer. */
static void take_answer(tool_child *child)
{
    meso_text *text = &child->process.pipes[0].text;
    header head;
    if (child->error.status != MESO_OK)
        return; /* it was not started */
    if (!is_whole(text)) {
        say_end(&child->process, child->patience, &child->error);
        return;
    }
    memcpy(&head, text->bytes, sizeof head);
    child->error = head.error;
    child->error.text[sizeof child->error.text - 1] = '\0';
    drop_header(text);
    child->answer = *text;
    *text = (meso_text){0};
}

void tool_children_run(tool_child *children, size_t n, double seconds)
{
    const double tick_seconds = 0.25;
    tool_process **all = calloc(n, sizeof *all);
    for (size_t i = 0; all && i < n; i++) {
        all[i] = &children[i].process;
        start(&children[i], seconds);
    }
    while (all && tool_processes_wait(all, n, tick_seconds) > 0) {
    }
    for (size_t i = 0; i < n; i++) {
        if (all)
            take_answer(&children[i]);
        else
            meso_fail(&children[i].error, MESO_ERROR_MEMORY, "out of memory");
        tool_process_free(&children[i].process);
    }
    free(all);
}

void tool_children_ask(tool_child *children, json_t *const *questions, json_t **answers, size_t n,
                       double seconds)
{
    for (size_t i = 0; i < n; i++)
        children[i].argument = json_dumps(questions[i], JSON_COMPACT | JSON_ENCODE_ANY);
    tool_children_run(children, n, seconds);
    for (size_t i = 0; i < n; i++) {
        tool_child *c = &children[i];
        answers[i] = c->error.status == MESO_OK
                         ? json_loadb(c->answer.bytes, c->answer.length, JSON_DECODE_ANY, NULL)
                         : NULL;
        if (c->error.status == MESO_OK && !answers[i])
            meso_fail(&c->error, MESO_ERROR_INTERNAL, "the answer of a process cannot be read");
        meso_text_free(&c->answer);
        free((char *)c->argument);
        c->argument = NULL;
    }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * An answer is a header and bytes on file descriptor 3, since drivers print to stdout and stderr.
 * Parent and child are the same program, so that structs travel as they are.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "common.h"

extern char **environ;

enum { answer_fd = 3, largest_answer = 1 << 24 };

static const char option[] = "--child";

/* A parent that was stopped itself, or a machine that slept, is no reason to call a driver hanging:
 * so much of a wait counts, at most. A process that works uses more of a processor than this. */
static const double tick_seconds = 0.25, longest_tick = 0.5, sign_of_life = 0.01;
static int is_child;

static struct {
    const char *name;
    tool_child_work *function;
} works[4]; /* two of every program and its own */
static size_t n_works;

void tool_child_offer(const char *name, tool_child_work *function)
{
    works[n_works].name = name;
    works[n_works++].function = function;
}

/* Of an answer; or alone, with `patience` above 0: the next one comes within so many seconds. */
typedef struct header {
    uint64_t n_bytes;
    double patience;
    meso_error error;
} header;

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

static int is_pipe(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode);
}

/* Without a core file, and not beyond the parent's life. */
static void restrict_child(const char *vendors)
{
    const struct rlimit none = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    if (*vendors) {
        setenv("OCL_ICD_VENDORS", vendors, 1);
        unsetenv("OCL_ICD_FILENAMES"); /* more drivers, for Khronos' loader */
    }
}

int tool_child_main(int argc, char **argv, int *code)
{
    meso_text answer = {0};
    header head = {0};
    if (argc != 5 || strcmp(argv[1], option) != 0 || !is_pipe(answer_fd))
        return 0;
    is_child = 1;
    restrict_child(argv[3]);
    head.error.status = MESO_ERROR_INTERNAL;
    for (size_t i = 0; i < n_works; i++)
        if (strcmp(works[i].name, argv[2]) == 0)
            head.error.status = works[i].function(argv[4], &answer, &head.error);
    if (answer.out_of_memory)
        meso_fail(&head.error, MESO_ERROR_MEMORY, "out of memory");
    head.n_bytes = answer.length;
    *code = write_all(&head, sizeof head) && write_all(answer.bytes, answer.length) ? 0 : 74;
    _exit(*code); /* drivers also crash while they are unloaded */
}

void tool_child_announce(double seconds)
{
    const header head = {.patience = seconds};
    if (is_child)
        write_all(&head, sizeof head);
}

static int spawn(tool_child *child, int to)
{
    posix_spawn_file_actions_t actions;
    const char *const argv[] = {tool_program_name, option,
                                child->work,       child->vendors ? child->vendors : "",
                                child->argument,   NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to, answer_fd);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (child->quiet)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int code =
        posix_spawn(&child->pid, "/proc/self/exe", &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static void start(tool_child *child)
{
    int ends[2];
    child->pid = -1;
    child->pipe = -1;
    child->error = (meso_error){0};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        meso_fail(&child->error, MESO_ERROR_INTERNAL, "cannot make a pipe: %s", strerror(errno));
        return;
    }
    child->pipe = ends[0];
    int code = spawn(child, ends[1]);
    close(ends[1]);
    if (code != 0) {
        child->pid = -1;
        meso_fail(&child->error, MESO_ERROR_INTERNAL, "this program cannot be run again: %s",
                  strerror(code));
    }
}

/* What came begins with a header. */
static int has_header(const tool_child *child, header *head)
{
    if (child->answer.length < sizeof *head)
        return 0;
    memcpy(head, child->answer.bytes, sizeof *head);
    return 1;
}

static void drop_header(tool_child *child)
{
    child->answer.length -= sizeof(header);
    memmove(child->answer.bytes, child->answer.bytes + sizeof(header), child->answer.length);
}

static int is_whole(const tool_child *child)
{
    header head;
    return has_header(child, &head) && child->answer.length - sizeof head >= head.n_bytes;
}

static void hear_announcements(tool_child *child)
{
    header head;
    while (has_header(child, &head) && head.patience > 0) {
        child->patience = child->left = head.patience;
        drop_header(child);
    }
}

/* Takes what there is. 0: nothing more will come, or nothing more is wanted. */
static int drain(tool_child *child)
{
    char bytes[65536];
    ssize_t n = read(child->pipe, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR)
        return 1;
    if (n <= 0)
        return 0;
    meso_text_add_n(&child->answer, bytes, (size_t)n);
    hear_announcements(child);
    return !child->answer.out_of_memory && child->answer.length < largest_answer &&
           !is_whole(child);
}

static void close_pipe(tool_child *child)
{
    if (child->pipe >= 0)
        close(child->pipe);
    child->pipe = -1;
}

/* Reads one child's pipe, if there is something, for at most `seconds`. */
static void listen_to(tool_child *children, size_t n, double seconds)
{
    struct pollfd *rows = calloc(n, sizeof *rows);
    if (!rows)
        return;
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct pollfd){children[i].pipe, POLLIN, 0};
    if (poll(rows, n, (int)(1000 * seconds) + 1) > 0)
        for (size_t i = 0; i < n; i++)
            if (rows[i].revents && !drain(&children[i]))
                close_pipe(&children[i]);
    free(rows);
}

static size_t count_open(const tool_child *children, size_t n)
{
    size_t n_open = 0;
    for (size_t i = 0; i < n; i++)
        n_open += children[i].pipe >= 0;
    return n_open;
}

/* Waits for the end of a process for a while; 0 if it does not come. */
static int reap(pid_t pid, double seconds, int *wait_status)
{
    const struct timespec nap = {0, 1000000};
    for (double end = meso_seconds() + seconds; meso_seconds() < end; nanosleep(&nap, NULL)) {
        pid_t found = waitpid(pid, wait_status, WNOHANG);
        if (found != 0 && !(found < 0 && errno == EINTR))
            return found == pid;
    }
    return 0;
}

/* How a child ended that gave no answer. A process in the kernel's hands cannot be killed: it is
 * left behind. */
static void say_end(tool_child *child)
{
    const double patience = 0.5;
    int wait_status = 0, ended;
    ended = !child->trouble && reap(child->pid, patience, &wait_status);
    kill(child->pid, SIGKILL);
    if (!ended)
        reap(child->pid, patience, &wait_status);
    if (child->trouble)
        meso_fail(&child->error, MESO_ERROR_DEVICE, "the driver %s within %g seconds",
                  child->trouble, child->patience);
    else if (ended && WIFSIGNALED(wait_status))
        meso_fail(&child->error, MESO_ERROR_DEVICE, "the driver ended the process: signal %d (%s)",
                  WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        meso_fail(&child->error, MESO_ERROR_DEVICE, "the driver ended the process: exit code %d",
                  ended ? WEXITSTATUS(wait_status) : -1);
}

/* Splits what came into the child's own error and its answer. */
static void take_answer(tool_child *child)
{
    header head;
    const double patience = 0.5;
    int wait_status;
    memcpy(&head, child->answer.bytes, sizeof head);
    child->error = head.error;
    child->error.text[sizeof child->error.text - 1] = '\0';
    drop_header(child);
    kill(child->pid, SIGKILL);
    reap(child->pid, patience, &wait_status);
}

static double cpu_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec used = {0};
    if (clock_getcpuclockid(pid, &clock) == 0)
        clock_gettime(clock, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

static void give_up(tool_child *child, const char *trouble, double patience)
{
    child->trouble = trouble;
    child->patience = patience;
    close_pipe(child);
}

/* So much more time has gone by. */
static void watch(tool_child *child, double seconds)
{
    double cpu = cpu_seconds(child->pid);
    child->left -= seconds;
    child->idle += seconds;
    if (cpu - child->cpu > sign_of_life) {
        child->cpu = cpu;
        child->idle = 0;
    }
    if (child->left <= 0)
        give_up(child, "gave no answer", child->patience);
    else if (child->idle_limit > 0 && child->idle > child->idle_limit)
        give_up(child, "hangs: it did nothing", child->idle_limit);
}

void tool_children_run(tool_child *children, size_t n, double seconds)
{
    for (size_t i = 0; i < n; i++) {
        children[i].patience = children[i].left = seconds;
        start(&children[i]);
    }
    while (count_open(children, n) > 0) {
        double now = meso_seconds(), waited;
        listen_to(children, n, seconds < tick_seconds ? seconds : tick_seconds);
        waited = meso_seconds() - now;
        for (size_t i = 0; i < n; i++)
            if (children[i].pipe >= 0)
                watch(&children[i], waited < longest_tick ? waited : longest_tick);
    }
    for (size_t i = 0; i < n; i++) {
        if (children[i].pid < 0)
            continue;
        if (!children[i].trouble && is_whole(&children[i]))
            take_answer(&children[i]);
        else
            say_end(&children[i]);
    }
}

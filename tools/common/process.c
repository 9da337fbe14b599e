/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "common.h"
#include "options.h"

enum { n_streams = 3, first_free = 16, rows_each = TOOL_MAX_PIPES + 1 };

/* A parent that was stopped itself, or a machine that slept, is no reason to call a child slow: so
 * much of a wait counts, at most. A process that works uses more of a processor than this. */
static const double longest_tick = 0.5, sign_of_life = 0.01;
static const double last_seconds = 0.5; /* for a process that was killed to be gone */
static const double tick_seconds = 0.25, shortest_nap = 1e-4, longest_nap = 5e-3;

/* ---- start ---- */

/* Descriptors of ours that become the child's. */
typedef struct handover {
    struct {
        int from, to; /* from 0: /dev/null */
        int is_made;  /* for the child alone */
    } rows[n_streams + TOOL_MAX_PIPES + n_streams];
    size_t n;
} handover;

static void hand_over(handover *h, int from, int to, int is_made)
{
    h->rows[h->n].from = from;
    h->rows[h->n].to = to;
    h->rows[h->n++].is_made = is_made;
}

static meso_status make_ends(int ends[2], int is_pipe, meso_error *error)
{
    if ((is_pipe ? pipe2(ends, O_CLOEXEC)
                 : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) == 0)
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_INTERNAL, "cannot make a pipe: %s", strerror(errno));
}

static meso_status open_log(const char *path, handover *h, meso_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return meso_fail(error, MESO_ERROR_CREATE, "%s: %s", MESO_PRINTABLE(path), strerror(errno));
    hand_over(h, fd, STDOUT_FILENO, 1);
    hand_over(h, fd, STDERR_FILENO, 0);
    return MESO_OK;
}

/* What comes later in the list stands in the place of what came before. */
static meso_status make_streams(tool_process *p, handover *h, meso_error *error)
{
    const int wanted[n_streams] = {p->in, p->out, p->err};
    int ends[2];
    for (int i = 0; i < n_streams; i++)
        if (wanted[i] != TOOL_OURS)
            hand_over(h, wanted[i], i, 0);
    if (p->feed) { /* a socket: a write to a pipe that nobody reads would be a signal */
        MESO_CHECK(make_ends(ends, 0, error));
        p->feeder = ends[0];
        hand_over(h, ends[1], STDIN_FILENO, 1);
    }
    if (p->log)
        MESO_CHECK(open_log(p->log, h, error));
    for (int i = 0; i < TOOL_MAX_PIPES && p->pipes[i].number > 0; i++) {
        MESO_CHECK(make_ends(ends, 1, error));
        p->pipes[i].end = ends[0];
        hand_over(h, ends[1], p->pipes[i].number, 1);
    }
    return MESO_OK;
}

/* Above all numbers that are handed over, so that none takes another's place. */
static int out_of_the_way(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, first_free);
}

/* In the child, which has the memory of the parent as it was: no allocation here. */
static _Noreturn void become(const tool_process *p, handover *h, pid_t parent, int report)
{
    const char *program = p->program ? p->program : "/proc/self/exe";
    int ok = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
    int null = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC), error = 0;
    for (size_t i = 0; i < h->n; i++)
        h->rows[i].from = out_of_the_way(h->rows[i].from ? h->rows[i].from : null);
    report = out_of_the_way(report);
    for (size_t i = 0; i < h->n; i++)
        ok = ok && dup2(h->rows[i].from, h->rows[i].to) >= 0;
    if (ok && (error = confine_resources(&p->limits)) == 0) {
        confine_self(p->profile);
        execv(program, (char *const *)p->argv);
    }
    error = error ? error : errno;
    if (write(report, &error, sizeof error) < 0)
        error = 0; /* nobody is there to hear it */
    _exit(127);
}

static meso_status fork_child(tool_process *p, handover *h, meso_error *error)
{
    int report[2], code = 0;
    const pid_t parent = getpid();
    MESO_CHECK(make_ends(report, 1, error));
    p->pid = fork();
    if (p->pid == 0)
        become(p, h, parent, report[1]);
    close(report[1]);
    if (p->pid < 0)
        code = errno;
    else if (read(report[0], &code, sizeof code) > 0) /* its end is closed by the program's start */
        waitpid(p->pid, NULL, 0);
    close(report[0]);
    p->pid = code ? 0 : p->pid;
    MESO_DEMAND(code == 0, error, MESO_ERROR_INTERNAL, "%s: cannot be run: %s",
                MESO_PRINTABLE(p->program ? p->program : tool_program_name), strerror(code));
    return MESO_OK;
}

/* Ours are above 2 (cli.c), so that 0 stands for none. */
static void close_end(int *fd)
{
    if (*fd > 0)
        close(*fd);
    *fd = 0;
}

static void close_ends(tool_process *p)
{
    close_end(&p->feeder);
    for (int i = 0; i < TOOL_MAX_PIPES; i++)
        close_end(&p->pipes[i].end);
}

meso_status tool_process_start(tool_process *p, meso_error *error)
{
    meso_status status = MESO_OK;
    handover h = {.n = 0};
    p->nap = shortest_nap;
    p->left = p->seconds > 0 ? p->seconds : INFINITY;
    MESO_TRY(make_streams(p, &h, error));
    MESO_TRY(fork_child(p, &h, error));
out:
    for (size_t i = 0; i < h.n; i++)
        if (h.rows[i].is_made)
            close(h.rows[i].from);
    if (status != MESO_OK)
        close_ends(p);
    return status;
}

/* ---- wait ---- */

static int has_open_pipe(const tool_process *p)
{
    int n = 0;
    for (int i = 0; i < TOOL_MAX_PIPES; i++)
        n += p->pipes[i].end > 0;
    return n > 0;
}

int tool_process_is_over(const tool_process *p)
{
    return p->pid <= 0 && !has_open_pipe(p);
}

static void give_up(tool_process *p, tool_process_end end)
{
    close_ends(p);
    if (p->pid > 0)
        kill(p->pid, SIGKILL);
    p->end = end;
    p->is_killed = 1;
    p->left = last_seconds;
}

/* Takes what there is. */
static void hear(tool_process *p, tool_pipe *from)
{
    char bytes[65536];
    ssize_t n = read(from->end, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0 || from->text.length + (size_t)n > from->most) {
        close_end(&from->end);
        return;
    }
    meso_text_add_n(&from->text, bytes, (size_t)n);
    if (from->take && !from->take(from->user, &from->text))
        give_up(p, TOOL_PROCESS_NOT_NEEDED);
}

/* Gives what there is room for. */
static void feed(tool_process *p)
{
    ssize_t n = send(p->feeder, p->feed, p->n_feed, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        p->feed = (const char *)p->feed + n;
        p->n_feed -= (size_t)n;
    }
    if (n < 0 || (p->n_feed == 0 && !p->stays_open))
        close_end(&p->feeder); /* the end of the child's input */
}

static struct pollfd poll_row(int end, short wanted)
{
    return (struct pollfd){end > 0 ? end : -1, wanted, 0};
}

static void poll_rows(const tool_process *p, struct pollfd rows[rows_each])
{
    for (int i = 0; i < TOOL_MAX_PIPES; i++)
        rows[i] = poll_row(p->pipes[i].end, POLLIN);
    rows[TOOL_MAX_PIPES] = poll_row(p->n_feed || !p->stays_open ? p->feeder : 0, POLLOUT);
}

static void take_rows(tool_process *p, const struct pollfd rows[rows_each])
{
    for (int i = 0; i < TOOL_MAX_PIPES; i++)
        if (rows[i].revents && p->pipes[i].end > 0)
            hear(p, &p->pipes[i]);
    if (rows[TOOL_MAX_PIPES].revents && p->feeder > 0)
        feed(p);
}

/* For at most `seconds`; without memory nothing is heard, and time goes by. */
static void listen_to(tool_process *const *all, size_t n, double seconds)
{
    const struct timespec time = {(time_t)seconds, (long)(1e9 * fmod(seconds, 1))};
    struct pollfd *rows = calloc(n, rows_each * sizeof *rows);
    for (size_t i = 0; rows && i < n; i++)
        poll_rows(all[i], rows + i * rows_each);
    if (ppoll(rows, rows ? n * rows_each : 0, &time, NULL) > 0)
        for (size_t i = 0; i < n; i++)
            take_rows(all[i], rows + i * rows_each);
    free(rows);
}

static double cpu_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec used = {0};
    if (clock_getcpuclockid(pid, &clock) == 0)
        clock_gettime(clock, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

/* So much more time has gone by. Of a process that is told from an idle one by its work, no more
 * counts than it had of the processors: on a busy machine the rest is others'. */
static void count_time(tool_process *p, double seconds)
{
    const double cpu = p->idle_seconds > 0 && p->pid > 0 ? cpu_seconds(p->pid) : 0;
    const int by_work = p->idle_seconds > 0 && !p->is_killed;
    p->left -= by_work ? fmin(seconds, fmax(0, cpu - p->cpu_before)) : seconds;
    p->cpu_before = cpu;
    p->idle += seconds;
    if (cpu - p->cpu > sign_of_life) {
        p->cpu = cpu;
        p->idle = 0;
    }
    if (p->left <= 0 && p->is_killed)
        p->pid = 0; /* it is in the kernel's hands, and left behind */
    else if (p->left <= 0)
        give_up(p, TOOL_PROCESS_LATE);
    else if (p->idle_seconds > 0 && p->idle > p->idle_seconds && !p->is_killed)
        give_up(p, TOOL_PROCESS_IDLE);
}

static void reap(tool_process *p)
{
    int state;
    if (p->pid <= 0 || waitpid(p->pid, &state, WNOHANG) != p->pid)
        return;
    p->pid = 0;
    close_end(&p->feeder);
    if (p->end == TOOL_PROCESS_RUNS) {
        p->end = WIFEXITED(state) ? TOOL_PROCESS_EXITED : TOOL_PROCESS_KILLED;
        p->code = WIFEXITED(state) ? WEXITSTATUS(state) : WTERMSIG(state);
    }
}

/* How long may be waited for p: until its time is over. Nothing tells of the end of a process whose
 * pipes are closed, so it is looked for, at first closely. */
static double shorten(tool_process *p, double seconds)
{
    if (tool_process_is_over(p))
        return seconds;
    seconds = fmin(seconds, fmax(p->left, shortest_nap));
    if (has_open_pipe(p))
        return seconds;
    const double nap = p->nap;
    p->nap = fmin(2 * nap, longest_nap);
    return fmin(seconds, nap);
}

static void ask_to_end(tool_process *p)
{
    if (p->pid > 0 && !p->is_asked && tool_interrupted()) {
        kill(p->pid, SIGTERM);
        p->is_asked = 1;
    }
}

static size_t count_running(tool_process *const *all, size_t n)
{
    size_t n_running = 0;
    for (size_t i = 0; i < n; i++)
        n_running += (size_t)!tool_process_is_over(all[i]);
    return n_running;
}

size_t tool_processes_wait(tool_process *const *all, size_t n, double seconds)
{
    const double began = meso_seconds();
    if (count_running(all, n) == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        ask_to_end(all[i]);
        seconds = shorten(all[i], seconds);
    }
    listen_to(all, n, seconds);
    const double waited = fmin(meso_seconds() - began, longest_tick);
    for (size_t i = 0; i < n; i++) {
        reap(all[i]);
        if (!tool_process_is_over(all[i]))
            count_time(all[i], waited);
    }
    return count_running(all, n);
}

void tool_process_run(tool_process *process)
{
    while (tool_processes_wait(&process, 1, tick_seconds) > 0) {
    }
}

void tool_process_extend(tool_process *process, double seconds)
{
    process->left = seconds;
}

void tool_process_say_end(const tool_process *process, meso_error *error)
{
    if (process->end == TOOL_PROCESS_KILLED)
        meso_fail(error, MESO_ERROR_DEVICE, "the driver ended the process: signal %d (%s)",
                  process->code, strsignal(process->code));
    else
        meso_fail(error, MESO_ERROR_DEVICE, "the driver ended the process: exit code %d",
                  process->code);
}

void tool_process_free(tool_process *p)
{
    if (p->pid > 0) {
        give_up(p, TOOL_PROCESS_NOT_NEEDED);
        tool_process_run(p);
    }
    for (int i = 0; i < TOOL_MAX_PIPES; i++)
        meso_text_free(&p->pipes[i].text);
}

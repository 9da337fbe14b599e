/* SPDX-License-Identifier: Apache-2.0
 *
 * Queues of jobs: so many at once, what is done is passed over, and how they end.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common.h"
#include "queue.h"

static const char shell[] = "/bin/sh";

enum { n_jobs = 7 };

typedef struct test_queue {
    tool_queue queue;
    const char *lines[n_jobs];
    int started[n_jobs], ended[n_jobs];
    int n_running, most_running;
    tool_process last; /* as it ended */
} test_queue;

static meso_status start_job(void *user, size_t job, tool_process *process, meso_error *error)
{
    test_queue *t = user;
    const char *const argv[] = {"sh", "-c", t->lines[job], NULL};
    t->started[job]++;
    process->program = t->lines[job] ? shell : "./none";
    process->argv = argv;
    process->seconds = 2;
    meso_status status = tool_process_start(process, error);
    t->n_running += status == MESO_OK;
    t->most_running = t->n_running > t->most_running ? t->n_running : t->most_running;
    return status;
}

static void job_ended(void *user, size_t job, const tool_process *process, double seconds)
{
    test_queue *t = user;
    assert_true(tool_process_is_over(process) && seconds > 0 && seconds < 20);
    t->ended[job]++;
    t->n_running--;
    t->last = *process;
    if (process->end == TOOL_PROCESS_EXITED && process->code == 0)
        tool_queue_mark_done(&t->queue, job);
    if (process->end == TOOL_PROCESS_EXITED && process->code == 74)
        t->queue.stop = 74;
}

static int run_queue(test_queue *t, unsigned char *done, size_t n_parallel)
{
    t->queue = (tool_queue){.n_jobs = n_jobs,
                            .n_parallel = n_parallel,
                            .done = done,
                            .start = start_job,
                            .ended = job_ended,
                            .user = t};
    return tool_queue_run(&t->queue);
}

static void a_queue_goes_on_from_what_is_done(void **state)
{
    const char *const good = "sleep 0.05";
    unsigned char done[n_jobs] = {[2] = 1};
    (void)state;
    test_queue t = {.lines = {good, "kill -9 $$", good, good, "exec sleep 60", good, good}};
    assert_int_equal(run_queue(&t, done, 2), 70); /* a crash and a hang cost themselves */
    assert_int_equal(t.most_running, 2);
    for (size_t i = 0; i < n_jobs; i++) {
        assert_int_equal(t.started[i], i != 2);
        assert_int_equal(t.ended[i], i != 2);
        assert_int_equal(done[i], i != 1 && i != 4);
    }
    test_queue again = {.lines = {NULL, good, NULL, NULL, good, NULL, NULL}};
    assert_int_equal(run_queue(&again, done, 64), -1);
    assert_int_equal(again.started[1] + again.started[4], 2);
    assert_int_equal(again.queue.progress.done, n_jobs);
    assert_int_equal(run_queue(&again, done, 0), -1); /* nothing to do */
    assert_int_equal(again.started[1] + again.started[4], 2);
}

static void a_queue_stops_where_going_on_makes_no_sense(void **state)
{
    const char *const good = "sleep 0.2";
    unsigned char done[n_jobs] = {0};
    (void)state;
    test_queue t = {.lines = {"exit 74", good, good, good, good, good, good}};
    assert_int_equal(run_queue(&t, done, 2), 74);
    assert_true(done[1] && !done[6] && t.started[6] == 0 && t.n_running == 0);
    test_queue none = {.lines = {NULL, good, good, good, good, good, good}};
    memset(done, 0, sizeof done);
    assert_int_equal(run_queue(&none, done, 1), 70); /* it cannot be started */
    assert_int_equal(none.started[1], 0);
}

/* In a process of its own, since an interruption is remembered for good. */
static void ctrl_c_ends_a_queue(void **state)
{
    int how;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        test_queue t;
        unsigned char done[n_jobs] = {0};
        memset(&t, 0, sizeof t);
        for (size_t i = 0; i < n_jobs; i++)
            t.lines[i] = i == 0 ? "sleep 0.2; kill -INT $PPID; exec sleep 60" : "exec sleep 60";
        tool_interrupt_catch();
        int code = run_queue(&t, done, 3);
        _exit(code == 75 && t.n_running == 0 && t.started[3] == 0 && t.ended[2] == 1 &&
                      t.last.end == TOOL_PROCESS_KILLED && t.last.code == SIGTERM
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_goes_on_from_what_is_done),
        cmocka_unit_test(a_queue_stops_where_going_on_makes_no_sense),
        cmocka_unit_test(ctrl_c_ends_a_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

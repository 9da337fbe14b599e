/* SPDX-License-Identifier: Apache-2.0
 *
 * Child processes: what goes in and comes out, how they end, what they are denied, and that none is
 * left.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "harness_run.h"
#include "process.h"
#include "progress.h"

static const char shell[] = "/bin/sh";

/* Starts a line of the shell, and waits for its end. */
static void run_line(tool_process *p, const char *line)
{
    const char *const argv[] = {"sh", "-c", line, NULL};
    meso_error error = {0};
    p->program = shell;
    p->argv = argv;
    if (tool_process_start(p, &error) != MESO_OK)
        fail_msg("%s: %s", line, error.text);
    tool_process_run(p);
    assert_true(tool_process_is_over(p));
}

static size_t count_descriptors(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static void assert_exited(const tool_process *p, int code)
{
    if (p->end != TOOL_PROCESS_EXITED || p->code != code)
        fail_msg("end %d, code %d, not the exit code %d", p->end, p->code, code);
}

/* More than any pipe holds goes in, and comes out twice. */
static void all_that_is_fed_comes_out(void **state)
{
    enum { n = 6 << 20 };
    char *bytes = malloc(n);
    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(i * 2654435761u >> 24);
    tool_process p = {.feed = bytes,
                      .n_feed = n,
                      .pipes = {{.number = 1, .most = n}, {.number = 5, .most = n}},
                      .seconds = 60};
    run_line(&p, "exec tee /dev/fd/5");
    assert_exited(&p, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p.pipes[i].text.length, n);
        assert_memory_equal(p.pipes[i].text.bytes, bytes, n);
    }
    tool_process_free(&p);
    /* One that does not read: no signal for us, and no waiting. */
    p = (tool_process){.feed = bytes, .n_feed = n, .seconds = 60};
    run_line(&p, "exit 4");
    assert_exited(&p, 4);
    p = (tool_process){.feed = "", .seconds = 60};
    run_line(&p, "exec cat");
    assert_exited(&p, 0);
    tool_process_free(&p);
    free(bytes);
}

/* A second piece once the first has come back; the input never ends. */
static int feed_again(void *user, meso_text *text)
{
    tool_process *p = user;
    if (text->length == 1) {
        p->feed = "b";
        p->n_feed = 1;
    }
    return text->length < 2;
}

static void what_is_fed_later_comes_out(void **state)
{
    (void)state;
    tool_process p = {.feed = "a",
                      .n_feed = 1,
                      .stays_open = 1,
                      .pipes = {{.number = 1, .most = 9, .take = feed_again, .user = &p}},
                      .seconds = 60};
    run_line(&p, "exec cat");
    assert_int_equal(p.end, TOOL_PROCESS_NOT_NEEDED);
    assert_int_equal(p.pipes[0].text.length, 2);
    assert_memory_equal(p.pipes[0].text.bytes, "ab", 2);
    tool_process_free(&p);
}

static void each_end_has_its_name(void **state)
{
    static const struct {
        const char *line;
        double seconds, idle_seconds;
        tool_process_end end;
        int code;
    } rows[] = {
        {"exit 0", 60, 0, TOOL_PROCESS_EXITED, 0},
        {"exit 137", 60, 0, TOOL_PROCESS_EXITED, 137},
        {"kill -9 $$", 60, 0, TOOL_PROCESS_KILLED, SIGKILL},
        {"kill -SEGV $$", 0, 0, TOOL_PROCESS_KILLED, SIGSEGV},
        {"exec sleep 60", 0.2, 0, TOOL_PROCESS_LATE, 0},
        {"trap '' TERM INT HUP; sleep 0.1; while :; do :; done", 0.2, 0, TOOL_PROCESS_LATE, 0},
        {"exec sleep 60", 60, 0.2, TOOL_PROCESS_IDLE, 0},
        {"while :; do :; done", 0.5, 2, TOOL_PROCESS_LATE, 0}, /* it works, and has no end */
        {"exec sleep 60", 0.1, 0.5, TOOL_PROCESS_IDLE, 0},     /* which is not its time */
        {"exec >&-; exec sleep 60", 0.2, 0, TOOL_PROCESS_LATE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int with_pipe = 0; with_pipe < 2; with_pipe++) {
            tool_process p = {.seconds = rows[i].seconds, .idle_seconds = rows[i].idle_seconds};
            double began = meso_seconds();
            if (with_pipe)
                p.pipes[0] = (tool_pipe){.number = 1, .most = 100};
            run_line(&p, rows[i].line);
            if (p.end != rows[i].end || p.code != rows[i].code || meso_seconds() - began > 50)
                fail_msg("%s: end %d, code %d", rows[i].line, p.end, p.code);
            assert_true(kill(p.pid ? p.pid : getpid(), 0) == 0 && p.pid == 0);
            tool_process_free(&p);
        }
}

static int takes_ten(void *user, meso_text *text)
{
    ++*(size_t *)user;
    return text->length < 10;
}

/* Too much closes the pipe, enough ends the process, and what is taken out of the text is gone. */
static void no_more_is_read_than_wanted(void **state)
{
    size_t n_calls = 0;
    (void)state;
    tool_process p = {.pipes = {{.number = 1, .most = 1000}}, .seconds = 60};
    run_line(&p, "exec yes");
    assert_true(p.end == TOOL_PROCESS_KILLED && p.code == SIGPIPE);
    assert_true(p.pipes[0].text.length <= 1000);
    tool_process_free(&p);
    p = (tool_process){
        .pipes = {{.number = 3, .most = SIZE_MAX, .take = takes_ten, .user = &n_calls}},
        .seconds = 60};
    run_line(&p, "echo a >&3; sleep 0.1; echo 123456789 >&3; exec sleep 60");
    assert_int_equal(p.end, TOOL_PROCESS_NOT_NEEDED);
    assert_int_equal(n_calls, 2);
    assert_string_equal(p.pipes[0].text.bytes, "a\n123456789\n");
    tool_process_free(&p);
}

/* A new word is a new time limit. */
static int gives_time(void *user, meso_text *text)
{
    (void)text;
    tool_process_extend(user, 2);
    return 1;
}

static void a_limit_can_be_put_off(void **state)
{
    (void)state;
    tool_process p = {.pipes = {{.number = 1, .most = 100, .take = gives_time, .user = &p}},
                      .seconds = 2};
    run_line(&p, "for i in 1 2 3 4 5; do sleep 0.5; echo $i; done; exec sleep 60");
    assert_int_equal(p.end, TOOL_PROCESS_LATE);
    assert_string_equal(p.pipes[0].text.bytes, "1\n2\n3\n4\n5\n");
    tool_process_free(&p);
}

static void streams_go_where_they_are_sent(void **state)
{
    char text[64] = "";
    (void)state;
    harness_put("in", "from the file", 0);
    int in = open("in", O_RDONLY | O_CLOEXEC);
    tool_process p = {.in = in, .log = "log", .seconds = 60};
    run_line(&p, "cat; echo ' out'; echo err >&2; readlink /proc/self/fd/0");
    assert_exited(&p, 0);
    close(in);
    FILE *log = fopen("log", "r");
    assert_non_null(log);
    assert_true(fread(text, 1, sizeof text - 1, log) > 0);
    fclose(log);
    assert_non_null(strstr(text, "from the file out\nerr\n"));
    assert_non_null(strstr(text, "/in\n"));
    /* Nothing said where: nowhere. No descriptor of ours is left open in the child: the fourth is
     * that of the folder. */
    p = (tool_process){.pipes = {{.number = 1, .most = 1000}}, .seconds = 60};
    run_line(&p, "exec ls -l /proc/self/fd");
    assert_non_null(strstr(p.pipes[0].text.bytes, " 0 -> /dev/null\n"));
    assert_non_null(strstr(p.pipes[0].text.bytes, " 2 -> /dev/null\n"));
    assert_non_null(strstr(p.pipes[0].text.bytes, " 3 -> /proc/"));
    assert_null(strstr(p.pipes[0].text.bytes, " 4 -> "));
    tool_process_free(&p);
}

/* This program as a child that writes into descriptors their numbers. */
static int say(char *const *numbers)
{
    for (; *numbers; numbers++)
        if (dprintf(atoi(*numbers), "%s", *numbers) < 0)
            return 1;
    return 0;
}

/* Numbers that our own ends have, or that are free next: none takes another's place. */
static void any_numbers_can_be_handed_over(void **state)
{
    (void)state;
    for (int first = 3; first <= 13; first++) {
        char numbers[3][8];
        const char *const argv[] = {"say", "--say", numbers[0], numbers[1], numbers[2], NULL};
        tool_process p = {
            .argv = argv, .in = TOOL_OURS, .out = TOOL_OURS, .err = TOOL_OURS, .seconds = 60};
        for (int i = 0; i < 3; i++) {
            p.pipes[i] = (tool_pipe){.number = first + (i + 1) % 3, .most = 100};
            snprintf(numbers[i], sizeof numbers[i], "%d", p.pipes[i].number);
        }
        assert_int_equal(tool_process_start(&p, NULL), MESO_OK);
        tool_process_run(&p);
        assert_exited(&p, 0);
        for (int i = 0; i < 3; i++)
            assert_string_equal(p.pipes[i].text.bytes, numbers[i]);
        tool_process_free(&p);
    }
}

static void what_cannot_start_leaves_nothing(void **state)
{
    static const char *const argv[] = {"none", NULL};
    const size_t before = count_descriptors();
    meso_error error;
    (void)state;
    tool_process p = {.program = "./none",
                      .argv = argv,
                      .feed = "x",
                      .n_feed = 1,
                      .pipes = {{.number = 1, .most = 1}}};
    assert_int_equal(tool_process_start(&p, &error), MESO_ERROR_INTERNAL);
    assert_string_equal(error.text, "./none: cannot be run: No such file or directory");
    assert_true(tool_process_is_over(&p));
    tool_process_free(&p);
    p = (tool_process){.program = shell, .argv = argv, .log = "none/log"};
    assert_int_equal(tool_process_start(&p, &error), MESO_ERROR_CREATE);
    assert_non_null(strstr(error.text, "none/log: "));
    tool_process_free(&p);
    p = (tool_process){.feed = "x", .n_feed = 1, .pipes = {{.number = 1, .most = 1}}};
    run_line(&p, "cat");
    tool_process_free(&p);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
    assert_int_equal(errno, ECHILD);
}

static void limits_hold(void **state)
{
    (void)state;
    tool_process p = {
        .limits = {.memory = (size_t)1 << 30, .cpu_seconds = 77, .files = 12, .no_output = 1},
        .pipes = {{.number = 1, .most = 1000}, {.number = 2, .most = 1000}},
        .seconds = 60};
    run_line(&p, "ulimit -v; ulimit -t; ulimit -n; ulimit -f; ulimit -c; trap '' XFSZ; echo x >f");
    assert_string_equal(p.pipes[0].text.bytes, "1048576\n77\n12\n0\n0\n");
    assert_true(p.end == TOOL_PROCESS_EXITED && p.code != 0);
    tool_process_free(&p);
}

static void need_filters(void)
{
    int how;
    pid_t child = fork();
    if (child == 0)
        _exit(!confine_self(CONFINE_READS));
    assert_int_equal(waitpid(child, &how, 0), child);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        skip();
}

static void a_profile_holds_from_the_start(void **state)
{
    (void)state;
    need_filters();
    tool_process p = {.profile = CONFINE_READS,
                      .pipes = {{.number = 1, .most = 1000}, {.number = 2, .most = 1000}},
                      .seconds = 60};
    run_line(&p, "while read a b; do [ $a = Seccomp: ] && echo $b; done </proc/self/status;"
                 "echo x >made; echo $?; exec cat in");
    assert_int_equal(strncmp(p.pipes[0].text.bytes, "2\n", 2), 0); /* a filter */
    assert_true(access("made", F_OK) != 0);
    assert_non_null(strstr(p.pipes[0].text.bytes, "from the file"));
    assert_non_null(strstr(p.pipes[1].text.bytes, "made"));
    assert_null(strstr(p.pipes[0].text.bytes, "\n0\n"));
    assert_exited(&p, 0);
    tool_process_free(&p);
}

/* ---- the end of a parent ---- */

/* This program as a child that has a child: says its number, and waits for ever. */
static int nest(void)
{
    static const char *const argv[] = {"sleep", "60", NULL};
    tool_process p = {.program = "/bin/sleep", .argv = argv};
    if (tool_process_start(&p, NULL) != MESO_OK)
        return 1;
    printf("%d\n", (int)p.pid);
    fflush(stdout);
    for (;;)
        pause();
}

static int is_there(int pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%*d %*s %c", &state) != 1)
        state = 'Z';
    if (file)
        fclose(file);
    return state != 'Z';
}

/* Children of a child go with it, however it ends. */
static void none_outlives_its_parent(void **state)
{
    static const char *const argv[] = {"nest", "--nest", NULL};
    (void)state;
    tool_process p = {.argv = argv, .pipes = {{.number = 1, .most = 100}}, .seconds = 60};
    tool_process *const all[] = {&p};
    assert_int_equal(tool_process_start(&p, NULL), MESO_OK);
    while (!p.pipes[0].text.bytes || !strchr(p.pipes[0].text.bytes, '\n'))
        tool_processes_wait(all, 1, 1);
    int child = (int)p.pid, grandchild = atoi(p.pipes[0].text.bytes);
    assert_true(child > 0 && grandchild > 0 && is_there(child) && is_there(grandchild));
    tool_process_free(&p);
    for (int i = 0; i < 5000 && (is_there(child) || is_there(grandchild)); i++)
        usleep(10000);
    assert_true(!is_there(child) && !is_there(grandchild));
}

/* This program as a child with something to tell. */
static int tell(void)
{
    tool_progress progress = {.what = "steps", .total = 2};
    const int code = tool_progress_open("tell", "4");
    tool_progress_start(&progress);
    tool_progress_update(&progress, 2);
    tool_progress_end(&progress);
    return code < 0 ? 0 : code;
}

/* Kept in the pipe's text, or handed on as our own. */
static void a_child_tells_how_far_it_is(void **state)
{
    static const char *const argv[] = {"tell", "--tell", NULL};
    char number[16], bytes[1000] = "";
    int ends[2];
    (void)state;
    tool_process p = {.argv = argv, .pipes = {{.number = 4, .most = 1000}}, .seconds = 60};
    assert_int_equal(tool_process_start(&p, NULL), MESO_OK);
    tool_process_run(&p);
    assert_exited(&p, 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    snprintf(number, sizeof number, "%d", ends[1]);
    assert_int_equal(tool_progress_open("test", number), -1);
    tool_process forward = {
        .argv = argv,
        .pipes = {{.number = 4, .most = SIZE_MAX, .take = tool_progress_forward}},
        .seconds = 60};
    assert_int_equal(tool_process_start(&forward, NULL), MESO_OK);
    tool_process_run(&forward);
    assert_exited(&forward, 0);
    assert_true(read(ends[0], bytes, sizeof bytes - 1) > 0);
    const char *const texts[] = {p.pipes[0].text.bytes, bytes};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(strncmp(texts[i], "{\"event\":\"start\",\"done\":0,\"total\":2,", 36), 0);
        assert_non_null(strstr(texts[i], "}\n{\"event\":\"end\",\"done\":2,\"total\":2,"));
        assert_string_equal(strrchr(texts[i], '}'), "}\n");
    }
    assert_int_equal(forward.pipes[0].text.length, 0);
    tool_process_free(&p);
    tool_process_free(&forward);
    close(ends[0]);
    assert_int_equal(tool_progress_open("test", "none"), 64);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_fed_comes_out),
        cmocka_unit_test(what_is_fed_later_comes_out),
        cmocka_unit_test(each_end_has_its_name),
        cmocka_unit_test(no_more_is_read_than_wanted),
        cmocka_unit_test(a_limit_can_be_put_off),
        cmocka_unit_test(streams_go_where_they_are_sent),
        cmocka_unit_test(any_numbers_can_be_handed_over),
        cmocka_unit_test(what_cannot_start_leaves_nothing),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_profile_holds_from_the_start),
        cmocka_unit_test(none_outlives_its_parent),
        cmocka_unit_test(a_child_tells_how_far_it_is),
    };
    if (argc > 1 && strcmp(argv[1], "--nest") == 0)
        return nest();
    if (argc > 1 && strcmp(argv[1], "--say") == 0)
        return say(argv + 2);
    if (argc > 1 && strcmp(argv[1], "--tell") == 0)
        return tell();
    for (int fd = 3; fd < 1000; fd++)
        close(fd); /* what we were left with */
    return cmocka_run_group_tests(tests, harness_enter_folder, harness_leave_folder);
}

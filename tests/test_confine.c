/* SPDX-License-Identifier: Apache-2.0
 *
 * Confinement: what a confined process can no longer do, what it still can, and that
 * mesocl-h5import is confined before it reads. (That it converts all the same: test_convert.)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "confine.h"

static int other_fd; /* open for writing, and no standard stream */

static long opens_a_file(void)
{
    return open("/dev/null", O_RDONLY);
}

static long makes_a_file(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/tmp/meso_confine", O_CREAT | O_WRONLY, 0600);
}

static long opens_to_write(void)
{
    return open("/dev/null", O_RDWR);
}

static long opens_to_write_by_the_old_call(void)
{
#ifdef SYS_open
    return syscall(SYS_open, "/dev/null", O_WRONLY);
#else
    return errno = EPERM, -1;
#endif
}

static long removes_a_file(void)
{
    return unlink("/tmp/meso_confine_none");
}

/* Ends with 0, as one who could. */
static long runs_a_program(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static void *nothing(void *argument)
{
    return argument;
}

static long makes_a_thread(void)
{
    pthread_t thread;
    errno = pthread_create(&thread, NULL, nothing, NULL);
    return errno ? -1 : pthread_join(thread, NULL);
}

static long signals_itself(void)
{
    return raise(SIGCHLD) == 0 ? 0 : -1;
}

static long forks(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child;
}

static long makes_a_process(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* The newer call, whose arguments a filter cannot see: the C library must take the older one. */
static long makes_a_process_unseen(void)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0)
        _exit(0);
    return child;
}

static long connects(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static long maps_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static long writes_elsewhere(void)
{
    return write(other_fd, "x", 1);
}

static long kills_its_parent(void)
{
    return kill(getppid(), 0);
}

static long kills_its_parents_thread(void)
{
    return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long reads_its_parent(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&other_fd, 1};
    return process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static long calls_another_interface(void)
{
    return syscall(0x40000000 + SYS_getpid);
}

static long writes_to_stderr(void)
{
    return write(STDERR_FILENO, "", 0);
}

static long takes_memory(void)
{
    char *bytes = malloc((size_t)8 << 20); /* mmap */
    bytes = bytes ? realloc(bytes, (size_t)32 << 20) : NULL;
    if (!bytes)
        return -1;
    memset(bytes, 1, (size_t)32 << 20);
    free(bytes);
    return 0;
}

enum { could, refused, failed_otherwise, no_filters };

/* How a confined child's act ends. */
static int confined(confine_profile profile, long (*act)(void))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!confine_self(profile))
            _exit(no_filters);
        errno = 0;
        long result = act();
        _exit(result >= 0 ? could : errno == EPERM ? refused : failed_otherwise);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Not where there are no filters; not under the address sanitizer, which makes system calls of its
 * own. */
static void need_filters(void)
{
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    if (confined(CONFINE_COMPUTES, writes_to_stderr) == no_filters)
        skip();
}

static void what_is_left(void **state)
{
    static const struct {
        const char *name;
        long (*act)(void);
        int reads, computes; /* how it ends under each profile */
    } rows[] = {
        {"open a file", opens_a_file, could, refused},
        {"run a program", runs_a_program, could, refused},
        {"make a thread", makes_a_thread, could, refused},
        {"signal itself", signals_itself, could, refused},
        {"map code", maps_code, could, refused},
        {"write elsewhere", writes_elsewhere, could, refused},
        {"open to write", opens_to_write, refused, refused},
        {"open to write, by the old call", opens_to_write_by_the_old_call, refused, refused},
        {"make a file", makes_a_file, refused, refused},
        {"remove a file", removes_a_file, refused, refused},
        {"make a process", makes_a_process, refused, refused},
        {"make a process by the C library", forks, refused, refused},
        {"make a process unseen", makes_a_process_unseen, failed_otherwise, refused},
        {"connect", connects, refused, refused},
        {"signal another", kills_its_parent, refused, refused},
        {"signal another's thread", kills_its_parents_thread, refused, refused},
        {"read another's memory", reads_its_parent, refused, refused},
        {"call what a filter does not know", calls_another_interface, refused, refused},
        {"write to stderr", writes_to_stderr, could, could},
        {"take memory", takes_memory, could, could},
    };
    (void)state;
    other_fd = open("/dev/null", O_WRONLY);
    assert_true(other_fd > 2);
    need_filters();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int reads = confined(CONFINE_READS, rows[i].act);
        int computes = confined(CONFINE_COMPUTES, rows[i].act);
        if (reads != rows[i].reads || computes != rows[i].computes)
            fail_msg("%s: %d, %d instead of %d, %d", rows[i].name, reads, computes, rows[i].reads,
                     rows[i].computes);
    }
    close(other_fd);
}

static long reads_at_a_place(void)
{
    char byte;
    return pread(3, &byte, 1, 0);
}

static long reads_on(void)
{
    char byte;
    return read(3, &byte, 1);
}

/* −1: by a signal, as all that a decoder of clips may not do. */
static void a_decoder_ends_where_it_strays(void **state)
{
    static const struct {
        const char *name;
        long (*act)(void);
        int end;
    } rows[] = {{"open a file", opens_a_file, -1},
                {"make a thread", makes_a_thread, -1},
                {"map code", maps_code, -1},
                {"connect", connects, -1},
                {"write elsewhere", writes_elsewhere, -1},
                {"read in order", reads_on, -1},
                {"call what a filter does not know", calls_another_interface, -1},
                {"read at a place", reads_at_a_place, could},
                {"write to stderr", writes_to_stderr, could},
                {"take memory", takes_memory, could}};
    (void)state;
    need_filters();
    const int fd = open("/proc/self/exe", O_RDONLY);
    const int kept = dup(3);
    other_fd = fcntl(fd, F_DUPFD, 10);
    assert_int_equal(dup2(fd, 3), 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int end = confined(CONFINE_DECODES, rows[i].act);
        if (end != rows[i].end)
            fail_msg("%s: %d instead of %d", rows[i].name, end, rows[i].end);
    }
    if (kept >= 0)
        dup2(kept, 3);
    close(kept);
    close(other_fd);
    close(fd);
}

/* "Seccomp:" in /proc: 0 none, 2 a filter. */
static int seccomp_mode(pid_t process)
{
    char path[64], line[256];
    int mode = -1;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)process);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Seccomp: %d", &mode) == 1)
            break;
    if (file)
        fclose(file);
    return mode;
}

/* It waits for its first byte; by then it is confined. */
static void the_program_is_confined(void **state)
{
    int input[2], status = 0, mode = 0;
    (void)state;
    need_filters();
    if (seccomp_mode(getpid()) != 0)
        skip(); /* this test is in a filter itself: the mode says nothing */
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(input[0], STDIN_FILENO);
        execl(H5IMPORT_PROGRAM, "mesocl-h5import", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 1000 && mode == 0; i++, usleep(10000))
        mode = seccomp_mode(child);
    close(input[1]);
    close(input[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(mode, 2);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 65); /* empty */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left),
        cmocka_unit_test(a_decoder_ends_where_it_strays),
        cmocka_unit_test(the_program_is_confined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

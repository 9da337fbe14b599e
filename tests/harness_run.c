/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_run.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { max_words = 64, limit_seconds = 300 };

const char harness_tiny_net[] = "image = input height=32 width=32 channels=3 divide=255\n"
                                "conv = conv image filters=4 window=3x3 stride=1x1 dilation=1x1 "
                                "pad=same\n"
                                "flat = flatten conv\n"
                                "dense = dense flat units=1\n"
                                "p = sigmoid dense\n";

static char old_folder[4096];
static char folder[64];

int harness_enter_folder(void **state)
{
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    (void)state;
    snprintf(folder, sizeof folder, "%.40s/meso-test-XXXXXX", base);
    return getcwd(old_folder, sizeof old_folder) && mkdtemp(folder) ? chdir(folder) : -1;
}

int harness_leave_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir(old_folder) || system(command);
}

void harness_put(const char *path, const char *bytes, size_t n)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(copy, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(bytes, 1, n ? n : strlen(bytes), file);
    assert_int_equal(fclose(file), 0);
}

void harness_put_picture(const char *path, int size, unsigned colour)
{
    char header[32];
    size_t n = (size_t)snprintf(header, sizeof header, "P6 %d %d 255\n", size, size);
    size_t n_pixels = (size_t)size * (size_t)size;
    char *bytes = malloc(n + 3 * n_pixels);
    assert_non_null(bytes);
    memcpy(bytes, header, n);
    for (size_t i = 0; i < 3 * n_pixels; i++)
        bytes[n + i] = (char)(colour >> 8 * (i % 3));
    harness_put(path, bytes, n + 3 * n_pixels);
    free(bytes);
}

/* In the child: the standard streams, the environment, then the program. */
static void become(const harness_command *command, char **argv, int in, int out, int err)
{
    for (const char *const *e = command->environment; e && *e; e++)
        putenv((char *)*e);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    if (command->to == HARNESS_CLOSED)
        close(1);
    signal(SIGPIPE, SIG_DFL);
    alarm(limit_seconds);
    execv(argv[0], argv);
    _exit(127);
}

static int open_stdout(harness_stdout to, FILE *captured)
{
    int ends[2];
    if (to == HARNESS_FULL)
        return open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (to != HARNESS_LEFT)
        return fcntl(fileno(captured), F_DUPFD_CLOEXEC, 0);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    close(ends[0]);
    return ends[1];
}

/* For stderr; what comes out of it is copied once the program has ended, so it must be little. */
static int open_terminal(int *screen)
{
    *screen = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*screen >= 0 && grantpt(*screen) == 0 && unlockpt(*screen) == 0);
    return open(ptsname(*screen), O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void copy_screen(int screen, FILE *to)
{
    char bytes[4096];
    ssize_t n;
    fcntl(screen, F_SETFL, O_NONBLOCK);
    while ((n = read(screen, bytes, sizeof bytes)) > 0)
        fwrite(bytes, 1, (size_t)n, to);
    fflush(to);
    close(screen);
}

/* All that the program wrote, as a string. */
static char *contents(FILE *file)
{
    struct stat info;
    assert_int_equal(fstat(fileno(file), &info), 0);
    char *text = calloc(1, (size_t)info.st_size + 1);
    assert_non_null(text);
    rewind(file);
    assert_int_equal(fread(text, 1, (size_t)info.st_size, file), info.st_size);
    return text;
}

static void interrupt_after_first_output(pid_t child, FILE *out)
{
    struct stat info = {0};
    for (int i = 0; i < limit_seconds * 1000; i++) {
        if (fstat(fileno(out), &info) != 0 || info.st_size > 0)
            break;
        usleep(1000);
    }
    kill(child, SIGINT);
}

static void split(const harness_command *command, char *copy, size_t size, char *argv[max_words])
{
    size_t n = 1;
    argv[0] = (char *)(command->program ? command->program : MESOCL_PROGRAM);
    snprintf(copy, size, "%s", command->words ? command->words : "");
    for (char *word = strtok(copy, " "); word && n < max_words - 1; word = strtok(NULL, " "))
        argv[n++] = word;
    for (const char *const *word = command->argv; word && *word && n < max_words - 1; word++)
        argv[n++] = (char *)*word;
    argv[n] = NULL;
}

harness_result harness_run(const harness_command *command)
{
    char copy[1024], *argv[max_words];
    FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
    const char *input = command->input ? command->input : "";
    int status = 0, screen = -1;
    assert_true(in && out && err);
    fwrite(input, 1, command->n_input ? command->n_input : strlen(input), in);
    rewind(in);
    split(command, copy, sizeof copy, argv);
    int to = open_stdout(command->to, out);
    const int says =
        command->terminal ? open_terminal(&screen) : fcntl(fileno(err), F_DUPFD_CLOEXEC, 0);
    assert_true(to >= 0 && says >= 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        become(command, argv, fileno(in), to, says);
    assert_true(child > 0);
    close(to);
    if (command->interrupt)
        interrupt_after_first_output(child, out);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (command->terminal)
        copy_screen(screen, err);
    close(says);
    harness_result result = {
        .code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status),
        .out = contents(out),
        .err = contents(err),
    };
    fclose(in);
    fclose(out);
    fclose(err);
    return result;
}

const char *harness_program(void)
{
    return MESOCL_PROGRAM;
}

void harness_run_rows(const char *program, const harness_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const harness_command command = {.program = program, .words = rows[i].words};
        harness_result result = harness_run(&command);
        int right = *rows[i].said ? strstr(result.err, rows[i].said) != NULL : !*result.err;
        if (result.code != rows[i].code || !right)
            fail_msg("%s %s\nended with %d instead of %d, or does not say \"%s\":\n%s%s",
                     program ? program : "mesocl", rows[i].words, result.code, rows[i].code,
                     rows[i].said, result.out, result.err);
        harness_forget(&result);
    }
}

void harness_forget(harness_result *result)
{
    free(result->out);
    free(result->err);
    *result = (harness_result){0};
}

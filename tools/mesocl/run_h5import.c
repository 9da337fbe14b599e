/* SPDX-License-Identifier: Apache-2.0 */
#include "run_h5import.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

extern char **environ;

enum {
    MAX_STREAM = 128 << 20, /* twice what the child may send */
    MAX_SENTENCE = 1 << 16,
    TIME_LIMIT = 30 /* seconds; the child limits its processor time to 10 */
};

/* One end of a pipe with what came out of it. */
typedef struct channel {
    int read, write;
    size_t limit;
    meso_text text;
} channel;

static int is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

static meso_status find_program(meso_text *path, meso_error *error)
{
    static const char *const places[] = {"mesocl-h5import", "../libexec/mesocl/mesocl-h5import"};
    char self[4096];
    const char *given = getenv("MESO_H5IMPORT");
    if (given && given[0]) {
        meso_text_add(path, given);
        return is_program(given)
                   ? MESO_OK
                   : meso_fail(error, MESO_ERROR_INTERNAL, "MESO_H5IMPORT=%s: no program there",
                               MESO_PRINTABLE(given));
    }
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        slash[1] = '\0';
    for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++) {
        meso_text_free(path);
        meso_text_format(path, "%s%s", self, places[i]);
        if (!path->out_of_memory && is_program(path->bytes))
            return MESO_OK;
    }
    return meso_fail(
        error, MESO_ERROR_INTERNAL,
        "mesocl-h5import, which reads Keras files, is neither beside this program nor in "
        "../libexec/mesocl; set MESO_H5IMPORT to its path");
}

static meso_status open_input(const char *path, int *fd, meso_error *error)
{
    meso_status status = MESO_OK;
    struct stat info;
    /* O_NONBLOCK: opening a FIFO without a writer would wait for ever. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    MESO_REQUIRE(*fd >= 0 && fstat(*fd, &info) == 0, error, MESO_ERROR_NO_INPUT, "%s: %s",
                 MESO_PRINTABLE(path), strerror(errno));
    MESO_REQUIRE(S_ISREG(info.st_mode), error, MESO_ERROR_NO_INPUT, "%s: not a regular file",
                 MESO_PRINTABLE(path));
out:
    return status;
}

static int open_channel(channel *c, size_t limit)
{
    int ends[2];
    c->limit = limit;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 0;
    c->read = ends[0];
    c->write = ends[1];
    return 1;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* 1: more may come. */
static int drain(channel *c)
{
    char bytes[65536];
    ssize_t n = read(c->read, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR)
        return 1;
    if (n <= 0 || c->text.length + (size_t)n > c->limit) {
        close_fd(&c->read);
        return 0;
    }
    meso_text_add_n(&c->text, bytes, (size_t)n);
    return 1;
}

/* Reads both channels to their ends. 0: the child took too long. */
static int drain_all(channel *channels)
{
    time_t end = time(NULL) + TIME_LIMIT;
    while (channels[0].read >= 0 || channels[1].read >= 0) {
        struct pollfd rows[2] = {{channels[0].read, POLLIN, 0}, {channels[1].read, POLLIN, 0}};
        time_t left = end - time(NULL);
        if (left <= 0)
            return 0;
        if (poll(rows, 2, (int)left * 1000) < 0 && errno != EINTR)
            return 0;
        for (int i = 0; i < 2; i++)
            if (rows[i].fd >= 0 && rows[i].revents)
                drain(&channels[i]);
    }
    return 1;
}

static int spawn(const char *program, int input, const channel *channels, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    char *const argv[] = {(char *)"mesocl-h5import", NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, channels[0].write, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, channels[1].write, STDERR_FILENO);
    int code = posix_spawn(child, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* How the child ended, as a status with a sentence. */
static meso_status judge(const char *path, int wait_status, const meso_text *sentence,
                         meso_error *error)
{
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    char text[512] = "";
    if (code == 0)
        return MESO_OK;
    if (sentence->bytes)
        meso_printable(strtok(sentence->bytes, "\n") ? sentence->bytes : "", text, sizeof text);
    if (code < 0)
        return meso_fail(error, MESO_ERROR_DATA,
                         "%s: reading it ended mesocl-h5import (signal %d): damaged or hostile",
                         MESO_PRINTABLE(path), WTERMSIG(wait_status));
    return meso_fail(error,
                     code == 65   ? MESO_ERROR_DATA
                     : code == 66 ? MESO_ERROR_NO_INPUT
                     : code == 70 ? MESO_ERROR_MEMORY
                                  : MESO_ERROR_INTERNAL,
                     "%s: %s", MESO_PRINTABLE(path),
                     text[0] ? text : "mesocl-h5import failed without a word");
}

meso_status tool_run_h5import(const char *path, void **stream, size_t *n, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text program = {0};
    channel channels[2] = {{-1, -1, 0, {0}}, {-1, -1, 0, {0}}};
    int input = -1, wait_status = 0;
    pid_t child = -1;

    MESO_TRY(find_program(&program, error));
    MESO_TRY(open_input(path, &input, error));
    MESO_REQUIRE(open_channel(&channels[0], MAX_STREAM) && open_channel(&channels[1], MAX_SENTENCE),
                 error, MESO_ERROR_IO, "cannot make a pipe: %s", strerror(errno));
    int code = spawn(program.bytes, input, channels, &child);
    MESO_REQUIRE(code == 0, error, MESO_ERROR_INTERNAL, "%s: cannot be run: %s",
                 MESO_PRINTABLE(program.bytes), strerror(code));
    close_fd(&channels[0].write);
    close_fd(&channels[1].write);
    int in_time = drain_all(channels);
    if (!in_time)
        kill(child, SIGKILL);
    while (waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
    }
    MESO_REQUIRE(in_time, error, MESO_ERROR_DATA, "%s: reading it took more than %d seconds",
                 MESO_PRINTABLE(path), TIME_LIMIT);
    MESO_TRY(judge(path, wait_status, &channels[1].text, error));
    MESO_REQUIRE(!channels[0].text.out_of_memory, error, MESO_ERROR_MEMORY, "out of memory");
    *stream = channels[0].text.bytes;
    *n = channels[0].text.length;
    channels[0].text = (meso_text){0};
out:
    for (int i = 0; i < 2; i++) {
        close_fd(&channels[i].read);
        close_fd(&channels[i].write);
        meso_text_free(&channels[i].text);
    }
    close_fd(&input);
    meso_text_free(&program);
    return status;
}

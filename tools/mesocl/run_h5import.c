/* SPDX-License-Identifier: Apache-2.0 */
#include "run_h5import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/error.h"
#include "base/file.h"
#include "h5import_limits.h"
#include "model/weights/weights.h"
#include "process.h"

enum {
    MAX_STREAM = 128 << 20, /* twice what the child may send */
    MAX_SENTENCE = 1 << 16,
    TIME_LIMIT = 30 /* seconds, of which 10 may be processor time */
};

static int is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

static meso_status find_program(meso_text *path, meso_error *error)
{
    static const char *const places[] = {"", "../libexec/mesocl/"};
    const char *given = getenv("MESO_H5IMPORT");
    if (given && given[0]) {
        meso_text_add(path, given);
        return is_program(given)
                   ? MESO_OK
                   : meso_fail(error, MESO_ERROR_INTERNAL, "MESO_H5IMPORT=%s: no program there",
                               MESO_PRINTABLE(given));
    }
    if (meso_find_beside(places, sizeof places / sizeof places[0], "mesocl-h5import", X_OK, path))
        return MESO_OK;
    return meso_fail(
        error, MESO_ERROR_INTERNAL,
        "mesocl-h5import, which reads Keras files, is neither beside this program nor in "
        "../libexec/mesocl; set MESO_H5IMPORT to its path");
}

static meso_status open_input(const char *path, int *fd, meso_error *error)
{
    struct stat info;
    /* O_NONBLOCK: opening a FIFO without a writer would wait for ever. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    MESO_DEMAND(*fd >= 0 && fstat(*fd, &info) == 0, error, MESO_ERROR_NO_INPUT, "%s: %s",
                MESO_PRINTABLE(path), strerror(errno));
    if (S_ISDIR(info.st_mode))
        MESO_CHECK(meso_refuse_saved_model(path, error));
    MESO_DEMAND(S_ISREG(info.st_mode), error, MESO_ERROR_NO_INPUT, "%s: not a regular file",
                MESO_PRINTABLE(path));
    return MESO_OK;
}

/* What need not be tried, for its first bytes say what it is. */
static meso_status refuse_kind(const char *path, meso_error *error)
{
    unsigned char head[MESO_HEAD_BYTES];
    const size_t n = meso_file_head(path, head, sizeof head);
    const char *what = meso_is_keras(head, n)     ? NULL
                       : meso_is_weights(head, n) ? "a safetensors file, which needs no conversion"
                                                  : meso_not_weights(head, n);
    MESO_DEMAND(!what, error, MESO_ERROR_DATA, "%s: not a Keras file but %s", MESO_PRINTABLE(path),
                what);
    return MESO_OK;
}

/* How the child ended, as a status with a sentence. */
static meso_status judge(const char *path, tool_process *p, meso_error *error)
{
    static const struct {
        int code;
        meso_status status;
    } rows[] = {{65, MESO_ERROR_DATA}, {66, MESO_ERROR_NO_INPUT}, {70, MESO_ERROR_MEMORY}};
    meso_status status = MESO_ERROR_INTERNAL;
    char text[512] = "", *sentence = p->pipes[1].text.bytes;
    if (p->end == TOOL_PROCESS_EXITED && p->code == 0)
        return MESO_OK;
    if (p->end == TOOL_PROCESS_LATE)
        return meso_fail(error, MESO_ERROR_DATA, "%s: reading it took more than %d seconds",
                         MESO_PRINTABLE(path), TIME_LIMIT);
    if (p->end != TOOL_PROCESS_EXITED)
        return meso_fail(error, MESO_ERROR_DATA,
                         "%s: reading it ended mesocl-h5import (signal %d): damaged or hostile",
                         MESO_PRINTABLE(path), p->code);
    if (sentence)
        meso_printable(strtok(sentence, "\n") ? sentence : "", text, sizeof text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == p->code)
            status = rows[i].status;
    return meso_fail(error, status, "%s: %s", MESO_PRINTABLE(path),
                     text[0] ? text : "mesocl-h5import failed without a word");
}

meso_status tool_run_h5import(const char *path, void **stream, size_t *n, meso_error *error)
{
    static const char *const argv[] = {"mesocl-h5import", NULL};
    meso_status status = MESO_OK;
    meso_text program = {0};
    tool_process p = {
        .argv = argv,
        .pipes = {{.number = 1, .most = MAX_STREAM}, {.number = 2, .most = MAX_SENTENCE}},
        .seconds = TIME_LIMIT,
        .limits = h5import_limits,
        .profile = h5import_start};
    int input = -1;
    MESO_TRY(find_program(&program, error));
    MESO_TRY(open_input(path, &input, error));
    MESO_TRY(refuse_kind(path, error));
    p.program = program.bytes;
    p.in = input;
    MESO_TRY(tool_process_start(&p, error));
    tool_process_run(&p);
    MESO_TRY(judge(path, &p, error));
    meso_text *out = &p.pipes[0].text;
    MESO_REQUIRE_MEMORY(!out->out_of_memory, error);
    *stream = out->bytes;
    *n = out->length;
    *out = (meso_text){0};
out:
    if (input >= 0)
        close(input);
    tool_process_free(&p);
    meso_text_free(&program);
    return status;
}

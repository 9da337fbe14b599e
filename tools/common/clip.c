/* SPDX-License-Identifier: Apache-2.0 */
#include "clip.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/file.h"
#include "process.h"
#include "video/video_stream.h"
#include "video_limits.h"

enum { max_sentence = 4096, idle_seconds = 60 };

struct clip {
    char *path;
    char n_frames[16];
    const char *argv[4];
    meso_text program;
    tool_process process;
    video_stream stream;
    size_t used; /* bytes of the pipe's text that were understood */
    clip_frame frame;
    int input, has_first, has_ended;
};

static const char *find_decoder(meso_text *path, meso_error *error)
{
    static const char *const places[] = {"", "../libexec/mesocl/"};
#ifndef MESO_FFMPEG
    meso_fail(error, MESO_ERROR_INTERNAL,
              "this MesoCL was built without FFmpeg's libraries, which decode clips: install "
              "libavformat-dev, libavcodec-dev and libswscale-dev (tools/setup.sh does) and build "
              "it anew");
    return NULL;
#endif
    if (meso_find_beside(places, sizeof places / sizeof places[0], "mesocl-video", X_OK, path))
        return path->bytes;
    meso_fail(error, MESO_ERROR_INTERNAL,
              "mesocl-video, which decodes clips, is neither beside this program nor in "
              "../libexec/mesocl: install MesoCL anew");
    return NULL;
}

meso_status clip_check_decoder(meso_error *error)
{
    meso_text path = {0};
    const int is_there = find_decoder(&path, error) != NULL;
    meso_text_free(&path);
    return is_there ? MESO_OK : MESO_ERROR_INTERNAL;
}

const char *clip_decoder(void)
{
#ifdef MESO_FFMPEG
    return clip_check_decoder(NULL) == MESO_OK ? "libavcodec " MESO_FFMPEG : "none";
#else
    return "none";
#endif
}

static void say(char reason[CLIP_REASON_SIZE], const char *name)
{
    snprintf(reason, CLIP_REASON_SIZE, "%s", name);
}

static meso_status open_input(clip *c, char *reason, meso_error *error)
{
    struct stat info;
    c->input = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (c->input < 0 || fstat(c->input, &info) != 0) {
        say(reason, errno == EACCES || errno == EPERM     ? "permission"
                    : errno == ENOENT || errno == ENOTDIR ? "vanished"
                                                          : "io");
        return meso_fail(error, MESO_ERROR_NO_INPUT, "%s: %s", MESO_PRINTABLE(c->path),
                         strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        say(reason, "not_regular");
        return meso_fail(error, MESO_ERROR_NO_INPUT, "%s: not a regular file",
                         MESO_PRINTABLE(c->path));
    }
    c->process.limits = video_limits(info.st_size, 0);
    return MESO_OK;
}

/* "reason: sentence", of a child that looked at a hostile file. */
static const char *reason_in(char *said)
{
    static const char *const names[] = {
#define X(name) #name,
        VIDEO_REASONS(X)
#undef X
    };
    char *colon = said ? strstr(said, ": ") : NULL;
    for (size_t i = 0; colon && i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == (size_t)(colon - said) &&
            strncmp(names[i], said, (size_t)(colon - said)) == 0)
            return names[i];
    return NULL;
}

static meso_status refuse(const clip *c, char *reason, const char *name, meso_error *error,
                          const char *sentence)
{
    say(reason, name);
    return meso_fail(error, MESO_ERROR_DATA, "%s: %s: %s", MESO_PRINTABLE(c->path), name, sentence);
}

/* The child is over, and there was no whole stream. */
static meso_status judge(clip *c, char *reason, meso_error *error)
{
    tool_process *p = &c->process;
    char text[MESO_PRINTABLE_SIZE], *said = p->pipes[1].text.bytes;
    const char *name = p->end == TOOL_PROCESS_EXITED && p->code == 65 ? reason_in(said) : NULL;
    if (p->end == TOOL_PROCESS_LATE || p->end == TOOL_PROCESS_IDLE ||
        (p->end == TOOL_PROCESS_KILLED && (p->code == SIGXCPU || p->code == SIGKILL)))
        return refuse(c, reason, "late", error, "it took the decoder of clips too long");
    if (p->end != TOOL_PROCESS_EXITED) {
        snprintf(text, sizeof text, "it ended the decoder of clips (signal %d): damaged or hostile",
                 p->code);
        return refuse(c, reason, "crashed", error, text);
    }
    if (name) {
        said = strtok(said + strlen(name) + 2, "\n");
        return refuse(c, reason, name, error, meso_printable(said ? said : "", text, sizeof text));
    }
    if (p->code == 0)
        return refuse(c, reason, "crashed", error, "the decoder of clips stopped in its middle");
    return meso_fail(error, MESO_ERROR_INTERNAL, "%s: %s", MESO_PRINTABLE(c->path),
                     said ? meso_printable(strtok(said, "\n"), text, sizeof text)
                          : "mesocl-video failed without a word");
}

/* Drops what was understood, so that the text holds at most a record and a piece of the next. */
static void forget_used(clip *c, meso_text *text)
{
    if (c->used == 0)
        return;
    text->length -= c->used;
    memmove(text->bytes, text->bytes + c->used, text->length);
    c->used = 0;
}

/* Waits for the next record. Errors: as clip_next. */
static meso_status next_record(clip *c, video_record *record, char *reason, meso_error *error)
{
    static const double tick = 0.25;
    tool_process *p = &c->process;
    meso_text *text = &p->pipes[0].text;
    for (;;) {
        forget_used(c, text);
        MESO_DEMAND_MEMORY(!text->out_of_memory, error);
        *record = video_stream_next(&c->stream, text->bytes, text->length, &c->used);
        if (*record == VIDEO_BAD)
            return refuse(c, reason, "crashed", error, c->stream.problem);
        if (*record != VIDEO_MORE)
            return MESO_OK;
        if (tool_process_is_over(p))
            return judge(c, reason, error);
        tool_processes_wait(&p, 1, tick);
    }
}

static meso_status read_frame(clip *c, char *reason, meso_error *error)
{
    video_record record;
    MESO_CHECK(next_record(c, &record, reason, error));
    if (record == VIDEO_TAIL) {
        c->has_ended = 1;
        tool_process_run(&c->process); /* it only has to go */
        return MESO_OK;
    }
    const video_frame *f = &c->stream.frame;
    c->frame = (clip_frame){.number = f->number,
                            .width = f->width,
                            .height = f->height,
                            .pts = f->pts,
                            .seconds = f->seconds,
                            .rgb = (const uint8_t *)c->process.pipes[0].text.bytes + sizeof *f};
    return MESO_OK;
}

static meso_status start(clip *c, const clip_options *options, char *reason, meso_error *error)
{
    video_record record;
    MESO_DEMAND_MEMORY(c->path, error);
    if (!find_decoder(&c->program, error))
        return MESO_ERROR_INTERNAL;
    MESO_CHECK(open_input(c, reason, error));
    snprintf(c->n_frames, sizeof c->n_frames, "%u", options->n_frames);
    c->argv[0] = "mesocl-video";
    c->argv[1] = options->sampling;
    c->argv[2] = c->n_frames;
    c->process.argv = c->argv;
    c->process.program = c->program.bytes;
    c->process.in = c->input;
    c->process.pipes[0] = (tool_pipe){.number = 1, .most = (size_t)VIDEO_MAX_RECORD + (1 << 17)};
    c->process.pipes[1] = (tool_pipe){.number = 2, .most = max_sentence};
    c->process.idle_seconds = idle_seconds;
    c->process.profile = video_start;
    MESO_CHECK(tool_process_start(&c->process, error));
    MESO_CHECK(next_record(c, &record, reason, error));
    c->has_first = 1;
    return read_frame(c, reason, error);
}

meso_status clip_open(const char *path, const clip_options *options, clip **clip_out,
                      char reason[CLIP_REASON_SIZE], meso_error *error)
{
    clip *c = calloc(1, sizeof *c);
    *clip_out = NULL;
    reason[0] = '\0';
    MESO_DEMAND_MEMORY(c, error);
    c->input = -1;
    c->path = strdup(path);
    const meso_status status = start(c, options, reason, error);
    if (status != MESO_OK) {
        clip_close(c);
        return status;
    }
    *clip_out = c;
    return MESO_OK;
}

const video_info *clip_info(const clip *c)
{
    return &c->stream.info;
}

const video_tail *clip_tail(const clip *c)
{
    return &c->stream.tail;
}

meso_status clip_next(clip *c, const clip_frame **frame, char reason[CLIP_REASON_SIZE],
                      meso_error *error)
{
    *frame = NULL;
    reason[0] = '\0';
    if (!c->has_first && !c->has_ended)
        MESO_CHECK(read_frame(c, reason, error));
    c->has_first = 0;
    if (!c->has_ended)
        *frame = &c->frame;
    return MESO_OK;
}

void clip_close(clip *c)
{
    if (!c)
        return;
    tool_process_free(&c->process);
    if (c->input >= 0)
        close(c->input);
    meso_text_free(&c->program);
    free(c->path);
    free(c);
}

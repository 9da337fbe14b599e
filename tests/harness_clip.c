/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_clip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[128];

int harness_clip_set_up(void **state)
{
    const char *where = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/meso_clip_XXXXXX", where ? where : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

int harness_clip_tear_down(void **state)
{
    char command[200];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

void harness_clip_need(void)
{
    meso_error error;
    if (clip_check_decoder(&error) != MESO_OK) {
        print_message("%s\n", error.text);
        skip();
    }
    if (system("command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null") != 0) {
        print_message("ffmpeg, which makes the clips, is not installed\n");
        skip();
    }
}

static FILE *run(const char *command)
{
    static const char start[] =
        "cd '%s' && FF='ffmpeg -hide_banner -loglevel error -nostdin -y'; SOURCE() { size=$1 "
        "seconds=$2; shift 2; $FF -f lavfi -i testsrc2=size=$size:rate=25:duration=$seconds "
        "-threads "
        "1 \"$@\"; }; { %s; }";
    char text[4096];
    const int n = snprintf(text, sizeof text, start, folder, command);
    assert_true(n > 0 && (size_t)n < sizeof text);
    FILE *pipe = popen(text, "r");
    assert_non_null(pipe);
    return pipe;
}

void harness_clip_make(const char *command)
{
    FILE *pipe = run(command);
    if (pclose(pipe) != 0)
        fail_msg("cannot make a clip: %s", command);
}

char *harness_clip_output(const char *command, size_t *n)
{
    size_t room = 1 << 20, got;
    char *bytes = malloc(room + 1);
    FILE *pipe = run(command);
    *n = 0;
    while (bytes && (got = fread(bytes + *n, 1, room - *n, pipe)) > 0)
        if ((*n += got) == room)
            bytes = realloc(bytes, (room *= 2) + 1);
    pclose(pipe);
    assert_non_null(bytes);
    bytes[*n] = '\0';
    return bytes;
}

const char *harness_clip_path(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void keep(harness_frames *f, const clip_frame *frame)
{
    const size_t bytes = (size_t)frame->width * frame->height * 3;
    uint8_t *rgb = malloc(bytes);
    f->frames = realloc(f->frames, (f->n + 1) * sizeof *f->frames);
    assert_true(rgb && f->frames);
    memcpy(rgb, frame->rgb, bytes);
    f->frames[f->n] = *frame;
    f->frames[f->n++].rgb = rgb;
}

harness_frames harness_clip_read(const char *name, const char *sampling, unsigned n)
{
    harness_frames f = {.status = MESO_OK};
    const clip_options options = {sampling, n};
    const clip_frame *frame;
    clip *c;
    f.status = clip_open(harness_clip_path(name), &options, &c, f.reason, &f.error);
    if (f.status != MESO_OK)
        return f;
    f.info = *clip_info(c);
    while ((f.status = clip_next(c, &frame, f.reason, &f.error)) == MESO_OK && frame)
        keep(&f, frame);
    f.tail = *clip_tail(c);
    clip_close(c);
    return f;
}

void harness_clip_forget(harness_frames *f)
{
    for (size_t i = 0; i < f->n; i++)
        free((void *)f->frames[i].rgb);
    free(f->frames);
    *f = (harness_frames){.status = MESO_OK};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Clips for tests, made by ffmpeg's command line, and what mesocl-video makes of them.
 */
#ifndef MESO_TESTS_HARNESS_CLIP_H
#define MESO_TESTS_HARNESS_CLIP_H

#include "clip.h"

/* A fresh folder for clips, and its end; group set-up and tear-down of cmocka. */
int harness_clip_set_up(void **state);
int harness_clip_tear_down(void **state);

/* Skips the test with a reason where there is no ffmpeg or no decoder of clips. */
void harness_clip_need(void);

/* Runs a shell command in that folder, where $FF is ffmpeg, quiet, and $SOURCE(size, seconds) a
 * drawn clip of 25 frames a second: "SOURCE 160x120 2 -c:v libx264 a.mp4". Fails the test with
 * it. */
void harness_clip_make(const char *command);

/* What a shell command prints; n bytes, to free(). */
char *harness_clip_output(const char *command, size_t *n);

/* The path of a clip in the folder; static. */
const char *harness_clip_path(const char *name);

/* All frames that a sampling gives. */
typedef struct harness_frames {
    meso_status status;
    char reason[CLIP_REASON_SIZE];
    meso_error error;
    video_info info;
    video_tail tail;
    size_t n;
    clip_frame *frames; /* rgb: of their own */
} harness_frames;

harness_frames harness_clip_read(const char *name, const char *sampling, unsigned n);
void harness_clip_forget(harness_frames *frames);

#endif

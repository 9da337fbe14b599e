/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a clip, decoded by mesocl-video, a child process that can do nothing else.
 *
 *   clip_options options = {.sampling = "time", .n_frames = 30};
 *   if (clip_open("a.mp4", &options, &c, reason, &error) == MESO_OK)
 *       while ((status = clip_next(c, &frame, reason, &error)) == MESO_OK && frame)
 *           … frame->number, frame->seconds, frame->rgb …
 *   clip_close(c);
 */
#ifndef MESO_TOOLS_CLIP_H
#define MESO_TOOLS_CLIP_H

#include "base/error.h"
#include "video/video.h"

typedef struct clip clip;

enum { CLIP_REASON_SIZE = 24 };

typedef struct clip_options {
    const char
        *sampling;     /* "time", "number", "key", "every:N": video/choose.h says which they are */
    unsigned n_frames; /* at most; of no meaning with "every:N" */
} clip_options;

typedef struct clip_frame {
    unsigned number; /* from 0, in order of time; of all frames of the clip */
    unsigned width, height;
    int64_t pts;
    double seconds;
    const uint8_t *rgb; /* [height][width][3], until the next call of clip_next */
} clip_frame;

/* Is this program built with a decoder of clips, and is it there? The sentence says what is missing
 * and how to get it. Errors: INTERNAL. */
meso_status clip_check_decoder(meso_error *error);

/* "FFmpeg's libavcodec 59.37.100", or "none" where clips cannot be decoded. */
const char *clip_decoder(void);

/* Starts the decoder and waits for its first frame. reason: why the clip is not used, a name of
 * VIDEO_REASONS or one of mesocl/image.h ("vanished"); "" where it is not the clip's fault. Errors:
 * NO_INPUT (the file cannot be opened), DATA (all other reasons), INTERNAL (the decoder is not
 * there), MEMORY. */
meso_status clip_open(const char *path, const clip_options *options, clip **clip_out,
                      char reason[CLIP_REASON_SIZE], meso_error *error);

/* What is known of the clip. */
const video_info *clip_info(const clip *c);

/* The next chosen frame, in order of time; *frame is NULL behind the last. Errors: as above; frames
 * that came before stay good. */
meso_status clip_next(clip *c, const clip_frame **frame, char reason[CLIP_REASON_SIZE],
                      meso_error *error);

/* How much was found damaged, and how many frames were decoded; behind the last frame. */
const video_tail *clip_tail(const clip *c);

/* Ends the decoder, should it run. NULL is allowed. */
void clip_close(clip *c);

#endif

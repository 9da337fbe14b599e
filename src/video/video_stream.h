/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what mesocl-video writes (video.h), piece by piece, and believes nothing that cannot be.
 */
#ifndef MESO_VIDEO_STREAM_H
#define MESO_VIDEO_STREAM_H

#include <stddef.h>

#include "video/video.h"

typedef enum video_record {
    VIDEO_MORE, /* the bytes end within a record */
    VIDEO_BAD,  /* it cannot be: `problem` says what */
    VIDEO_INFO,
    VIDEO_FRAME,
    VIDEO_TAIL
} video_record;

typedef struct video_stream { /* start from zeros */
    video_info info;
    video_frame frame; /* the last one */
    video_tail tail;
    uint32_t n_frames; /* so far */
    const char *problem;
} video_stream;

/* The most bytes of one record. */
enum { VIDEO_MAX_RECORD = VIDEO_MAX_PIXELS * 3 + (int)sizeof(video_frame) };

/* The record at the start of n bytes; *used: its length, where it is whole. A frame's pixels stand
 * behind its sizeof(video_frame). */
video_record video_stream_next(video_stream *stream, const void *bytes, size_t n, size_t *used);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of a clip and its frames, and the stream that mesocl-video, the decoder of clips in
 * a process of its own, writes for the program that started it: a video_info, then for each chosen
 * frame a video_frame with its pixels behind it, then a video_tail. Both run on one machine, so
 * these structs are the format. The decoder looked at a hostile file: video_stream.h checks its
 * word.
 *
 * A clip that is refused gives no stream, but exit code 65 and "reason: sentence" on stderr.
 */
#ifndef MESO_VIDEO_H
#define MESO_VIDEO_H

#include <stdint.h>

enum {
    VIDEO_MAX_PIXELS = 8192 * 4320,
    VIDEO_MAX_SIDE = 32768,
    VIDEO_INFO_MAGIC = 0x3149564d, /* "MVI1" */
    VIDEO_FRAME_MAGIC = 0x3146564d,
    VIDEO_TAIL_MAGIC = 0x3154564d
};

typedef struct video_info {
    uint32_t magic;
    uint32_t width, height;    /* of the first frame as shown: turned, in stored pixels */
    uint32_t rotation;         /* degrees clockwise that frames were turned by: 0, 90, 180, 270 */
    uint32_t sar_num, sar_den; /* width : height of a pixel as shown; 1:1 where nothing is said */
    uint32_t full_range;       /* 0, 1: as are those below */
    uint32_t interlaced;       /* not undone */
    uint32_t hdr;              /* PQ or HLG: decoded as it stands */
    uint32_t truncated;        /* the file ends too early; what came of it is used */
    uint32_t n_packets;        /* frames that the file holds, by its packets */
    uint32_t n_chosen;         /* frames to come; fewer where some cannot be decoded */
    double first, last;        /* seconds, of the first and the last packet */
    char container[32], codec[32], matrix[16];
} video_info;

typedef struct video_frame {
    uint32_t magic;
    uint32_t number;        /* from 0, in order of time; of all in the file */
    uint32_t width, height; /* of this frame; uint8_t rgb[height][width][3] stands behind */
    int64_t pts;            /* in the stream's own unit */
    double seconds;
} video_frame;

typedef struct video_tail {
    uint32_t magic;
    uint32_t n_frames; /* that were sent */
    uint32_t n_errors; /* packets and frames that the decoder found damaged */
    uint32_t n_decoded;
} video_tail;

/* Why a clip is not used. The names are fixed, as those of pictures (mesocl/image.h). */
#define VIDEO_REASONS(X)                                                                      \
    X(empty)          /* no video frame in it */                                              \
    X(unknown_format) /* no container that is known */                                        \
    X(unsupported)    /* a known container, codec or format of pixels that is not read */     \
    X(no_video)       /* sound, subtitles or a cover alone */                                 \
    X(odd_rotation)   /* to be shown mirrored, or turned by no multiple of 90 degrees */      \
    X(too_large)      /* more pixels, streams or memory than allowed */                       \
    X(truncated)      /* ends within its header */                                            \
    X(corrupt)        /* damaged: no frame can be decoded */                                  \
    X(crashed)        /* the decoder ended by a signal, or broke a rule of its confinement */ \
    X(late)           /* it took too long */

#endif

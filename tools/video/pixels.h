/* SPDX-License-Identifier: Apache-2.0
 *
 * A decoded frame as RGB, bit for bit as
 *   ffmpeg -i F -sws_flags bilinear+accurate_rnd+full_chroma_int+bitexact -pix_fmt rgb24
 * gives it, then turned.
 */
#ifndef MESO_VIDEO_PIXELS_H
#define MESO_VIDEO_PIXELS_H

#include <libavutil/frame.h>
#include <libswscale/swscale.h>

typedef struct pixels { /* start from zeros */
    uint8_t *rgb;       /* [height][width][3] */
    unsigned width, height;
    /* What it keeps for the next frame. */
    struct SwsContext *scaler;
    AVFrame *like; /* what the scaler is made for: size, format, colours */
    uint8_t *converted, *turned;
} pixels;

/* rotation: degrees clockwise, a multiple of 90. Refuses frames that are too large or of a format
 * that cannot be converted. */
void pixels_of(pixels *p, const AVFrame *frame, unsigned rotation);

/* "bt601", "bt709" …: the matrix that a frame's YUV is taken by; "rgb" where it is none. */
const char *pixels_matrix(const AVFrame *frame);

/* 1: its values use all of 0 to 255. */
int pixels_full_range(const AVFrame *frame);

/* Rows of `width` pixels, turned clockwise: 90, 180 or 270 degrees. */
void pixels_turn(const uint8_t *from, unsigned width, unsigned height, unsigned rotation,
                 uint8_t *to);

#endif

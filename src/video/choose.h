/* SPDX-License-Identifier: Apache-2.0
 *
 * Which frames of a clip are looked at: by what its packets say, never its headers. Nothing else
 * of MesoCL is needed: mesocl-video is built with this file, too.
 */
#ifndef MESO_VIDEO_CHOOSE_H
#define MESO_VIDEO_CHOOSE_H

#include <stddef.h>
#include <stdint.h>

typedef enum video_rule {
    VIDEO_BY_TIME,   /* n at even distances of time */
    VIDEO_BY_NUMBER, /* every (⌊frames / n⌋ + 1)-th, as published: at most n */
    VIDEO_KEYS,      /* key frames; of more than n, n at even distances of time */
    VIDEO_EVERY      /* every n-th */
} video_rule;

typedef struct video_sampling {
    video_rule rule;
    uint32_t n; /* at least 1 */
} video_sampling;

/* From "time", "number", "key" or "every:N", and how many. Returns 0 where it is none of these. */
int video_sampling_parse(const char *text, uint32_t n, video_sampling *sampling);

/* One packet of a clip, in the order of the file. */
typedef struct video_packet {
    int64_t pts, dts;
    uint8_t is_key, is_shown; /* shown: neither marked discard nor without a picture of its own */
    uint8_t is_wanted;
} video_packet;

/* shown: the packets that are shown, as indices, in the order of their pts. chosen[n_shown]: the
 * chosen ones' places in `shown`, ascending, each once. Returns how many. */
size_t video_choose(const video_packet *packets, const uint32_t *shown, size_t n_shown,
                    video_sampling sampling, uint32_t *chosen);

#endif

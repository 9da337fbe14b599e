/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of a clip's packets, read without decoding: what is there, when it is shown, and from
 * where it can be decoded. Headers' counts and durations are not asked.
 */
#ifndef MESO_VIDEO_PACKETS_H
#define MESO_VIDEO_PACKETS_H

#include "source.h"
#include "video/choose.h"

typedef struct packet_list {
    video_packet *all; /* in the order of the file */
    size_t n;
    uint32_t *keys; /* key packets, as indices, ascending */
    size_t n_keys;
    uint32_t *shown; /* packets that are shown, as indices, in the order of their pts */
    size_t n_shown;
    int is_truncated; /* the file ends too early */
    int is_guessed;   /* some packets do not say when they are shown */
} packet_list;

/* Reads the source to its end. */
void packets_read(packet_list *list, source *s);

/* The place in `shown` of what is shown at a time: the last with such a pts or a smaller one; 0
 * where all are later. */
size_t packets_shown_at(const packet_list *list, int64_t pts);

/* Where to begin so that packet i can be decoded: the place in `keys` of the last key packet up to
 * it, in the file and in time; SIZE_MAX: there is none. */
size_t packets_key_for(const packet_list *list, size_t i);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes the chosen frames of a clip and no more than they need: from the key packet before each,
 * without the frames that no other is made of.
 */
#ifndef MESO_VIDEO_FRAMES_H
#define MESO_VIDEO_FRAMES_H

#include "packets.h"

typedef struct frames {
    source *s;
    const packet_list *list;
    const uint32_t *chosen; /* places in list->shown, ascending */
    size_t n_chosen;
    int keys_alone; /* the chosen are key packets: no other is sent to the decoder */
    /* Gets each chosen frame, its time in frame->pts, with its place in list->shown, ascending. */
    void (*take)(void *user, const AVFrame *frame, uint32_t place);
    void *user;
    uint32_t n_taken, n_decoded, n_errors;
    /* frames.c's own. */
    AVPacket *packet;
    AVFrame *now, *before;            /* the last two that came, where there are such */
    uint32_t now_place, before_place; /* in list->shown */
    int has_packet, has_now, has_before, has_ended, cannot_seek;
    size_t at; /* the packet in list->all that is read next; SIZE_MAX: not known */
    uint32_t next_place;
} frames;

/* Start from zeros and the first members. Marks the wanted packets of the list. */
void frames_decode(frames *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "packets.h"

#include <stdlib.h>

#include "refuse.h"

enum { first_room = 1024 };

/* VP8 has packets that only later frames are made of. The first byte says so. */
static int has_picture(const source *s, const AVPacket *packet)
{
    return s->stream->codecpar->codec_id != AV_CODEC_ID_VP8 || packet->size == 0 ||
           (packet->data[0] & 0x10) != 0;
}

static void add(packet_list *list, const source *s, const AVPacket *packet)
{
    const int64_t last = list->n ? list->all[list->n - 1].pts : -1;
    const int64_t dts = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
    int64_t pts = packet->pts != AV_NOPTS_VALUE ? packet->pts : dts;
    if (packet->pts == AV_NOPTS_VALUE)
        list->is_guessed = 1;
    if (pts == AV_NOPTS_VALUE)
        pts = last == INT64_MAX ? last : last + 1;
    if (packet->flags & AV_PKT_FLAG_CORRUPT)
        list->is_truncated = 1;
    list->all[list->n++] = (video_packet){.pts = pts,
                                          .dts = dts != AV_NOPTS_VALUE ? dts : pts,
                                          .is_key = (packet->flags & AV_PKT_FLAG_KEY) != 0,
                                          .is_shown = !(packet->flags & AV_PKT_FLAG_DISCARD) &&
                                                      has_picture(s, packet)};
}

static void read_all(packet_list *list, source *s)
{
    size_t room = 0;
    int code;
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        refuse_memory();
    while ((code = source_read(s, packet)) >= 0) {
        if (list->n == room) {
            room = room ? 2 * room : first_room;
            list->all = realloc(list->all, room * sizeof *list->all);
            if (!list->all || room > UINT32_MAX / 2)
                refuse_memory();
        }
        add(list, s, packet);
        av_packet_unref(packet);
    }
    if (code == AVERROR(ENOMEM))
        refuse_memory();
    if (code != AVERROR_EOF || source_is_cut(s, list->n))
        list->is_truncated = 1;
    av_packet_free(&packet);
}

/* Takes from[start, middle) and from[middle, end) in order; of equal times the first one first. */
static void merge(const packet_list *list, const uint32_t *from, uint32_t *to, size_t start,
                  size_t middle, size_t end)
{
    size_t a = start, b = middle;
    for (size_t i = start; i < end; i++) {
        const int from_b =
            a == middle || (b < end && list->all[from[b]].pts < list->all[from[a]].pts);
        to[i] = from[from_b ? b++ : a++];
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Not by qsort(), which asks how much memory there is: the filter forbids it. */
static void sort_shown(packet_list *list)
{
    const size_t n = list->n_shown;
    uint32_t *from = list->shown, *to = need_memory(n, sizeof *to);
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width)
            merge(list, from, to, start, least(start + width, n), least(start + 2 * width, n));
        uint32_t *const swap = from;
        from = to;
        to = swap;
    }
    list->shown = from;
    free(to);
}

void packets_read(packet_list *list, source *s)
{
    *list = (packet_list){0};
    read_all(list, s);
    list->keys = need_memory(list->n, sizeof *list->keys);
    list->shown = need_memory(list->n, sizeof *list->shown);
    for (size_t i = 0; i < list->n; i++) {
        if (list->all[i].is_key)
            list->keys[list->n_keys++] = (uint32_t)i;
        if (list->all[i].is_shown)
            list->shown[list->n_shown++] = (uint32_t)i;
    }
    sort_shown(list);
}

size_t packets_shown_at(const packet_list *list, int64_t pts)
{
    size_t low = 0, high = list->n_shown;
    while (low + 1 < high) {
        const size_t middle = low + (high - low) / 2;
        if (list->all[list->shown[middle]].pts <= pts)
            low = middle;
        else
            high = middle;
    }
    return low;
}

size_t packets_key_for(const packet_list *list, size_t i)
{
    size_t low = 0, high = list->n_keys; /* keys[low] <= i < keys[high] */
    if (high == 0 || list->keys[0] > i)
        return SIZE_MAX;
    while (low + 1 < high) {
        const size_t middle = low + (high - low) / 2;
        if (list->keys[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    while (list->all[list->keys[low]].pts > list->all[i].pts)
        if (low-- == 0)
            return SIZE_MAX;
    return low;
}

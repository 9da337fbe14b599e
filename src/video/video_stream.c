/* SPDX-License-Identifier: Apache-2.0 */
#include "video/video_stream.h"

#include <math.h>
#include <string.h>

static video_record bad(video_stream *s, const char *problem)
{
    s->problem = problem;
    return VIDEO_BAD;
}

static int is_word(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size && text[i] > ' ' && text[i] <= '~')
        i++;
    return i > 0 && i < size && text[i] == '\0';
}

static int is_size(uint32_t width, uint32_t height)
{
    return width > 0 && height > 0 && width <= VIDEO_MAX_SIDE && height <= VIDEO_MAX_SIDE &&
           (uint64_t)width * height <= VIDEO_MAX_PIXELS;
}

static const char *problem_of_info(const video_info *v)
{
    if (!is_size(v->width, v->height))
        return "an impossible size";
    if (v->rotation > 270 || v->rotation % 90 != 0)
        return "an impossible rotation";
    if (v->sar_num == 0 || v->sar_den == 0)
        return "an impossible shape of pixels";
    if (v->full_range > 1 || v->interlaced > 1 || v->hdr > 1 || v->truncated > 1)
        return "an answer that is neither yes nor no";
    if (v->n_chosen == 0 || v->n_chosen > v->n_packets)
        return "impossible numbers of frames";
    if (!isfinite(v->first) || !isfinite(v->last) || v->last < v->first)
        return "impossible times";
    if (!is_word(v->container, sizeof v->container) || !is_word(v->codec, sizeof v->codec) ||
        !is_word(v->matrix, sizeof v->matrix))
        return "a name that is none";
    return NULL;
}

static video_record next_info(video_stream *s, const void *bytes, size_t n, size_t *used)
{
    video_info info;
    if (n < sizeof info)
        return VIDEO_MORE;
    memcpy(&info, bytes, sizeof info);
    if (info.magic != VIDEO_INFO_MAGIC)
        return bad(s, "no stream of clips");
    const char *problem = problem_of_info(&info);
    if (problem)
        return bad(s, problem);
    s->info = info;
    *used = sizeof info;
    return VIDEO_INFO;
}

static video_record next_frame(video_stream *s, const void *bytes, size_t n, size_t *used)
{
    video_frame f;
    if (n < sizeof f)
        return VIDEO_MORE;
    memcpy(&f, bytes, sizeof f);
    if (!is_size(f.width, f.height))
        return bad(s, "an impossible size");
    if (s->n_frames == s->info.n_chosen || f.number >= s->info.n_packets)
        return bad(s, "more frames than there are");
    if (s->n_frames > 0 && f.number <= s->frame.number)
        return bad(s, "frames out of order");
    if (!isfinite(f.seconds))
        return bad(s, "impossible times");
    const size_t pixels = (size_t)f.width * f.height * 3;
    if (n - sizeof f < pixels)
        return VIDEO_MORE;
    s->frame = f;
    s->n_frames++;
    *used = sizeof f + pixels;
    return VIDEO_FRAME;
}

static video_record next_tail(video_stream *s, const void *bytes, size_t n, size_t *used)
{
    video_tail tail;
    if (n < sizeof tail)
        return VIDEO_MORE;
    memcpy(&tail, bytes, sizeof tail);
    if (tail.n_frames != s->n_frames || s->n_frames == 0)
        return bad(s, "another number of frames than came");
    if (n > sizeof tail)
        return bad(s, "bytes behind its end");
    s->tail = tail;
    *used = sizeof tail;
    return VIDEO_TAIL;
}

video_record video_stream_next(video_stream *s, const void *bytes, size_t n, size_t *used)
{
    uint32_t magic;
    *used = 0;
    if (s->problem)
        return VIDEO_BAD;
    if (s->tail.magic)
        return n ? bad(s, "bytes behind its end") : VIDEO_MORE;
    if (!s->info.magic)
        return next_info(s, bytes, n, used);
    if (n < sizeof magic)
        return VIDEO_MORE;
    memcpy(&magic, bytes, sizeof magic);
    if (magic == VIDEO_FRAME_MAGIC)
        return next_frame(s, bytes, n, used);
    return magic == VIDEO_TAIL_MAGIC ? next_tail(s, bytes, n, used) : bad(s, "no record");
}

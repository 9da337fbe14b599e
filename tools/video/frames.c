/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include "refuse.h"

static const video_packet *packet_of(const frames *f, uint32_t place)
{
    return &f->list->all[f->list->shown[place]];
}

/* ---- packets ---- */

static void forget_frames(frames *f)
{
    av_packet_unref(f->packet);
    av_frame_unref(f->now);
    av_frame_unref(f->before);
    f->has_packet = f->has_now = f->has_before = f->has_ended = 0;
    avcodec_flush_buffers(f->s->decoder);
}

/* Which of the key packets is it? They are in the order of the file, and seldom out of that of
 * time. SIZE_MAX: none. */
static size_t find_key(const packet_list *list, int64_t pts, size_t last)
{
    for (size_t k = last + 1; k-- > 0;)
        if (list->all[list->keys[k]].pts == pts)
            return k;
    return SIZE_MAX;
}

/* Is the next key packet behind the new place one up to the wanted one? It is kept, to be sent. */
static int lands(frames *f, size_t key)
{
    const packet_list *list = f->list;
    av_packet_unref(f->packet);
    while (source_read(f->s, f->packet) >= 0) {
        if (f->packet->flags & AV_PKT_FLAG_KEY) {
            const size_t found = find_key(list, f->packet->pts, key);
            f->at = found == SIZE_MAX ? found : list->keys[found];
            return found != SIZE_MAX;
        }
        av_packet_unref(f->packet);
    }
    return 0;
}

/* Goes to a key packet, or to one before; where that fails, to the start, and never tries again.
 * Some formats find their packets by one time, some by the other. */
static void go_to(frames *f, size_t key)
{
    const video_packet *p = key == SIZE_MAX ? NULL : &f->list->all[f->list->keys[key]];
    const int64_t times[] = {p ? p->pts : 0, p ? p->dts : 0};
    forget_frames(f);
    for (size_t i = 0; i < 2 && p && !f->cannot_seek; i++)
        if (av_seek_frame(f->s->format, f->s->stream->index, times[i], AVSEEK_FLAG_BACKWARD) >= 0 &&
            lands(f, key)) {
            f->has_packet = 1;
            return;
        }
    av_packet_unref(f->packet);
    f->cannot_seek = 1;
    f->at = 0;
    source_reopen(f->s);
}

/* The next packet, numbered by `at`; 0 at the end. */
static int next_packet(frames *f)
{
    if (!f->has_packet && source_read(f->s, f->packet) < 0)
        return 0;
    f->has_packet = 0;
    return 1;
}

static void send(frames *f, const AVPacket *packet)
{
    int code = avcodec_send_packet(f->s->decoder, packet);
    if (code == AVERROR(ENOMEM))
        refuse_memory();
    f->n_errors += code < 0 && code != AVERROR_EOF;
}

/* ---- frames, all that are needed ---- */

/* Must the frame of this packet come out? The list says so, unless it and the file differ. */
static int is_needed(const frames *f)
{
    const packet_list *list = f->list;
    return list->is_guessed || f->at >= list->n || list->all[f->at].pts != f->packet->pts ||
           list->all[f->at].is_wanted;
}

static void send_next(frames *f)
{
    if (!next_packet(f)) {
        send(f, NULL);
        return;
    }
    f->s->decoder->skip_frame = is_needed(f) ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
    send(f, f->packet);
    av_packet_unref(f->packet);
    f->at++;
}

/* Where packets do not say when they are shown, nothing is skipped, and frames are counted. */
static void place_frame(frames *f)
{
    AVFrame *frame = f->now;
    frame->pts = frame->best_effort_timestamp;
    if (f->list->is_guessed)
        f->now_place = f->n_decoded - 1;
    else if (frame->pts != AV_NOPTS_VALUE)
        f->now_place = (uint32_t)packets_shown_at(f->list, frame->pts);
    else
        f->now_place = f->has_before ? f->before_place + 1 : 0;
    if (f->now_place >= f->list->n_shown)
        f->now_place = (uint32_t)f->list->n_shown - 1;
    if (frame->pts == AV_NOPTS_VALUE)
        frame->pts = f->has_before && f->before->pts < INT64_MAX ? f->before->pts + 1
                                                                 : packet_of(f, f->now_place)->pts;
}

/* One more frame in `now`, the one so far in `before`. */
static void advance(frames *f)
{
    int code;
    AVFrame *const oldest = f->before;
    if (f->has_now) {
        f->before = f->now;
        f->before_place = f->now_place;
        f->has_before = 1;
        f->now = oldest;
        f->has_now = 0;
    }
    while ((code = avcodec_receive_frame(f->s->decoder, f->now)) < 0) {
        if (code == AVERROR_EOF) {
            f->has_ended = 1;
            return;
        }
        if (code == AVERROR(ENOMEM))
            refuse_memory();
        if (code == AVERROR(EAGAIN))
            send_next(f);
        else
            f->n_errors++;
    }
    f->has_now = 1;
    f->n_decoded++;
    f->n_errors += f->now->decode_error_flags != 0;
    place_frame(f);
}

static void take(frames *f, const AVFrame *frame, uint32_t place)
{
    if (place < f->next_place)
        return; /* it was taken for another moment */
    f->take(f->user, frame, place);
    f->next_place = place + 1;
    f->n_taken++;
}

/* The frame that is shown at the chosen packet's time: its own, or, where it has none, the one
 * before. Seeks only where that spares decoding. */
static void decode_chosen(frames *f, uint32_t place)
{
    const size_t key =
        f->list->is_guessed ? SIZE_MAX : packets_key_for(f->list, f->list->shown[place]);
    if (f->at == SIZE_MAX || (!f->cannot_seek && key != SIZE_MAX && f->list->keys[key] > f->at))
        go_to(f, key);
    while (!f->has_ended && !(f->has_now && f->now_place >= place))
        advance(f);
    if (f->has_now && f->now_place == place)
        take(f, f->now, place);
    else if (f->has_before)
        take(f, f->before, f->before_place);
}

/* ---- key frames alone ---- */

/* Each by itself, from an empty decoder: some would invent what lies between. */
static void decode_key(frames *f, uint32_t place)
{
    const size_t wanted = f->list->shown[place];
    const size_t key = f->list->is_guessed ? SIZE_MAX : packets_key_for(f->list, wanted);
    if (f->at == SIZE_MAX || (!f->cannot_seek && wanted > f->at))
        go_to(f, key);
    while (f->at <= wanted && next_packet(f)) {
        if (f->at++ == wanted)
            send(f, f->packet);
        av_packet_unref(f->packet);
    }
    send(f, NULL);
    advance(f);
    if (f->has_now)
        take(f, f->now, place);
    avcodec_flush_buffers(f->s->decoder);
    f->has_now = f->has_before = f->has_ended = 0;
}

void frames_decode(frames *f)
{
    f->packet = av_packet_alloc();
    f->now = av_frame_alloc();
    f->before = av_frame_alloc();
    f->at = SIZE_MAX;
    if (!f->packet || !f->now || !f->before)
        refuse_memory();
    for (size_t i = 0; i < f->n_chosen; i++)
        f->list->all[f->list->shown[f->chosen[i]]].is_wanted = 1;
    for (size_t i = 0; i < f->n_chosen; i++)
        if (f->keys_alone)
            decode_key(f, f->chosen[i]);
        else
            decode_chosen(f, f->chosen[i]);
    av_packet_free(&f->packet);
    av_frame_free(&f->now);
    av_frame_free(&f->before);
}

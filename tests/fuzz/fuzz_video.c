/* SPDX-License-Identifier: Apache-2.0
 *
 * Our code in mesocl-video, with FFmpeg's demuxer and decoder played by the input: packets of any
 * times and flags, seeks that land anywhere, frames of any time and size, errors at any call.
 */
#include "fuzz.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "pixels.h"
#include "refuse.h"

enum { most_packets = 64, most_calls = 2000 };

static struct {
    const uint8_t *bytes;
    size_t n;
    int n_packets, at, n_calls, is_drained;
    int64_t pts[most_packets], dts[most_packets];
    uint8_t flags[most_packets];
    AVCodecParameters parameters;
    AVCodecContext decoder;
    AVStream stream;
    AVFormatContext format;
    jmp_buf end;
} script;

static uint8_t next(void)
{
    if (script.n == 0)
        return 0;
    script.n--;
    return *script.bytes++;
}

/* Small, extreme, or none. */
static int64_t next_time(void)
{
    static const int64_t extremes[] = {AV_NOPTS_VALUE, INT64_MAX, INT64_MIN + 1,
                                       INT64_MAX - 1,  INT32_MAX, 0};
    const uint8_t byte = next();
    return byte >= 250 ? extremes[byte - 250] : byte - 20;
}

/* ---- in the place of refuse.c ---- */

void refuse(const char *reason, const char *format, ...)
{
    (void)reason, (void)format;
    longjmp(script.end, 1);
}

void die(int code, const char *format, ...)
{
    (void)code, (void)format;
    abort();
}

void refuse_memory(void)
{
    longjmp(script.end, 1);
}

void *need_memory(size_t n, size_t size)
{
    void *memory = malloc(n * size + 1);
    if (!memory)
        abort();
    return memory;
}

/* ---- in the place of source.c and of FFmpeg ---- */

int source_read(source *s, AVPacket *packet)
{
    static uint8_t data[1];
    (void)s;
    if (script.at >= script.n_packets || script.n_calls++ > most_calls)
        return next() & 1 ? AVERROR(EIO) : AVERROR_EOF;
    const int i = script.at++;
    data[0] = script.flags[i];
    packet->data = data;
    packet->size = 1;
    packet->pts = script.pts[i];
    packet->dts = script.dts[i];
    packet->flags = script.flags[i] & (AV_PKT_FLAG_KEY | AV_PKT_FLAG_CORRUPT | AV_PKT_FLAG_DISCARD);
    return 0;
}

void source_reopen(source *s)
{
    (void)s;
    script.at = 0;
}

int source_is_cut(const source *s, size_t n_read)
{
    return n_read > 0 && s->size == 1;
}

int av_seek_frame(AVFormatContext *s, int stream_index, int64_t timestamp, int flags)
{
    (void)s, (void)stream_index, (void)timestamp, (void)flags;
    const uint8_t byte = next();
    script.at = byte % (script.n_packets + 1);
    return byte < 200 ? 0 : AVERROR(EINVAL);
}

void avcodec_flush_buffers(AVCodecContext *c)
{
    (void)c;
    script.is_drained = 0;
}

int avcodec_send_packet(AVCodecContext *c, const AVPacket *packet)
{
    (void)c;
    script.is_drained |= packet == NULL;
    return next() < 220 ? 0 : AVERROR_INVALIDDATA;
}

int avcodec_receive_frame(AVCodecContext *c, AVFrame *frame)
{
    static const enum AVPixelFormat formats[] = {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ422P,
                                                 AV_PIX_FMT_RGB24, AV_PIX_FMT_GRAY8};
    (void)c;
    av_frame_unref(frame);
    const uint8_t byte = script.n_calls++ > most_calls ? 0 : next();
    if (byte == 0 || byte > 200)
        return script.is_drained ? AVERROR_EOF : AVERROR(EAGAIN);
    if (byte > 180)
        return AVERROR_INVALIDDATA;
    frame->width = next() % 40;
    frame->height = next() % 40;
    frame->format = formats[byte % 4];
    frame->colorspace = byte / 4;
    frame->color_range = byte % 3;
    frame->best_effort_timestamp = next_time();
    if (frame->width > 0 && frame->height > 0) {
        if (av_frame_get_buffer(frame, 0) < 0)
            abort();
        for (int i = 0; i < 4 && frame->buf[i]; i++)
            memset(frame->buf[i]->data, byte, (size_t)frame->buf[i]->size);
    }
    return 0;
}

/* ---- the target ---- */

typedef struct taken {
    pixels pixels;
    size_t n_shown;
    uint32_t next;
    unsigned rotation;
} taken;

static void take(void *user, const AVFrame *frame, uint32_t place)
{
    taken *t = user;
    volatile uint8_t sum = 0;
    pixels_of(&t->pixels, frame, t->rotation);
    for (size_t i = 0; i < (size_t)t->pixels.width * t->pixels.height * 3; i++)
        sum = (uint8_t)(sum + t->pixels.rgb[i]);
    if (place < t->next || place >= t->n_shown)
        abort();
    t->next = place + 1;
}

/* Also what a refusal left behind. */
static void free_all(packet_list *list, uint32_t *chosen, frames *f, pixels *p)
{
    av_packet_free(&f->packet);
    av_frame_free(&f->now);
    av_frame_free(&f->before);
    free(list->all);
    free(list->keys);
    free(list->shown);
    free(chosen);
    sws_freeContext(p->scaler);
    av_frame_free(&p->like);
    free(p->converted);
    free(p->turned);
}

static void decode(source *s, packet_list *list, uint32_t **chosen, frames *f, taken *t)
{
    const video_sampling sampling = {next() % 4, 1u + next() % 40};
    t->rotation = next() % 4 * 90;
    packets_read(list, s);
    t->n_shown = list->n_shown;
    *chosen = need_memory(list->n_shown, sizeof **chosen);
    const size_t n = video_choose(list->all, list->shown, list->n_shown, sampling, *chosen);
    *f = (frames){.s = s,
                  .list = list,
                  .chosen = *chosen,
                  .n_chosen = n,
                  .keys_alone = sampling.rule == VIDEO_KEYS,
                  .take = take,
                  .user = t};
    if (n > 0)
        frames_decode(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static packet_list list;
    static uint32_t *chosen;
    static frames f;
    static taken t;
    memset(&script, 0, sizeof script);
    memset(&list, 0, sizeof list);
    memset(&f, 0, sizeof f);
    memset(&t, 0, sizeof t);
    chosen = NULL;
    script.bytes = bytes;
    script.n = n;
    script.stream.codecpar = &script.parameters;
    script.parameters.codec_id = next() & 1 ? AV_CODEC_ID_VP8 : AV_CODEC_ID_H264;
    script.n_packets = next() % (most_packets + 1);
    for (int i = 0; i < script.n_packets; i++) {
        script.pts[i] = next_time();
        script.dts[i] = next_time();
        script.flags[i] = next();
    }
    source s = {&script.format, &script.decoder, &script.stream, NULL, 0, next() & 1};
    if (setjmp(script.end) == 0)
        decode(&s, &list, &chosen, &f, &t);
    free_all(&list, chosen, &f, &t.pixels);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl-video SAMPLING N <CLIP >PIPE: chosen frames of a clip (src/video/video.h says in which
 * form), decoded by FFmpeg's libraries in a process that is left with no more than it needs:
 * everything is opened and loaded, then limits are set, then the filter, and only then a byte of
 * the file is looked at.
 */
#include <errno.h>
#include <libavutil/log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "frames.h"
#include "pixels.h"
#include "refuse.h"
#include "video/video.h"
#include "video_limits.h"

typedef struct output {
    source source;
    packet_list list;
    pixels pixels;
    video_sampling sampling;
    uint32_t n_chosen;
    unsigned rotation;
} output;

static double seconds(const output *o, int64_t pts)
{
    return (double)pts * av_q2d(o->source.stream->time_base);
}

static int is_interlaced(const AVFrame *f)
{
#ifdef AV_FRAME_FLAG_INTERLACED /* since FFmpeg 6.1 */
    return (f->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return f->interlaced_frame;
#endif
}

static void put_info(const output *o, const AVFrame *f)
{
    const AVFormatContext *format = o->source.format;
    const packet_list *list = &o->list;
    const enum AVFieldOrder order = o->source.stream->codecpar->field_order;
    const int on_side = o->rotation % 180 != 0;
    AVRational sar = av_guess_sample_aspect_ratio(o->source.format, o->source.stream, NULL);
    if (f->sample_aspect_ratio.num > 0)
        sar = f->sample_aspect_ratio;
    if (sar.num <= 0 || sar.den <= 0)
        sar = (AVRational){1, 1};
    video_info info = {.magic = VIDEO_INFO_MAGIC,
                       .width = o->pixels.width,
                       .height = o->pixels.height,
                       .rotation = o->rotation,
                       .sar_num = (uint32_t)(on_side ? sar.den : sar.num),
                       .sar_den = (uint32_t)(on_side ? sar.num : sar.den),
                       .full_range = (uint32_t)pixels_full_range(f),
                       .interlaced = is_interlaced(f) || order > AV_FIELD_PROGRESSIVE,
                       .hdr = f->color_trc == AVCOL_TRC_SMPTE2084 ||
                              f->color_trc == AVCOL_TRC_ARIB_STD_B67,
                       .truncated = (uint32_t)list->is_truncated,
                       .n_packets = (uint32_t)list->n_shown,
                       .n_chosen = o->n_chosen,
                       .first = seconds(o, list->all[list->shown[0]].pts),
                       .last = seconds(o, list->all[list->shown[list->n_shown - 1]].pts)};
    snprintf(info.container, sizeof info.container, "%s", format->iformat->name);
    snprintf(info.codec, sizeof info.codec, "%s", avcodec_get_name(o->source.decoder->codec_id));
    snprintf(info.matrix, sizeof info.matrix, "%s", pixels_matrix(f));
    put(&info, sizeof info);
}

static void put_frame(void *user, const AVFrame *f, uint32_t place)
{
    output *o = user;
    const int is_first = !o->pixels.rgb;
    pixels_of(&o->pixels, f, o->rotation);
    if (is_first)
        put_info(o, f);
    const pixels *p = &o->pixels;
    const video_frame frame = {.magic = VIDEO_FRAME_MAGIC,
                               .number = place,
                               .width = p->width,
                               .height = p->height,
                               .pts = f->pts,
                               .seconds = seconds(o, f->pts)};
    put(&frame, sizeof frame);
    put(p->rgb, (size_t)p->width * p->height * 3);
}

static void decode(output *o, int64_t size)
{
    source_open(&o->source, size);
    o->rotation = source_rotation(&o->source);
    packets_read(&o->list, &o->source);
    if (o->list.n_shown == 0)
        refuse("empty", "no frame of video in it");
    uint32_t *chosen = need_memory(o->list.n_shown, sizeof *chosen);
    const size_t n = video_choose(o->list.all, o->list.shown, o->list.n_shown, o->sampling, chosen);
    if (n == 0)
        refuse("empty", "none of its %zu frames is a key frame", o->list.n_shown);
    o->n_chosen = (uint32_t)n;
    frames f = {.s = &o->source,
                .list = &o->list,
                .chosen = chosen,
                .n_chosen = n,
                .keys_alone = o->sampling.rule == VIDEO_KEYS,
                .take = put_frame,
                .user = o};
    frames_decode(&f);
    if (f.n_taken == 0)
        refuse("corrupt", "none of its %zu frames can be decoded", o->list.n_shown);
    const video_tail tail = {VIDEO_TAIL_MAGIC, f.n_taken, f.n_errors, f.n_decoded};
    put(&tail, sizeof tail);
}

/* Everything is loaded by now: nothing is opened any more. */
static int64_t confine(void)
{
    struct stat info;
    if (fstat(STDIN_FILENO, &info) != 0 || !S_ISREG(info.st_mode))
        die(EXIT_NO_INPUT, "standard input is not a regular file");
    if (dup2(STDIN_FILENO, SOURCE_FD) < 0)
        die(EXIT_INTERNAL, "cannot take the file: %s", strerror(errno));
    const confine_limits limits = video_limits(info.st_size, 1);
    int error = confine_resources(&limits);
    if (error != 0)
        die(EXIT_INTERNAL, "cannot limit resources: %s", strerror(error));
    tzset();                  /* dates in a file would ask for the time zone */
    signal(SIGXFSZ, SIG_IGN); /* an error code in place of a silent end */
    confine_self(video_work);
    return info.st_size;
}

int main(int argc, char **argv)
{
    static output o;
    const unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (argc != 3 || n > INT32_MAX || !video_sampling_parse(argv[1], (uint32_t)n, &o.sampling))
        die(2, "usage: mesocl-video time|number|key|every:N FRAMES <CLIP >PIPE    (see "
               "src/video/video.h)");
    av_log_set_level(AV_LOG_QUIET);
    decode(&o, confine());
    /* Everything is out; leave the tidying to the system. */
    _exit(0);
}

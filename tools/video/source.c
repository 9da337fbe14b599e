/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <iconv.h>
#include <libavutil/mem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "refuse.h"
#include "video/video.h"

enum { max_streams = 16, io_bytes = 1 << 16, probe_bytes = 5 << 20, probe_seconds = 5 };

static const char formats[] = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,flv";
static const char codecs[] =
    "h264,hevc,vp8,vp9,libdav1d,mpeg4,msmpeg4,mjpeg,prores,gif,mpeg1video,mpeg2video,h263,flv,"
    "vc1,wmv2,theora,ffv1,huffyuv,rawvideo,png";

/* In the C library's place: names of programs in a transport stream are of no use here, and to read
 * them in their character set would open files, which ends the process. */
__attribute__((visibility("default"))) iconv_t iconv_open(const char *to, const char *from)
{
    (void)to, (void)from;
    errno = EINVAL;
    return (iconv_t)-1;
}

static int read_bytes(void *user, uint8_t *bytes, int n)
{
    source *s = user;
    ssize_t got;
    do
        got = pread(SOURCE_FD, bytes, (size_t)n, s->position);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got < 0 ? AVERROR(errno) : AVERROR_EOF;
    s->position += got;
    return (int)got;
}

static int64_t seek_bytes(void *user, int64_t offset, int whence)
{
    source *s = user;
    int64_t from = 0;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE)
        return s->size;
    if (whence != SEEK_SET)
        from = whence == SEEK_CUR ? s->position : s->size;
    if (__builtin_add_overflow(from, offset, &from) || from < 0)
        return AVERROR(EINVAL);
    return s->position = from;
}

/* With the lists in place before the file is looked at: a playlist would open others. */
static AVDictionary *lists(void)
{
    AVDictionary *options = NULL;
    av_dict_set(&options, "format_whitelist", formats, 0);
    av_dict_set(&options, "codec_whitelist", codecs, 0);
    av_dict_set(&options, "protocol_whitelist", "none", 0);
    av_dict_set(&options, "enable_drefs", "0", 0);
    av_dict_set_int(&options, "max_streams", max_streams, 0);
    return options;
}

static _Noreturn void refuse_opening(int code)
{
    if (code == AVERROR(ENOMEM))
        refuse("too_large", "it asks for more memory, or for more than %d streams", max_streams);
    if (code == AVERROR(EINVAL))
        refuse("unsupported", "a format that MesoCL does not read clips from");
    if (code == AVERROR_EOF)
        refuse("truncated", "it ends within its header");
    refuse("unknown_format", "no clip that MesoCL knows: %s", av_err2str(code));
}

static void open_format(source *s)
{
    AVDictionary *options = lists();
    uint8_t *buffer = av_malloc(io_bytes);
    s->position = 0;
    s->format = avformat_alloc_context();
    s->io =
        buffer ? avio_alloc_context(buffer, io_bytes, 0, s, read_bytes, NULL, seek_bytes) : NULL;
    if (!s->format || !s->io)
        refuse_memory();
    s->format->pb = s->io;
    s->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    s->format->probesize = probe_bytes;
    s->format->max_analyze_duration = probe_seconds * (int64_t)AV_TIME_BASE;
    int code = avformat_open_input(&s->format, "", NULL, &options);
    av_dict_free(&options);
    if (code < 0)
        refuse_opening(code);
    if (s->format->nb_streams > max_streams)
        refuse("too_large", "it has %u streams; the limit is %d", s->format->nb_streams,
               max_streams);
}

/* Decoders run here, too, to see what packets do not say. */
static void find_details(source *s)
{
    AVDictionary *options[max_streams] = {NULL};
    const unsigned n = s->format->nb_streams;
    for (unsigned i = 0; i < n; i++)
        av_dict_set_int(&options[i], "max_pixels", VIDEO_MAX_PIXELS, 0);
    int code = avformat_find_stream_info(s->format, options);
    for (unsigned i = 0; i < n; i++)
        av_dict_free(&options[i]);
    if (code == AVERROR(ENOMEM))
        refuse_memory();
    if (code < 0)
        refuse("corrupt", "its streams cannot be told apart: %s", av_err2str(code));
}

static int is_video(const AVStream *stream)
{
    return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
           !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC);
}

/* As the head says, and again as the decoders found: those forget a size that is too large. */
static void check_sizes(const AVFormatContext *format)
{
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *c = format->streams[i]->codecpar;
        if (is_video(format->streams[i]) &&
            (c->width > VIDEO_MAX_SIDE || c->height > VIDEO_MAX_SIDE ||
             (int64_t)c->width * c->height > VIDEO_MAX_PIXELS))
            refuse("too_large", "%d x %d pixels; the limit is %d in all", c->width, c->height,
                   VIDEO_MAX_PIXELS);
    }
}

/* Of several the one of most pixels; of those the first. */
static AVStream *choose_stream(const AVFormatContext *format)
{
    AVStream *best = NULL;
    int64_t most = -1;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *c = format->streams[i]->codecpar;
        const int64_t pixels = (int64_t)c->width * c->height;
        if (is_video(format->streams[i]) && pixels > most) {
            best = format->streams[i];
            most = pixels;
        }
    }
    if (!best)
        refuse("no_video", "%u streams, none of them video", format->nb_streams);
    return best;
}

static void open_stream(source *s)
{
    open_format(s);
    check_sizes(s->format);
    find_details(s);
    check_sizes(s->format);
    s->stream = choose_stream(s->format);
    for (unsigned i = 0; i < s->format->nb_streams; i++)
        s->format->streams[i]->discard =
            s->format->streams[i] == s->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
}

static void open_decoder(source *s)
{
    const enum AVCodecID id = s->stream->codecpar->codec_id;
    const AVCodec *codec = avcodec_find_decoder(id);
    s->decoder = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!s->decoder)
        refuse("unsupported", "video by %s, for which there is no decoder", avcodec_get_name(id));
    AVCodecContext *d = s->decoder;
    d->thread_count = 1; /* 0 would ask how many processors there are */
    d->max_pixels = VIDEO_MAX_PIXELS;
    d->pkt_timebase = s->stream->time_base;
    d->codec_whitelist = av_strdup(codecs);
    if (!d->codec_whitelist || avcodec_parameters_to_context(d, s->stream->codecpar) < 0)
        refuse_memory();
    int code = avcodec_open2(d, codec, NULL);
    if (code == AVERROR(ENOMEM))
        refuse_memory();
    if (code < 0)
        refuse("unsupported", "video by %s: %s", avcodec_get_name(id),
               code == AVERROR(EINVAL) ? "not read by MesoCL" : av_err2str(code));
}

void source_open(source *s, int64_t size)
{
    *s = (source){.size = size};
    if (size == 0)
        refuse("empty", "the file has no bytes");
    open_stream(s);
    open_decoder(s);
}

void source_reopen(source *s)
{
    avformat_close_input(&s->format);
    av_freep(&s->io->buffer);
    avio_context_free(&s->io);
    open_stream(s);
}

int source_read(source *s, AVPacket *packet)
{
    int code;
    while ((code = av_read_frame(s->format, packet)) >= 0 &&
           packet->stream_index != s->stream->index)
        av_packet_unref(packet);
    return code;
}

/* Matroska's numbers: as many zero bits as bytes follow. −1: none, or all ones, "not known". */
static int64_t ebml_number(const uint8_t *bytes, size_t n, size_t *at)
{
    size_t length = 1;
    if (*at >= n || bytes[*at] == 0)
        return -1;
    while (!(bytes[*at] & (0x100u >> length)))
        length++;
    if (length > n - *at)
        return -1;
    uint64_t value = bytes[*at] & (0xffu >> length), unknown = 0xffu >> length;
    for (size_t i = 1; i < length; i++) {
        value = value << 8 | bytes[*at + i];
        unknown = unknown << 8 | 0xff;
    }
    *at += length;
    return value == unknown ? -1 : (int64_t)value;
}

/* A head, and the segment that holds all else. */
static int is_cut_matroska(int64_t size)
{
    static const uint8_t head_id[] = {0x1a, 0x45, 0xdf, 0xa3},
                         segment_id[] = {0x18, 0x53, 0x80, 0x67};
    uint8_t bytes[512];
    const ssize_t got = pread(SOURCE_FD, bytes, sizeof bytes, 0);
    const size_t n = got > 0 ? (size_t)got : 0;
    size_t at = sizeof head_id;
    if (n < at || memcmp(bytes, head_id, at) != 0)
        return 0;
    const int64_t head = ebml_number(bytes, n, &at);
    if (head < 0 || head > (int64_t)(n - at) - (int64_t)sizeof segment_id)
        return 0;
    at += (size_t)head;
    if (memcmp(bytes + at, segment_id, sizeof segment_id) != 0)
        return 0;
    at += sizeof segment_id;
    const int64_t segment = ebml_number(bytes, n, &at);
    return segment > size - (int64_t)at;
}

int source_is_cut(const source *s, size_t n_read)
{
    return (s->stream->nb_frames > 0 && s->stream->nb_frames > (int64_t)n_read) ||
           is_cut_matroska(s->size);
}

/* FFmpeg 6.1 moved a stream's side data. */
static const int32_t *display_matrix(const AVStream *stream)
{
#if LIBAVCODEC_VERSION_INT < AV_VERSION_INT(60, 31, 100)
    return (const int32_t *)av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
#else
    const AVCodecParameters *p = stream->codecpar;
    const AVPacketSideData *found = av_packet_side_data_get(
        p->coded_side_data, p->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return found ? (const int32_t *)found->data : NULL;
#endif
}

/* The matrix: a b, c d of 16.16 fixed point, by which (x, y) is shown at (a x + c y, b x + d y). */
unsigned source_rotation(const source *s)
{
    const int32_t *m = display_matrix(s->stream);
    const int32_t a = m ? m[0] : 1, b = m ? m[1] : 0, c = m ? m[3] : 0, d = m ? m[4] : 1;
    if (a != d || b != -(int64_t)c || (a == 0) == (b == 0))
        refuse("odd_rotation",
               "it is to be shown mirrored, or turned by no multiple of 90 degrees");
    if (a != 0)
        return a > 0 ? 0 : 180;
    return b > 0 ? 90 : 270;
}

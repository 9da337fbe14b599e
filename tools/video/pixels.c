/* SPDX-License-Identifier: Apache-2.0 */
#include "pixels.h"

#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <string.h>

#include "refuse.h"
#include "video/video.h"

/* How libavfilter reads a frame's tag: what it does not know, and no tag, is BT.601. */
static int matrix_of(const AVFrame *frame)
{
    const int tag = frame->colorspace;
    return tag < 1 || tag > 10 || tag == AVCOL_SPC_YCGCO ? AVCOL_SPC_BT470BG : tag;
}

const char *pixels_matrix(const AVFrame *frame)
{
    static const char *const names[] = {
        [AVCOL_SPC_BT709] = "bt709",         [AVCOL_SPC_FCC] = "fcc",
        [AVCOL_SPC_SMPTE240M] = "smpte240m", [AVCOL_SPC_BT2020_NCL] = "bt2020",
        [AVCOL_SPC_BT2020_CL] = "bt2020",
    };
    const int matrix = matrix_of(frame);
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    if (format && format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL))
        return "rgb";
    return (size_t)matrix < sizeof names / sizeof *names && names[matrix] ? names[matrix] : "bt601";
}

int pixels_full_range(const AVFrame *frame)
{
    switch (frame->format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ444P:
        return 1;
    default:
        return frame->color_range == AVCOL_RANGE_JPEG;
    }
}

static int is_like(const AVFrame *a, const AVFrame *b)
{
    return a->width == b->width && a->height == b->height && a->format == b->format &&
           a->colorspace == b->colorspace && a->color_range == b->color_range;
}

/* As libavfilter's scale does, which ffmpeg puts before its encoder. */
static void set_scaler(struct SwsContext *scaler, const AVFrame *f)
{
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {{"srcw", f->width},
                {"srch", f->height},
                {"src_format", f->format},
                {"dstw", f->width},
                {"dsth", f->height},
                {"dst_format", AV_PIX_FMT_RGB24},
                {"src_v_chr_pos", f->format == AV_PIX_FMT_YUV420P ? 128 : -513},
                {"sws_flags", SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        av_opt_set_int(scaler, rows[i].name, rows[i].value, 0);
}

static void make_scaler(pixels *p, const AVFrame *f)
{
    int *inverse, *table, from_full, to_full, brightness, contrast, saturation;
    sws_freeContext(p->scaler);
    av_frame_free(&p->like);
    p->like = av_frame_alloc();
    p->scaler = sws_alloc_context();
    if (!p->scaler || !p->like)
        refuse_memory();
    p->like->width = f->width;
    p->like->height = f->height;
    p->like->format = f->format;
    p->like->colorspace = f->colorspace;
    p->like->color_range = f->color_range;
    set_scaler(p->scaler, f);
    if (!sws_isSupportedInput(f->format) || sws_init_context(p->scaler, NULL, NULL) < 0)
        refuse("unsupported", "frames of %d x %d pixels in the format %s", f->width, f->height,
               av_get_pix_fmt_name(f->format) ? av_get_pix_fmt_name(f->format) : "?");
    if (sws_getColorspaceDetails(p->scaler, &inverse, &from_full, &table, &to_full, &brightness,
                                 &contrast, &saturation) < 0)
        return;
    if (f->color_range != AVCOL_RANGE_UNSPECIFIED)
        from_full = f->color_range == AVCOL_RANGE_JPEG;
    const int *matrix = sws_getCoefficients(matrix_of(f));
    sws_setColorspaceDetails(p->scaler, matrix, from_full, matrix, to_full, brightness, contrast,
                             saturation);
}

/* Room for what vector code writes behind a row, too. */
static uint8_t *room_for(const AVFrame *f)
{
    return need_memory((size_t)f->width * (size_t)f->height * 3 + 64, 1);
}

void pixels_turn(const uint8_t *from, unsigned width, unsigned height, unsigned rotation,
                 uint8_t *to)
{
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++, from += 3) {
            const size_t at = rotation == 90    ? x * height + (height - 1 - y)
                              : rotation == 270 ? (width - 1 - x) * height + y
                                                : (height - 1 - y) * width + (width - 1 - x);
            memcpy(to + 3 * at, from, 3);
        }
}

void pixels_of(pixels *p, const AVFrame *f, unsigned rotation)
{
    if (f->width <= 0 || f->height <= 0 || f->width > VIDEO_MAX_SIDE ||
        f->height > VIDEO_MAX_SIDE || (int64_t)f->width * f->height > VIDEO_MAX_PIXELS)
        refuse("too_large", "a frame of %d x %d pixels; the limit is %d in all", f->width,
               f->height, VIDEO_MAX_PIXELS);
    if (!p->like || !is_like(f, p->like)) {
        make_scaler(p, f);
        free(p->converted);
        free(p->turned);
        p->converted = room_for(f);
        p->turned = rotation ? room_for(f) : NULL;
    }
    uint8_t *const rows[4] = {p->converted};
    const int strides[4] = {3 * f->width};
    if (sws_scale(p->scaler, (const uint8_t *const *)f->data, f->linesize, 0, f->height, rows,
                  strides) < 0)
        refuse("corrupt", "a frame cannot be converted");
    const int is_on_side = rotation % 180 != 0;
    p->width = (unsigned)(is_on_side ? f->height : f->width);
    p->height = (unsigned)(is_on_side ? f->width : f->height);
    p->rgb = rotation ? p->turned : p->converted;
    if (rotation)
        pixels_turn(p->converted, (unsigned)f->width, (unsigned)f->height, rotation, p->turned);
}

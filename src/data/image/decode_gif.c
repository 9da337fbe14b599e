/* SPDX-License-Identifier: Apache-2.0
 *
 * GIF by giflib, where it was found at build time: the first frame on its canvas, as Pillow has it.
 * Transparency is dropped like any alpha: what no pixel covers has the transparent colour, else
 * that of index 0.
 */
#include "base/error.h"
#include "data/image/decode.h"

#ifdef MESO_GIF
#include <gif_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    meso_decode *decode;
    GifFileType *gif;
    size_t at;
    int ended;        /* more was wanted than there is */
    int outside;      /* the index around the frame */
    uint8_t *indices; /* of the frame */
    uint8_t colours[256][3];
} reader;

static int read_bytes(GifFileType *gif, GifByteType *to, int n)
{
    reader *from = gif->UserData;
    size_t left = from->decode->n - from->at, wanted = (size_t)n;
    from->ended |= wanted > left;
    if (wanted > left)
        wanted = left;
    memcpy(to, from->decode->bytes + from->at, wanted);
    from->at += wanted;
    return (int)wanted;
}

static meso_status refuse_code(const reader *from, int code)
{
    const char *text = GifErrorString(code);
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM)
        return meso_decode_no_memory(from->decode);
    return meso_decode_refuse(from->decode, from->ended ? MESO_IMAGE_TRUNCATED : MESO_IMAGE_CORRUPT,
                              "%s", text ? text : "damaged");
}

/* An extension in front of the frame; one kind of them names the transparent colour. */
static int read_extension(reader *from)
{
    GifByteType *block = NULL;
    int kind = 0, ok = DGifGetExtension(from->gif, &kind, &block);
    while (ok == GIF_OK && block) {
        if (kind == GRAPHICS_EXT_FUNC_CODE && block[0] == 4 && (block[1] & 1))
            from->outside = block[4];
        ok = DGifGetExtensionNext(from->gif, &block);
    }
    return ok;
}

/* Up to the pixels of the first frame. */
static meso_status find_frame(reader *from)
{
    GifRecordType kind = UNDEFINED_RECORD_TYPE;
    int ok = DGifGetRecordType(from->gif, &kind);
    while (ok == GIF_OK && kind == EXTENSION_RECORD_TYPE) {
        ok = read_extension(from);
        if (ok == GIF_OK)
            ok = DGifGetRecordType(from->gif, &kind);
    }
    if (ok == GIF_OK && kind != IMAGE_DESC_RECORD_TYPE)
        return meso_decode_refuse(from->decode, MESO_IMAGE_CORRUPT, "a GIF without a frame");
    if (ok == GIF_OK)
        ok = DGifGetImageDesc(from->gif);
    return ok == GIF_OK ? MESO_OK : refuse_code(from, from->gif->Error);
}

/* Colours that the map lacks are shades of grey, as where there is none. */
static void take_colours(reader *from)
{
    const ColorMapObject *map =
        from->gif->Image.ColorMap ? from->gif->Image.ColorMap : from->gif->SColorMap;
    for (int i = 0; i < 256; i++) {
        const int known = map && i < map->ColorCount;
        from->colours[i][0] = known ? map->Colors[i].Red : (uint8_t)i;
        from->colours[i][1] = known ? map->Colors[i].Green : (uint8_t)i;
        from->colours[i][2] = known ? map->Colors[i].Blue : (uint8_t)i;
    }
}

static meso_status read_indices(reader *from)
{
    static const struct {
        int first, step;
    } passes[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}, {0, 1}}; /* the last: not interlaced */
    const GifImageDesc *frame = &from->gif->Image;
    const int first_pass = frame->Interlace ? 0 : 4, end_pass = frame->Interlace ? 4 : 5;
    from->indices = malloc((size_t)frame->Width * (size_t)frame->Height);
    if (!from->indices)
        return meso_decode_no_memory(from->decode);
    for (int pass = first_pass; pass < end_pass; pass++)
        for (int y = passes[pass].first; y < frame->Height; y += passes[pass].step)
            if (DGifGetLine(from->gif, from->indices + (size_t)y * (size_t)frame->Width,
                            frame->Width) != GIF_OK)
                return refuse_code(from, from->gif->Error);
    return MESO_OK;
}

static void put_rows(const reader *from)
{
    meso_rows *rows = &from->decode->rows;
    const GifImageDesc *frame = &from->gif->Image;
    for (int y = 0; y < (int)from->decode->height; y++) {
        const int inside = y >= frame->Top && y - frame->Top < frame->Height;
        const uint8_t *line = from->indices + (inside ? y - frame->Top : 0) * (size_t)frame->Width;
        uint8_t *rgb = meso_rows_buffer(rows);
        for (int x = 0; x < (int)from->decode->width; x++) {
            const int here = inside && x >= frame->Left && x - frame->Left < frame->Width;
            memcpy(rgb + 3 * (size_t)x, from->colours[here ? line[x - frame->Left] : from->outside],
                   3);
        }
        meso_rows_put(rows, rgb);
    }
}

static meso_status read_picture(reader *from)
{
    const GifImageDesc *frame = &from->gif->Image;
    MESO_CHECK(find_frame(from));
    MESO_CHECK(
        meso_decode_check_size(from->decode, (uint64_t)frame->Width, (uint64_t)frame->Height));
    /* A frame that reaches beyond its canvas makes it larger. */
    const int right = frame->Left + frame->Width, bottom = frame->Top + frame->Height;
    const int width = from->gif->SWidth, height = from->gif->SHeight;
    MESO_CHECK(meso_decode_begin(from->decode, (uint64_t)(width > right ? width : right),
                                 (uint64_t)(height > bottom ? height : bottom)));
    take_colours(from);
    MESO_CHECK(read_indices(from));
    put_rows(from);
    return MESO_OK;
}

meso_status meso_decode_gif(meso_decode *decode)
{
    reader from = {.decode = decode};
    int code = 0;
    from.gif = DGifOpen(&from, read_bytes, &code);
    if (!from.gif)
        return refuse_code(&from, code);
    decode->status = read_picture(&from);
    free(from.indices);
    DGifCloseFile(from.gif, NULL);
    return decode->status;
}

void meso_library_gif(char text[MESO_LIBRARY_SIZE])
{
    snprintf(text, MESO_LIBRARY_SIZE, "giflib %d.%d.%d", GIFLIB_MAJOR, GIFLIB_MINOR,
             GIFLIB_RELEASE);
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * WebP by libwebp, where it was found at build time. Of animations the first frame; alpha is
 * dropped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/image/decode.h"

#ifdef MESO_WEBP
#include <webp/decode.h>

enum { FIRST_CHUNK = 12, CHUNK_HEADER = 8, FRAME_HEADER = 16 };

/* A RIFF file is a list of chunks: name, length, bytes, a filling byte where the length is odd. The
 * bytes of the first one of that name, NULL where there is none. */
static const uint8_t *find_chunk(const meso_decode *decode, const char *name, size_t *length)
{
    size_t at = FIRST_CHUNK;
    while (at <= decode->n && decode->n - at >= CHUNK_HEADER) {
        *length = meso_little32(decode->bytes + at + 4);
        if (*length > decode->n - at - CHUNK_HEADER)
            break;
        if (memcmp(decode->bytes + at, name, 4) == 0)
            return decode->bytes + at + CHUNK_HEADER;
        at += CHUNK_HEADER + *length + (*length & 1);
    }
    return NULL;
}

static int orientation_of(const meso_decode *decode)
{
    size_t length;
    const uint8_t *exif = find_chunk(decode, "EXIF", &length);
    return exif ? meso_exif_orientation(exif, length) : 1;
}

static meso_status refuse_code(meso_decode *decode, VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return meso_decode_no_memory(decode);
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return meso_decode_refuse(decode, MESO_IMAGE_TRUNCATED, "the file ends after %zu bytes",
                                  decode->n);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED,
                                  "a WebP feature that libwebp does not read");
    default:
        return meso_decode_refuse(decode, MESO_IMAGE_CORRUPT, "libwebp reports code %d", (int)code);
    }
}

/* A still, or the first frame of an animation on its canvas, which is black. */
typedef struct still {
    const uint8_t *bytes;
    size_t n, x, y;
} still;

static size_t little24(const uint8_t *p)
{
    return meso_little16(p) | (size_t)p[2] << 16;
}

static meso_status find_frame(meso_decode *decode, WebPDecoderConfig *config, still *frame)
{
    const unsigned width = (unsigned)config->input.width, height = (unsigned)config->input.height;
    size_t n = 0;
    const uint8_t *chunk = find_chunk(decode, "ANMF", &n);
    if (!chunk || n < FRAME_HEADER)
        return meso_decode_refuse(decode, MESO_IMAGE_CORRUPT, "an animated WebP without a frame");
    *frame = (still){chunk + FRAME_HEADER, n - FRAME_HEADER, 2 * little24(chunk),
                     2 * little24(chunk + 3)};
    VP8StatusCode code = WebPGetFeatures(frame->bytes, frame->n, &config->input);
    if (code != VP8_STATUS_OK)
        return refuse_code(decode, code);
    if (frame->x + (size_t)config->input.width > width ||
        frame->y + (size_t)config->input.height > height)
        return meso_decode_refuse(decode, MESO_IMAGE_CORRUPT, "a frame beyond its canvas");
    return MESO_OK;
}

static meso_status read_picture(meso_decode *decode, WebPDecoderConfig *config, const still *frame)
{
    meso_rows *rows = &decode->rows;
    const size_t stride = (size_t)decode->width * 3, n = stride * decode->height;
    const size_t corner = frame->y * stride + frame->x * 3;
    uint8_t *picture = rows->direct ? rows->out : malloc(n);
    if (!picture)
        return meso_decode_no_memory(decode);
    if (frame->bytes != decode->bytes)
        memset(picture, 0, n);
    config->output.colorspace = MODE_RGB;
    config->output.is_external_memory = 1;
    config->output.u.RGBA =
        (WebPRGBABuffer){.rgba = picture + corner, .stride = (int)stride, .size = n - corner};
    VP8StatusCode code = WebPDecode(frame->bytes, frame->n, config);
    WebPFreeDecBuffer(&config->output);
    if (!rows->direct) {
        for (unsigned y = 0; code == VP8_STATUS_OK && y < decode->height; y++)
            meso_rows_put(rows, picture + y * stride);
        free(picture);
    }
    return code == VP8_STATUS_OK ? MESO_OK : refuse_code(decode, code);
}

meso_status meso_decode_webp(meso_decode *decode)
{
    WebPDecoderConfig config;
    still frame = {decode->bytes, decode->n, 0, 0};
    if (!WebPInitDecoderConfig(&config))
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "libwebp of another version");
    size_t riff_bytes = meso_little32(decode->bytes + 4) + (size_t)CHUNK_HEADER;
    if (riff_bytes > decode->n)
        return meso_decode_refuse(decode, MESO_IMAGE_TRUNCATED, "%zu of %zu bytes", decode->n,
                                  riff_bytes);
    VP8StatusCode code = WebPGetFeatures(decode->bytes, decode->n, &config.input);
    if (code != VP8_STATUS_OK)
        return refuse_code(decode, code);
    const uint64_t width = (uint64_t)config.input.width, height = (uint64_t)config.input.height;
    if (config.input.has_animation)
        MESO_CHECK(find_frame(decode, &config, &frame));
    decode->orientation = orientation_of(decode);
    MESO_CHECK(meso_decode_begin(decode, width, height));
    return read_picture(decode, &config, &frame);
}

void meso_library_webp(char text[MESO_LIBRARY_SIZE])
{
    unsigned version = (unsigned)WebPGetDecoderVersion();
    snprintf(text, MESO_LIBRARY_SIZE, "libwebp %u.%u.%u", version >> 16 & 255, version >> 8 & 255,
             version & 255);
}

#endif

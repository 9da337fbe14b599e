/* SPDX-License-Identifier: Apache-2.0
 *
 * WebP by libwebp, where it was found at build time. Stills only; alpha is dropped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/image/decode.h"
#include "data/image/exif.h"

#ifdef MESO_WEBP
#include <webp/decode.h>

enum { FIRST_CHUNK = 12, CHUNK_HEADER = 8 };

/* A RIFF file is a list of chunks: name, length, bytes, a filling byte where the length is odd. */
static int orientation_of(const meso_decode *decode)
{
    size_t at = FIRST_CHUNK;
    while (at <= decode->n && decode->n - at >= CHUNK_HEADER) {
        size_t length = meso_little32(decode->bytes + at + 4);
        if (length > decode->n - at - CHUNK_HEADER)
            break;
        if (memcmp(decode->bytes + at, "EXIF", 4) == 0)
            return meso_exif_orientation(decode->bytes + at + CHUNK_HEADER, length);
        at += CHUNK_HEADER + length + (length & 1);
    }
    return 1;
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

static meso_status read_picture(meso_decode *decode, WebPDecoderConfig *config)
{
    meso_rows *rows = &decode->rows;
    size_t stride = (size_t)decode->width * 3;
    uint8_t *picture = rows->direct ? rows->out : malloc(stride * decode->height);
    if (!picture)
        return meso_decode_no_memory(decode);
    config->output.colorspace = MODE_RGB;
    config->output.is_external_memory = 1;
    config->output.u.RGBA =
        (WebPRGBABuffer){.rgba = picture, .stride = (int)stride, .size = stride * decode->height};
    VP8StatusCode code = WebPDecode(decode->bytes, decode->n, config);
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
    if (!WebPInitDecoderConfig(&config))
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "libwebp of another version");
    size_t riff_bytes = meso_little32(decode->bytes + 4) + (size_t)CHUNK_HEADER;
    if (riff_bytes > decode->n)
        return meso_decode_refuse(decode, MESO_IMAGE_TRUNCATED, "%zu of %zu bytes", decode->n,
                                  riff_bytes);
    VP8StatusCode code = WebPGetFeatures(decode->bytes, decode->n, &config.input);
    if (code != VP8_STATUS_OK)
        return refuse_code(decode, code);
    if (config.input.has_animation)
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "an animated WebP image");
    decode->orientation = orientation_of(decode);
    if (meso_decode_begin(decode, (uint64_t)config.input.width, (uint64_t)config.input.height) !=
        MESO_OK)
        return decode->status;
    return read_picture(decode, &config);
}

const char *meso_decode_webp_version(char text[16])
{
    unsigned version = (unsigned)WebPGetDecoderVersion();
    snprintf(text, 16, "%u.%u.%u", version >> 16 & 255, version >> 8 & 255, version & 255);
    return text;
}

#else

meso_status meso_decode_webp(meso_decode *decode)
{
    return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED,
                              "a WebP image; this MesoCL was built without libwebp");
}

const char *meso_decode_webp_version(char text[16])
{
    text[0] = '\0';
    return text;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * PPM and PGM (P6, P5), with samples of one or two bytes. Samples are scaled to 0…255 as Pillow
 * (9.4, PpmImagePlugin.py) does it: round(value / white · 255), halves to even, at most 255. Grey
 * of two bytes is scaled likewise, where Pillow saturates it to white.
 */
#include <math.h>
#include <string.h>

#include "data/image/decode.h"

typedef struct pnm {
    uint64_t width, height, white;
    size_t channels, sample_bytes;
    size_t pixels_at; /* offset of the first row */
} pnm;

/* Reads one number of the header, behind blanks and comments. Returns 0 where there is none. */
static int read_number(const meso_decode *decode, size_t *at, uint64_t *value)
{
    const uint8_t *b = decode->bytes;
    size_t i = *at;
    while (i < decode->n && (b[i] == '#' || (b[i] && strchr(" \t\r\n\v\f", b[i])))) {
        if (b[i] == '#')
            while (i < decode->n && b[i] != '\n' && b[i] != '\r')
                i++;
        else
            i++;
    }
    size_t first = i;
    for (*value = 0; i < decode->n && b[i] >= '0' && b[i] <= '9'; i++)
        if (*value < UINT32_MAX) /* which is too large for all of them */
            *value = *value * 10 + (b[i] - '0');
    *at = i;
    return i > first;
}

static meso_status read_header(meso_decode *decode, pnm *p)
{
    const char kind = (char)decode->bytes[1];
    size_t at = 2;
    if (kind != '5' && kind != '6')
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "a PNM file of type P%c", kind);
    if (!read_number(decode, &at, &p->width) || !read_number(decode, &at, &p->height) ||
        !read_number(decode, &at, &p->white))
        return meso_decode_refuse(decode,
                                  at >= decode->n ? MESO_IMAGE_TRUNCATED : MESO_IMAGE_CORRUPT,
                                  "the PNM header lacks a number at byte %zu", at);
    if (p->white < 1 || p->white > 65535)
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "a PNM file with %llu for white",
                                  (unsigned long long)p->white);
    p->channels = kind == '6' ? 3 : 1;
    p->sample_bytes = p->white > 255 ? 2 : 1;
    p->pixels_at = at + 1; /* one blank */
    return meso_decode_check_size(decode, p->width, p->height);
}

static uint8_t level_of(const uint8_t *sample, const pnm *p)
{
    const unsigned value = p->sample_bytes == 1 ? sample[0] : (unsigned)sample[0] << 8 | sample[1];
    return (uint8_t)fmin(255, nearbyint(value / (double)p->white * 255));
}

meso_status meso_decode_pnm(meso_decode *decode)
{
    pnm p = {0};
    if (read_header(decode, &p) != MESO_OK)
        return decode->status;
    const size_t pixel_bytes = p.channels * p.sample_bytes;
    if (p.pixels_at > decode->n || p.width * p.height * pixel_bytes > decode->n - p.pixels_at)
        return meso_decode_refuse(decode, MESO_IMAGE_TRUNCATED, "the file ends after %zu bytes",
                                  decode->n);
    if (meso_decode_begin(decode, p.width, p.height) != MESO_OK)
        return decode->status;
    const uint8_t *pixel = decode->bytes + p.pixels_at;
    for (size_t y = 0; y < p.height; y++) {
        uint8_t *rgb = meso_rows_buffer(&decode->rows);
        for (size_t x = 0; x < p.width; x++, pixel += pixel_bytes)
            for (size_t c = 0; c < 3; c++)
                rgb[3 * x + c] = level_of(pixel + c % p.channels * p.sample_bytes, &p);
        meso_rows_put(&decode->rows, rgb);
    }
    return MESO_OK;
}

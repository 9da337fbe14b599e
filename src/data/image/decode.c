/* SPDX-License-Identifier: Apache-2.0 */
#include "data/image/decode.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

/* One row per refusal: its fixed name and the status of a call that ends with it. */
static const struct {
    const char *name;
    meso_status status;
} refusals[] = {
    [MESO_IMAGE_OK] = {"ok", MESO_OK},
    [MESO_IMAGE_NOT_REGULAR] = {"not_regular", MESO_ERROR_NO_INPUT},
    [MESO_IMAGE_PERMISSION] = {"permission", MESO_ERROR_NO_INPUT},
    [MESO_IMAGE_VANISHED] = {"vanished", MESO_ERROR_NO_INPUT},
    [MESO_IMAGE_IO] = {"io", MESO_ERROR_IO},
    [MESO_IMAGE_EMPTY] = {"empty", MESO_ERROR_DATA},
    [MESO_IMAGE_UNKNOWN_FORMAT] = {"unknown_format", MESO_ERROR_DATA},
    [MESO_IMAGE_UNSUPPORTED] = {"unsupported", MESO_ERROR_DATA},
    [MESO_IMAGE_TRUNCATED] = {"truncated", MESO_ERROR_DATA},
    [MESO_IMAGE_CORRUPT] = {"corrupt", MESO_ERROR_DATA},
    [MESO_IMAGE_TOO_LARGE] = {"too_large", MESO_ERROR_DATA},
    [MESO_IMAGE_ODD_SIZE] = {"odd_size", MESO_ERROR_DATA},
};
enum { N_REFUSALS = sizeof refusals / sizeof refusals[0] };

const char *meso_refusal_name(meso_refusal refusal)
{
    return (unsigned)refusal < N_REFUSALS ? refusals[refusal].name : "unknown refusal";
}

meso_status meso_decode_refuse(meso_decode *decode, meso_refusal refusal, const char *format, ...)
{
    char sentence[MESO_ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    decode->refusal = refusal;
    decode->status = meso_fail(decode->error, refusals[refusal].status, "%s: %s: %s", decode->name,
                               refusals[refusal].name, sentence);
    return decode->status;
}

meso_status meso_decode_no_memory(meso_decode *decode)
{
    decode->status = meso_fail(decode->error, MESO_ERROR_MEMORY, "%s: out of memory", decode->name);
    return decode->status;
}

meso_status meso_decode_check_size(meso_decode *decode, uint64_t width, uint64_t height)
{
    unsigned long long w = width, h = height, limit = decode->options.max_pixels;
    if (w == 0 || h == 0)
        return meso_decode_refuse(decode, MESO_IMAGE_ODD_SIZE, "%llu x %llu pixels", w, h);
    if (w > MESO_IMAGE_MAX_SIDE || h > MESO_IMAGE_MAX_SIDE)
        return meso_decode_refuse(decode, MESO_IMAGE_ODD_SIZE,
                                  "%llu x %llu pixels; a side may have at most %d", w, h,
                                  MESO_IMAGE_MAX_SIDE);
    if (w * h > limit)
        return meso_decode_refuse(decode, MESO_IMAGE_TOO_LARGE,
                                  "%llu x %llu pixels; the limit is %llu pixels", w, h, limit);
    return MESO_OK;
}

meso_status meso_decode_begin(meso_decode *decode, uint64_t width, uint64_t height)
{
    if (meso_decode_check_size(decode, width, height) != MESO_OK)
        return decode->status;
    decode->width = (unsigned)width;
    decode->height = (unsigned)height;
    if (meso_rows_begin(&decode->rows, decode->width, decode->height,
                        decode->options.exif_orient ? decode->orientation : 1,
                        decode->options.width, decode->options.height,
                        decode->options.into) != MESO_OK)
        return meso_decode_no_memory(decode);
    return MESO_OK;
}

void meso_rgb_of_inverted_cmyk(const uint8_t *cmyk, uint8_t *rgb, unsigned width)
{
    for (unsigned x = 0; x < width; x++, cmyk += 4, rgb += 3)
        for (unsigned c = 0; c < 3; c++) {
            unsigned product = (255u - cmyk[c]) * cmyk[3] + 128;
            rgb[c] = (uint8_t)(cmyk[3] - ((product + (product >> 8)) >> 8));
        }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What every decoder is given and does alike. The decoders are decode_jpeg.c, decode_png.c,
 * decode_stb.c (BMP), decode_pnm.c and, where their libraries were found at build time,
 * decode_webp.c, decode_gif.c and decode_tiff.c; exif.c knows which way up a picture is.
 *
 * A decoder calls meso_decode_begin() once it knows the picture's size, then for each row from the
 * top: it writes RGB to meso_rows_buffer() and calls meso_rows_put().
 */
#ifndef MESO_DATA_DECODE_H
#define MESO_DATA_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "data/image/resize.h"
#include "mesocl/image.h"

enum { MESO_IMAGE_MAX_SIDE = 65535 };

/* One decoding. */
typedef struct meso_decode {
    const uint8_t *bytes;
    size_t n;
    const char *name;           /* printable */
    meso_image_options options; /* max_pixels filled in */
    meso_error *error;
    meso_status status; /* here, not in a local variable: it outlives a longjmp() */
    meso_refusal refusal;
    unsigned width; /* as stored */
    unsigned height;
    int orientation;
    int suspect;
    meso_rows rows;
} meso_decode;

/* Refuses sizes over the limits. */
meso_status meso_decode_check_size(meso_decode *decode, uint64_t width, uint64_t height);

/* The same, then prepares the rows. orientation must be set by then. */
meso_status meso_decode_begin(meso_decode *decode, uint64_t width, uint64_t height);

/* Records why the image is not used, as "name: reason: sentence". Returns the status, for `return`.
 */
meso_status meso_decode_refuse(meso_decode *decode, meso_refusal refusal, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
meso_status meso_decode_no_memory(meso_decode *decode);

meso_status meso_decode_jpeg(meso_decode *decode);
meso_status meso_decode_png(meso_decode *decode);
meso_status meso_decode_bmp(meso_decode *decode);
meso_status meso_decode_pnm(meso_decode *decode);
meso_status meso_decode_webp(meso_decode *decode);
meso_status meso_decode_gif(meso_decode *decode);
meso_status meso_decode_tiff(meso_decode *decode);

/* Which library reads it, such as "libpng 1.6.39". */
enum { MESO_LIBRARY_SIZE = 32 };
void meso_library_jpeg(char text[MESO_LIBRARY_SIZE]);
void meso_library_png(char text[MESO_LIBRARY_SIZE]);
void meso_library_bmp(char text[MESO_LIBRARY_SIZE]);
void meso_library_webp(char text[MESO_LIBRARY_SIZE]);
void meso_library_gif(char text[MESO_LIBRARY_SIZE]);
void meso_library_tiff(char text[MESO_LIBRARY_SIZE]);

/* As Pillow: inverted values are 255 − ink; RGB is the rounded product of each with black. */
void meso_rgb_of_inverted_cmyk(const uint8_t *cmyk, uint8_t *rgb, unsigned width);

static inline uint32_t meso_little16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}
static inline uint32_t meso_little32(const uint8_t *p)
{
    return meso_little16(p) | meso_little16(p + 2) << 16;
}
static inline uint32_t meso_big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The orientation (1–8) in n bytes of EXIF, with or without the "Exif" prefix; 1 where there is
 * none. */
int meso_exif_orientation(const uint8_t *bytes, size_t n);

#endif

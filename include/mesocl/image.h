/* SPDX-License-Identifier: Apache-2.0
 *
 * Image files to 8-bit RGB, and NEAREST resizing, bit for bit as Pillow 9.4's
 * Image.open(f).convert('RGB').resize(size, NEAREST).
 *
 * The format is detected from the content, never from the file's name: JPEG (libjpeg-turbo), PNG
 * (libpng), BMP (stb_image), PPM/PGM, and where their libraries were found at build time WebP
 * (libwebp), GIF (giflib) and TIFF (libtiff). Of several pictures the first is taken. Alpha is
 * dropped, palettes and grey are expanded, CMYK and YCCK converted. Two differences from Pillow:
 * 16-bit grey is reduced to 8 bits (Pillow saturates it to white), and damaged files are
 * refused (Pillow fills in the rest).
 *
 * These calls decode in the calling process. The programs of MesoCL decode in confined children; a
 * program of your own that takes files from strangers should call these in one, too.
 */
#ifndef MESOCL_IMAGE_H
#define MESOCL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why an image was not used. The names are fixed: reports and scripts rely on them. */
typedef enum meso_refusal {
    MESO_IMAGE_OK = 0,
    MESO_IMAGE_NOT_REGULAR,    /* "not_regular": a folder, FIFO, socket, device */
    MESO_IMAGE_PERMISSION,     /* "permission" */
    MESO_IMAGE_VANISHED,       /* "vanished": not there (any more) */
    MESO_IMAGE_IO,             /* "io": reading failed */
    MESO_IMAGE_EMPTY,          /* "empty": no bytes */
    MESO_IMAGE_UNKNOWN_FORMAT, /* "unknown_format": no image that MesoCL knows */
    MESO_IMAGE_UNSUPPORTED,    /* "unsupported": a known format in a form that is not read */
    MESO_IMAGE_TRUNCATED,      /* "truncated": ends too early */
    MESO_IMAGE_CORRUPT,        /* "corrupt": a checksum or the structure is wrong */
    MESO_IMAGE_TOO_LARGE,      /* "too_large": more pixels or bytes than allowed */
    MESO_IMAGE_ODD_SIZE        /* "odd_size": a side of no pixels, or over 65,535 */
} meso_refusal;

/* "ok", "not_regular", … as above; never NULL. */
MESO_API const char *meso_refusal_name(meso_refusal refusal);

/* How to decode. Start from MESO_INIT(meso_image_options), then change what is needed. */
typedef struct meso_image_options {
    size_t struct_bytes; /* sizeof(meso_image_options) */
    unsigned width;      /* resize to width × height by NEAREST; 0 keeps the picture's own size */
    unsigned height;
    uint64_t max_pixels; /* refuse larger pictures as too_large; 0 means 8192² */
    int exif_orient;     /* 1: turn as the EXIF orientation says (Keras and Pillow do not) */
    uint8_t *into; /* write the picture here, [height][width][3] of the sizes above, which must
                      not be 0; undefined after an error. NULL: memory of its own */
} meso_image_options;

/* Start from MESO_INIT(meso_image). */
typedef struct meso_image {
    size_t struct_bytes;
    uint8_t *rgb;   /* [height][width][3], rows without gaps; NULL where options.into took them */
    unsigned width; /* after resizing and turning */
    unsigned height;
    unsigned file_width; /* as stored in the file */
    unsigned file_height;
    const char *format;   /* "jpeg", "png", "bmp", "pnm", "webp", "gif", "tiff" */
    int exif_orientation; /* 1–8; 1 where the file has none */
    int suspect; /* 1: decoded, but the decoder warned of something other than truncation */
} meso_image;

/* Reads the file at path, which is never opened blocking. options: NULL for the defaults.
 * image->rgb is the caller's: give it to meso_image_free(). The refusal's reason comes back as
 * *refusal (NULL is allowed), the sentence in error. Errors: NO_INPUT (not_regular, permission,
 * vanished), IO (io), DATA (all other refusals), MEMORY. */
MESO_API meso_status meso_image_load(const char *path, const meso_image_options *options,
                                     meso_image *image, meso_refusal *refusal, meso_error *error);

/* The same from n bytes in memory. name stands in messages; NULL is allowed. */
MESO_API meso_status meso_image_decode(const void *bytes, size_t n, const char *name,
                                       const meso_image_options *options, meso_image *image,
                                       meso_refusal *refusal, meso_error *error);

MESO_API void
meso_image_free(meso_image *image); /* frees rgb and zeroes the struct; NULL allowed */

/* NEAREST: out[y][x] = in[⌊(2y+1)·in_height / (2·out_height)⌋][the same in x], which equals
 * Pillow's ⌊(x + 0.5) · in / out⌋. in: rows of row_stride bytes, RGB; out:
 * [out_height][out_width][3]. */
MESO_API void meso_resize_nearest_rgb8(const uint8_t *in, unsigned in_width, unsigned in_height,
                                       size_t row_stride, uint8_t *out, unsigned out_width,
                                       unsigned out_height);

/* "libjpeg-turbo 2.1.5, libpng 1.6.39, stb_image 2.27, libwebp 1.2.4, giflib 5.2.1, libtiff 4.5.0":
 * for provenance. */
MESO_API const char *meso_image_decoders(void);

#ifdef __cplusplus
}
#endif
#endif

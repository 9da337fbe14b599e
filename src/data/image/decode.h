/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the parts of the image reader: what a decoder is given, and the sink it feeds with rows.
 *
 * A decoder calls meso_decode_begin() once it knows the picture's size, then for each row from the
 * top: it writes RGB to meso_rows_buffer() and calls meso_rows_put(). The sink keeps only the
 * pixels that the result needs, so that memory does not grow with the picture.
 */
#ifndef MESO_DATA_DECODE_H
#define MESO_DATA_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/image.h"

enum { MESO_IMAGE_MAX_SIDE = 65535 };

/* The first half of meso_image_load: the file's bytes, to free(), within the limit for files. */
meso_status meso_image_read(const char *path, void **bytes, size_t *n, meso_refusal *refusal,
                            meso_error *error);

/* Where the rows of a picture go: turned and sampled into out. */
typedef struct meso_rows {
    uint8_t *out; /* [out_height][out_width][3] */
    int borrowed; /* out is the caller's memory */
    unsigned out_width;
    unsigned out_height;
    unsigned in_width;
    int direct;          /* out is the picture itself: decoders write into it */
    uint8_t *line_block; /* one source row and a byte before it, unless direct */
    uint32_t *row_of;    /* [n_rows] source row of each step along the row axis, ascending */
    uint32_t *column_of; /* [n_columns] source byte offset of each step along the column axis */
    unsigned n_rows;
    unsigned n_columns;
    uint8_t *start;     /* where step (0, 0) is in out */
    ptrdiff_t row_step; /* bytes in out from one step to the next */
    ptrdiff_t column_step;
    unsigned y;    /* the next source row */
    unsigned next; /* the next step along the row axis */
} meso_rows;

/* Prepares rows for a picture of width × height that orientation (EXIF, 1–8) turns, and that is
 * then resized to out_width × out_height (0: as turned), into memory of that size (NULL: its own).
 * Errors: MEMORY (rows is then empty). */
meso_status meso_rows_begin(meso_rows *rows, unsigned width, unsigned height, int orientation,
                            unsigned out_width, unsigned out_height, uint8_t *into);
uint8_t *meso_rows_take(meso_rows *rows);                /* out if it is rows' own, else NULL */
uint8_t *meso_rows_buffer(meso_rows *rows);              /* for the next row, in_width × 3 bytes */
void meso_rows_put(meso_rows *rows, const uint8_t *rgb); /* that buffer, or the caller's own row */
void meso_rows_end(meso_rows *rows);                     /* frees all that was not taken */

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

/* "2.27", and libwebp's version ("" where it was not found at build time). */
const char *meso_decode_stb_version(void);
const char *meso_decode_webp_version(char text[16]);

/* What a file is, by its first bytes. */
typedef enum meso_format {
    MESO_FORMAT_UNKNOWN, /* not an image */
    MESO_FORMAT_OTHER,   /* an image of a format that MesoCL does not read */
    MESO_FORMAT_JPEG,
    MESO_FORMAT_PNG,
    MESO_FORMAT_BMP,
    MESO_FORMAT_PNM,
    MESO_FORMAT_WEBP
} meso_format;

/* *what becomes a noun for messages ("a GIF image"), or NULL where nothing is known. */
meso_format meso_sniff(const uint8_t *bytes, size_t n, const char **what);

/* The orientation (1–8) in n bytes of EXIF, with or without the "Exif" prefix; 1 where there is
 * none. */
int meso_exif_orientation(const uint8_t *bytes, size_t n);

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

#endif

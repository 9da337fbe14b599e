/* SPDX-License-Identifier: Apache-2.0
 *
 * PNG by libpng: every checksum is checked, colour profiles and gamma are ignored as Pillow does.
 */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/image/decode.h"

enum {
    SIGNATURE_BYTES = 8,
    CHUNK_OVERHEAD = 12,    /* length, type, checksum */
    IHDR_END = 8 + 12 + 13, /* the first chunk holds the size */
    ROW_SLACK = 64 << 10,   /* compressed bytes for a row, beyond twice its size */
    MAX_CHUNK_BYTES =
        8 * 1000000, /* what libpng may allocate for one chunk; libpng's own default */
};

typedef struct reader {
    meso_decode *decode;
    png_structp png;
    png_infop info;
    jmp_buf jump;
    size_t at;           /* read so far */
    size_t row_at;       /* the same when the current row began */
    size_t row_limit;    /* what a row may take; 0 where no row is being read */
    meso_refusal reason; /* of the next error */
    int out_of_memory;
    uint8_t *picture; /* all rows of an interlaced picture */
} reader;

static void on_error(png_structp png, png_const_charp message)
{
    reader *from = png_get_error_ptr(png);
    if (from->out_of_memory)
        meso_decode_no_memory(from->decode);
    else
        meso_decode_refuse(from->decode, from->reason, "%s", message);
    longjmp(from->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    reader *from = png_get_error_ptr(png);
    (void)message;
    from->decode->suspect = 1;
}

static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
    reader *from = png_get_mem_ptr(png);
    void *block = malloc(bytes);
    from->out_of_memory |= !block;
    return block;
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    free(block);
}

_Noreturn static void fail(reader *from, meso_refusal reason, const char *message)
{
    from->reason = reason;
    png_error(from->png, message);
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    reader *from = png_get_io_ptr(png);
    if (n > from->decode->n - from->at)
        fail(from, MESO_IMAGE_TRUNCATED, "the file ends too early");
    memcpy(to, from->decode->bytes + from->at, n);
    from->at += n;
    /* With the last row libpng inflates all that is left: a gigabyte, if someone meant harm. */
    if (from->row_limit && from->at - from->row_at > from->row_limit)
        fail(from, MESO_IMAGE_TOO_LARGE, "far more data than the picture has pixels");
}

/* Steps to the chunk at *at, whose length and type are then known, and on to the next. Returns NULL
 * where the file ends before the chunk does. */
static const uint8_t *next_chunk(const meso_decode *decode, size_t *at, size_t *length)
{
    const uint8_t *chunk = decode->bytes + *at;
    if (decode->n - *at < CHUNK_OVERHEAD)
        return NULL;
    *length = meso_big32(chunk);
    if (*length > decode->n - *at - CHUNK_OVERHEAD)
        return NULL;
    *at += CHUNK_OVERHEAD + *length;
    return chunk;
}

/* libpng would meet eXIf while reading, perhaps behind the pixels; the orientation is needed
 * before. */
static int orientation_of(const meso_decode *decode)
{
    size_t at = SIGNATURE_BYTES, length;
    const uint8_t *chunk;
    while ((chunk = next_chunk(decode, &at, &length)))
        if (memcmp(chunk + 4, "eXIf", 4) == 0)
            return meso_exif_orientation(chunk + 8, length);
    return 1;
}

static void configure(reader *from)
{
    png_set_read_fn(from->png, from, read_bytes);
    png_set_user_limits(from->png, MESO_IMAGE_MAX_SIDE, MESO_IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(from->png, MAX_CHUNK_BYTES);
    png_set_crc_action(from->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    /* Texts, profiles and so on: their checksums are checked, their content is not looked at. */
    png_set_keep_unknown_chunks(from->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

/* Colours that the palette lacks are what Pillow's palettes start with: shades of grey. */
static void fill_palette(reader *from)
{
    png_color filled[PNG_MAX_PALETTE_LENGTH];
    png_colorp palette = NULL;
    int n = 0, most = 1 << png_get_bit_depth(from->png, from->info);
    png_get_PLTE(from->png, from->info, &palette, &n);
    for (int i = 0; i < most; i++)
        filled[i] = i < n ? palette[i] : (png_color){(png_byte)i, (png_byte)i, (png_byte)i};
    png_set_PLTE(from->png, from->info, filled, most);
}

/* To RGB with 8 bits: the high byte of 16; grey of 1, 2, 4 bits scaled; alpha and tRNS dropped. */
static void to_rgb(reader *from)
{
    png_set_strip_16(from->png);
    png_set_strip_alpha(from->png);
    if (png_get_color_type(from->png, from->info) == PNG_COLOR_TYPE_PALETTE) {
        fill_palette(from);
        png_set_palette_to_rgb(from->png);
    } else {
        png_set_expand_gray_1_2_4_to_8(from->png);
    }
    png_set_gray_to_rgb(from->png);
}

static void read_row(reader *from, uint8_t *rgb)
{
    from->row_at = from->at;
    png_read_row(from->png, rgb, NULL);
}

/* Each pass fills in more pixels of the rows, so all rows are kept. */
static void read_interlaced(reader *from, int n_passes, unsigned height, size_t row_bytes)
{
    from->picture = png_malloc(from->png, row_bytes * height);
    for (int pass = 0; pass < n_passes; pass++)
        for (unsigned y = 0; y < height; y++)
            read_row(from, from->picture + y * row_bytes);
    for (unsigned y = 0; y < height; y++)
        meso_rows_put(&from->decode->rows, from->picture + y * row_bytes);
}

static void read_rows(reader *from, unsigned height)
{
    meso_rows *rows = &from->decode->rows;
    for (unsigned y = 0; y < height; y++) {
        uint8_t *rgb = meso_rows_buffer(rows);
        read_row(from, rgb);
        meso_rows_put(rows, rgb);
    }
}

static meso_status read_picture(reader *from)
{
    meso_decode *decode = from->decode;
    configure(from);
    png_read_info(from->png, from->info);
    unsigned width = png_get_image_width(from->png, from->info);
    unsigned height = png_get_image_height(from->png, from->info);
    decode->orientation = orientation_of(decode);
    if (meso_decode_begin(decode, width, height) != MESO_OK)
        return decode->status;
    to_rgb(from);
    int n_passes = png_set_interlace_handling(from->png);
    png_read_update_info(from->png, from->info);
    if (png_get_rowbytes(from->png, from->info) != (size_t)width * 3)
        fail(from, MESO_IMAGE_UNSUPPORTED, "libpng does not give RGB");
    from->row_limit = (size_t)width * 8 * 2 + ROW_SLACK; /* a pixel has at most 8 bytes */
    if (n_passes > 1)
        read_interlaced(from, n_passes, height, (size_t)width * 3);
    else
        read_rows(from, height);
    from->row_limit = 0;
    png_read_end(from->png, NULL);
    return MESO_OK;
}

/* Alone in its function: setjmp() leaves changed local variables of its caller undefined. */
static void read_guarded(reader *from)
{
    if (setjmp(from->jump) != 0)
        return;
    from->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, from, on_error, on_warning, from,
                                         allocate, release);
    from->info = from->png ? png_create_info_struct(from->png) : NULL;
    from->decode->status = from->info ? read_picture(from) : meso_decode_no_memory(from->decode);
}

meso_status meso_decode_png(meso_decode *decode)
{
    reader from = {.decode = decode, .reason = MESO_IMAGE_CORRUPT};
    /* libpng calls a bad size "invalid header"; it has names of its own here. */
    if (decode->n >= IHDR_END && memcmp(decode->bytes + 12, "IHDR", 4) == 0 &&
        meso_decode_check_size(decode, meso_big32(decode->bytes + 16),
                               meso_big32(decode->bytes + 20)) != MESO_OK)
        return decode->status;
    read_guarded(&from);
    free(from.picture);
    png_destroy_read_struct(&from.png, &from.info, NULL);
    return decode->status;
}

void meso_library_png(char text[MESO_LIBRARY_SIZE])
{
    snprintf(text, MESO_LIBRARY_SIZE, "libpng %s", png_get_libpng_ver(NULL));
}

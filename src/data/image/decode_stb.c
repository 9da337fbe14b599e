/* SPDX-License-Identifier: Apache-2.0
 *
 * BMP by stb_image. Debian's stb_image (2.27) does not notice that a file ends early,
 * and allocates whatever a header claims: so headers are checked here first, and it works on a
 * budget. It also miscounts the palette of OS/2 files and takes missing colours from uninitialised
 * memory: so pictures with a palette are expanded here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/image/decode.h"

static _Thread_local size_t budget; /* bytes that stb_image may still allocate */

static void *allocate(size_t bytes)
{
    if (bytes > budget)
        return NULL;
    budget -= bytes;
    return malloc(bytes);
}

/* stb_image reallocates in its HDR and JPEG readers only, which are not compiled. */
#define STBI_MALLOC(bytes) allocate(bytes)
#define STBI_REALLOC(block, bytes) ((void)(block), (void)(bytes), NULL)
#define STBI_FREE(block) free(block)
#define STBI_NO_STDIO
#define STBI_ONLY_BMP
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS MESO_IMAGE_MAX_SIDE
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic ignored "-Wunused-function" /* judged at the end of this file: no pop */
#include <stb_image.h>

typedef struct bmp_header {
    uint64_t width;
    uint64_t height;
    unsigned bits; /* per pixel */
    unsigned compression;
    size_t pixels_at; /* offset of the first row */
    int top_down;
    size_t palette_at;
    size_t n_palette;
    size_t entry_bytes; /* of one colour */
    uint32_t masks[3];  /* of red, green, blue, where bits is 16 or 32 */
} bmp_header;

enum { BI_RGB = 0, BI_BITFIELDS = 3, FILE_HEADER = 14, CORE_HEADER = 12, INFO_HEADER = 40 };

/* With a 40-byte header the masks follow it; newer headers hold them at the same place. */
static int read_masks(const meso_decode *decode, size_t header_bytes, bmp_header *bmp)
{
    size_t at = FILE_HEADER + INFO_HEADER;
    if (bmp->bits != 16 && bmp->bits != 32)
        return 1;
    if (bmp->compression == BI_RGB) {
        memcpy(bmp->masks,
               bmp->bits == 16 ? (uint32_t[]){0x7C00, 0x3E0, 0x1F}
                               : (uint32_t[]){0xFF0000, 0xFF00, 0xFF},
               sizeof bmp->masks);
        return 1;
    }
    if (decode->n < at + 12)
        return 0;
    for (int c = 0; c < 3; c++)
        bmp->masks[c] = meso_little32(decode->bytes + at + 4 * (size_t)c);
    if (header_bytes == INFO_HEADER)
        bmp->palette_at += 12;
    return 1;
}

static meso_status read_bmp_header(meso_decode *decode, bmp_header *bmp)
{
    const uint8_t *b = decode->bytes;
    size_t header_bytes = decode->n >= FILE_HEADER + 4 ? meso_little32(b + FILE_HEADER) : 0;
    if (decode->n < FILE_HEADER + CORE_HEADER || decode->n < FILE_HEADER + header_bytes)
        return meso_decode_refuse(decode, MESO_IMAGE_TRUNCATED, "the BMP header is cut off");
    bmp->pixels_at = meso_little32(b + 10);
    bmp->palette_at = FILE_HEADER + header_bytes;
    if (header_bytes == CORE_HEADER) {
        bmp->width = meso_little16(b + 18);
        bmp->height = meso_little16(b + 20);
        bmp->bits = meso_little16(b + 24);
    } else if (header_bytes >= INFO_HEADER) {
        int32_t height = (int32_t)meso_little32(b + 22);
        bmp->width = meso_little32(b + 18);
        bmp->top_down = height < 0;
        bmp->height = height < 0 ? 0 - (uint64_t)height : (uint64_t)height;
        bmp->bits = meso_little16(b + 28);
        bmp->compression = meso_little32(b + 30);
        bmp->n_palette = meso_little32(b + 46);
    } else {
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "a BMP header of %zu bytes",
                                  header_bytes);
    }
    if (!read_masks(decode, header_bytes, bmp))
        return meso_decode_refuse(decode, MESO_IMAGE_TRUNCATED, "the BMP header is cut off");
    bmp->entry_bytes = header_bytes == CORE_HEADER ? 3 : 4;
    return MESO_OK;
}

/* The colours that are there: as many as the header says (0: all that the bits can name), and no
 * more than lie before the pixels. */
static meso_status check_palette(meso_decode *decode, bmp_header *bmp)
{
    size_t most = (size_t)1 << bmp->bits;
    size_t room = (bmp->pixels_at - bmp->palette_at) / bmp->entry_bytes;
    if (bmp->n_palette > most)
        return meso_decode_refuse(decode, MESO_IMAGE_CORRUPT, "%zu colours for %u bits per pixel",
                                  bmp->n_palette, bmp->bits);
    if (bmp->n_palette == 0)
        bmp->n_palette = most;
    if (bmp->n_palette > room)
        bmp->n_palette = room;
    return MESO_OK;
}

static size_t bmp_row_bytes(const bmp_header *bmp)
{
    return (size_t)(bmp->width * bmp->bits + 7) / 8;
}

static meso_status check_bmp(meso_decode *decode, bmp_header *bmp)
{
    size_t row = bmp_row_bytes(bmp), stride = (row + 3) & ~(size_t)3;
    if (bmp->bits != 1 && bmp->bits != 4 && bmp->bits != 8 && bmp->bits != 16 && bmp->bits != 24 &&
        bmp->bits != 32)
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "a BMP of %u bits per pixel",
                                  bmp->bits);
    if (bmp->compression != BI_RGB &&
        !(bmp->compression == BI_BITFIELDS && (bmp->bits == 16 || bmp->bits == 32)))
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED,
                                  "a BMP of compression %u with %u bits per pixel",
                                  bmp->compression, bmp->bits);
    if (bmp->pixels_at < bmp->palette_at)
        return meso_decode_refuse(decode, MESO_IMAGE_CORRUPT, "the pixels lie inside the header");
    if (bmp->pixels_at > decode->n || (bmp->height - 1) * stride + row > decode->n - bmp->pixels_at)
        return meso_decode_refuse(decode, MESO_IMAGE_TRUNCATED, "the file ends after %zu bytes",
                                  decode->n);
    return bmp->bits <= 8 ? check_palette(decode, bmp) : MESO_OK;
}

/* Pictures with a palette, of 1, 4 or 8 bits per pixel. */
static void expand_palette(meso_decode *decode, const bmp_header *bmp)
{
    size_t row_bytes = (bmp_row_bytes(bmp) + 3) & ~(size_t)3;
    unsigned mask = (1u << bmp->bits) - 1;
    for (size_t y = 0; y < bmp->height; y++) {
        size_t stored = bmp->top_down ? y : bmp->height - 1 - y;
        const uint8_t *row = decode->bytes + bmp->pixels_at + stored * row_bytes;
        uint8_t *rgb = meso_rows_buffer(&decode->rows);
        for (size_t x = 0, bit = 0; x < bmp->width; x++, bit += bmp->bits) {
            unsigned index = row[bit / 8] >> (8 - bmp->bits - bit % 8) & mask;
            const uint8_t *bgr = decode->bytes + bmp->palette_at + index * bmp->entry_bytes;
            int missing = index >= bmp->n_palette; /* Pillow's palette starts as shades of grey */
            rgb[3 * x] = missing ? (uint8_t)index : bgr[2];
            rgb[3 * x + 1] = missing ? (uint8_t)index : bgr[1];
            rgb[3 * x + 2] = missing ? (uint8_t)index : bgr[0];
            decode->suspect |= missing;
        }
        meso_rows_put(&decode->rows, rgb);
    }
}

/* For each channel what becomes of stb_image's value. Of 5 or 6 bits stb_image makes 8 by repeating
 * the leading bits, Pillow by ⌊255·v / 31⌋ or ⌊255·v / 63⌋. */
static void pillow_levels(const bmp_header *bmp, uint8_t levels[3][256])
{
    for (int c = 0; c < 3; c++) {
        unsigned bits = (unsigned)__builtin_popcount(bmp->masks[c]);
        int rescale = bmp->bits == 16 && (bits == 5 || bits == 6);
        for (unsigned v = 0; v < 256; v++)
            levels[c][v] = (uint8_t)(rescale ? 255 * (v >> (8 - bits)) / ((1u << bits) - 1) : v);
    }
}

static meso_status run_stb(meso_decode *decode, uint8_t **rgb)
{
    int width = 0, height = 0, channels = 0;
    /* The picture, with alpha, and a copy while it is converted. */
    budget = (size_t)decode->width * decode->height * 8 + 4096;
    if (decode->n > INT32_MAX)
        return meso_decode_refuse(decode, MESO_IMAGE_TOO_LARGE, "%zu bytes", decode->n);
    *rgb = stbi_load_from_memory(decode->bytes, (int)decode->n, &width, &height, &channels, 3);
    if (!*rgb && strcmp(stbi_failure_reason(), "outofmem") == 0)
        return meso_decode_no_memory(decode);
    if (!*rgb)
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "stb_image says: %s",
                                  stbi_failure_reason());
    if ((unsigned)width != decode->width || (unsigned)height != decode->height) {
        free(*rgb);
        return meso_decode_refuse(decode, MESO_IMAGE_CORRUPT, "stb_image finds %d x %d pixels",
                                  width, height);
    }
    return MESO_OK;
}

static void put_picture(meso_decode *decode, const uint8_t *rgb)
{
    for (unsigned y = 0; y < decode->height; y++)
        meso_rows_put(&decode->rows, rgb + (size_t)y * decode->width * 3);
}

meso_status meso_decode_bmp(meso_decode *decode)
{
    bmp_header bmp = {0};
    uint8_t levels[3][256];
    uint8_t *rgb = NULL;
    if (read_bmp_header(decode, &bmp) != MESO_OK ||
        meso_decode_check_size(decode, bmp.width, bmp.height) != MESO_OK ||
        check_bmp(decode, &bmp) != MESO_OK ||
        meso_decode_begin(decode, bmp.width, bmp.height) != MESO_OK)
        return decode->status;
    if (bmp.bits <= 8) {
        expand_palette(decode, &bmp);
        return MESO_OK;
    }
    if (run_stb(decode, &rgb) != MESO_OK)
        return decode->status;
    if (bmp.bits == 16) {
        pillow_levels(&bmp, levels);
        for (size_t i = 0; i < (size_t)decode->width * decode->height * 3; i++)
            rgb[i] = levels[i % 3][rgb[i]];
    }
    put_picture(decode, rgb);
    free(rgb);
    return MESO_OK;
}

void meso_library_bmp(char text[MESO_LIBRARY_SIZE])
{
    snprintf(text, MESO_LIBRARY_SIZE, "stb_image %s", MESO_STB_VERSION);
}

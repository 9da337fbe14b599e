/* SPDX-License-Identifier: Apache-2.0
 *
 * TIFF by libtiff, where it was found at build time: the first picture of the file. Grey, palette,
 * RGB, CMYK and what JPEG stores, 8 or 16 bits (16 become their high byte), strips or tiles, turned
 * as the file says: Pillow does so, too. Pixels are taken here, for TIFFReadRGBAImage multiplies
 * them by their alpha.
 */
#include "base/error.h"
#include "data/image/decode.h"

#ifdef MESO_TIFF
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

enum { MAX_SAMPLES = 5 }; /* CMYK and alpha */

typedef struct reader {
    meso_decode *decode;
    TIFF *tiff;
    uint64_t at;
    int ended;                                         /* more was wanted than there is */
    char first[200];                                   /* what libtiff said first */
    uint32_t width, height, block_width, block_height; /* a strip is a block, too */
    uint16_t bits, samples, photometric, planar, alpha;
    int tiled;
    uint16_t *palette[3];
    uint8_t *block; /* as libtiff gives it */
    uint8_t *band;  /* [block_height][width][samples], 8 bits each */
    size_t block_bytes, row_bytes;
} reader;

/* ---- the file, in memory ---- */

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t n)
{
    reader *from = handle;
    const uint64_t left = from->at < from->decode->n ? from->decode->n - from->at : 0;
    const uint64_t wanted = (uint64_t)n < left ? (uint64_t)n : left;
    from->ended |= wanted < (uint64_t)n;
    memcpy(to, from->decode->bytes + (wanted ? from->at : 0), wanted);
    from->at += wanted;
    return (tmsize_t)wanted;
}

static tmsize_t write_bytes(thandle_t handle, void *bytes, tmsize_t n)
{
    (void)handle, (void)bytes, (void)n;
    return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    reader *from = handle;
    from->at = whence == SEEK_SET   ? offset
               : whence == SEEK_CUR ? from->at + offset
                                    : from->decode->n + offset;
    return from->at;
}

static int do_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t size_of(thandle_t handle)
{
    return ((const reader *)handle)->decode->n;
}

static int on_error(TIFF *tiff, void *user, const char *where, const char *format, va_list values)
{
    reader *from = user;
    (void)tiff, (void)where;
    if (!from->first[0])
        vsnprintf(from->first, sizeof from->first, format, values);
    return 1; /* nothing is printed */
}

/* Tags of cameras and microscopes say nothing against the pixels. */
static int on_warning(TIFF *tiff, void *user, const char *where, const char *format, va_list values)
{
    reader *from = user;
    (void)tiff, (void)where, (void)values;
    from->decode->suspect |= strncmp(format, "Unknown field", 13) != 0;
    return 1;
}

static void open_tiff(reader *from)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return;
    TIFFOpenOptionsSetMaxSingleMemAlloc(
        options, (tmsize_t)(from->decode->options.max_pixels * 2 * MAX_SAMPLES + (1 << 20)));
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, from);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, from);
    from->tiff = TIFFClientOpenExt(from->decode->name, "rm", from, read_bytes, write_bytes, seek,
                                   do_nothing, size_of, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
}

/* ---- what it holds ---- */

static meso_status refuse_damage(reader *from)
{
    return meso_decode_refuse(from->decode, from->ended ? MESO_IMAGE_TRUNCATED : MESO_IMAGE_CORRUPT,
                              "%s", from->first[0] ? from->first : "damaged");
}

/* Colours and samples that there is a rule for. */
static int is_known(const reader *from, uint16_t format, uint16_t ink)
{
    const int small = from->samples == 1 && (from->bits == 1 || from->bits == 2 || from->bits == 4);
    const int has_palette = from->palette[0] && from->palette[1] && from->palette[2];
    if (format != SAMPLEFORMAT_UINT || from->samples > MAX_SAMPLES ||
        (!small && from->bits != 8 && from->bits != 16))
        return 0;
    switch (from->photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
        return from->samples <= 2;
    case PHOTOMETRIC_PALETTE:
        return from->samples == 1 && from->bits <= 8 && has_palette;
    case PHOTOMETRIC_SEPARATED:
        return from->samples >= 4 && ink == INKSET_CMYK;
    case PHOTOMETRIC_RGB:
        return from->samples == 3 || from->samples == 4;
    default: /* libjpeg makes it RGB */
        return from->photometric == PHOTOMETRIC_YCBCR && from->samples == 3 && from->bits == 8;
    }
}

static meso_status read_tags(reader *from)
{
    uint16_t format = 0, ink = 0, compression = 0, orientation = 1, n_extra = 0, *extra = NULL;
    TIFF *tiff = from->tiff;
    if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &from->width) ||
        !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &from->height) ||
        !TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &from->photometric))
        return refuse_damage(from);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &from->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &from->samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &from->planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_INKSET, &ink);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &n_extra, &extra);
    TIFFGetField(tiff, TIFFTAG_COLORMAP, &from->palette[0], &from->palette[1], &from->palette[2]);
    from->alpha = n_extra > 0 ? extra[0] : EXTRASAMPLE_UNSPECIFIED;
    from->decode->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
    if (!is_known(from, format, ink) || !TIFFIsCODECConfigured(compression) ||
        compression == COMPRESSION_OJPEG ||
        (from->photometric == PHOTOMETRIC_YCBCR && compression != COMPRESSION_JPEG))
        return meso_decode_refuse(
            from->decode, MESO_IMAGE_UNSUPPORTED,
            "a TIFF of %u samples of %u bits, format %u, colours %u, compression %u", from->samples,
            from->bits, format, from->photometric, compression);
    if (from->photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    return MESO_OK;
}

/* The blocks, and room for one of them and for a row of them. */
static meso_status read_layout(reader *from)
{
    meso_decode *decode = from->decode;
    TIFF *tiff = from->tiff;
    from->tiled = TIFFIsTiled(tiff);
    from->block_width = from->width;
    from->block_height = from->height;
    if (from->tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &from->block_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &from->block_height);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &from->block_height);
        if (from->block_height > from->height)
            from->block_height = from->height;
    }
    MESO_CHECK(meso_decode_check_size(decode, from->block_width, from->block_height));
    MESO_CHECK(meso_decode_check_size(decode, from->width, from->block_height));
    const tmsize_t block_bytes = from->tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    const tmsize_t row_bytes = from->tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
    const uint64_t in_block = from->planar == PLANARCONFIG_SEPARATE ? 1 : from->samples;
    if (block_bytes <= 0 || row_bytes <= 0 ||
        (uint64_t)row_bytes < (from->block_width * in_block * from->bits + 7) / 8 ||
        (uint64_t)block_bytes < (uint64_t)row_bytes * from->block_height)
        return refuse_damage(from);
    from->block_bytes = (size_t)block_bytes;
    from->row_bytes = (size_t)row_bytes;
    from->block = calloc(1, from->block_bytes);
    from->band = malloc((size_t)from->width * from->block_height * from->samples);
    return from->block && from->band ? MESO_OK : meso_decode_no_memory(decode);
}

/* ---- pixels ---- */

static uint8_t sample_of(const reader *from, const uint8_t *row, size_t i)
{
    uint16_t wide;
    if (from->bits == 8)
        return row[i];
    if (from->bits == 16) {
        memcpy(&wide, row + 2 * i, sizeof wide);
        return (uint8_t)(wide >> 8);
    }
    const unsigned most = (1u << from->bits) - 1, shift = 8 - from->bits - i * from->bits % 8;
    const unsigned value = row[i * from->bits / 8] >> shift & most;
    return (uint8_t)(from->photometric == PHOTOMETRIC_PALETTE ? value : value * 255 / most);
}

/* The block at x, y into its places of the band: all its samples, or those of one plane. */
static meso_status read_block(reader *from, uint32_t x, uint32_t y, uint16_t plane)
{
    const uint32_t left_x = from->width - x, left_y = from->height - y;
    const uint32_t width = from->block_width < left_x ? from->block_width : left_x;
    const uint32_t height = from->block_height < left_y ? from->block_height : left_y;
    const size_t n = from->planar == PLANARCONFIG_SEPARATE ? 1 : from->samples;
    const tmsize_t got =
        from->tiled ? TIFFReadEncodedTile(from->tiff, TIFFComputeTile(from->tiff, x, y, 0, plane),
                                          from->block, (tmsize_t)from->block_bytes)
                    : TIFFReadEncodedStrip(from->tiff, TIFFComputeStrip(from->tiff, y, plane),
                                           from->block, (tmsize_t)from->block_bytes);
    if (got < 0 || (size_t)got < (height - 1) * from->row_bytes)
        return refuse_damage(from);
    for (uint32_t row = 0; row < height; row++) {
        uint8_t *to = from->band + ((size_t)row * from->width + x) * from->samples + plane;
        for (size_t i = 0; i < width * n; i++)
            to[n == 1 ? i * from->samples : i] =
                sample_of(from, from->block + row * from->row_bytes, i);
    }
    return MESO_OK;
}

static uint8_t without_alpha(unsigned value, unsigned alpha)
{
    return (uint8_t)(alpha == 0 ? 0 : value * 255 / alpha > 255 ? 255 : value * 255 / alpha);
}

static void pixel_of(const reader *from, const uint8_t *s, uint8_t rgb[3])
{
    const int grey = from->samples <= 2;
    const uint8_t turn = from->photometric == PHOTOMETRIC_MINISWHITE ? 255 : 0;
    if (from->photometric == PHOTOMETRIC_SEPARATED) {
        const uint8_t inverted[4] = {255 - s[0], 255 - s[1], 255 - s[2], 255 - s[3]};
        meso_rgb_of_inverted_cmyk(inverted, rgb, 1);
        return;
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = from->photometric == PHOTOMETRIC_PALETTE ? (uint8_t)(from->palette[c][s[0]] >> 8)
                                                          : s[grey ? 0 : c] ^ turn;
    if (from->samples == 4 && from->alpha == EXTRASAMPLE_ASSOCALPHA)
        for (int c = 0; c < 3; c++)
            rgb[c] = without_alpha(rgb[c], s[3]);
}

static meso_status read_picture(reader *from)
{
    meso_decode *decode = from->decode;
    MESO_CHECK(read_tags(from));
    MESO_CHECK(meso_decode_check_size(decode, from->width, from->height));
    MESO_CHECK(read_layout(from));
    decode->options.exif_orient = 1;
    MESO_CHECK(meso_decode_begin(decode, from->width, from->height));
    decode->orientation = 1; /* done */
    const uint16_t n_planes = from->planar == PLANARCONFIG_SEPARATE ? from->samples : 1;
    for (uint32_t y = 0; y < from->height; y += from->block_height) {
        for (uint16_t plane = 0; plane < n_planes; plane++)
            for (uint32_t x = 0; x < from->width; x += from->block_width)
                MESO_CHECK(read_block(from, x, y, plane));
        for (uint32_t row = 0; row < from->block_height && y + row < from->height; row++) {
            const uint8_t *samples = from->band + (size_t)row * from->width * from->samples;
            uint8_t *rgb = meso_rows_buffer(&decode->rows);
            for (size_t x = 0; x < from->width; x++)
                pixel_of(from, samples + x * from->samples, rgb + 3 * x);
            meso_rows_put(&decode->rows, rgb);
        }
    }
    return from->ended ? refuse_damage(from) : MESO_OK; /* a tag beyond the end is only warned of */
}

meso_status meso_decode_tiff(meso_decode *decode)
{
    reader from = {.decode = decode};
    open_tiff(&from);
    decode->status = from.tiff ? read_picture(&from) : refuse_damage(&from);
    if (from.tiff)
        TIFFClose(from.tiff);
    free(from.block);
    free(from.band);
    return decode->status;
}

void meso_library_tiff(char text[MESO_LIBRARY_SIZE])
{
    char version[16] = "";
    sscanf(TIFFGetVersion(), "LIBTIFF, Version %15[0-9.]", version);
    snprintf(text, MESO_LIBRARY_SIZE, "libtiff %s", version);
}

#endif

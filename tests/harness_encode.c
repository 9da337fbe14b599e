/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoders for tests, by libjpeg-turbo and libpng. Their own error handlers end the program.
 */
#include "harness_encode.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

enum { N_COEFFICIENTS = 64 };

/* A scan for the DC of all components, then one for each AC coefficient of each component. */
static void scan_each_coefficient(struct jpeg_compress_struct *jpeg, jpeg_scan_info *scans)
{
    int n = 0;
    scans[n] = (jpeg_scan_info){.comps_in_scan = jpeg->num_components};
    for (int c = 0; c < jpeg->num_components; c++)
        scans[n].component_index[c] = c;
    n++;
    for (int c = 0; c < jpeg->num_components; c++)
        for (int k = 1; k < N_COEFFICIENTS; k++)
            scans[n++] =
                (jpeg_scan_info){.comps_in_scan = 1, .component_index = {c}, .Ss = k, .Se = k};
    jpeg->scan_info = scans;
    jpeg->num_scans = n;
}

encoded encode_jpeg(const jpeg_request *request, const uint8_t *pixels)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg_scan_info scans[4 * N_COEFFICIENTS];
    unsigned char *bytes = NULL;
    unsigned long n = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &n);
    jpeg.image_width = request->width;
    jpeg.image_height = request->height;
    jpeg.in_color_space = request->space;
    jpeg.input_components = request->space == JCS_GRAYSCALE ? 1 : request->space == JCS_RGB ? 3 : 4;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, request->file_space);
    jpeg_set_quality(&jpeg, 95, TRUE);
    if (request->progressive == 1)
        jpeg_simple_progression(&jpeg);
    if (request->progressive == 2)
        scan_each_coefficient(&jpeg, scans);
    jpeg_start_compress(&jpeg, TRUE);
    if (request->app1)
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, request->app1, request->app1_bytes);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = (JSAMPROW)pixels + (size_t)jpeg.next_scanline * jpeg.image_width *
                                              (unsigned)jpeg.input_components;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return (encoded){bytes, n};
}

static void append(png_structp png, png_bytep data, size_t n)
{
    encoded *to = png_get_io_ptr(png);
    to->bytes = realloc(to->bytes, to->n + n);
    if (!to->bytes)
        abort();
    memcpy(to->bytes + to->n, data, n);
    to->n += n;
}

void encode_png_colour(unsigned index, uint8_t rgb[3])
{
    rgb[0] = (uint8_t)(7 * index + 1);
    rgb[1] = (uint8_t)(255 - index);
    rgb[2] = (uint8_t)(index * index);
}

unsigned encode_png_channels(int colour_type)
{
    if (colour_type == PNG_COLOR_TYPE_PALETTE)
        return 1;
    return (colour_type & PNG_COLOR_MASK_COLOR ? 3 : 1) +
           (colour_type & PNG_COLOR_MASK_ALPHA ? 1 : 0);
}

static void set_palette(png_structp png, png_infop info, int depth)
{
    png_color palette[256];
    for (unsigned i = 0; i < 256; i++)
        encode_png_colour(i, (uint8_t *)&palette[i]);
    png_set_PLTE(png, info, palette, 1 << depth);
}

encoded encode_png(const uint8_t *packed, unsigned width, unsigned height, int colour_type,
                   int depth, int interlaced, int transparent)
{
    encoded out = {0};
    png_byte alphas[2] = {0, 128};
    png_color_16 colour = {.index = 0, .red = 1, .green = 1, .blue = 1, .gray = 1};
    size_t row_bytes = ((size_t)width * encode_png_channels(colour_type) * (unsigned)depth + 7) / 8;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &out, append, NULL);
    png_set_IHDR(png, info, width, height, depth, colour_type,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (colour_type == PNG_COLOR_TYPE_PALETTE)
        set_palette(png, info, depth);
    if (transparent)
        png_set_tRNS(png, info, alphas, 2, &colour);
    png_write_info(png, info);
    int n_passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < n_passes; pass++)
        for (unsigned y = 0; y < height; y++)
            png_write_row(png, packed + y * row_bytes);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return out;
}

static void put_big32(uint8_t *to, size_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

encoded encode_png_chunk(const encoded *png, const char *type, const uint8_t *data, size_t n)
{
    enum { END_BYTES = 12 };
    size_t before = png->n - END_BYTES;
    encoded out = {malloc(png->n + n + END_BYTES), png->n + n + END_BYTES};
    if (!out.bytes)
        abort();
    uint8_t *chunk = out.bytes + before;
    memcpy(out.bytes, png->bytes, before);
    put_big32(chunk, n);
    memcpy(chunk + 4, type, 4);
    memcpy(chunk + 8, data, n);
    put_big32(chunk + 8 + n, crc32(0, chunk + 4, (uInt)(n + 4)));
    memcpy(chunk + END_BYTES + n, png->bytes + before, END_BYTES);
    return out;
}

size_t encode_exif(uint8_t block[32], int orientation, int big_endian)
{
    /* Header, one directory of one entry: tag 0x0112, type SHORT, count 1. */
    static const uint8_t little[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3,
                                     0,   1,   0,  0, 0, 0, 0, 0, 0, 0, 0,    0, 0};
    static const uint8_t big[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0,
                                  3,   0,   0, 0,  1, 0, 0, 0, 0, 0, 0, 0,    0};
    memcpy(block, big_endian ? big : little, sizeof big);
    block[18 + big_endian] = (uint8_t)orientation;
    return sizeof big;
}

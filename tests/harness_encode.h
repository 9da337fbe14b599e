/* SPDX-License-Identifier: Apache-2.0
 *
 * Images made in memory, for tests of the image reader: pixels in, file out. A failure ends the
 * program.
 */
#ifndef MESO_HARNESS_ENCODE_H
#define MESO_HARNESS_ENCODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>

typedef struct encoded {
    uint8_t *bytes; /* free() it */
    size_t n;
} encoded;

typedef struct jpeg_request {
    unsigned width, height;
    J_COLOR_SPACE space;      /* of the pixels: JCS_GRAYSCALE, JCS_RGB, JCS_CMYK */
    J_COLOR_SPACE file_space; /* JCS_GRAYSCALE, JCS_YCbCr, JCS_RGB, JCS_CMYK, JCS_YCCK */
    int progressive;          /* 1: libjpeg's usual ten scans; 2: a scan for each coefficient */
    const uint8_t *app1;      /* an APP1 marker's content, or NULL */
    unsigned app1_bytes;
} jpeg_request;

/* Quality 95. pixels: [height][width][1, 3 or 4]. */
encoded encode_jpeg(const jpeg_request *request, const uint8_t *pixels);

/* packed: rows of ⌈width · bits / 8⌉ bytes as PNG stores them. A palette picture gets
 * encode_png_colour(i) as colours. transparent: with a tRNS chunk. */
encoded encode_png(const uint8_t *packed, unsigned width, unsigned height, int colour_type,
                   int depth, int interlaced, int transparent);
void encode_png_colour(unsigned index, uint8_t rgb[3]);
unsigned encode_png_channels(int colour_type);

/* The PNG with one more chunk before its last one. */
encoded encode_png_chunk(const encoded *png, const char *type, const uint8_t *data, size_t n);

/* An EXIF block that says orientation, without the "Exif" prefix. Returns its size. */
size_t encode_exif(uint8_t block[32], int orientation, int big_endian);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Drawn pictures at other sizes, and as JPEG files.
 */
#include <setjmp.h>
#include <stdio.h> /* before jpeglib.h, which needs FILE and does not say so */
#include <stdlib.h>

#include <jpeglib.h>

#include "base/error.h"
#include "base/file.h"
#include "demo/drawing.h"

/* Mean over [from, to) of one axis and [top, bottom) of the other, in pixels; at least one whole
 * pixel wide, so that enlarging interpolates. */
static void mean_of(const uint8_t *in, unsigned side, double left, double right, double top,
                    double bottom, double sum[3])
{
    double weights = 0;
    sum[0] = sum[1] = sum[2] = 0;
    for (int y = (int)top; y < bottom && y < (int)side; y++)
        for (int x = (int)left; x < right && x < (int)side; x++) {
            double w = (x + 1 < right ? x + 1 : right) - (x > left ? x : left);
            w *= (y + 1 < bottom ? y + 1 : bottom) - (y > top ? y : top);
            const uint8_t *from = in + 3 * ((size_t)y * side + (size_t)x);
            for (int c = 0; c < 3; c++)
                sum[c] += w * from[c];
            weights += w;
        }
    for (int c = 0; c < 3; c++)
        sum[c] /= weights;
}

/* The stretch of input that output pixel i covers, at least one pixel, within the picture. */
static void stretch(unsigned i, unsigned out_side, unsigned side, double *from, double *to)
{
    double scale = (double)side / out_side, width = scale < 1 ? 1 : scale;
    *from = (i + 0.5) * scale - width / 2;
    *from = *from < 0 ? 0 : *from > side - width ? side - width : *from;
    *to = *from + width;
}

void study_resize(const uint8_t *in, unsigned side, uint8_t *out, unsigned out_side, int mirrored)
{
    for (unsigned y = 0; y < out_side; y++)
        for (unsigned x = 0; x < out_side; x++) {
            double left, right, top, bottom, sum[3];
            stretch(mirrored ? out_side - 1 - x : x, out_side, side, &left, &right);
            stretch(y, out_side, side, &top, &bottom);
            mean_of(in, side, left, right, top, bottom, sum);
            for (int c = 0; c < 3; c++)
                out[3 * ((size_t)y * out_side + x) + (size_t)c] = (uint8_t)(sum[c] + 0.5);
        }
}

typedef struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    unsigned char *bytes;
    unsigned long n;
} encoder;

static void on_error(j_common_ptr jpeg)
{
    encoder *to = jpeg->client_data;
    longjmp(to->jump, 1);
}

/* Alone in its function: setjmp() leaves changed local variables of its caller undefined. */
static int encode(encoder *to, const uint8_t *rgb, unsigned width, unsigned height, int quality)
{
    if (setjmp(to->jump))
        return 0;
    jpeg_create_compress(&to->jpeg);
    jpeg_mem_dest(&to->jpeg, &to->bytes, &to->n);
    to->jpeg.image_width = width;
    to->jpeg.image_height = height;
    to->jpeg.in_color_space = JCS_RGB;
    to->jpeg.input_components = 3;
    jpeg_set_defaults(&to->jpeg);
    jpeg_set_quality(&to->jpeg, quality, TRUE);
    jpeg_start_compress(&to->jpeg, TRUE);
    while (to->jpeg.next_scanline < height) {
        JSAMPROW row = (JSAMPROW)rgb + (size_t)to->jpeg.next_scanline * width * 3;
        jpeg_write_scanlines(&to->jpeg, &row, 1);
    }
    jpeg_finish_compress(&to->jpeg);
    return 1;
}

meso_status study_write_jpeg(const char *path, const uint8_t *rgb, unsigned width, unsigned height,
                             int quality, meso_error *error)
{
    meso_status status = MESO_OK;
    encoder to = {.bytes = NULL};
    to.jpeg.err = jpeg_std_error(&to.errors);
    to.jpeg.client_data = &to;
    to.errors.error_exit = on_error;
    int encoded = encode(&to, rgb, width, height, quality);
    jpeg_destroy_compress(&to.jpeg);
    MESO_REQUIRE(encoded, error, MESO_ERROR_MEMORY, "%s: cannot be encoded: out of memory", path);
    MESO_TRY(meso_file_write(path, to.bytes, to.n, error));
out:
    free(to.bytes);
    return status;
}

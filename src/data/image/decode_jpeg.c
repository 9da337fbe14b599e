/* SPDX-License-Identifier: Apache-2.0
 *
 * JPEG by libjpeg-turbo, with what Pillow leaves at the defaults: ISLOW inverse DCT, fancy
 * upsampling.
 *
 * libjpeg repairs what it can and warns. A warning that pixels are missing or wrong ends the
 * decoding; any other one marks the picture as suspect.
 */
#include <setjmp.h>
#include <stdio.h> /* before jpeglib.h, which needs FILE and does not say so */
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* after jpeglib.h, whose configuration decides which codes there are */

#include "data/image/decode.h"

/* A picture in several scans (progressive) is held as coefficients, up to 6 bytes a pixel, and each
 * scan costs another pass over it. */
enum { MAX_SCANS = 64, MAX_SCAN_PIXELS = 40000000 };

typedef struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    meso_decode *decode;
} reader;

/* What libjpeg's messages mean. An error that is not here is damage, a warning that is not here is
 * only suspect. */
static const struct {
    int code;
    meso_refusal refusal;
} meanings[] = {
    {JWRN_JPEG_EOF, MESO_IMAGE_TRUNCATED},
    {JWRN_HIT_MARKER, MESO_IMAGE_TRUNCATED}, /* a scan's data ends too early */
    {JWRN_HUFF_BAD_CODE, MESO_IMAGE_CORRUPT},
    {JWRN_ARITH_BAD_CODE, MESO_IMAGE_CORRUPT},
    {JWRN_MUST_RESYNC, MESO_IMAGE_CORRUPT}, /* a restart interval is lost */
    {JERR_INPUT_EOF, MESO_IMAGE_TRUNCATED},
    {JERR_INPUT_EMPTY, MESO_IMAGE_TRUNCATED},
    {JERR_EMPTY_IMAGE, MESO_IMAGE_ODD_SIZE},
    {JERR_IMAGE_TOO_BIG, MESO_IMAGE_TOO_LARGE},
    {JERR_WIDTH_OVERFLOW, MESO_IMAGE_TOO_LARGE},
    {JERR_ARITH_NOTIMPL, MESO_IMAGE_UNSUPPORTED},
    {JERR_BAD_PRECISION, MESO_IMAGE_UNSUPPORTED},
    {JERR_CCIR601_NOTIMPL, MESO_IMAGE_UNSUPPORTED},
    {JERR_COMPONENT_COUNT, MESO_IMAGE_UNSUPPORTED},
    {JERR_CONVERSION_NOTIMPL, MESO_IMAGE_UNSUPPORTED},
    {JERR_FRACT_SAMPLE_NOTIMPL, MESO_IMAGE_UNSUPPORTED},
    {JERR_NOTIMPL, MESO_IMAGE_UNSUPPORTED},
    {JERR_NOT_COMPILED, MESO_IMAGE_UNSUPPORTED},
    {JERR_SOF_UNSUPPORTED, MESO_IMAGE_UNSUPPORTED},
};

static meso_refusal meaning_of(int code, meso_refusal otherwise)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].code == code)
            return meanings[i].refusal;
    return otherwise;
}

static void refuse_and_leave(reader *from, meso_refusal refusal)
{
    char text[JMSG_LENGTH_MAX];
    from->errors.format_message((j_common_ptr)&from->jpeg, text);
    meso_decode_refuse(from->decode, refusal, "%s", text);
    longjmp(from->jump, 1);
}

static void on_error(j_common_ptr jpeg)
{
    reader *from = jpeg->client_data;
    if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY) {
        meso_decode_no_memory(from->decode);
        longjmp(from->jump, 1);
    }
    refuse_and_leave(from, meaning_of(jpeg->err->msg_code, MESO_IMAGE_CORRUPT));
}

static void on_message(j_common_ptr jpeg, int level)
{
    reader *from = jpeg->client_data;
    if (level >= 0) /* a trace, not a warning */
        return;
    meso_refusal refusal = meaning_of(jpeg->err->msg_code, MESO_IMAGE_OK);
    if (refusal != MESO_IMAGE_OK)
        refuse_and_leave(from, refusal);
    from->decode->suspect = 1;
}

static void on_progress(j_common_ptr jpeg)
{
    reader *from = jpeg->client_data;
    if (from->jpeg.input_scan_number <= MAX_SCANS)
        return;
    meso_decode_refuse(from->decode, MESO_IMAGE_TOO_LARGE, "more than %d scans", MAX_SCANS);
    longjmp(from->jump, 1);
}

/* libjpeg's memory source refills when the data ends: it warns, and appends an end marker. */
static void open_reader(reader *to, meso_decode *decode)
{
    to->decode = decode;
    to->jpeg.err = jpeg_std_error(&to->errors);
    to->jpeg.client_data = to;
    to->errors.error_exit = on_error;
    to->errors.emit_message = on_message;
    to->progress.progress_monitor = on_progress;
}

static int orientation_of(const struct jpeg_decompress_struct *jpeg)
{
    for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker; marker = marker->next)
        if (marker->data_length > 6 && memcmp(marker->data, "Exif\0", 5) == 0)
            return meso_exif_orientation(marker->data, marker->data_length);
    return 1;
}

/* As Pillow, every four-component file is taken as Adobe writes it, inverted. */
static void read_rows(struct jpeg_decompress_struct *jpeg, meso_rows *rows)
{
    JSAMPARRAY four = NULL;
    if (jpeg->out_color_space == JCS_CMYK)
        four = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, 4 * jpeg->output_width, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rgb = meso_rows_buffer(rows);
        jpeg_read_scanlines(jpeg, four ? four : &rgb, 1);
        if (four)
            meso_rgb_of_inverted_cmyk(four[0], rgb, jpeg->output_width);
        meso_rows_put(rows, rgb);
    }
}

static meso_status read_picture(reader *from, meso_decode *decode)
{
    struct jpeg_decompress_struct *jpeg = &from->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, decode->bytes, (unsigned long)decode->n);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(jpeg, TRUE);
    decode->orientation = orientation_of(jpeg);
    if (jpeg->num_components == 2 || jpeg->num_components > 4)
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "a JPEG of %d components",
                                  jpeg->num_components);
    if (jpeg_has_multiple_scans(jpeg)) {
        uint64_t pixels = (uint64_t)jpeg->image_width * jpeg->image_height;
        if (pixels > MAX_SCAN_PIXELS)
            return meso_decode_refuse(decode, MESO_IMAGE_TOO_LARGE,
                                      "%u x %u pixels; the limit for progressive JPEG is %d",
                                      jpeg->image_width, jpeg->image_height, MAX_SCAN_PIXELS);
        jpeg->progress = &from->progress;
    }
    if (meso_decode_begin(decode, jpeg->image_width, jpeg->image_height) != MESO_OK)
        return decode->status;
    jpeg->out_color_space = jpeg->num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    read_rows(jpeg, &decode->rows);
    jpeg_finish_decompress(jpeg); /* reads up to the end marker: a missing one is noticed here */
    return MESO_OK;
}

/* Alone in its function: setjmp() leaves changed local variables of its caller undefined. */
static void read_guarded(reader *from, meso_decode *decode)
{
    if (setjmp(from->jump) == 0)
        decode->status = read_picture(from, decode);
}

meso_status meso_decode_jpeg(meso_decode *decode)
{
    reader from;
    memset(&from, 0, sizeof from);
    open_reader(&from, decode);
    read_guarded(&from, decode);
    jpeg_destroy_decompress(&from.jpeg);
    return decode->status;
}

#define TEXT_OF(token) #token
#define TEXT(macro) TEXT_OF(macro)

void meso_library_jpeg(char text[MESO_LIBRARY_SIZE])
{
    snprintf(text, MESO_LIBRARY_SIZE, "libjpeg-turbo %s", TEXT(LIBJPEG_TURBO_VERSION));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the image reader must refuse, without reference data: files cut or changed anywhere, bombs,
 * and things that are no image files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <png.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/random.h"
#include "harness_encode.h"
#include "mesocl/image.h"

enum { SIDE = 48, N_CUTS = 50, N_CUTS_FULL = 300 };

/* Returns the refusal; an image is freed. */
static meso_refusal refusal_of(const void *bytes, size_t n, int *suspect)
{
    meso_image image = MESO_INIT(meso_image);
    meso_refusal refusal = MESO_IMAGE_IO;
    meso_error error = {0};
    meso_status status = meso_image_decode(bytes, n, "made.img", NULL, &image, &refusal, &error);
    assert_true((status == MESO_OK) == (refusal == MESO_IMAGE_OK));
    if (status != MESO_OK) {
        assert_int_equal(status, error.status);
        assert_ptr_equal(strstr(error.text, "made.img: "), error.text);
        assert_null(image.rgb);
    } else if (suspect) {
        *suspect = image.suspect;
    }
    meso_image_free(&image);
    return refusal;
}

static void fill(uint8_t *pixels, size_t n)
{
    meso_random random = {7};
    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(i / 5 + meso_random_below(&random, 40));
}

static encoded made(int png, int variant)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    jpeg_request request = {.width = SIDE,
                            .height = SIDE,
                            .space = JCS_RGB,
                            .file_space = JCS_YCbCr,
                            .progressive = variant};
    fill(pixels, sizeof pixels);
    return png ? encode_png(pixels, SIDE, SIDE, PNG_COLOR_TYPE_RGB, 8, variant, 0)
               : encode_jpeg(&request, pixels);
}

/* JPEG: baseline and progressive. PNG: in order and interlaced. */
static void test_cut_anywhere(void **state)
{
    const int n_cuts = getenv("MESO_FULL") ? N_CUTS_FULL : N_CUTS;
    meso_random random = {3};
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        encoded whole = made(kind & 1, kind / 2);
        assert_int_equal(refusal_of(whole.bytes, whole.n, NULL), MESO_IMAGE_OK);
        for (int i = 0; i < n_cuts; i++) {
            size_t n = 8 + meso_random_below(&random, whole.n - 8);
            uint8_t *exact =
                malloc(n); /* of exact size: a read behind it is found by the sanitizer */
            assert_non_null(exact);
            memcpy(exact, whole.bytes, n);
            meso_refusal refusal = refusal_of(exact, n, NULL);
            if (refusal != MESO_IMAGE_TRUNCATED && refusal != MESO_IMAGE_CORRUPT)
                fail_msg("kind %d cut at %zu of %zu: %s", kind, n, whole.n,
                         meso_refusal_name(refusal));
            free(exact);
        }
        free(whole.bytes);
    }
}

static void test_png_changed_anywhere(void **state)
{
    meso_random random = {5};
    (void)state;
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        encoded plain = made(1, interlaced);
        /* Chunks that nobody needs have checksums too. */
        encoded png =
            encode_png_chunk(&plain, "tEXt", (const uint8_t *)"Title\0a text that is not read", 30);
        assert_int_equal(refusal_of(png.bytes, png.n, NULL), MESO_IMAGE_OK);
        for (int i = 0; i < 500; i++) {
            /* Every other change is near the end, where the text is. */
            size_t at = png.n - 1 - meso_random_below(&random, i & 1 ? 54 : png.n);
            uint8_t before = png.bytes[at];
            png.bytes[at] ^= (uint8_t)(1u << meso_random_below(&random, 8));
            if (refusal_of(png.bytes, png.n, NULL) == MESO_IMAGE_OK)
                fail_msg("byte %zu changed, and not noticed", at);
            png.bytes[at] = before;
        }
        free(plain.bytes);
        free(png.bytes);
    }
}

/* A changed JPEG may be read (it has no checksum), but must not crash; and some of it is noticed.
 */
static void test_jpeg_changed_anywhere(void **state)
{
    meso_random random = {6};
    int n_noticed = 0;
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        encoded jpeg = made(0, progressive);
        for (int i = 0; i < 500; i++) {
            int suspect = 0;
            size_t at = meso_random_below(&random, jpeg.n);
            uint8_t before = jpeg.bytes[at];
            jpeg.bytes[at] = (uint8_t)meso_random_u64(&random);
            n_noticed += refusal_of(jpeg.bytes, jpeg.n, &suspect) != MESO_IMAGE_OK || suspect;
            jpeg.bytes[at] = before;
        }
        free(jpeg.bytes);
    }
    assert_true(n_noticed >= 200);
}

static void test_extra_bytes_are_suspect(void **state)
{
    enum { N_EXTRA = 32 }; /* more than libjpeg reads ahead */
    int suspect = 0;
    encoded jpeg = made(0, 0);
    uint8_t *longer = calloc(1, jpeg.n + N_EXTRA);
    (void)state;
    assert_non_null(longer);
    memcpy(longer, jpeg.bytes, jpeg.n - 2);
    memcpy(longer + jpeg.n - 2 + N_EXTRA, "\xFF\xD9", 2); /* zeros before the end marker */
    assert_int_equal(refusal_of(longer, jpeg.n + N_EXTRA, &suspect), MESO_IMAGE_OK);
    assert_int_equal(suspect, 1);
    memset(longer, 0, jpeg.n + N_EXTRA);
    memcpy(longer, jpeg.bytes, jpeg.n); /* zeros behind it: no part of the picture */
    assert_int_equal(refusal_of(longer, jpeg.n + N_EXTRA, &suspect), MESO_IMAGE_OK);
    assert_int_equal(suspect, 0);
    free(longer);
    free(jpeg.bytes);
}

/* A PNG that says 8 × 8 and holds 256 MB of zeros, in 250 KB. */
static void test_bomb_in_png(void **state)
{
    static uint8_t zeros[1 << 20];
    encoded png = encode_png(zeros, 8, 8, PNG_COLOR_TYPE_RGB, 8, 0, 0);
    uLong capacity = 1 << 20;
    uint8_t *packed = malloc(capacity);
    z_stream stream = {.next_out = packed, .avail_out = (uInt)capacity};
    (void)state;
    assert_non_null(packed);
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 15, 9, Z_RLE), Z_OK);
    for (int i = 0; i < 256; i++) {
        stream.next_in = zeros;
        stream.avail_in = sizeof zeros;
        assert_int_equal(deflate(&stream, i == 255 ? Z_FINISH : Z_NO_FLUSH),
                         i == 255 ? Z_STREAM_END : Z_OK);
    }
    deflateEnd(&stream);
    /* The header of the small picture, the data of the bomb: the small one's own IDAT is cut out.
     */
    encoded header = {png.bytes, 8 + 25 + 12};
    memcpy(png.bytes + 8 + 25, png.bytes + png.n - 12, 12);
    encoded bomb = encode_png_chunk(&header, "IDAT", packed, stream.total_out);
    clock_t begin = clock();
    assert_int_equal(refusal_of(bomb.bytes, bomb.n, NULL), MESO_IMAGE_TOO_LARGE);
    assert_true(clock() - begin < CLOCKS_PER_SEC);
    free(bomb.bytes);
    free(packed);
    free(png.bytes);
}

static void test_many_scans(void **state)
{
    static uint8_t pixels[16 * 16 * 3];
    jpeg_request grey = {.width = 16,
                         .height = 16,
                         .space = JCS_GRAYSCALE,
                         .file_space = JCS_GRAYSCALE,
                         .progressive = 2};
    jpeg_request colour = grey;
    (void)state;
    fill(pixels, sizeof pixels);
    colour.space = JCS_RGB;
    colour.file_space = JCS_YCbCr;
    encoded few = encode_jpeg(&grey, pixels), many = encode_jpeg(&colour, pixels);
    assert_int_equal(refusal_of(few.bytes, few.n, NULL), MESO_IMAGE_OK);          /* 64 */
    assert_int_equal(refusal_of(many.bytes, many.n, NULL), MESO_IMAGE_TOO_LARGE); /* 190 */
    free(few.bytes);
    free(many.bytes);
}

/* Writes height and width into the frame header, so that a small file claims a large picture. */
static void claim_size(encoded *jpeg, unsigned marker, unsigned width, unsigned height)
{
    for (size_t i = 0; i + 9 < jpeg->n; i++)
        if (jpeg->bytes[i] == 0xFF && jpeg->bytes[i + 1] == marker) {
            uint8_t size[4] = {(uint8_t)(height >> 8), (uint8_t)height, (uint8_t)(width >> 8),
                               (uint8_t)width};
            memcpy(jpeg->bytes + i + 5, size, 4);
            return;
        }
    fail_msg("no marker %02x", marker);
}

static void test_sizes_claimed_by_jpeg(void **state)
{
    static const struct {
        int progressive;
        unsigned width, height;
        meso_refusal refusal;
    } rows[] = {
        {0, 8192, 8192, MESO_IMAGE_TRUNCATED}, /* allowed, but there are no data for it */
        {0, 8193, 8192, MESO_IMAGE_TOO_LARGE},
        {0, 65500, 65500, MESO_IMAGE_TOO_LARGE},
        {1, 65500, 65500, MESO_IMAGE_TOO_LARGE},
        {1, 8000, 5001, MESO_IMAGE_TOO_LARGE}, /* progressive: 40,000,000 */
        {0, 8000, 5001, MESO_IMAGE_TRUNCATED},
        {0, 48, 0, MESO_IMAGE_ODD_SIZE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        encoded jpeg = made(0, rows[i].progressive);
        claim_size(&jpeg, rows[i].progressive ? 0xC2 : 0xC0, rows[i].width, rows[i].height);
        meso_refusal refusal = refusal_of(jpeg.bytes, jpeg.n, NULL);
        if (refusal != rows[i].refusal)
            fail_msg("row %zu: %s", i, meso_refusal_name(refusal));
        free(jpeg.bytes);
    }
}

static void test_other_content(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        meso_refusal refusal;
        const char *found; /* what the sentence must name */
    } rows[] = {
        {"8BPS", 4, MESO_IMAGE_UNSUPPORTED, "Photoshop"},
        {"\0\0\0\x18"
         "ftypheic",
         12, MESO_IMAGE_UNSUPPORTED, "HEIF"},
        {"PK\3\4abcd", 8, MESO_IMAGE_UNKNOWN_FORMAT, "ZIP"},
        {"<!DOCTYPE html>", 15, MESO_IMAGE_UNKNOWN_FORMAT, "web page"},
        {"BMW is a maker of cars.", 23, MESO_IMAGE_UNKNOWN_FORMAT, "42 4d 57"},
        {"x", 1, MESO_IMAGE_UNKNOWN_FORMAT, "78"},
        {"", 0, MESO_IMAGE_EMPTY, "no bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_image image = MESO_INIT(meso_image);
        meso_refusal refusal;
        meso_error error;
        assert_int_equal(meso_image_decode(rows[i].bytes, rows[i].n, "a\x1B.jpg", NULL, &image,
                                           &refusal, &error),
                         MESO_ERROR_DATA);
        if (refusal != rows[i].refusal || !strstr(error.text, rows[i].found))
            fail_msg("row %zu: %s", i, error.text);
        assert_null(strchr(error.text, '\x1B')); /* names are escaped */
    }
}

static void put_file(const char *name, const void *bytes, size_t n)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void expect_refusal(const char *path, meso_status status, meso_refusal expected)
{
    meso_image image = MESO_INIT(meso_image);
    meso_refusal refusal = MESO_IMAGE_OK;
    meso_error error;
    assert_int_equal(meso_image_load(path, NULL, &image, &refusal, &error), status);
    if (refusal != expected || !strstr(error.text, path))
        fail_msg("%s: %s: %s", path, meso_refusal_name(refusal), error.text);
}

/* Nothing here may block: a FIFO without a writer would, if it were opened plainly. */
static void test_files(void **state)
{
    char folder[256], path[300];
    const char *temporary = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%.200s/meso_image_XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/image.jpg", folder);

    expect_refusal(path, MESO_ERROR_NO_INPUT, MESO_IMAGE_VANISHED);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refusal(path, MESO_ERROR_NO_INPUT, MESO_IMAGE_NOT_REGULAR);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refusal(path, MESO_ERROR_NO_INPUT, MESO_IMAGE_NOT_REGULAR);
    rmdir(path);
    assert_int_equal(symlink("/dev/zero", path), 0);
    expect_refusal(path, MESO_ERROR_NO_INPUT, MESO_IMAGE_NOT_REGULAR);
    unlink(path);
    assert_int_equal(symlink("image.jpg", path), 0); /* a link to itself */
    expect_refusal(path, MESO_ERROR_IO, MESO_IMAGE_IO);
    unlink(path);
    put_file(path, "", 0);
    expect_refusal(path, MESO_ERROR_DATA, MESO_IMAGE_EMPTY);
    put_file(path, "a text", 6);
    expect_refusal(path, MESO_ERROR_DATA, MESO_IMAGE_UNKNOWN_FORMAT);
    assert_int_equal(truncate(path, (off_t)(256 << 20) + 1),
                     0); /* a hole: takes no room on the disk */
    expect_refusal(path, MESO_ERROR_DATA, MESO_IMAGE_TOO_LARGE);
    if (geteuid() != 0) { /* root may read everything */
        assert_int_equal(chmod(path, 0), 0);
        expect_refusal(path, MESO_ERROR_NO_INPUT, MESO_IMAGE_PERMISSION);
    }
    unlink(path);

    encoded png = made(1, 0);
    meso_image image = MESO_INIT(meso_image);
    put_file(path, png.bytes, png.n); /* the name says JPEG */
    assert_int_equal(meso_image_load(path, NULL, &image, NULL, NULL), MESO_OK);
    assert_string_equal(image.format, "png");
    meso_image_free(&image);
    free(png.bytes);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_png_changed_anywhere),
        cmocka_unit_test(test_jpeg_changed_anywhere),
        cmocka_unit_test(test_extra_bytes_are_suspect),
        cmocka_unit_test(test_bomb_in_png),
        cmocka_unit_test(test_many_scans),
        cmocka_unit_test(test_sizes_claimed_by_jpeg),
        cmocka_unit_test(test_other_content),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

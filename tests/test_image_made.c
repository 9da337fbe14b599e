/* SPDX-License-Identifier: Apache-2.0
 *
 * The image reader and NEAREST on images that the test makes itself, so without reference data:
 * each kind of PNG, JPEG, BMP and PNM against pixels worked out here; EXIF; options; threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <png.h>
#include <pthread.h>

#include "base/random.h"
#include "harness_encode.h"
#include "mesocl/image.h"

static meso_image decode(const void *bytes, size_t n, const meso_image_options *options)
{
    meso_image image = MESO_INIT(meso_image);
    meso_error error = {0};
    if (meso_image_decode(bytes, n, NULL, options, &image, NULL, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return image;
}

static void expect_pixels(const meso_image *image, unsigned width, unsigned height,
                          const uint8_t *rgb, const char *what, int a, int b)
{
    assert_int_equal(image->width, width);
    assert_int_equal(image->height, height);
    for (size_t i = 0; i < (size_t)width * height * 3; i++)
        if (image->rgb[i] != rgb[i])
            fail_msg("%s (%d, %d): byte %zu is %d, expected %d", what, a, b, i, image->rgb[i],
                     rgb[i]);
}

static void test_nearest(void **state)
{
    static const unsigned sizes[] = {1, 2, 3, 5, 7, 8, 13, 64, 97, 208, 255, 256, 257, 342, 1009};
    enum { N = sizeof sizes / sizeof sizes[0], MOST = 1009 };
    uint8_t *in = malloc(MOST * MOST * 3), *out = malloc(MOST * MOST * 3);
    (void)state;
    assert_true(in && out);
    for (unsigned i = 0; i < MOST * MOST; i++) {
        unsigned x = i % MOST, y = i / MOST;
        in[3 * i] = (uint8_t)x;
        in[3 * i + 1] = (uint8_t)y;
        in[3 * i + 2] = (uint8_t)((x >> 8) * 16 + (y >> 8));
    }
    for (unsigned a = 0; a < N; a++)
        for (unsigned b = 0; b < N; b++) {
            /* Width from a to b, height from b to a: the input is a corner of the big picture. */
            unsigned w = sizes[a], h = sizes[b], ow = sizes[b], oh = sizes[a];
            meso_resize_nearest_rgb8(in, w, h, MOST * 3, out, ow, oh);
            for (unsigned y = 0; y < oh; y++)
                for (unsigned x = 0; x < ow; x++) {
                    unsigned sx = (2 * x + 1) * w / (2 * ow), sy = (2 * y + 1) * h / (2 * oh);
                    if (memcmp(out + 3 * (y * ow + x), in + 3 * (sy * MOST + sx), 3) != 0)
                        fail_msg("%u x %u to %u x %u: pixel %u, %u", w, h, ow, oh, x, y);
                }
        }
    free(in);
    free(out);
}

/* Sample number i of a packed row. */
static unsigned sample(const uint8_t *row, unsigned i, unsigned depth)
{
    if (depth == 16)
        return row[2 * i]; /* the high byte */
    return row[i * depth / 8] >> (8 - depth - i * depth % 8) & ((1u << depth) - 1);
}

static void png_expectation(const uint8_t *packed, unsigned width, unsigned height, int colour_type,
                            unsigned depth, uint8_t *rgb)
{
    unsigned channels = encode_png_channels(colour_type);
    size_t row_bytes = ((size_t)width * channels * depth + 7) / 8;
    for (unsigned i = 0; i < width * height; i++, rgb += 3) {
        const uint8_t *row = packed + i / width * row_bytes;
        unsigned first = i % width * channels;
        unsigned white = depth >= 8 ? 255 : (1u << depth) - 1;
        if (colour_type == PNG_COLOR_TYPE_PALETTE)
            encode_png_colour(sample(row, first, depth), rgb);
        else
            for (unsigned c = 0; c < 3; c++)
                rgb[c] =
                    (uint8_t)(sample(row, first + (channels >= 3 ? c : 0), depth) * 255 / white);
    }
}

static void test_every_kind_of_png(void **state)
{
    static const int kinds[][2] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                                   {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
    static const unsigned sizes[][2] = {{1, 1}, {33, 21}, {5, 64}};
    uint8_t packed[64 * 64 * 8], rgb[64 * 64 * 3];
    meso_random random = {1};
    (void)state;
    for (size_t i = 0; i < sizeof packed; i++)
        packed[i] = (uint8_t)meso_random_u64(&random);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int variant = 0; variant < 12; variant++) {
            const unsigned *size = sizes[variant / 4];
            int type = kinds[k][0], depth = kinds[k][1], transparent = variant & 1 && !(type & 4);
            encoded png =
                encode_png(packed, size[0], size[1], type, depth, variant & 2, transparent);
            meso_image image = decode(png.bytes, png.n, NULL);
            png_expectation(packed, size[0], size[1], type, (unsigned)depth, rgb);
            expect_pixels(&image, size[0], size[1], rgb, "PNG of type and depth", type, depth);
            assert_string_equal(image.format, "png");
            assert_int_equal(image.suspect, 0);
            meso_image_free(&image);
            free(png.bytes);
        }
}

/* One colour all over, at quality 95: what comes back is near it. */
static void test_every_kind_of_jpeg(void **state)
{
    static const struct {
        J_COLOR_SPACE space, file_space;
        uint8_t pixel[4], rgb[3];
    } rows[] = {
        {JCS_GRAYSCALE, JCS_GRAYSCALE, {77}, {77, 77, 77}},
        {JCS_RGB, JCS_YCbCr, {200, 100, 50}, {200, 100, 50}},
        {JCS_RGB, JCS_RGB, {200, 100, 50}, {200, 100, 50}},
        {JCS_RGB, JCS_GRAYSCALE, {200, 100, 50}, {124, 124, 124}},
        /* CMYK is stored inverted: 200 is 55 of ink. 200 · 180 / 255, 100 · 180 / 255, 50 · 180 /
           255 */
        {JCS_CMYK, JCS_CMYK, {200, 100, 50, 180}, {141, 71, 35}},
        {JCS_CMYK, JCS_YCCK, {200, 100, 50, 180}, {141, 71, 35}},
    };
    uint8_t pixels[40 * 24 * 4];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int progressive = 0; progressive < 2; progressive++) {
            jpeg_request request = {.width = 40,
                                    .height = 24,
                                    .space = rows[i].space,
                                    .file_space = rows[i].file_space,
                                    .progressive = progressive};
            size_t channels = rows[i].space == JCS_GRAYSCALE ? 1 : rows[i].space == JCS_RGB ? 3 : 4;
            for (size_t p = 0; p < 40 * 24; p++)
                memcpy(pixels + p * channels, rows[i].pixel, channels);
            encoded jpeg = encode_jpeg(&request, pixels);
            meso_image image = decode(jpeg.bytes, jpeg.n, NULL);
            assert_string_equal(image.format, "jpeg");
            assert_int_equal(image.suspect, 0);
            for (size_t b = 0; b < 40 * 24 * 3; b++)
                if (abs(image.rgb[b] - rows[i].rgb[b % 3]) > 3)
                    fail_msg("row %zu: byte %zu is %d", i, b, image.rgb[b]);
            meso_image_free(&image);
            free(jpeg.bytes);
        }
}

enum { BMP_WIDTH = 5, BMP_HEIGHT = 3, BMP_COLOURS = 4, BMP_HEADERS = 54 };

static void put_little(uint8_t *to, uint32_t value, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

/* A BMP of pixel(x, y) = {x, y, 9} or, with 8 bits, colour (x + y) mod 4 of a palette {i, 10·i,
 * 20·i}. */
static size_t make_bmp(uint8_t *bmp, unsigned bits, int top_down)
{
    unsigned palette = bits == 8 ? 4 * BMP_COLOURS : 0, at = BMP_HEADERS + palette;
    unsigned stride = (BMP_WIDTH * bits / 8 + 3) & ~3u;
    memset(bmp, 0, 512);
    memcpy(bmp, "BM", 2);
    put_little(bmp + 10, at, 4);
    put_little(bmp + 14, 40, 4);
    put_little(bmp + 18, BMP_WIDTH, 4);
    put_little(bmp + 22, top_down ? 0u - BMP_HEIGHT : BMP_HEIGHT, 4);
    put_little(bmp + 26, 1, 2);
    put_little(bmp + 28, bits, 2);
    put_little(bmp + 46, bits == 8 ? BMP_COLOURS : 0, 4);
    for (unsigned i = 0; i < palette / 4; i++)
        put_little(bmp + BMP_HEADERS + 4 * i, i << 16 | 10 * i << 8 | 20 * i, 3);
    for (unsigned y = 0; y < BMP_HEIGHT; y++)
        for (unsigned x = 0; x < BMP_WIDTH; x++) {
            uint8_t *row = bmp + at + stride * (top_down ? y : BMP_HEIGHT - 1 - y);
            uint32_t wanted = bits == 8 ? (x + y) % BMP_COLOURS : x << 16 | y << 8 | 9;
            put_little(row + x * bits / 8, wanted, (int)bits / 8);
        }
    return at + stride * BMP_HEIGHT;
}

static void test_bmp(void **state)
{
    static const unsigned depths[] = {8, 24, 32};
    uint8_t bmp[512], rgb[BMP_WIDTH * BMP_HEIGHT * 3];
    (void)state;
    for (int variant = 0; variant < 6; variant++) {
        unsigned bits = depths[variant / 2];
        size_t n = make_bmp(bmp, bits, variant & 1);
        for (unsigned i = 0; i < BMP_WIDTH * BMP_HEIGHT; i++) {
            unsigned x = i % BMP_WIDTH, y = i / BMP_WIDTH, colour = (x + y) % BMP_COLOURS;
            rgb[3 * i] = (uint8_t)(bits == 8 ? colour : x);
            rgb[3 * i + 1] = (uint8_t)(bits == 8 ? 10 * colour : y);
            rgb[3 * i + 2] = (uint8_t)(bits == 8 ? 20 * colour : 9);
        }
        meso_image image = decode(bmp, n, NULL);
        expect_pixels(&image, BMP_WIDTH, BMP_HEIGHT, rgb, "BMP", (int)bits, variant & 1);
        assert_string_equal(image.format, "bmp");
        meso_image_free(&image);
        /* Every cut inside the pixels (but for the padding of the last row) is noticed. */
        for (size_t cut = 2; cut + 3 < n; cut++) {
            meso_refusal refusal = MESO_IMAGE_OK;
            assert_int_equal(meso_image_decode(bmp, cut, NULL, NULL, &image, &refusal, NULL),
                             MESO_ERROR_DATA);
            assert_int_equal(refusal, MESO_IMAGE_TRUNCATED);
        }
    }
}

static void test_pnm(void **state)
{
    static const char colour[] = "P6\n# two pixels\n2 1\n255\nabcdef", grey[] = "P5 1 2 255\nxy",
                      old_mac[] = "P5\n# a comment\r1 1\n255\nz";
    static const struct {
        const char *text;
        meso_refusal refusal;
    } refused[] = {
        {"P6\n2 1\n255\nabcde", MESO_IMAGE_TRUNCATED},
        {"P6\n2 1", MESO_IMAGE_TRUNCATED},
        {"P6\n2 x\n255\nabc", MESO_IMAGE_CORRUPT},
        {"P5\n#\r8888888888888888888888 1\n255\na", MESO_IMAGE_ODD_SIZE},
        {"P5 1 1 65535\na", MESO_IMAGE_TRUNCATED},
        {"P5 1 1 65536\nabc", MESO_IMAGE_UNSUPPORTED},
        {"P5 1 1 0\na", MESO_IMAGE_UNSUPPORTED},
        {"P4 1 1\na", MESO_IMAGE_UNSUPPORTED},
        {"P5 0 1 255\n", MESO_IMAGE_ODD_SIZE},
        {"P5 1 65536 255\nab", MESO_IMAGE_ODD_SIZE},
        {"P6 60000 60000 255\n", MESO_IMAGE_TOO_LARGE},
    };
    (void)state;
    meso_image image = decode(colour, sizeof colour - 1, NULL);
    expect_pixels(&image, 2, 1, (const uint8_t *)"abcdef", "PPM", 2, 1);
    meso_image_free(&image);
    image = decode(grey, sizeof grey - 1, NULL);
    expect_pixels(&image, 1, 2, (const uint8_t *)"xxxyyy", "PGM", 1, 2);
    assert_string_equal(image.format, "pnm");
    meso_image_free(&image);
    /* A comment ends with CR, too, for stb_image as for Pillow. */
    image = decode(old_mac, sizeof old_mac - 1, NULL);
    expect_pixels(&image, 1, 1, (const uint8_t *)"zzz", "PGM", 1, 1);
    meso_image_free(&image);
    /* What Pillow 9.4 makes of other whites: 0.5 and 2.5 go to even numbers, too much is white. */
    static const char odd[] = "P6 2 1 102\n\x01\x33\x66\x03\x67\xff",
                      wide[] = "P6 1 1 65535\n\x80\x80\xff\xff\x00\x81",
                      wide_grey[] = "P5 1 1 510\n\x00\x05";
    image = decode(odd, sizeof odd - 1, NULL);
    expect_pixels(&image, 2, 1, (const uint8_t *)"\x02\x80\xff\x08\xff\xff", "PPM", 2, 1);
    meso_image_free(&image);
    image = decode(wide, sizeof wide - 1, NULL);
    expect_pixels(&image, 1, 1, (const uint8_t *)"\x80\xff\x01", "PPM", 1, 1);
    meso_image_free(&image);
    image = decode(wide_grey, sizeof wide_grey - 1, NULL);
    expect_pixels(&image, 1, 1, (const uint8_t *)"\x02\x02\x02", "PGM", 1, 1);
    meso_image_free(&image);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        meso_refusal refusal = MESO_IMAGE_OK;
        assert_int_equal(meso_image_decode(refused[i].text, strlen(refused[i].text), NULL, NULL,
                                           &image, &refusal, NULL),
                         MESO_ERROR_DATA);
        if (refusal != refused[i].refusal)
            fail_msg("%s: %s", refused[i].text, meso_refusal_name(refusal));
    }
}

/* Where pixel (x, y) of the stored 3 × 2 picture is shown, for each orientation. */
static void test_exif_in_jpeg_and_png(void **state)
{
    static const uint8_t pixels[] = {0, 40, 80, 120, 160, 200};
    /* The shown picture, row by row, by index into the stored one. */
    static const int shown[9][6] = {{0},
                                    {0, 1, 2, 3, 4, 5},
                                    {2, 1, 0, 5, 4, 3},
                                    {5, 4, 3, 2, 1, 0},
                                    {3, 4, 5, 0, 1, 2},
                                    {0, 3, 1, 4, 2, 5},
                                    {3, 0, 4, 1, 5, 2},
                                    {5, 2, 4, 1, 3, 0},
                                    {2, 5, 1, 4, 0, 3}};
    meso_image_options turn = MESO_INIT(meso_image_options);
    (void)state;
    turn.exif_orient = 1;
    encoded plain = encode_png(pixels, 3, 2, PNG_COLOR_TYPE_GRAY, 8, 0, 0);
    for (int variant = 2; variant < 18; variant++) {
        int orientation = variant / 2;
        uint8_t app1[64] = "Exif\0", rgb[18];
        size_t n = encode_exif(app1 + 6, orientation, variant & 1);
        encoded png = encode_png_chunk(&plain, "eXIf", app1 + 6, n);
        meso_image image = decode(png.bytes, png.n, &turn);
        for (int i = 0; i < 18; i++)
            rgb[i] = pixels[shown[orientation][i / 3]];
        expect_pixels(&image, orientation < 5 ? 3 : 2, orientation < 5 ? 2 : 3, rgb, "eXIf",
                      orientation, variant & 1);
        meso_image_free(&image);
        image = decode(png.bytes, png.n, NULL); /* reported, not applied */
        assert_int_equal(image.exif_orientation, orientation);
        assert_int_equal(image.width, 3);
        meso_image_free(&image);
        free(png.bytes);
        jpeg_request request = {.width = 3,
                                .height = 2,
                                .space = JCS_GRAYSCALE,
                                .file_space = JCS_GRAYSCALE,
                                .app1 = app1,
                                .app1_bytes = (unsigned)n + 6};
        encoded jpeg = encode_jpeg(&request, pixels);
        image = decode(jpeg.bytes, jpeg.n, &turn);
        assert_int_equal(image.exif_orientation, orientation);
        assert_int_equal(image.width, orientation < 5 ? 3 : 2);
        for (int i = 0; i < 18; i++)
            assert_true(abs(image.rgb[i] - rgb[i]) <= 6);
        meso_image_free(&image);
        free(jpeg.bytes);
    }
    free(plain.bytes);
}

static void test_options(void **state)
{
    static const uint8_t pixels[100];
    meso_image_options options = MESO_INIT(meso_image_options),
                       wrong = MESO_INIT(meso_image_options);
    meso_image image = MESO_INIT(meso_image);
    meso_refusal refusal = MESO_IMAGE_IO;
    encoded png = encode_png(pixels, 10, 10, PNG_COLOR_TYPE_GRAY, 8, 0, 0);
    (void)state;
    options.max_pixels = 99;
    assert_int_equal(meso_image_decode(png.bytes, png.n, "a", &options, &image, &refusal, NULL),
                     MESO_ERROR_DATA);
    assert_int_equal(refusal, MESO_IMAGE_TOO_LARGE);
    options.max_pixels = 100;
    options.width = 3; /* the other side stays */
    image = decode(png.bytes, png.n, &options);
    assert_int_equal(image.width, 3);
    assert_int_equal(image.height, 10);
    assert_int_equal(image.file_width, 10);
    meso_image_free(&image);
    assert_null(image.rgb);
    meso_image_free(NULL);
    wrong.struct_bytes = 4;
    assert_int_equal(meso_image_decode(png.bytes, png.n, "a", &wrong, &image, &refusal, NULL),
                     MESO_ERROR_ARGUMENT);
    assert_int_equal(refusal, MESO_IMAGE_OK);
    options.width = 65536;
    assert_int_equal(meso_image_decode(png.bytes, png.n, "a", &options, &image, &refusal, NULL),
                     MESO_ERROR_ARGUMENT);
    free(png.bytes);
}

/* Into the caller's memory: as it lies, resized, turned; nothing around it is touched. */
static void test_into_given_memory(void **state)
{
    static const unsigned sides[][2] = {{10, 10}, {3, 7}, {25, 4}};
    uint8_t pixels[300];
    (void)state;
    for (unsigned i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(7 * i);
    encoded png = encode_png(pixels, 10, 10, PNG_COLOR_TYPE_RGB, 8, 0, 0);
    for (unsigned i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        meso_image_options options = MESO_INIT(meso_image_options);
        options.width = sides[i][0];
        options.height = sides[i][1];
        size_t n = 3 * (size_t)options.width * options.height;
        meso_image own = decode(png.bytes, png.n, &options);
        uint8_t memory[1 + 3 * 100 + 1];
        memset(memory, 99, sizeof memory);
        options.into = memory + 1;
        meso_image image = decode(png.bytes, png.n, &options);
        assert_null(image.rgb);
        assert_int_equal(image.width, options.width);
        assert_memory_equal(memory + 1, own.rgb, n);
        assert_int_equal(memory[0], 99);
        assert_int_equal(memory[n + 1], 99);
        options.height = 0;
        assert_int_equal(meso_image_decode(png.bytes, png.n, "a", &options, &image, NULL, NULL),
                         MESO_ERROR_ARGUMENT);
        meso_image_free(&own);
    }
    free(png.bytes);
}

static void test_names(void **state)
{
    static const char *names[] = {"ok",        "not_regular", "permission",     "vanished",
                                  "io",        "empty",       "unknown_format", "unsupported",
                                  "truncated", "corrupt",     "too_large",      "odd_size"};
    (void)state;
    for (unsigned i = 0; i < 12; i++)
        assert_string_equal(meso_refusal_name((meso_refusal)i), names[i]);
    assert_non_null(meso_refusal_name((meso_refusal)99));
    assert_non_null(strstr(meso_image_decoders(), "libjpeg-turbo 2."));
    assert_non_null(strstr(meso_image_decoders(), ", libpng 1.6."));
    assert_non_null(strstr(meso_image_decoders(), ", stb_image 2."));
}

typedef struct job {
    encoded files[2];
    meso_image expected[2];
    int n_wrong;
} job;

static void *decode_often(void *argument)
{
    job *work = argument;
    for (int i = 0; i < 200; i++) {
        meso_image image = MESO_INIT(meso_image), *expected = &work->expected[i % 2];
        encoded *file = &work->files[i % 2];
        work->n_wrong +=
            meso_image_decode(file->bytes, file->n, NULL, NULL, &image, NULL, NULL) != MESO_OK ||
            memcmp(image.rgb, expected->rgb, (size_t)image.width * image.height * 3) != 0;
        meso_image_free(&image);
    }
    return NULL;
}

static void test_threads(void **state)
{
    enum { N_THREADS = 4, SIDE = 64 };
    uint8_t pixels[SIDE * SIDE * 3];
    pthread_t threads[N_THREADS];
    job work = {0}, jobs[N_THREADS];
    jpeg_request request = {
        .width = SIDE, .height = SIDE, .space = JCS_RGB, .file_space = JCS_YCbCr, .progressive = 1};
    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7 / 3);
    work.files[0] = encode_jpeg(&request, pixels);
    work.files[1] = encode_png(pixels, SIDE, SIDE, PNG_COLOR_TYPE_RGB, 8, 1, 0);
    for (int i = 0; i < 2; i++)
        work.expected[i] = decode(work.files[i].bytes, work.files[i].n, NULL);
    for (int i = 0; i < N_THREADS; i++) {
        jobs[i] = work;
        assert_int_equal(pthread_create(&threads[i], NULL, decode_often, &jobs[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].n_wrong, 0);
    }
    for (int i = 0; i < 2; i++) {
        meso_image_free(&work.expected[i]);
        free(work.files[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_every_kind_of_png),
        cmocka_unit_test(test_every_kind_of_jpeg),
        cmocka_unit_test(test_bmp),
        cmocka_unit_test(test_pnm),
        cmocka_unit_test(test_exif_in_jpeg_and_png),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_into_given_memory),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

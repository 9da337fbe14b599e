/* SPDX-License-Identifier: Apache-2.0
 *
 * GIF, TIFF and animated WebP against Pillow 9.4.0: the small files of fixtures/pictures, which
 * golden/make_pictures.py draws, whole and damaged. A format whose library was not there at build
 * time is refused with that reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/file.h"
#include "data/image/image.h"
#include "mesocl/image.h"

/* Calls `use` with each line of pictures.tsv; returns how many there are. */
typedef void use_picture(const char *name, unsigned width, unsigned height, unsigned long crc);

static int for_each(use_picture *use)
{
    void *text = NULL;
    size_t n = 0;
    int n_files = 0;
    char name[64];
    unsigned width, height;
    unsigned long crc;
    assert_int_equal(meso_file_read("tests/golden/pictures.tsv", 1 << 20, &text, &n, NULL, NULL),
                     MESO_OK);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (sscanf(line, "%63s\t%u\t%u\t%lx", name, &width, &height, &crc) == 4 && ++n_files)
            use(name, width, height, crc);
    free(text);
    return n_files;
}

static void *read_picture(const char *name, size_t *n)
{
    char path[128];
    void *bytes = NULL;
    snprintf(path, sizeof path, "tests/fixtures/pictures/%s", name);
    if (meso_file_read(path, 1 << 20, &bytes, n, NULL, NULL) != MESO_OK)
        fail_msg("%s is missing", path);
    return bytes;
}

/* Decodes a copy of exactly n bytes, so that a sanitizer sees reads behind them. */
static meso_status decode(const void *bytes, size_t n, meso_image *image, meso_refusal *refusal,
                          meso_error *error)
{
    void *exact = malloc(n + !n);
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    meso_status status = meso_image_decode(exact, n, "it", NULL, image, refusal, error);
    assert_int_equal(status == MESO_OK, image->rgb != NULL);
    free(exact);
    return status;
}

static int is_built_in(const char *name)
{
    char ending[8];
    snprintf(ending, sizeof ending, "%s", strrchr(name, '.') + 1);
    return meso_image_reads(ending);
}

static void expect_pixels(const char *name, unsigned width, unsigned height, unsigned long crc)
{
    meso_image image = MESO_INIT(meso_image);
    meso_error error = {0};
    meso_refusal refusal;
    size_t n;
    void *bytes = read_picture(name, &n);
    meso_status status = decode(bytes, n, &image, &refusal, &error);
    free(bytes);
    if (!is_built_in(name)) {
        assert_non_null(strstr(error.text, "built without"));
        return;
    }
    if (status != MESO_OK)
        fail_msg("%s: %s", name, error.text);
    const unsigned long found = crc32(0, image.rgb, image.width * image.height * 3);
    if (image.width != width || image.height != height || found != crc)
        fail_msg("%s: %u x %u, %08lx, Pillow %u x %u, %08lx", name, image.width, image.height,
                 found, width, height, crc);
    assert_int_equal(image.suspect, 0);
    assert_int_equal(image.exif_orientation, 1);
    meso_image_free(&image);
}

static void test_pixels_equal_pillow(void **state)
{
    (void)state;
    assert_true(for_each(expect_pixels) >= 35);
}

/* A file that ends in its first picture is no picture, wherever it ends; a changed bit may
 * make any picture. */
static void expect_refused(const char *name, unsigned width, unsigned height, unsigned long crc)
{
    size_t n;
    uint8_t *bytes = read_picture(name, &n);
    (void)width, (void)height, (void)crc;
    for (size_t length = 0; length <= n / 3; length++) {
        meso_image image = MESO_INIT(meso_image);
        meso_error error = {0};
        meso_refusal refusal = MESO_IMAGE_OK;
        if (decode(bytes, length, &image, &refusal, &error) == MESO_OK)
            fail_msg("%s: %zu of %zu bytes are taken", name, length, n);
        assert_true(refusal != MESO_IMAGE_OK);
        assert_int_equal(strncmp(error.text, "it: ", 4), 0);
    }
    for (size_t i = 0; i < n; i += n / 200 + 1) {
        meso_image image = MESO_INIT(meso_image);
        meso_refusal refusal;
        bytes[i] ^= (uint8_t)(1u << i % 8);
        decode(bytes, n, &image, &refusal, NULL);
        bytes[i] ^= (uint8_t)(1u << i % 8);
        meso_image_free(&image);
    }
    free(bytes);
}

static void test_damage_is_refused(void **state)
{
    (void)state;
    for_each(expect_refused);
}

static void test_what_is_not_read(void **state)
{
    meso_image image = MESO_INIT(meso_image);
    meso_refusal refusal;
    meso_error error = {0};
    size_t n;
    (void)state;
    void *bytes = read_picture("float.tif", &n);
    assert_int_equal(decode(bytes, n, &image, &refusal, &error), MESO_ERROR_DATA);
    assert_int_equal(refusal, MESO_IMAGE_UNSUPPORTED);
    free(bytes);
    if (is_built_in("a.gif")) {
        static const char large[] = "GIF89a\xFF\xFF\xFF\xFF\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";
        decode(large, sizeof large - 1, &image, &refusal, &error);
        assert_int_equal(refusal, MESO_IMAGE_TOO_LARGE);
        static const char none[] = "GIF89a\1\0\1\0\0\0\0;";
        decode(none, sizeof none - 1, &image, &refusal, &error);
        assert_int_equal(refusal, MESO_IMAGE_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_equal_pillow),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_what_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

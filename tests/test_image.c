/* SPDX-License-Identifier: Apache-2.0
 *
 * The image reader against Pillow 9.4.0 (tests/golden/image_pixels.tsv, made by
 * make_image_pixels.py beside it; image_exceptions.tsv names every file with another outcome), and
 * against broken files. Tests on images that are made in memory are in test_image_made.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "mesocl/image.h"

enum { MAX_ROWS = 600, MAX_CELLS = 8 };

typedef struct table {
    char *text;
    char *cells[MAX_ROWS][MAX_CELLS]; /* "" where a row is shorter */
    int n_rows;
} table;

static table golden, exceptions;

static void read_table(const char *path, table *into)
{
    void *bytes;
    size_t n;
    meso_error error;
    if (meso_file_read(path, 1 << 20, &bytes, &n, NULL, &error) != MESO_OK)
        fail_msg("%s", error.text);
    into->text = bytes;
    for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line == '#')
            continue;
        assert_true(into->n_rows < MAX_ROWS);
        char **cells = into->cells[into->n_rows++];
        for (int i = 0; i < MAX_CELLS; i++) {
            char *cell = line ? strsep(&line, "\t") : NULL;
            cells[i] = cell ? cell : "";
        }
    }
}

static int read_tables(void **state)
{
    (void)state;
    read_table("tests/golden/image_pixels.tsv", &golden);
    read_table("tests/golden/image_exceptions.tsv", &exceptions);
    return 0;
}

static int free_tables(void **state)
{
    (void)state;
    free(golden.text);
    free(exceptions.text);
    return 0;
}

/* The path of a file of the reference data, in a buffer that the next call reuses. Skips the test
 * where the data are not there. */
static const char *data_path(const char *folder, const char *name)
{
    static char path[4096];
    const char *root = getenv("MESO_TEST_DATA"), *required = getenv("MESO_REQUIRE_DATA");
    snprintf(path, sizeof path, "%s/images", root ? root : "../shared/data");
    if (access(path, R_OK) != 0) {
        if (required && strcmp(required, "1") == 0)
            fail_msg("MESO_REQUIRE_DATA=1, and no %s", path);
        skip();
    }
    snprintf(path, sizeof path, "%s/images/%s/%s", root ? root : "../shared/data", folder, name);
    return path;
}

/* Loads a file; what becomes the CRC of its pixels or its refusal. */
static meso_image outcome(const char *path, unsigned width, unsigned height, int turn,
                          char what[32])
{
    meso_image_options options = MESO_INIT(meso_image_options);
    meso_image image = MESO_INIT(meso_image);
    meso_refusal refusal = MESO_IMAGE_IO;
    meso_error error = {0};
    options.width = width;
    options.height = height;
    options.exif_orient = turn;
    if (meso_image_load(path, &options, &image, &refusal, &error) != MESO_OK) {
        assert_null(image.rgb);
        assert_true(refusal != MESO_IMAGE_OK);
        /* "path: name: sentence" */
        assert_non_null(strstr(error.text, strrchr(path, '/') + 1));
        assert_non_null(strchr(error.text, ' '));
        snprintf(what, 32, "%s", meso_refusal_name(refusal));
        return image;
    }
    assert_int_equal(refusal, MESO_IMAGE_OK);
    snprintf(what, 32, "%08lx",
             crc32(0, image.rgb, (uInt)((size_t)image.width * image.height * 3)));
    return image;
}

static char **exception_of(const char *path)
{
    for (int i = 0; i < exceptions.n_rows; i++)
        if (strcmp(exceptions.cells[i][0], path) == 0)
            return exceptions.cells[i];
    return NULL;
}

/* Without its library each file of a format is refused, which is no difference worth a line. */
static int is_read(const char *path)
{
    const char *const names[][2] = {{".webp", "libwebp"}, {".gif", "giflib"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strstr(path, names[i][0]) && !strstr(meso_image_decoders(), names[i][1]))
            return 0;
    return 1;
}

static void test_pixels_equal_pillow(void **state)
{
    int n_identical = 0, n_high_byte = 0, n_excepted = 0, n_refused_by_both = 0, n_wrong = 0;
    (void)state;
    for (int i = 0; i < golden.n_rows; i++) {
        char **row = golden.cells[i], **exception = exception_of(row[0]);
        char what[32];
        if (!is_read(row[0]))
            continue;
        meso_image image = outcome(data_path("formats", row[0]), 0, 0, 0, what);
        const char *pillow = strcmp(row[1], "refused") == 0 ? "refused" : row[3];
        int refused = image.rgb == NULL,
            high_byte = exception && strcmp(exception[1], "high_byte") == 0;
        int right = high_byte                        ? strcmp(what, row[5]) == 0
                    : exception                      ? strcmp(what, exception[1]) == 0
                    : strcmp(pillow, "refused") == 0 ? refused
                                                     : strcmp(what, pillow) == 0;
        if (!right)
            print_error("%s: %s, Pillow %s\n", row[0], what, pillow);
        if (!refused && strcmp(pillow, "refused") != 0) {
            assert_int_equal(image.width, atoi(row[1]));
            assert_int_equal(image.height, atoi(row[2]));
        }
        n_wrong += !right;
        n_high_byte += high_byte;
        n_excepted += exception && !high_byte;
        n_refused_by_both += !exception && refused;
        n_identical += !exception && !refused;
        meso_image_free(&image);
    }
    print_message("identical %d, high byte %d, other exceptions %d, refused by both %d\n",
                  n_identical, n_high_byte, n_excepted, n_refused_by_both);
    assert_int_equal(n_wrong, 0);
    if (is_read("a.webp") && is_read("a.gif")) {
        assert_int_equal(n_identical, 333);
        assert_int_equal(n_high_byte, 26);
        assert_int_equal(n_high_byte + n_excepted, exceptions.n_rows);
    }
}

static void test_exceptions_have_reasons(void **state)
{
    (void)state;
    for (int i = 0; i < exceptions.n_rows; i++) {
        int known = 0;
        for (int j = 0; j < golden.n_rows; j++)
            known |= strcmp(golden.cells[j][0], exceptions.cells[i][0]) == 0;
        if (!known || strlen(exceptions.cells[i][2]) < 8)
            fail_msg("%s: no such file, or no reason", exceptions.cells[i][0]);
    }
}

/* Pixels picked while decoding are those of a resize afterwards, and Pillow's. */
static void test_resized_while_decoding(void **state)
{
    static const unsigned sizes[][2] = {{256, 256}, {61, 397}};
    int n = 0;
    (void)state;
    for (int i = 0; i < golden.n_rows; i++) {
        char **row = golden.cells[i], what[32], full[32];
        const char *path = data_path("formats", row[0]);
        meso_image whole = outcome(path, 0, 0, 0, full);
        for (int s = 0; whole.rgb && s < 2; s++) {
            unsigned width = sizes[s][0], height = sizes[s][1];
            uint8_t *resized = malloc((size_t)width * height * 3);
            meso_image image = outcome(path, width, height, 0, what);
            assert_non_null(resized);
            assert_non_null(image.rgb);
            assert_int_equal(image.width, width);
            assert_int_equal(image.height, height);
            assert_int_equal(image.file_width, whole.width);
            meso_resize_nearest_rgb8(whole.rgb, whole.width, whole.height, (size_t)whole.width * 3,
                                     resized, width, height);
            if (memcmp(image.rgb, resized, (size_t)width * height * 3) != 0)
                fail_msg("%s at %u x %u", row[0], width, height);
            if (s == 0 && !exception_of(row[0]) && strcmp(what, row[4]) != 0)
                fail_msg("%s at 256 x 256: %s, Pillow %s", row[0], what, row[4]);
            free(resized);
            meso_image_free(&image);
            n++;
        }
        meso_image_free(&whole);
    }
    assert_true(n >= 2 * 340);
}

static void test_turned_by_exif(void **state)
{
    int n = 0, seen[9] = {0};
    (void)state;
    for (int i = 0; i < golden.n_rows; i++) {
        char **row = golden.cells[i], what[32];
        if (row[6][0] == '-' || row[6][0] == '\0')
            continue;
        const char *path = data_path("formats", row[0]);
        meso_image image = outcome(path, 0, 0, 1, what);
        int swapped = image.exif_orientation >= 5;
        if (strcmp(what, row[6]) != 0)
            fail_msg("%s turned: %s, Pillow %s", row[0], what, row[6]);
        assert_int_equal(image.width, atoi(row[swapped ? 2 : 1]));
        assert_int_equal(image.file_width, atoi(row[1]));
        seen[image.exif_orientation] = 1;
        meso_image_free(&image);
        image = outcome(path, 251, 101, 1, what);
        if (strcmp(what, row[7]) != 0)
            fail_msg("%s turned and resized: %s, Pillow %s", row[0], what, row[7]);
        meso_image_free(&image);
        n++;
    }
    assert_true(n >= 17);
    for (int orientation = 1; orientation <= 8; orientation++)
        assert_true(seen[orientation]);
}

/* The four images published with the weights; their CRCs were taken with OpenCV and Pillow. */
static void test_published_images(void **state)
{
    static const char *rows[][3] = {{"df/df00204.jpg", "35acfae1", "aa6f76ab"},
                                    {"df/df01254.jpg", "197bc523", "e4cb7e54"},
                                    {"real/real00240.jpg", "bb30b036", "bb30b036"},
                                    {"real/real00772.jpg", "ffc78ebc", "0c900437"}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        char what[32];
        const char *path = data_path("samples", rows[i][0]);
        meso_image image = outcome(path, 0, 0, 0, what);
        assert_string_equal(what, rows[i][1]);
        assert_string_equal(image.format, "jpeg");
        assert_int_equal(image.exif_orientation, 1);
        assert_int_equal(image.suspect, 0);
        meso_image_free(&image);
        image = outcome(path, 256, 256, 0, what);
        assert_string_equal(what, rows[i][2]);
        meso_image_free(&image);
    }
}

static const char *broken_files[][2] = {
    {"5000_by_one.png", "9d1a3def"},
    {"bad_crc_idat.png", "corrupt"},
    {"bad_crc_ihdr.png", "corrupt"},
    {"bmp_2x2.bmp", "58a39a43"},
    {"bmp_hdrbomb.bmp", "odd_size"},
    {"empty.jpg", "empty"},
    {"empty.png", "empty"},
    {"good_64.png", "c6d6a86b"},
    {"hdrbomb_2147483647x1.png", "odd_size"},
    {"hdrbomb_2e31-1_square_rgba16.png", "odd_size"},
    {"hdrbomb_65535x65535_rgb.png", "too_large"},
    {"html_named.jpg", "unknown_format"},
    {"jpeg_soi_eoi.jpg", "corrupt"},
    {"jpeg_soi_only.jpg", "truncated"},
    {"jpg_12bit_claimed.jpg", "unsupported"},
    {"jpg_bad_marker_len.jpg", "corrupt"},
    {"jpg_bitflips.jpg",
     "truncated"}, /* a flipped bit turns the end of a scan's data into a marker */
    {"jpg_good.jpg", "b88ce32e"},
    {"jpg_hdrbomb_65535x65535.jpg", "too_large"},
    {"jpg_named.png", "b88ce32e"},
    {"jpg_no_dht.jpg", "b88ce32e"},
    {"jpg_trailing_junk.jpg", "b88ce32e"},
    {"jpg_trunc_10.jpg", "truncated"},
    {"jpg_trunc_30.jpg", "truncated"},
    {"jpg_trunc_50.jpg", "truncated"},
    {"jpg_trunc_90.jpg", "truncated"},
    {"jpg_trunc_99.jpg", "truncated"},
    {"jpg_zero_height.jpg", "odd_size"},
    {"lfs_pointer.jpg", "unknown_format"},
    {"no_idat.png", "corrupt"},
    {"no_iend.png", "truncated"},
    {"one_by_5000.png", "9d1a3def"},
    {"one_pixel_rgb.png", "41d9edff"},
    {"png_named.jpg", "c6d6a86b"},
    {"random.jpg", "unknown_format"},
    {"text_named.jpg", "unknown_format"},
    {"trailing_junk.png", "c6d6a86b"},
    {"truncated_half.png", "truncated"},
    {"truncated_in_ihdr.png", "truncated"},
    {"truncated_sig_only.png", "truncated"},
    {"zbomb_10000x10000_gray8_real.png", "too_large"},
    {"zbomb_20000x20000_gray1.png", "too_large"},
    {"zero_height.png", "odd_size"},
    {"zero_width.png", "odd_size"},
};

static void test_broken_files(void **state)
{
    int n_wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof broken_files / sizeof broken_files[0]; i++) {
        char what[32];
        meso_image image = outcome(data_path("bad/handmade", broken_files[i][0]), 0, 0, 0, what);
        if (strcmp(what, broken_files[i][1]) != 0)
            print_error("%s: %s, expected %s\n", broken_files[i][0], what, broken_files[i][1]);
        n_wrong += strcmp(what, broken_files[i][1]) != 0;
        meso_image_free(&image);
    }
    assert_int_equal(n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_equal_pillow),
        cmocka_unit_test(test_exceptions_have_reasons),
        cmocka_unit_test(test_resized_while_decoding),
        cmocka_unit_test(test_turned_by_exif),
        cmocka_unit_test(test_published_images),
        cmocka_unit_test(test_broken_files),
    };
    return cmocka_run_group_tests(tests, read_tables, free_tables);
}

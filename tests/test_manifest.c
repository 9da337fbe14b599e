/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests as spreadsheets and other systems write them. Those of RFC 4180: test_dataset.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/unicode.h"
#include "harness_run.h"
#include "mesocl/dataset.h"

static void expect_two(const meso_dataset *dataset, const char *fake, const char *real)
{
    assert_int_equal(dataset->n_items, 2);
    assert_string_equal(dataset->items[0].path, fake);
    assert_string_equal(dataset->items[1].path, real);
}

/* As spreadsheets and other systems write them. */
static void reads_foreign_manifests(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {
#define ROW(text) {text, sizeof text - 1}
        ROW("file;label\nx/a.png;real\nx/b.png;fake\n"),
        ROW("file\tlabel\r\nx/a.png\treal\r\nx/b.png\tfake\r\n"),
        ROW("sep=;\nfile;label\nx/a.png;real\nx/b.png;fake\n"),
        ROW("sep=,\r\nfile,label\r\nx/a.png,real\r\nx/b.png,fake\r\n"),
        ROW("file, label\nx/a.png, real\nx/b.png, fake \n"),
        ROW("file,label\nx/a.png,real\nx/b.png,fake\n,\n,\n"),
        ROW("file,label,note\nx\\a.png,real,\\\nx\\b.png,fake,\n,,\n"),
        ROW("\xFF\xFE"
            "f\0i\0l\0e\0,\0l\0a\0b\0e\0l\0\n\0x\0/\0a\0.\0p\0n\0g\0,\0r\0e\0a\0l\0\n\0"
            "x\0/\0b\0.\0p\0n\0g\0,\0f\0a\0k\0e\0"),
        ROW("\xFE\xFF\0f\0i\0l\0e\0;\0l\0a\0b\0e\0l\0\n\0x\0/"
            "\0a\0.\0p\0n\0g\0;\0r\0e\0a\0l\0\n\0x\0/"
            "\0b\0.\0p\0n\0g\0;\0f\0a\0k\0e"),
#undef ROW
    };
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    harness_put("x/a.png", "", 0);
    harness_put("x/b.png", "", 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_error error = {0};
        harness_put("m.csv", rows[i].text, rows[i].n);
        if (meso_dataset_open("m.csv", NULL, &dataset, &error) != MESO_OK)
            fail_msg("row %zu: %s", i, error.text);
        expect_two(&dataset, "x/b.png", "x/a.png");
        meso_dataset_close(&dataset);
    }
    /* Letters beyond ASCII, and beyond 16 bits; a file that has a backslash in its name. */
    static const char wide[] = "\xFF\xFE"
                               "f\0i\0l\0e\0,\0l\0a\0b\0e\0l\0\n\0"
                               "\xE4\0\xAC\x20\x3D\xD8\x00\xDE,\0f\0a\0k\0e\0\n\0"
                               "a\0\\\0b\0,\0r\0e\0a\0l\0";
    harness_put("m.csv", wide, sizeof wide - 1);
    harness_put("a\\b", "", 0);
    assert_int_equal(meso_dataset_open("m.csv", NULL, &dataset, NULL), MESO_OK);
    expect_two(&dataset, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "a\\b");
    meso_dataset_close(&dataset);
}

/* Accents apart from their letters, as macOS writes them, or not: in the list, on disk, mixed. */
static void names_in_both_forms_of_unicode(void **state)
{
#define E_NFC "\xC3\xA9"
#define E_NFD "e\xCC\x81"
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    const char *const paths[] = {E_NFC "/" E_NFD ".png", "gone" E_NFD};
    (void)state;
    if (!meso_same_name(E_NFC, E_NFD))
        skip(); /* built without utf8proc */
    harness_put(E_NFD "/" E_NFC ".png", "", 0);
    harness_put("b" E_NFC ".png", "", 0);
    harness_put("m.csv", "file,label\n" E_NFC "/" E_NFD ".png,fake\nb" E_NFD ".png,real\n", 0);
    assert_int_equal(meso_dataset_open("m.csv", NULL, &dataset, NULL), MESO_OK);
    expect_two(&dataset, E_NFD "/" E_NFC ".png", "b" E_NFC ".png");
    meso_dataset_close(&dataset);
    assert_int_equal(meso_dataset_from_paths(paths, 2, &dataset, NULL), MESO_OK);
    assert_string_equal(dataset.items[0].path, E_NFD "/" E_NFC ".png");
    assert_string_equal(dataset.items[1].path, "gone" E_NFD); /* as it was written */
    meso_dataset_close(&dataset);
    harness_put("r/r" E_NFD "el/1.png", "", 0);
    harness_put("r/fake/2.png", "", 0);
    options.real = "r" E_NFC "el";
    assert_int_equal(meso_dataset_open("r", &options, &dataset, NULL), MESO_OK);
    expect_two(&dataset, "r/fake/2.png", "r/r" E_NFD "el/1.png");
    meso_dataset_close(&dataset);
}

/* A mark tells UTF-16; text without one stays as it is, half characters are refused. */
static void utf16_is_told_by_its_mark(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        const char *utf8; /* NULL: refused */
    } rows[] = {
        {"", 0, ""},
        {"a", 1, "a"},
        {"\xEF\xBB\xBF", 3, ""},
        {"\xEF\xBB\xBFx\xEF", 5, "x\xEF"},
        {"\xFF\xFE", 2, ""},
        {"\xFF\xFE\xFF\x07\x00\x08", 6, "\xDF\xBF\xE0\xA0\x80"},
        {"\xFE\xFF\xFF\xFD\xD8\x00\xDC\x00", 8, "\xEF\xBF\xBD\xF0\x90\x80\x80"},
        {"\xFF\xFE\xFF\xDB\xFF\xDF", 6, "\xF4\x8F\xBF\xBF"},
        {"\xFF\xFEx", 3, NULL},
        {"\xFF\xFE\x3D\xD8", 4, NULL},
        {"\xFF\xFE\x3D\xD8x", 5, NULL},
        {"\xFF\xFE\x3D\xD8x\0", 6, NULL},
        {"\xFF\xFE\x00\xDC", 4, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_error error = {0};
        size_t n = rows[i].n;
        char *text = malloc(n + 1);
        assert_non_null(text);
        memcpy(text, rows[i].text, n);
        text[n] = '\0';
        meso_status status = meso_to_utf8(&text, &n, "list", &error);
        if (status != (rows[i].utf8 ? MESO_OK : MESO_ERROR_DATA) ||
            (rows[i].utf8 && (n != strlen(rows[i].utf8) || strcmp(text, rows[i].utf8) != 0)))
            fail_msg("row %zu: %s", i, error.text);
        free(text);
    }
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {IN_FOLDER(reads_foreign_manifests),
                                       IN_FOLDER(names_in_both_forms_of_unicode),
                                       cmocka_unit_test(utf16_is_told_by_its_mark)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

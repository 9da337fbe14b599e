/* SPDX-License-Identifier: Apache-2.0
 *
 * What a folder holds besides the images that are taken, on trees that the test builds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/list/passed.h"
#include "harness_run.h"

static void put_all(const char *const *paths)
{
    for (; *paths; paths++)
        harness_put(*paths, "", 0);
}
#define PUT(...) put_all((const char *const[]){__VA_ARGS__, NULL})

/* What is not taken is counted, by its ending, its folder, or what the system calls it. */
static void passed_over_is_counted(void **state)
{
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_text said = {0};
    (void)state;
    PUT("r/fake/1.jpe", "r/fake/a.AVIF", "r/fake/sub/b.avif", "r/fake/c.heic", "r/fake/noending",
        "r/fake/frame.0001", "r/fake/.x.png", "r/fake/._1.jpe", "r/fake/.DS_Store",
        "r/fake/@eaDir/1.png", "r/fake/notes.txt", "r/real/2.jfif", "r/real/thumbs.db",
        "r/real/@EADIR/2.png", "r/real/desktop.ini", "r/Deepfakes/3.png", "r/Deepfakes/sub/4.jpg",
        "r/Deepfakes/5.txt", "r/Deepfakes/@eaDir/6.png", "r/empty/7.txt", "r/loose.png",
        "r/__MACOSX/fake/8.png", "r/#recycle/fake/9.png", "r/labels.csv", "r/$RECYCLE.BIN/x.png",
        "r/.Trash-1000/y.png", "r/.git/config");
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    assert_int_equal(dataset.n_items, 2);
    assert_string_equal(dataset.items[0].path, "r/fake/1.jpe");
    assert_string_equal(dataset.items[1].path, "r/real/2.jfif");
    meso_passed_say(&dataset, &said);
    assert_string_equal(
        said.bytes,
        "2 .avif, 1 .heic (formats that are not read); 2 files (names without an ending); "
        "2 in Deepfakes, 0 in empty, 1 in . (images outside the two class folders); "
        "1 .txt, 1 .csv (not images); "
        "1 .DS_Store, 1 ._*, 1 .*, 2 @eaDir, 1 desktop.ini, 1 Thumbs.db, 1 #recycle, "
        "1 $RECYCLE.BIN, 1 .Trash*, 1 .git, 1 __MACOSX (system and hidden files)");
    meso_text_free(&said);
    meso_dataset_close(&dataset);
}

/* Where nothing is taken, what lies there is the reason. */
static void nothing_but_what_is_not_read(void **state)
{
    const char *paths[] = {"r/fake"};
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_error error = {0};
    (void)state;
    PUT("r/fake/1.heic", "r/real/2.png");
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, &error), MESO_ERROR_DATA);
    assert_string_equal(
        error.text,
        "r: no images of the class fake; passed over: 1 .heic (formats that are not read)");
    assert_int_equal(meso_dataset_from_paths(paths, 1, &dataset, &error), MESO_ERROR_NO_INPUT);
    assert_string_equal(error.text,
                        "no images in r/fake; passed over: 1 .heic (formats that are not read)");
}

/* Files that are all called otherwise make a list that ends. */
static void many_endings(void **state)
{
    enum { n_files = 300 };
    meso_dataset dataset = MESO_INIT(meso_dataset);
    size_t n = 0;
    (void)state;
    PUT("r/fake/1.png", "r/real/2.png");
    for (int i = 0; i < n_files; i++) {
        char path[64];
        snprintf(path, sizeof path, "r/fake/a.x%d", i);
        harness_put(path, "", 0);
    }
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    for (size_t i = 0; i < dataset.n_passed_over; i++)
        n += dataset.passed_over[i].n;
    assert_int_equal(n, n_files);
    assert_int_equal(dataset.n_passed_over, 101);
    assert_string_equal(dataset.passed_over[100].name, "others");
    meso_dataset_close(&dataset);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(passed_over_is_counted),
        IN_FOLDER(nothing_but_what_is_not_read),
        IN_FOLDER(many_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Scans that do not go as planned: interrupted ones, files that change or vanish meanwhile.
 */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness_device.h"
#include "harness_run.h"
#include "study/check/pairs.h"

enum { per_class = 100 };

static void put_dataset(void)
{
    for (unsigned i = 0; i < 2 * per_class; i++) {
        char path[64];
        snprintf(path, sizeof path, "set/%s/%03u.ppm", i < per_class ? "fake" : "real",
                 i % per_class);
        harness_put_picture(path, 33, 0x010101u * i);
    }
}

static meso_status scan(meso_device *device, const char *cache, study_progress progress, void *user,
                        study_dataset *dataset, meso_error *error)
{
    study_scan_options options = STUDY_SCAN_OPTIONS_INIT;
    meso_dataset files = MESO_INIT(meso_dataset);
    assert_int_equal(meso_dataset_open("set", NULL, &files, error), MESO_OK);
    options.device = device;
    options.cache = cache;
    options.progress = progress;
    options.user = user;
    return study_scan("set", "set", &files, &options, dataset, error);
}

static int stop_at_half(size_t n_done, size_t n, void *user)
{
    (void)user;
    return n_done >= n / 2;
}

static void an_interrupted_scan_goes_on(void **state)
{
    meso_device *device = harness_device();
    study_dataset dataset, whole;
    meso_error error;
    (void)state;
    put_dataset();
    assert_int_equal(scan(device, "cache", stop_at_half, NULL, &dataset, &error),
                     MESO_ERROR_CANCELLED);
    assert_non_null(strstr(error.text, "continues there"));
    assert_int_equal(scan(device, "cache", NULL, NULL, &dataset, &error), MESO_OK);
    assert_true(dataset.n_read > 0 && dataset.n_read <= per_class);
    assert_int_equal(scan(device, NULL, NULL, NULL, &whole, &error), MESO_OK);
    assert_int_equal(whole.n_read, 2 * per_class);
    for (size_t i = 0; i < 2 * per_class; i++) /* what was kept is what is found anew */
        assert_memory_equal(&dataset.images[i], &whole.images[i], sizeof whole.images[i]);
    study_dataset_free(&dataset);
    study_dataset_free(&whole);
    meso_device_close(device);
}

static int change_a_file(size_t n_done, size_t n, void *user)
{
    (void)n;
    if (n_done > 50 && *(const char *)user == 'c')
        harness_put_picture("set/fake/000.ppm", 34, 0x123456);
    else if (n_done > 50)
        unlink("set/fake/000.ppm");
    return 0;
}

static void a_file_that_changes_ends_the_scan(void **state)
{
    static char ways[2][2] = {"c", "v"}; /* changes, vanishes */
    meso_device *device = harness_device();
    study_dataset dataset;
    meso_error error;
    (void)state;
    for (int i = 0; i < 2; i++) {
        put_dataset();
        assert_int_equal(scan(device, "cache", change_a_file, ways[i], &dataset, &error),
                         MESO_ERROR_DATA);
        assert_non_null(strstr(error.text, "set/fake/000.ppm changed while"));
        assert_non_null(strstr(error.text, "scan again"));
    }
    put_dataset();
    assert_int_equal(scan(device, "cache", NULL, NULL, &dataset, &error), MESO_OK);
    harness_close(dataset.images[1].property[STUDY_RED], 1, 0, "nothing of the change is left");
    study_dataset_free(&dataset);
    meso_device_close(device);
}

/* Pictures of one size that keep their times, as files from an archive do, change places. */
static void swapped_files_are_read_again(void **state)
{
    static const char *const paths[2] = {"set/fake/000.ppm", "set/real/000.ppm"};
    const struct timespec times[2] = {{315532800, 0}, {315532800, 0}};
    meso_device *device = harness_device();
    study_dataset dataset;
    meso_error error;
    double before[2];
    (void)state;
    put_dataset();
    for (int i = 0; i < 2; i++)
        assert_int_equal(utimensat(AT_FDCWD, paths[i], times, 0), 0);
    assert_int_equal(scan(device, "cache", NULL, NULL, &dataset, &error), MESO_OK);
    for (int i = 0; i < 2; i++)
        before[i] = dataset.images[(size_t)i * per_class].property[STUDY_RED];
    study_dataset_free(&dataset);
    assert_true(before[0] != before[1]);
    assert_int_equal(rename(paths[0], "aside.ppm"), 0);
    assert_int_equal(rename(paths[1], paths[0]), 0);
    assert_int_equal(rename("aside.ppm", paths[1]), 0);
    assert_int_equal(scan(device, "cache", NULL, NULL, &dataset, &error), MESO_OK);
    assert_int_equal(dataset.n_read, 2);
    for (int i = 0; i < 2; i++)
        assert_true(dataset.images[(size_t)i * per_class].property[STUDY_RED] == before[1 - i]);
    study_dataset_free(&dataset);
    meso_device_close(device);
}

/* Large and small, more than a batch: each picture keeps its own figures. */
static void sizes_may_differ(void **state)
{
    meso_device *device = harness_device();
    study_dataset dataset;
    meso_error error;
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        char path[64];
        snprintf(path, sizeof path, "set/%s/%03u.ppm", i < 20 ? "fake" : "real", i % 20);
        harness_put_picture(path, i % 7 == 0 ? 1500 : (int)(1 + i), 0x010101u * (i + 1));
    }
    assert_int_equal(scan(device, NULL, NULL, NULL, &dataset, &error), MESO_OK);
    for (unsigned i = 0; i < 40; i++) {
        harness_close(dataset.images[i].property[STUDY_GREEN], i + 1, 0, "image %u", i);
        harness_close(dataset.images[i].property[STUDY_WIDTH], i % 7 == 0 ? 1500 : 1 + i, 0,
                      "image %u", i);
    }
    study_dataset_free(&dataset);
    meso_device_close(device);
}

/* The study's statistics alone: what needs more says so, in place of finding all pictures equal. */
static void a_lesser_scan_is_not_taken_for_a_whole_one(void **state)
{
    meso_device *device = harness_device();
    study_scan_options options = STUDY_SCAN_OPTIONS_INIT;
    study_dataset dataset;
    study_pairs pairs;
    meso_dataset files = MESO_INIT(meso_dataset);
    meso_error error;
    (void)state;
    put_dataset();
    options.device = device;
    options.published_only = 1;
    assert_int_equal(meso_dataset_open("set", NULL, &files, &error), MESO_OK);
    assert_int_equal(study_scan("set", "set", &files, &options, &dataset, &error), MESO_OK);
    harness_close(dataset.images[7].property[STUDY_BLUE], 7, 0, "blue");
    assert_true(isnan(dataset.images[7].property[STUDY_NOISE]));
    assert_int_equal(study_duplicates(&dataset, &pairs, &error), MESO_ERROR_ARGUMENT);
    assert_int_equal(study_leaks(&dataset, &dataset, &pairs, &error), MESO_ERROR_ARGUMENT);
    study_dataset_free(&dataset);
    meso_device_close(device);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(an_interrupted_scan_goes_on), IN_FOLDER(a_file_that_changes_ends_the_scan),
        IN_FOLDER(swapped_files_are_read_again), IN_FOLDER(sizes_may_differ),
        IN_FOLDER(a_lesser_scan_is_not_taken_for_a_whole_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

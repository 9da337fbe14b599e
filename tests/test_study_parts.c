/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of dataset_bench that need no device: what files say of themselves, perceptual hashes,
 * spectra, effect sizes, samples.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "demo/drawing.h"
#include "harness_device.h"
#include "harness_encode.h"
#include "harness_run.h"
#include "study/scan/scan_file.h"
#include "study/scan/study_scan.h"
#include "study/scan/summary.h"

/* libjpeg writes the table of a quality; from 1 to 100 it is told again. */
static void jpeg_quality_is_told_from_the_table(void **state)
{
    uint8_t rgb[16 * 16 * 3];
    (void)state;
    memset(rgb, 90, sizeof rgb);
    for (int quality = 1; quality <= 100; quality++) {
        study_file_facts facts;
        void *bytes = NULL;
        size_t n;
        meso_error error;
        assert_int_equal(study_write_jpeg("x.jpg", rgb, 16, 16, quality, &error), MESO_OK);
        assert_int_equal(meso_file_read("x.jpg", 1 << 20, &bytes, &n, NULL, &error), MESO_OK);
        study_file_facts_read(bytes, n, &facts);
        harness_close(facts.jpeg_quality, quality, 0, "quality");
        harness_close(facts.chroma, 4, 0, "subsampling");
        assert_int_equal(facts.exif, 0);
        for (size_t cut = 0; cut < n; cut++) { /* any beginning of a file is read without harm */
            uint8_t *part = malloc(cut + 1);
            memcpy(part, bytes, cut);
            study_file_facts_read(part, cut, &facts);
            free(part);
        }
        free(bytes);
    }
}

static void exif_and_subsampling_are_seen(void **state)
{
    uint8_t rgb[8 * 8 * 3] = {0}, exif[32] = "Exif\0";
    const jpeg_request colour = {8, 8, JCS_RGB, JCS_YCbCr, 0, exif, 32};
    const jpeg_request grey = {8, 8, JCS_GRAYSCALE, JCS_GRAYSCALE, 0, NULL, 0};
    study_file_facts facts;
    (void)state;
    encoded file = encode_jpeg(&colour, rgb);
    study_file_facts_read(file.bytes, file.n, &facts);
    assert_int_equal(facts.exif, 1);
    free(file.bytes);
    file = encode_jpeg(&grey, rgb);
    study_file_facts_read(file.bytes, file.n, &facts);
    assert_int_equal(facts.exif, 0);
    assert_true(isnan(facts.chroma));
    harness_close(facts.jpeg_quality, 95, 0, "quality of a grey file");
    free(file.bytes);
    encoded png = encode_png(rgb, 8, 8, 2, 8, 0, 0);
    study_file_facts_read(png.bytes, png.n, &facts);
    assert_true(isnan(facts.jpeg_quality) && !facts.exif);
    encoded with = encode_png_chunk(&png, "eXIf", exif, 32);
    study_file_facts_read(with.bytes, with.n, &facts);
    assert_int_equal(facts.exif, 1);
    free(with.bytes);
    free(png.bytes);
}

static void area_means(void **state)
{
    uint8_t rgb[3 * 5 * 3];
    float out[4];
    (void)state;
    for (int y = 0; y < 3; y++) /* 5 wide, 3 high; grey 10x + y */
        for (int x = 0; x < 5; x++)
            memset(rgb + 3 * (5 * y + x), 10 * x + y, 3);
    study_reduce(rgb, 5, 3, 2, out);
    harness_close(out[0], (0 + 10 + 20 * 0.5) / 2.5 + (0 + 1 * 0.5) / 1.5, 1e-5, "top left");
    harness_close(out[3], (20 * 0.5 + 30 + 40) / 2.5 + (1 * 0.5 + 2) / 1.5, 1e-5, "bottom right");
}

static void hashes_know_mirrors(void **state)
{
    enum { side = 96 };
    static uint8_t rgb[side * side * 3], other[side * side * 3];
    float grey[STUDY_LOOK_SIDE * STUDY_LOOK_SIDE];
    const study_style style = {0, 0, 1, 5};
    uint64_t phash, mirrored, phash_2, mirrored_2;
    meso_error error;
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_int_equal(study_draw(seed, 0, &style, side, rgb, &error), MESO_OK);
        study_resize(rgb, side, other, side, 1);
        study_reduce(rgb, side, side, STUDY_LOOK_SIDE, grey);
        study_phash(grey, &phash, &mirrored);
        study_reduce(other, side, side, STUDY_LOOK_SIDE, grey);
        study_phash(grey, &phash_2, &mirrored_2);
        assert_true(study_phash_distance(mirrored, phash_2) <= 2);
        assert_true(study_phash_distance(phash, mirrored_2) <= 2);
        assert_true(study_phash_distance(phash, phash_2) > 12);
    }
}

/* Waves across the picture have their power in the ring of their frequency. */
static void spectra_have_their_peaks_where_the_waves_are(void **state)
{
    enum { side = 128 };
    static uint8_t rgb[side * side * 3];
    study_spectrum_plan *plan = NULL;
    meso_error error;
    (void)state;
    assert_int_equal(study_spectrum_open(&plan, &error), MESO_OK);
    for (int ring = 1; ring < STUDY_SPECTRUM_BINS; ring++) {
        float rings[STUDY_SPECTRUM_BINS];
        double high, cycles = (ring + 0.5) / (2 * STUDY_SPECTRUM_BINS);
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++)
                memset(rgb + 3 * (side * y + x),
                       (int)(128 + 100 * sin(2 * acos(-1) * cycles * (ring % 2 ? x : y))), 3);
        study_spectrum(plan, rgb, side, side, rings, &high);
        int peak = 0;
        for (int k = 1; k < STUDY_SPECTRUM_BINS; k++)
            peak = rings[k] > rings[peak] ? k : peak;
        assert_int_equal(peak, ring);
        if (ring > STUDY_SPECTRUM_BINS / 2)
            harness_close(high, 0, 0.01, "nearly all power is high, ring %d", ring);
        if (ring < STUDY_SPECTRUM_BINS / 2 - 1)
            assert_true(high < -1);
    }
    float rings[STUDY_SPECTRUM_BINS];
    double high;
    study_spectrum(plan, rgb, 31, 100, rings, &high);
    assert_true(isnan(high) && isnan(rings[0])); /* too small */
    study_spectrum_close(plan);
}

/* Against the definitions, value by value, with ties. */
static void effect_sizes(void **state)
{
    meso_random random = {11};
    (void)state;
    for (int round = 0; round < 50; round++) {
        double a[60], b[60], ks = 0, means[2] = {0}, squares = 0;
        size_t n_a = 2 + meso_random_below(&random, 58), n_b = 2 + meso_random_below(&random, 58);
        for (size_t i = 0; i < n_a; i++)
            means[0] += (a[i] = (double)meso_random_below(&random, 12)) / (double)n_a;
        for (size_t i = 0; i < n_b; i++)
            means[1] += (b[i] = 2 + (double)meso_random_below(&random, 12)) / (double)n_b;
        for (int at = -1; at < 15; at++) {
            double below[2] = {0};
            for (size_t i = 0; i < n_a; i++)
                below[0] += (a[i] <= at) / (double)n_a;
            for (size_t i = 0; i < n_b; i++)
                below[1] += (b[i] <= at) / (double)n_b;
            ks = fmax(ks, fabs(below[0] - below[1]));
        }
        for (size_t i = 0; i < n_a; i++)
            squares += (a[i] - means[0]) * (a[i] - means[0]);
        for (size_t i = 0; i < n_b; i++)
            squares += (b[i] - means[1]) * (b[i] - means[1]);
        double d = (means[0] - means[1]) / sqrt(squares / (double)(n_a + n_b - 2));
        study_effect effect = study_effect_of(a, n_a, b, n_b);
        harness_close(effect.ks, ks, 1e-12, "KS");
        harness_close(effect.d, d, 1e-12, "d");
    }
    double one[1] = {1}, two[2] = {1, 1};
    assert_true(isnan(study_effect_of(one, 1, two, 2).ks));
    assert_true(isnan(study_effect_of(two, 2, two, 2).d)); /* nothing varies */
}

/* Every file is drawn as often as any other. */
static void samples_are_fair(void **state)
{
    enum { n = 10, wanted = 3, rounds = 4000 };
    size_t drawn[2 * n] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < rounds; seed++) {
        meso_dataset_item items[2 * n];
        meso_dataset files = {.items = items, .n_items = 2 * n, .n_class = {n, n}};
        for (size_t i = 0; i < 2 * n; i++)
            items[i] = (meso_dataset_item){(const char *)&drawn[i], i < n ? MESO_FAKE : MESO_REAL,
                                           NULL, NULL};
        study_sample(&files, wanted, seed);
        assert_int_equal(files.n_items, 2 * wanted);
        assert_int_equal(files.n_class[0], wanted);
        for (size_t i = 0; i < files.n_items; i++)
            ++*(size_t *)(uintptr_t)items[i].path;
    }
    for (size_t i = 0; i < 2 * n; i++) /* five standard deviations */
        harness_close((double)drawn[i], rounds * 0.3, 5 * sqrt(rounds * 0.3 * 0.7), "file %zu", i);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(jpeg_quality_is_told_from_the_table),
        cmocka_unit_test(exif_and_subsampling_are_seen),
        cmocka_unit_test(area_means),
        cmocka_unit_test(hashes_know_mirrors),
        cmocka_unit_test(spectra_have_their_peaks_where_the_waves_are),
        cmocka_unit_test(effect_sizes),
        cmocka_unit_test(samples_are_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

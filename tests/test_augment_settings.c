/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of augmentation: text in and out, presets, refusals; and what is drawn from them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/batch/augment_draw.h"

static meso_augment_settings parse(const char *text)
{
    meso_augment_settings settings;
    meso_error error;
    if (meso_augment_parse(text, &settings, &error) != MESO_OK)
        fail_msg("%s: %s", text, error.text);
    return settings;
}

static void reads_and_writes(void **state)
{
    /* what is given, and what is written */
    static const char *const texts[][2] = {
        {"none", "none"},
        {"mesonet",
         "rotation=15,zoom=0.8:1.2,channel_shift=30,brightness=0.8:1.2,horizontal_flip=1"},
        {"transfer", "rotation=120,width_shift=0.5,height_shift=0.5,shear=120,zoom=0.1:1.9,"
                     "horizontal_flip=1,vertical_flip=1,featurewise_center=1,featurewise_std=1"},
        {"mesonet,rotation=10,zoom=0.1,compat=kp1.1.2",
         "rotation=10,zoom=0.9:1.1,channel_shift=30,brightness=0.8:1.2,horizontal_flip=1,"
         "compat=kp1.1.2"},
        {"mesonet,none", "none"},
        {"compat=keras2.9", "none"},
        {"samplewise_center=1,samplewise_std=1,horizontal_flip=0",
         "samplewise_center=1,samplewise_std=1"},
        {"mean=0.1:0.2:0.30000000000000004,std=0.5:0.25:1",
         "mean=0.1:0.2:0.30000000000000004,std=0.5:0.25:1"},
        {"mean=0.5:0:0,compat=keras2.1.5", "mean=0.5:0:0,compat=keras2.1.5"}};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[MESO_AUGMENT_TEXT_SIZE];
        meso_augment_settings settings = parse(texts[i][0]), again;
        assert_string_equal(meso_augment_format(&settings, text), texts[i][1]);
        again = parse(text);
        assert_string_equal(meso_augment_format(&again, text), texts[i][1]);
    }
}

/* Every setting at its longest fits the text. */
static void writes_the_longest(void **state)
{
    const double digits = 0.12345678901234567;
    const meso_augment_settings settings = {digits,
                                            digits,
                                            digits,
                                            digits,
                                            digits,
                                            1 + digits,
                                            digits,
                                            digits,
                                            1 + digits,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            MESO_AUGMENT_KERAS215,
                                            {digits, digits, digits},
                                            {digits, digits, digits}};
    char text[MESO_AUGMENT_TEXT_SIZE], text_again[MESO_AUGMENT_TEXT_SIZE];
    (void)state;
    const meso_augment_settings again = parse(meso_augment_format(&settings, text));
    assert_string_equal(meso_augment_format(&again, text_again), text);
    assert_true(again.std[2] == digits && again.zoom_high == 1 + digits);
    assert_int_equal(again.compat, MESO_AUGMENT_KERAS215);
}

static void refuses(void **state)
{
    /* what is given, and a part of the sentence */
    static const char *const texts[][2] = {
        {"", "unknown augmentation \"\""},
        {"mesonet,", "unknown augmentation \"\""},
        {"Mesonet", "none, mesonet, transfer or key=value"},
        {"rotate=3", "unknown augmentation key \"rotate\""},
        {"rotation=", "rotation takes a number from 0 to 360, not \"\""},
        {"rotation=-5", "from 0 to 360"},
        {"rotation=361", "from 0 to 360"},
        {"rotation=5x", "5x"},
        {"rotation=nan", "nan"},
        {"rotation=1e400", "1e400"},
        {"rotation= 5", "a number"},
        {"rotation=5:6", "a number"},
        {"zoom=1", "or one Z, for 1-Z:1+Z"},
        {"zoom=1.2:0.8", "LOW:HIGH"},
        {"brightness=1", "2 numbers with : between"},
        {"brightness=0:1", "from 0.001"},
        {"horizontal_flip=2", "yes or no"},
        {"mean=1:2", "3 numbers with : between"},
        {"zoom=0.8:1.2:", "2 numbers"},
        {"zoom=-0.2", "2 numbers"},
        {"mean=1:1:0.00000000000000000000000000000001", "3 numbers"},
        {"mean=0.1:0.2:0.3:0.4", "3 numbers"},
        {"compat=keras3", "keras2.9|kp1.1.2|keras2.1.5"},
        {"rotation=5\n", "5\\x0A"}};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        meso_augment_settings settings = {.rotation_degrees = 7};
        meso_error error = {0};
        assert_int_equal(meso_augment_parse(texts[i][0], &settings, &error), MESO_ERROR_ARGUMENT);
        if (!strstr(error.text, texts[i][1]))
            fail_msg("\"%s\" does not say \"%s\"", error.text, texts[i][1]);
        assert_true(settings.rotation_degrees == 7);
    }
}

static void tells_what_evaluation_needs(void **state)
{
    meso_augment_settings settings = parse("transfer,mean=0.1:0.2:0.3,std=0.4:0.5:0.6"), kept;
    char text[MESO_AUGMENT_TEXT_SIZE];
    (void)state;
    assert_true(meso_augment_is_random(&settings));
    assert_int_equal(meso_augment_normalization(&settings, &kept), 1);
    assert_false(meso_augment_is_random(&kept));
    assert_string_equal(meso_augment_format(&kept, text),
                        "featurewise_center=1,featurewise_std=1,mean=0.1:0.2:0.3,std=0.4:0.5:0.6");
    settings = parse("mesonet");
    assert_int_equal(meso_augment_normalization(&settings, &kept), 0);
}

/* Each draw lies in its range, spreads over it, and depends on seed, epoch and image. */
static void draws_within_the_ranges(void **state)
{
    enum { n = 4000 };
    meso_augment_settings settings = parse("mesonet,width_shift=3,height_shift=0.25,shear=5");
    double sum = 0, least = 1e9, greatest = -1e9;
    size_t n_flips = 0;
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        meso_augment_parameters p;
        meso_augment_parameters_draw(&settings, 100, 200, 9, i / 100, i % 100, &p);
        sum += p.rotation_degrees;
        least = fmin(least, p.rotation_degrees);
        greatest = fmax(greatest, p.rotation_degrees);
        n_flips += (size_t)p.horizontal_flip;
        assert_true(fabs(p.row_shift) <= 25 && fabs(p.column_shift) <= 3);
        assert_true(fabs(p.shear_degrees) <= 5 && !p.vertical_flip);
        assert_true(p.row_zoom >= 0.8 && p.row_zoom <= 1.2 && p.row_zoom != p.column_zoom);
        assert_true(p.brightness >= 0.8 && p.brightness <= 1.2);
        assert_true(fabs(p.channel_shift[0]) <= 30 && p.channel_shift[0] == p.channel_shift[2]);
    }
    assert_true(least > -15 && least < -14.9 && greatest < 15 && greatest > 14.9);
    assert_true(fabs(sum / n) < 4 * 15 / sqrt(3.0 * n));        /* four standard errors */
    assert_true(fabs((double)n_flips - n / 2.0) < 2 * sqrt(n)); /* likewise */
    settings.compat = MESO_AUGMENT_KERAS215;
    meso_augment_parameters p;
    meso_augment_parameters_draw(&settings, 100, 200, 9, 0, 0, &p);
    assert_true(p.channel_shift[0] != p.channel_shift[1]);
}

static void depends_on_seed_epoch_and_image(void **state)
{
    const meso_augment_settings settings = parse("mesonet");
    meso_augment_draw first, other;
    (void)state;
    meso_augment_draw_one(&settings, 64, 64, 1, 2, 3, &first);
    for (int i = 0; i < 4; i++) {
        meso_augment_draw_one(&settings, 64, 64, 1 + (i == 1), 2 + (i == 2), 3 + (i == 3), &other);
        if (i == 0)
            assert_memory_equal(&first, &other, sizeof first);
        else
            assert_memory_not_equal(&first, &other, sizeof first);
    }
    const meso_augment_settings none = parse("none");
    const meso_augment_draw identity = {{1, 0, 0}, {0, 1, 0}, {0, 0, 0}, 1};
    meso_augment_draw_one(&none, 64, 48, 1, 2, 3, &other);
    for (int k = 0; k < 3; k++) {
        assert_true(other.row_of[k] == identity.row_of[k]);
        assert_true(other.column_of[k] == identity.column_of[k]);
        assert_true(other.shift[k] == 0);
    }
    assert_true(other.brightness == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_and_writes),
                                       cmocka_unit_test(writes_the_longest),
                                       cmocka_unit_test(refuses),
                                       cmocka_unit_test(tells_what_evaluation_needs),
                                       cmocka_unit_test(draws_within_the_ranges),
                                       cmocka_unit_test(depends_on_seed_epoch_and_image)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

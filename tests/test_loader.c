/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoding threads: order, refusals in their places, bounded memory, early ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/batch/loader.h"

enum { n_files = 200, side = 8 };

static char folder[64];
static char names[n_files][96];
static const char *paths[n_files];

/* Every 7th file is missing, every 11th is text, one is a FIFO; the others are PPM pictures of one
 * colour, which is their position. Sizes differ, so that some take longer. */
static int is_missing(size_t i)
{
    return i % 7 == 6;
}

static int is_text(size_t i)
{
    return !is_missing(i) && i % 11 == 10;
}

static void write_picture(const char *path, int size, int colour)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "P6 %d %d 255\n", size, size);
    for (int i = 0; i < 3 * size * size; i++)
        fputc(colour, file);
    assert_int_equal(fclose(file), 0);
}

static int make_files(void **state)
{
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    (void)state;
    snprintf(folder, sizeof folder, "%.40s/meso-loader-XXXXXX", base);
    if (!mkdtemp(folder))
        return -1;
    for (size_t i = 0; i < n_files; i++) {
        snprintf(names[i], sizeof names[i], "%s/%03zu.ppm", folder, i);
        paths[i] = names[i];
        if (i == 3) {
            if (mkfifo(names[i], 0600) != 0)
                return -1;
        } else if (is_text(i)) {
            FILE *file = fopen(names[i], "w");
            fputs("<html>404</html>", file);
            fclose(file);
        } else if (!is_missing(i)) {
            write_picture(names[i], i % 5 == 0 ? 400 : 10, (int)i);
        }
    }
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_files; i++)
        remove(names[i]);
    return rmdir(folder);
}

static meso_loader_options options_for(size_t n_threads, size_t n_slots)
{
    meso_loader_options options = {.paths = paths,
                                   .n = n_files,
                                   .n_threads = n_threads,
                                   .n_slots = n_slots,
                                   .image = MESO_INIT(meso_image_options)};
    options.image.width = options.image.height = side;
    return options;
}

static void check(const meso_loaded *item, size_t i)
{
    meso_refusal wanted = i == 3          ? MESO_IMAGE_NOT_REGULAR
                          : is_missing(i) ? MESO_IMAGE_VANISHED
                          : is_text(i)    ? MESO_IMAGE_UNKNOWN_FORMAT
                                          : MESO_IMAGE_OK;
    assert_non_null(item);
    assert_int_equal(item->index, i);
    assert_int_equal(item->refusal, wanted);
    if (wanted != MESO_IMAGE_OK) {
        assert_null(item->image.rgb);
        assert_non_null(strstr(item->error.text, names[i]));
        return;
    }
    assert_int_equal(item->image.width, side);
    for (size_t k = 0; k < 3 * side * side; k++)
        assert_int_equal(item->image.rgb[k], i);
}

static void keeps_the_order_of_the_list(void **state)
{
    static const size_t threads[] = {1, 2, 3, 8, 0}, slots[] = {1, 2, 16, 1000};
    (void)state;
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++)
        for (size_t s = 0; s < sizeof slots / sizeof slots[0]; s++) {
            const meso_loader_options options = options_for(threads[t], slots[s]);
            meso_loader *loader;
            const meso_loaded *item;
            assert_int_equal(meso_loader_start(&options, &loader, NULL), MESO_OK);
            for (size_t i = 0; i < n_files; i++) {
                assert_int_equal(meso_loader_next(loader, &item, NULL), MESO_OK);
                check(item, i);
                meso_loader_release(loader, 1);
            }
            for (int again = 0; again < 2; again++) {
                assert_int_equal(meso_loader_next(loader, &item, NULL), MESO_OK);
                assert_null(item);
            }
            meso_loader_stop(loader);
        }
}

/* Stopped before the first, in the middle and behind the last file, it ends and leaks nothing (the
 * address sanitiser's build would say so). */
static void stops_at_any_time(void **state)
{
    static const size_t counts[] = {0, 1, 17, n_files - 1, n_files};
    (void)state;
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        const meso_loader_options options = options_for(4, 3);
        meso_loader *loader;
        const meso_loaded *item;
        assert_int_equal(meso_loader_start(&options, &loader, NULL), MESO_OK);
        for (size_t i = 0; i < counts[c]; i++) {
            assert_int_equal(meso_loader_next(loader, &item, NULL), MESO_OK);
            check(item, i);
            meso_loader_release(loader, i < 2 ? 0 : 1); /* some are held to the end */
        }
        meso_loader_stop(loader);
    }
    meso_loader_stop(NULL);
}

/* With one file in the consumer's hands, files behind its n_slots - 1 successors may not be opened
 * yet: those are made to change while the consumer waits, and the change must be seen. */
static void runs_ahead_no_further_than_its_slots(void **state)
{
    enum { n_threads = 2, n_slots = 5, ahead = n_slots };
    const meso_loader_options options = options_for(n_threads, n_slots);
    const size_t beyond = ahead; /* the first that must not have been read */
    meso_loader *loader;
    const meso_loaded *item;
    (void)state;
    assert_false(is_missing(beyond) || is_text(beyond));
    assert_int_equal(meso_loader_start(&options, &loader, NULL), MESO_OK);
    assert_int_equal(meso_loader_next(loader, &item, NULL), MESO_OK);
    usleep(200000); /* time enough for threads that know no bound to read all */
    write_picture(names[beyond], 10, 250);
    for (size_t i = 1; i <= beyond; i++) {
        meso_loader_release(loader, 1);
        assert_int_equal(meso_loader_next(loader, &item, NULL), MESO_OK);
    }
    assert_int_equal(item->index, beyond);
    assert_int_equal(item->image.rgb[0], 250);
    meso_loader_stop(loader);
    write_picture(names[beyond], 400, (int)beyond);
}

/* Pictures go where the consumer says, some are held while more come, refused ones leave their
 * places alone. */
static uint8_t places[n_files][3 * side * side];

static uint8_t *place(void *user, size_t i)
{
    assert_ptr_equal(user, places);
    return places[i];
}

static void fills_given_places(void **state)
{
    enum { held = 20 };
    meso_loader_options options = options_for(3, held);
    meso_loader *loader;
    const meso_loaded *items[n_files];
    (void)state;
    memset(places, 255, sizeof places);
    options.place = place;
    options.user = places;
    assert_int_equal(meso_loader_start(&options, &loader, NULL), MESO_OK);
    for (size_t i = 0; i < n_files; i++) {
        assert_int_equal(meso_loader_next(loader, &items[i], NULL), MESO_OK);
        assert_int_equal(items[i]->index, i);
        assert_null(items[i]->image.rgb);
        for (size_t k = 0; k < sizeof places[i]; k++)
            assert_int_equal(places[i][k], items[i]->refusal == MESO_IMAGE_OK ? i : 255);
        if (i % held == held - 1)
            meso_loader_release(loader, held);
    }
    meso_loader_stop(loader);
}

static void takes_an_empty_list(void **state)
{
    meso_loader_options options = options_for(2, 2);
    meso_loader *loader;
    const meso_loaded *item = (const meso_loaded *)&options;
    (void)state;
    options.n = 0;
    assert_int_equal(meso_loader_start(&options, &loader, NULL), MESO_OK);
    assert_int_equal(meso_loader_next(loader, &item, NULL), MESO_OK);
    assert_null(item);
    meso_loader_stop(loader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_order_of_the_list), cmocka_unit_test(stops_at_any_time),
        cmocka_unit_test(runs_ahead_no_further_than_its_slots),
        cmocka_unit_test(fills_given_places), cmocka_unit_test(takes_an_empty_list)};
    return cmocka_run_group_tests(tests, make_files, remove_files);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches: every image once an epoch in an order that only the seed decides, exact restarts, files
 * that cannot be used, files that change.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "data/batch/batches.h"
#include "data/batch/batches_object.h"
#include "harness_device.h"
#include "harness_run.h"

enum { side = 8, picture_bytes = 3 * side * side, max_files = 64, max_steps = 64 };

typedef struct sample {
    meso_dataset dataset;
    meso_contents contents;
    char names[max_files][32];
    meso_dataset_item items[max_files];
} sample;

/* PPM pictures of one colour, which is their position; those in `broken` hold text. */
static void make_sample(sample *s, size_t n_fake, size_t n_real, const char *broken)
{
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < n_fake + n_real; i++) {
        snprintf(s->names[i], sizeof s->names[i], "%02zu.ppm", i);
        if (strstr(broken, s->names[i]))
            harness_put(s->names[i], "no picture", 0);
        else
            harness_put_picture(s->names[i], i % 5 ? 10 : 300, (unsigned)i * 0x010101);
        s->items[i] =
            (meso_dataset_item){s->names[i], i < n_fake ? MESO_FAKE : MESO_REAL, NULL, NULL};
    }
    s->dataset =
        (meso_dataset){.items = s->items, .n_items = n_fake + n_real, .n_class = {n_fake, n_real}};
    assert_int_equal(meso_contents_read(&s->dataset, 2, &s->contents, NULL), MESO_OK);
}

static meso_batches_options options_for(const sample *s, size_t batch)
{
    return (meso_batches_options){.dataset = &s->dataset,
                                  .contents = &s->contents,
                                  .width = side,
                                  .height = side,
                                  .batch = batch,
                                  .shuffle = 1,
                                  .seed = 5,
                                  .n_threads = 2};
}

static meso_batches *open_ahead(const meso_batches_options *options, size_t n_ahead)
{
    meso_batches *batches = NULL;
    meso_error error;
    if (meso_batches_open_ahead(options, n_ahead, &batches, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return batches;
}

static meso_batches *open_batches(const meso_batches_options *options)
{
    meso_batches *batches = NULL;
    meso_error error;
    if (meso_batches_open(options, &batches, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return batches;
}

/* What one batch was, pixels checked and reduced to their colour, which is the item. */
typedef struct step {
    size_t items[max_files];
    size_t n;
    uint64_t epoch;
    size_t next_position;
    int last;
} step;

static step take(meso_batches *batches, const sample *s)
{
    step out = {0};
    meso_batch batch;
    meso_error error;
    if (meso_batches_next(batches, &batch, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_int_equal((uintptr_t)batch.pixels % 4096, 0);
    for (size_t i = 0; i < batch.n; i++) {
        for (size_t k = 0; k < picture_bytes; k++)
            assert_int_equal(batch.pixels[i * picture_bytes + k], batch.items[i]);
        assert_int_equal(batch.real[i], s->items[batch.items[i]].label == MESO_REAL);
        out.items[i] = batch.items[i];
    }
    out.n = batch.n;
    out.epoch = batch.epoch;
    out.last = batch.last;
    out.next_position = batch.next_position;
    assert_int_equal(batch.next_epoch, batch.epoch + (uint64_t)batch.last);
    return out;
}

static void take_steps(meso_batches *batches, const sample *s, step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        steps[i] = take(batches, s);
    meso_batches_close(batches);
}

static void gives_each_image_once_an_epoch(void **state)
{
    sample s;
    step steps[3 * 4];
    (void)state;
    make_sample(&s, 7, 6, "");
    meso_batches_options options = options_for(&s, 4);
    take_steps(open_batches(&options), &s, steps, 12);
    for (size_t e = 0; e < 3; e++) {
        unsigned char seen[max_files] = {0};
        for (size_t b = 0; b < 4; b++) {
            const step *at = &steps[e * 4 + b];
            assert_int_equal(at->epoch, e);
            assert_int_equal(at->n, b < 3 ? 4 : 1);
            assert_int_equal(at->last, b == 3);
            assert_int_equal(at->next_position, b < 3 ? 4 * (b + 1) : 0);
            for (size_t i = 0; i < at->n; i++)
                seen[at->items[i]]++;
        }
        for (size_t i = 0; i < 13; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_memory_not_equal(steps[0].items, steps[4].items, 4 * sizeof(size_t));
    options.shuffle = 0;
    take_steps(open_batches(&options), &s, steps, 3);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(steps[i / 4].items[i % 4], i);
    meso_contents_free(&s.contents);
}

/* Threads, memory and how far they run ahead change nothing; another seed does. */
static void depends_on_the_seed_alone(void **state)
{
    static const size_t threads[] = {1, 4}, ahead[] = {1, 7}, cached[] = {0, 5, 100};
    sample s;
    step first[max_steps], again[max_steps];
    (void)state;
    make_sample(&s, 9, 10, "03.ppm 12.ppm");
    meso_batches_options options = options_for(&s, 4);
    take_steps(open_batches(&options), &s, first, 23);
    for (size_t i = 0; i < 2 * 2 * 3 * 2; i++) {
        options.n_threads = threads[i % 2];
        options.cache_bytes = cached[i / 4 % 3] * picture_bytes;
        options.one_epoch = i / 12 != 0;
        take_steps(open_ahead(&options, ahead[i / 2 % 2]), &s, again, 23);
        assert_memory_equal(first, again, 23 * sizeof *first);
    }
    options.seed++;
    take_steps(open_batches(&options), &s, again, 23);
    assert_memory_not_equal(first, again, 23 * sizeof *first);
    meso_contents_free(&s.contents);
}

/* More batches ahead than an epoch has. */
static void goes_through_tiny_epochs(void **state)
{
    sample s;
    step steps[max_steps];
    (void)state;
    make_sample(&s, 1, 1, "");
    meso_batches_options options = options_for(&s, 8);
    options.n_threads = 4;
    take_steps(open_ahead(&options, 6), &s, steps, 60);
    for (size_t i = 0; i < 60; i++) {
        assert_int_equal(steps[i].epoch, i);
        assert_int_equal(steps[i].n, 2);
        assert_int_equal(steps[i].items[0] + steps[i].items[1], 1);
    }
    meso_contents_free(&s.contents);
}

static void restarts_exactly(void **state)
{
    sample s;
    step whole[max_steps];
    (void)state;
    make_sample(&s, 9, 10, "03.ppm");
    meso_batches_options options = options_for(&s, 4);
    take_steps(open_batches(&options), &s, whole, 20);
    for (options.one_epoch = 0; options.one_epoch < 2; options.one_epoch++)
        for (size_t from = 0; from < 15; from++) {
            meso_batches *batches = open_batches(&options);
            if (from % 2) /* from the middle of something else, too */
                take(batches, &s);
            assert_int_equal(meso_batches_seek(batches, from / 5, from % 5 * 4, NULL), MESO_OK);
            for (size_t i = from; i < 20; i++) {
                step at = take(batches, &s);
                assert_memory_equal(&at, &whole[i], sizeof at);
            }
            meso_batches_close(batches);
        }
    meso_batches *batches = open_batches(&options);
    assert_int_equal(meso_batches_seek(batches, 0, 3, NULL), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_batches_seek(batches, 0, 20, NULL), MESO_ERROR_ARGUMENT);
    meso_batches_close(batches);
    meso_contents_free(&s.contents);
}

static void keeps_within_its_budget(void **state)
{
    sample s;
    (void)state;
    make_sample(&s, 8, 8, "");
    meso_batches_options options = options_for(&s, 4);
    options.one_epoch = 1;
    for (size_t room = 0; room <= 16; room += 8) {
        options.cache_bytes = room * picture_bytes + 1;
        meso_batches *batches = open_batches(&options);
        for (size_t i = 0; i < 3 * 4; i++)
            take(batches, &s);
        assert_int_equal(batches->n_entries, 16);
        assert_int_equal(batches->n_batches, 4);
        assert_int_equal(meso_pixel_cache_count(&batches->cache), room);
        assert_int_equal(batches->n_decoded, 16 + 2 * (16 - room));
        meso_batches_close(batches);
    }
    meso_contents_free(&s.contents);
}

static size_t n_told;
static void tell(size_t item, meso_refusal refusal, const char *sentence, void *user)
{
    n_told++;
    assert_int_equal(item, 2);
    assert_int_equal(refusal, MESO_IMAGE_UNKNOWN_FORMAT);
    assert_non_null(strstr(sentence, "02.ppm"));
    assert_ptr_equal(user, &n_told);
}

static void counts_a_refused_file_once(void **state)
{
    sample s;
    (void)state;
    make_sample(&s, 4, 4, "02.ppm");
    meso_batches_options options = options_for(&s, 3);
    meso_batches *batches = open_batches(&options);
    meso_batches_on_refused(batches, tell, &n_told);
    size_t n = 0;
    for (size_t i = 0; i < 9; i++)
        n += take(batches, &s).n;
    assert_int_equal(n, 3 * 7);
    assert_int_equal(n_told, 1);
    assert_int_equal(batches->n_refused, 1);
    meso_batches_close(batches);
    meso_contents_free(&s.contents);
}

/* Goes on until it fails, which must be within three epochs. */
static void fails_with(const sample *s, meso_status wanted, const char *words)
{
    const meso_batches_options options = options_for(s, 4);
    meso_batches *batches = open_batches(&options);
    meso_status status = MESO_OK;
    meso_error error;
    meso_batch batch;
    for (size_t i = 0; i < 6 && status == MESO_OK; i++)
        status = meso_batches_next(batches, &batch, &error);
    assert_int_equal(status, wanted);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" does not say \"%s\"", error.text, words);
    meso_batches_close(batches);
}

static void ends_where_files_change(void **state)
{
    sample s;
    (void)state;
    make_sample(&s, 4, 4, "");
    harness_put_picture("05.ppm", 10, 99);
    fails_with(&s, MESO_ERROR_DATA, "05.ppm: the file has changed");
    remove("05.ppm");
    fails_with(&s, MESO_ERROR_NO_INPUT, "05.ppm: No such file");
    meso_contents_free(&s.contents);
    assert_int_equal(meso_contents_read(&s.dataset, 1, &s.contents, NULL), MESO_OK);
    assert_int_equal(s.contents.n_unreadable, 1);
    harness_put_picture("05.ppm", 10, 99);
    fails_with(&s, MESO_ERROR_DATA, "05.ppm: the file has changed");
    meso_contents_free(&s.contents);
}

/* The dataset's hash tells contents, labels and groups, not names. */
static void tells_datasets_apart(void **state)
{
    sample s;
    char before[33];
    meso_contents other;
    (void)state;
    make_sample(&s, 4, 4, "");
    memcpy(before, s.contents.hash, sizeof before);
    assert_int_equal(strlen(before), 32);
    assert_int_equal(rename("03.ppm", "moved.ppm"), 0);
    s.items[3].path = "moved.ppm";
    assert_int_equal(meso_contents_read(&s.dataset, 3, &other, NULL), MESO_OK);
    assert_string_equal(other.hash, before);
    meso_contents_free(&other);
    s.items[3].group = "g";
    assert_int_equal(meso_contents_read(&s.dataset, 1, &other, NULL), MESO_OK);
    assert_string_not_equal(other.hash, before);
    meso_contents_free(&other);
    s.items[3].group = NULL;
    s.items[3].label = MESO_REAL;
    assert_int_equal(meso_contents_read(&s.dataset, 1, &other, NULL), MESO_OK);
    assert_string_not_equal(other.hash, before);
    meso_contents_free(&other);
    s.items[3].label = MESO_FAKE;
    harness_put_picture("moved.ppm", 10, 77);
    assert_int_equal(meso_contents_read(&s.dataset, 1, &other, NULL), MESO_OK);
    assert_string_not_equal(other.hash, before);
    meso_contents_free(&other);
    meso_contents_free(&s.contents);
}

static void holds_decoding_back(void **state)
{
    sample s;
    step steps[4];
    (void)state;
    make_sample(&s, 4, 4, "");
    const meso_batches_options options = options_for(&s, 2);
    meso_batches *batches = open_batches(&options);
    batches->decodes_per_second = 40;
    double started = meso_seconds();
    take_steps(batches, &s, steps, 4);
    double seconds = meso_seconds() - started;
    if (!(seconds >= 7 / 40.0))
        fail_msg("8 pictures at 40 a second came in %g s", seconds);
    meso_contents_free(&s.contents);
}

/* Against the sums as they are defined; the batches then begin anew. */
static void fits_features(void **state)
{
    sample s;
    meso_augment_settings settings = {0};
    double sum = 0, squares = 0;
    (void)state;
    make_sample(&s, 9, 14, "04.ppm");
    harness_put_picture("07.ppm", side, 0xFF8000);
    meso_contents_free(&s.contents);
    assert_int_equal(meso_contents_read(&s.dataset, 1, &s.contents, NULL), MESO_OK);
    const meso_batches_options options = options_for(&s, 4);
    meso_batches *batches = open_batches(&options);
    assert_int_equal(meso_feature_fit(batches, 255, &settings, NULL), MESO_OK);
    for (int c = 0; c < 3; c++) {
        sum = squares = 0;
        for (int i = 0; i < 23; i++)
            sum += i == 4 ? 0 : i == 7 ? (0xFF8000 >> 8 * c & 255) / 255.0 : i / 255.0;
        for (int i = 0; i < 23; i++) {
            double v = i == 7 ? (0xFF8000 >> 8 * c & 255) / 255.0 : i / 255.0;
            squares += i == 4 ? 0 : (v - sum / 22) * (v - sum / 22);
        }
        harness_close(settings.mean[c], sum / 22, 1e-14, "mean %d", c);
        harness_close(settings.std[c], sqrt(squares / 22), 1e-14, "deviation %d", c);
    }
    meso_batch batch;
    assert_int_equal(meso_batches_next(batches, &batch, NULL), MESO_OK);
    assert_int_equal(batch.epoch, 0);
    assert_int_equal(batch.next_position, 4);
    meso_batches_close(batches);
    meso_contents_free(&s.contents);
}

static void refuses_wrong_sizes(void **state)
{
    sample s;
    meso_batches *batches = NULL;
    meso_error error;
    (void)state;
    make_sample(&s, 4, 4, "");
    meso_batches_options options = options_for(&s, 0);
    assert_int_equal(meso_batches_open(&options, &batches, &error), MESO_ERROR_ARGUMENT);
    options.batch = SIZE_MAX / 8;
    assert_int_equal(meso_batches_open(&options, &batches, &error), MESO_ERROR_ARGUMENT);
    assert_null(batches);
    meso_contents_free(&s.contents);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {IN_FOLDER(gives_each_image_once_an_epoch),
                                       IN_FOLDER(depends_on_the_seed_alone),
                                       IN_FOLDER(goes_through_tiny_epochs),
                                       IN_FOLDER(restarts_exactly),
                                       IN_FOLDER(keeps_within_its_budget),
                                       IN_FOLDER(counts_a_refused_file_once),
                                       IN_FOLDER(ends_where_files_change),
                                       IN_FOLDER(tells_datasets_apart),
                                       IN_FOLDER(holds_decoding_back),
                                       IN_FOLDER(fits_features),
                                       IN_FOLDER(refuses_wrong_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams: the answers of meso_predict_rgb8 bit for bit, whatever the slots; calls out of turn; and
 * the files of meso_score_files, which go through one, in flat memory.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "harness_device.h"
#include "mesocl/mesocl.h"

enum { n_pictures = 11, side = 256, picture_bytes = 3 * side * side };

static meso_device *device;
static meso_error error;
static uint8_t *pictures;
static meso_probability wanted[n_pictures];

static meso_model *open_model(meso_path path, size_t n_lanes)
{
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_net *net;
    meso_model *model;
    options.path = path;
    options.n_lanes = n_lanes;
    assert_int_equal(meso_net_open("meso4", &net, NULL), MESO_OK);
    assert_int_equal(meso_model_random(device, net, 1, &options, &model, NULL), MESO_OK);
    meso_net_close(net);
    return model;
}

/* Noise, brighter from picture to picture, and what the model says of it. */
static meso_model *open_with_pictures(meso_path path, size_t n_lanes)
{
    meso_random random = {7};
    device = harness_device();
    meso_model *model = open_model(path, n_lanes);
    pictures = malloc((size_t)n_pictures * picture_bytes);
    assert_non_null(pictures);
    for (size_t i = 0; i < (size_t)n_pictures * picture_bytes; i++)
        pictures[i] =
            (uint8_t)meso_random_uniform(&random, 0, 20.0 * (double)(i / picture_bytes) + 30);
    assert_int_equal(
        meso_predict_rgb8(model, pictures, n_pictures, side, side, 3 * side, wanted, &error),
        MESO_OK);
    for (int i = 1; i < n_pictures; i++) /* else a mix-up would not be seen */
        assert_true(wanted[i].fake != wanted[i - 1].fake);
    return model;
}

static void close_all(meso_model *model)
{
    meso_model_close(model);
    meso_device_close(device);
    free(pictures);
}

/* What a slot was given. */
typedef struct given {
    size_t slot, first, n;
} given;

static void wait_and_check(meso_stream *stream, const given *g)
{
    meso_probability p[n_pictures];
    assert_int_equal(meso_stream_wait(stream, g->slot, p, &error), MESO_OK);
    assert_memory_equal(p, wanted + g->first, g->n * sizeof *p);
}

/* All pictures through the stream, some of its slots filled in part; whenever no slot is free they
 * are waited for from the newest to the oldest, or the other way round. */
static void send_all(meso_stream *stream, int newest_first)
{
    given under_way[n_pictures];
    size_t n = 0, sent = 0, batch = meso_stream_batch(stream);
    for (size_t round = 0; sent < n_pictures || n > 0; round++) {
        if (sent < n_pictures && n < meso_stream_n_slots(stream)) {
            given *g = &under_way[n++];
            uint8_t *pixels;
            g->first = sent;
            g->n = round % 3 == 1 && batch > 1 ? batch - 1 : batch;
            g->n = g->n < n_pictures - sent ? g->n : n_pictures - sent;
            assert_int_equal(meso_stream_map(stream, &g->slot, &pixels, &error), MESO_OK);
            memcpy(pixels, pictures + sent * picture_bytes, g->n * picture_bytes);
            assert_int_equal(meso_stream_submit(stream, g->slot, g->n, &error), MESO_OK);
            sent += g->n;
            continue;
        }
        for (size_t i = 0; i < n; i++)
            wait_and_check(stream, &under_way[newest_first ? n - 1 - i : i]);
        n = 0;
    }
}

static void send_through_slots_of_all_sizes(meso_path path, size_t n_lanes)
{
    static const size_t batches[] = {1, 2, 3, 5, 8, n_pictures}, counts[] = {1, 2, 3, 7, 0};
    meso_model *model = open_with_pictures(path, n_lanes);
    for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            meso_stream *stream;
            assert_int_equal(meso_stream_open(model, counts[c], batches[b], &stream, &error),
                             MESO_OK);
            assert_int_equal(meso_stream_batch(stream), batches[b]);
            assert_true(counts[c] ? meso_stream_n_slots(stream) == counts[c]
                                  : meso_stream_n_slots(stream) >= 2);
            send_all(stream, 0);
            send_all(stream, 1);
            meso_stream_close(stream);
            if (path == MESO_PATH_PLAIN) /* slow, and all slots are alike */
                break;
        }
    close_all(model);
}

static void equals_predict_on_all_lanes(void **state)
{
    (void)state;
    send_through_slots_of_all_sizes(MESO_PATH_FUSED, 0);
}

static void equals_predict_on_one_lane(void **state)
{
    (void)state;
    send_through_slots_of_all_sizes(MESO_PATH_FUSED, 1);
}

static void equals_predict_on_the_plain_path(void **state)
{
    (void)state;
    send_through_slots_of_all_sizes(MESO_PATH_PLAIN, 0);
}

#define REFUSED(call)                                \
    do {                                             \
        error.text[0] = '\0';                        \
        assert_int_equal(call, MESO_ERROR_ARGUMENT); \
        assert_true(strlen(error.text) > 0);         \
    } while (0)

/* Each call out of turn is refused, and what is under way goes on. */
static void calls_out_of_turn_are_refused(void **state)
{
    meso_model *model = open_with_pictures(MESO_PATH_FUSED, 0);
    meso_stream *stream;
    meso_probability p[2];
    size_t a, b;
    uint8_t *pixels, *others;
    (void)state;
    REFUSED(meso_stream_open(model, SIZE_MAX, 1, &stream, &error));
    REFUSED(meso_stream_open(model, 1, SIZE_MAX / 2, &stream, &error));
    assert_int_equal(meso_stream_open(model, 2, 2, &stream, &error), MESO_OK);
    REFUSED(meso_stream_wait(stream, 0, p, &error));
    REFUSED(meso_stream_submit(stream, 0, 1, &error));
    REFUSED(meso_stream_wait(stream, 2, p, &error));
    REFUSED(meso_stream_submit(stream, SIZE_MAX, 1, &error));
    assert_int_equal(meso_stream_map(stream, &a, &pixels, &error), MESO_OK);
    REFUSED(meso_stream_wait(stream, a, p, &error));
    REFUSED(meso_stream_submit(stream, a, 3, &error));
    memcpy(pixels, pictures, 2 * picture_bytes);
    assert_int_equal(meso_stream_submit(stream, a, 2, &error), MESO_OK);
    REFUSED(meso_stream_submit(stream, a, 2, &error));
    assert_int_equal(meso_stream_map(stream, &b, &others, &error), MESO_OK);
    assert_true(a != b);
    REFUSED(meso_stream_map(stream, &b, &others, &error));
    assert_int_equal(meso_stream_submit(stream, b, 0, &error),
                     MESO_OK); /* an empty slot is none the less */
    assert_int_equal(meso_stream_wait(stream, b, p, &error), MESO_OK);
    wait_and_check(stream, &(given){a, 0, 2});
    REFUSED(meso_stream_wait(stream, a, p, &error));
    assert_int_equal(meso_stream_map(stream, &a, &pixels, &error), MESO_OK);
    meso_stream_close(stream);
    meso_stream_close(NULL);
    close_all(model);
}

/* Slots in every state; the sanitizers' builds see what is read or written after the close. */
static void closes_with_work_under_way(void **state)
{
    meso_model *model = open_with_pictures(MESO_PATH_FUSED, 0);
    meso_probability p;
    (void)state;
    for (int round = 0; round < 5; round++) {
        meso_stream *stream;
        size_t slot;
        uint8_t *pixels;
        assert_int_equal(meso_stream_open(model, 4, 8, &stream, &error), MESO_OK);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(meso_stream_map(stream, &slot, &pixels, &error), MESO_OK);
            memset(pixels, i, 8 * picture_bytes);
            if (i < 3)
                assert_int_equal(meso_stream_submit(stream, slot, 8, &error), MESO_OK);
        }
        meso_stream_close(stream);
    }
    assert_int_equal(meso_predict_rgb8(model, pictures, 1, side, side, 3 * side, &p, &error),
                     MESO_OK);
    assert_memory_equal(&p, wanted, sizeof p);
    close_all(model);
}

static void *fill_first_pictures(void *pixels)
{
    memcpy(pixels, pictures, 3 * picture_bytes);
    return NULL;
}

/* A thread fills one slot while another computes; a prediction beside them is right as well. */
static void other_threads_may_fill(void **state)
{
    meso_model *model = open_with_pictures(MESO_PATH_FUSED, 0);
    meso_stream *stream;
    meso_probability p;
    (void)state;
    assert_int_equal(meso_stream_open(model, 0, 4, &stream, &error), MESO_OK);
    for (int round = 0; round < 20; round++) {
        given busy = {.first = 4, .n = 4}, filled = {.first = 0, .n = 3};
        pthread_t thread;
        uint8_t *pixels;
        assert_int_equal(meso_stream_map(stream, &filled.slot, &pixels, &error), MESO_OK);
        assert_int_equal(pthread_create(&thread, NULL, fill_first_pictures, pixels), 0);
        assert_int_equal(meso_stream_map(stream, &busy.slot, &pixels, &error), MESO_OK);
        memcpy(pixels, pictures + 4 * picture_bytes, 4 * picture_bytes);
        assert_int_equal(meso_stream_submit(stream, busy.slot, 4, &error), MESO_OK);
        assert_int_equal(meso_predict_rgb8(model, pictures, 1, side, side, 3 * side, &p, &error),
                         MESO_OK);
        assert_memory_equal(&p, wanted, sizeof p);
        pthread_join(thread, NULL);
        assert_int_equal(meso_stream_submit(stream, filled.slot, 3, &error), MESO_OK);
        wait_and_check(stream, &busy);
        wait_and_check(stream, &filled);
    }
    meso_stream_close(stream);
    close_all(model);
}

static char folder[64];

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    (void)state;
    snprintf(folder, sizeof folder, "%.40s/meso-stream-XXXXXX", base);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Kernels so large that all but a black picture gives infinities. */
static meso_model *open_huge(void)
{
    char path[96];
    meso_net *net;
    meso_weights *weights;
    meso_model *model;
    snprintf(path, sizeof path, "%s/huge.safetensors", folder);
    assert_int_equal(meso_net_open("meso4", &net, NULL), MESO_OK);
    assert_int_equal(meso_weights_random(net, 1, &weights, NULL), MESO_OK);
    for (size_t i = 0; i < meso_weights_n_tensors(weights); i++) {
        const meso_tensor *tensor = meso_weights_tensor(weights, i);
        for (size_t k = 0; strstr(tensor->name, ".kernel") && k < tensor->n_values; k++)
            tensor->values[k] = 1e30f;
    }
    assert_int_equal(meso_weights_write(weights, path, NULL), MESO_OK);
    assert_int_equal(meso_model_open(device, path, NULL, &model, NULL), MESO_OK);
    meso_weights_close(weights);
    meso_net_close(net);
    unlink(path);
    return model;
}

/* A result that is not finite is DATA, and its slot can be used again. */
static void a_failed_slot_is_free_again(void **state)
{
    device = harness_device();
    meso_model *model = open_huge();
    meso_stream *stream;
    meso_probability p;
    size_t slot;
    uint8_t *pixels;
    (void)state;
    assert_int_equal(meso_stream_open(model, 1, 1, &stream, &error), MESO_OK);
    for (int white = 1; white >= 0; white--) {
        assert_int_equal(meso_stream_map(stream, &slot, &pixels, &error), MESO_OK);
        memset(pixels, white ? 255 : 0, picture_bytes);
        assert_int_equal(meso_stream_submit(stream, slot, 1, &error), MESO_OK);
        assert_int_equal(meso_stream_wait(stream, slot, &p, &error),
                         white ? MESO_ERROR_DATA : MESO_OK);
        assert_int_equal(strlen(error.text) > 0, white);
        error = (meso_error){0};
    }
    assert_true(p.fake == 0.5 && p.real == 0.5);
    meso_stream_close(stream);
    meso_model_close(model);
    meso_device_close(device);
}

static size_t resident_kib(void)
{
    char line[256];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %zu", &kib) == 1)
            break;
    fclose(file);
    assert_true(kib > 0);
    return kib;
}

/* The address sanitizer keeps what was freed, so that a use after that is seen. */
#if defined __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as GCC says it */
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
enum { freed_memory_is_kept = 1 };
#else
enum { freed_memory_is_kept = 0 };
#endif

/* Scores of a long list: the first n_warm set the memory that the rest must keep to. */
typedef struct long_run {
    size_t n, n_warm, n_seen, warm_kib, most_kib;
} long_run;

static int watch(const meso_file_score *score, void *user)
{
    long_run *r = user;
    assert_int_equal(score->index, r->n_seen);
    assert_int_equal(score->refusal,
                     score->index % 5 == 4 ? MESO_IMAGE_UNKNOWN_FORMAT : MESO_IMAGE_OK);
    r->n_seen++;
    if (r->n_seen % 50 != 0)
        return 0;
    size_t kib = resident_kib();
    if (r->n_seen <= r->n_warm)
        r->warm_kib = kib > r->warm_kib ? kib : r->warm_kib;
    r->most_kib = kib > r->most_kib ? kib : r->most_kib;
    return 0;
}

static void write_file(const char *path, int is_picture)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    if (is_picture) {
        fprintf(file, "P6 %d %d 255\n", side, side);
        assert_int_equal(fwrite(pictures, 1, picture_bytes, file), picture_bytes);
    } else {
        fputs("no picture", file);
    }
    assert_int_equal(fclose(file), 0);
}

/* 1000 files, 10,000 at full size; every fifth of them is refused. */
static void memory_is_flat_over_many_files(void **state)
{
    meso_score_timing timing = MESO_INIT(meso_score_timing);
    meso_score_options options = MESO_INIT(meso_score_options);
    long_run r = getenv("MESO_FULL") ? (long_run){.n = 10000, .n_warm = 1000}
                                     : (long_run){.n = 1000, .n_warm = 250};
    char picture[96], text[96];
    meso_model *model = open_with_pictures(MESO_PATH_FUSED, 0);
    const char **paths = malloc(r.n * sizeof *paths);
    (void)state;
    assert_non_null(paths);
    snprintf(picture, sizeof picture, "%s/a.ppm", folder);
    snprintf(text, sizeof text, "%s/b.ppm", folder);
    write_file(picture, 1);
    write_file(text, 0);
    for (size_t i = 0; i < r.n; i++)
        paths[i] = i % 5 == 4 ? text : picture;
    options.timing = &timing;
    if (meso_model_get_info(model)->max_batch > 64)
        options.batch = 64; /* the first files go through all slots */
    assert_int_equal(meso_score_files(model, paths, r.n, &options, watch, &r, &error), MESO_OK);
    assert_int_equal(r.n_seen, r.n);
    print_message("%zu KiB in the first %zu of %zu files, at most %zu\n", r.warm_kib, r.n_warm, r.n,
                  r.most_kib);
    if (!freed_memory_is_kept)
        assert_true(r.most_kib <= r.warm_kib + 5 * 1024);
    assert_true(timing.first > 0 && timing.first <= timing.total && timing.decode > 0 &&
                timing.compute > 0 && timing.compute <= timing.total);
    unlink(picture);
    unlink(text);
    free(paths);
    close_all(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_predict_on_all_lanes),
                                       cmocka_unit_test(equals_predict_on_one_lane),
                                       cmocka_unit_test(equals_predict_on_the_plain_path),
                                       cmocka_unit_test(calls_out_of_turn_are_refused),
                                       cmocka_unit_test(closes_with_work_under_way),
                                       cmocka_unit_test(other_threads_may_fill),
                                       cmocka_unit_test(a_failed_slot_is_free_again),
                                       cmocka_unit_test(memory_is_flat_over_many_files)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

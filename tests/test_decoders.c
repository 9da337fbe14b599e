/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures decoded in processes of their own: the same pixels, refusals and sentences as in this
 * process, whatever the file; and what happens where such a process ends.
 */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/image/image.h"
#include "decoders.h"
#include "harness_device.h"

enum { n_ways = 4 };

typedef struct outcome {
    meso_status status;
    meso_refusal refusal;
    meso_image image;
    meso_error error;
} outcome;

/* 0: as it is, 1: as predict asks for it, 2: larger than a slot, 3: turned, with a limit. */
static meso_image_options way(int i)
{
    meso_image_options o = MESO_INIT(meso_image_options);
    o.width = i == 1 ? 256 : i == 2 ? 1000 : 0;
    o.height = i == 1 ? 256 : i == 2 ? 700 : 0;
    o.exif_orient = i == 3;
    o.max_pixels = i == 3 ? 300 * 300 : 0;
    return o;
}

static outcome decode(const void *bytes, size_t n, const char *name, int i)
{
    outcome o = {.image = MESO_INIT(meso_image)};
    const meso_image_options options = way(i);
    o.status = meso_image_decode(bytes, n, name, &options, &o.image, &o.refusal, &o.error);
    return o;
}

static int is_same(const outcome *a, const outcome *b)
{
    const meso_image *x = &a->image, *y = &b->image;
    if (a->status != b->status || a->refusal != b->refusal ||
        strcmp(a->error.text, b->error.text) != 0 || !x->rgb != !y->rgb)
        return 0;
    if (!x->rgb)
        return 1;
    return x->width == y->width && x->height == y->height && x->file_width == y->file_width &&
           x->file_height == y->file_height && x->format == y->format &&
           x->exif_orientation == y->exif_orientation && x->suspect == y->suspect &&
           memcmp(x->rgb, y->rgb, (size_t)x->width * x->height * 3) == 0;
}

/* Here, then there. */
static void compare(const void *bytes, size_t n, const char *name)
{
    outcome here[n_ways];
    for (int i = 0; i < n_ways; i++)
        here[i] = decode(bytes, n, name, i);
    decoders_start();
    for (int i = 0; i < n_ways; i++) {
        outcome there = decode(bytes, n, name, i);
        if (!is_same(&here[i], &there))
            fail_msg("%s, way %d: %s \"%s\", here %s \"%s\"", name, i,
                     meso_refusal_name(there.refusal), there.error.text,
                     meso_refusal_name(here[i].refusal), here[i].error.text);
        meso_image_free(&there.image);
        meso_image_free(&here[i].image);
    }
    decoders_stop();
}

static int n_files;

static int compare_file(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    void *bytes;
    size_t n;
    meso_refusal refusal;
    (void)info, (void)place;
    if (kind != FTW_F || meso_image_read(path, NULL, &bytes, &n, &refusal, NULL) != MESO_OK)
        return 0;
    compare(bytes, n, path);
    free(bytes);
    n_files++;
    return 0;
}

static void the_trees_pictures_are_the_same(void **state)
{
    (void)state;
    n_files = 0;
    assert_int_equal(nftw("tests/fixtures", compare_file, 8, FTW_PHYS), 0);
    assert_true(n_files > 20);
}

static void all_pictures_are_the_same(void **state)
{
    (void)state;
    n_files = 0;
    assert_int_equal(nftw(harness_data("images"), compare_file, 8, FTW_PHYS), 0);
    assert_true(n_files > 400);
}

/* A file and pixels of several pieces; and what stops between two. */
static void large_pictures_go_piece_by_piece(void **state)
{
    static const char start[] = "P6\n1200 1200\n255\n";
    enum { side = 1200, head = sizeof start - 1, n = head + side * side * 3 };
    uint8_t *bytes = malloc(n);
    (void)state;
    assert_non_null(bytes);
    memcpy(bytes, start, head);
    for (int i = head; i < n; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    compare(bytes, n, "large.ppm");
    compare(bytes, 1 << 20, "piece.ppm");
    compare(bytes, (1 << 20) + 1, "more.ppm");
    compare(bytes, 0, NULL);
    free(bytes);
}

/* ---- processes that end ---- */

/* The children of a process, at most n. */
static int children_of(pid_t pid, pid_t *children, int n)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "r");
    while (file && count < n && fscanf(file, "%d", &children[count]) == 1)
        count++;
    if (file)
        fclose(file);
    return count;
}

static const char picture[] = "P6\n1 1\n255\nabc";

static void *decode_picture(void *result)
{
    *(outcome *)result = decode(picture, sizeof picture - 1, "a.ppm", 1);
    return NULL;
}

/* The youngest: one that ended may not be gone yet. */
static pid_t newest_decoder(void)
{
    enum { most = 4 };
    pid_t starter[2], decoders[most];
    if (children_of(getpid(), starter, 2) != 1)
        return 0;
    const int n = children_of(starter[0], decoders, most);
    return n > 0 ? decoders[n - 1] : 0;
}

static void must_be_picture(outcome *o)
{
    if (o->status != MESO_OK)
        fail_msg("%s", o->error.text);
    assert_memory_equal(o->image.rgb, "abcabcabc", 9);
    meso_image_free(&o->image);
}

static void an_end_costs_one_picture(void **state)
{
    outcome o;
    pthread_t thread;
    (void)state;
    decoders_start();
    decode_picture(&o);
    must_be_picture(&o);
    const pid_t first = newest_decoder();
    if (first == 0) {
        decoders_stop();
        skip(); /* this kernel does not list children */
    }
    kill(first, SIGSTOP); /* it hears, and does not answer */
    assert_int_equal(pthread_create(&thread, NULL, decode_picture, &o), 0);
    usleep(100000);
    kill(first, SIGKILL);
    pthread_join(thread, NULL);
    assert_int_equal(o.status, MESO_ERROR_DATA);
    assert_int_equal(o.refusal, MESO_IMAGE_CORRUPT);
    assert_string_equal(o.error.text, "a.ppm: corrupt: it ended the process that decodes pictures");
    decode_picture(&o);
    must_be_picture(&o);
    const pid_t second = newest_decoder();
    assert_true(second > 0 && second != first);
    kill(second, SIGKILL); /* idle: no picture's fault */
    usleep(100000);
    decode_picture(&o);
    must_be_picture(&o);
    decoders_stop();
    assert_int_equal(children_of(getpid(), &(pid_t){0}, 1), 0);
}

static void without_a_starter_nothing_is_decoded(void **state)
{
    outcome o;
    pid_t starter[2];
    (void)state;
    decoders_start();
    if (children_of(getpid(), starter, 2) == 1) {
        kill(starter[0], SIGKILL);
        usleep(100000);
        decode_picture(&o);
        assert_int_equal(o.status, MESO_ERROR_INTERNAL);
        assert_int_equal(o.refusal, MESO_IMAGE_OK);
        assert_non_null(strstr(o.error.text, "cannot be started"));
    }
    decoders_stop();
}

static void *decode_many(void *result)
{
    for (int i = 0; i < 200; i++) {
        decode_picture(result);
        outcome *o = result;
        if (o->status != MESO_OK || memcmp(o->image.rgb, "abc", 3) != 0)
            return NULL;
        meso_image_free(&o->image);
    }
    return result;
}

static void more_threads_than_decoders_take_turns(void **state)
{
    enum { n = 9 };
    pthread_t threads[n];
    outcome results[n];
    (void)state;
    decoders_start();
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decode_many, &results[i]), 0);
    for (int i = 0; i < n; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
    decoders_stop();
}

/* "Seccomp: 2" in /proc: in a filter. */
static int is_filtered(pid_t pid)
{
    char path[64], line[256];
    int mode = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Seccomp: %d", &mode) == 1)
            break;
    if (file)
        fclose(file);
    return mode == 2;
}

/* Does a process that a child of the program made live in a filter, while the program runs? */
static int uses_decoders(pid_t program)
{
    pid_t starters[8], decoders[8];
    int found = 0, status;
    while (waitpid(program, &status, WNOHANG) == 0) {
        const int n = children_of(program, starters, 8);
        for (int i = 0; i < n; i++)
            for (int k = children_of(starters[i], decoders, 8); k-- > 0;)
                found |= is_filtered(decoders[k]);
        usleep(500);
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return found;
}

static void programs_decode_there(void **state)
{
    (void)state;
    harness_device();
    decoders_start();
    outcome o;
    decode_picture(&o);
    must_be_picture(&o);
    const pid_t decoder = newest_decoder();
    const int is_known = decoder > 0 && is_filtered(decoder);
    decoders_stop();
    if (!is_known || is_filtered(getpid()))
        skip(); /* this kernel does not list children, or has no filters */
    const pid_t program = fork();
    assert_true(program >= 0);
    if (program == 0) {
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        dup2(STDOUT_FILENO, STDERR_FILENO);
        execl(MESOCL_PROGRAM, "mesocl", "predict", "tests/fixtures/pictures", (char *)NULL);
        _exit(127);
    }
    assert_true(uses_decoders(program));
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trees_pictures_are_the_same),
        cmocka_unit_test(all_pictures_are_the_same),
        cmocka_unit_test(large_pictures_go_piece_by_piece),
        cmocka_unit_test(an_end_costs_one_picture),
        cmocka_unit_test(without_a_starter_nothing_is_decoded),
        cmocka_unit_test(more_threads_than_decoders_take_turns),
        cmocka_unit_test(programs_decode_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

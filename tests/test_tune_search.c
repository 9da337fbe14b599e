/* SPDX-License-Identifier: Apache-2.0
 *
 * The tuner's search on made-up speeds: what it finds, what it never chooses, and that it goes on
 * where it was killed. MESO_FULL=1 kills it 20 times instead of twice.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "harness_run.h"
#include "tune.h"

/* clang-format off */
static const meso_tuning_family family = {"made up", 0, {
    {"lanes", 3, {4, 8, 16}}, {"group", 4, {1, 8, 64, 256}}, {"chunk", 5, {1, 2, 4, 8, 16}}}};
/* clang-format on */
static const int bad[MESO_MAX_TUNABLES] = {4, 1, 16}, shipped[MESO_MAX_TUNABLES] = {16, 8, 2};
static const meso_device_info device = {.vector_width = 16, .max_work_group = 256};

/* A device: how fast each row is. */
typedef struct world {
    double noise;    /* half the width of an interval */
    int wrong_chunk; /* rows with it are wrong, and would be the fastest */
    int in_a_circle; /* each of four rows looks faster than the one before it */
    int nap_us;      /* of an answer */
    size_t n_asked;
    const json_t *tried;
    const char *file; /* that keeps the answers; NULL: none */
} world;

static double speed(const int *row)
{
    return row[0] * (1 + 0.2 * log2(row[1])) / (row[1] > 100 ? 2 : 1) /
           (1 + fabs(log2(row[2]) - 2));
}

static double speed_in_a_circle(const int *base, const int *candidate)
{
    static const int rows[4][2] = {{1, 16}, {1, 1}, {8, 1}, {8, 16}}; /* group, chunk */
    for (size_t i = 0; i < 4; i++)
        if (memcmp(base + 1, rows[i], sizeof rows[i]) == 0 &&
            memcmp(candidate + 1, rows[(i + 1) % 4], sizeof rows[i]) == 0)
            return 1.5;
    return 0.7;
}

static meso_status ask(void *user, const int *base, const int *candidate, int final,
                       json_t **answer, meso_error *error)
{
    world *w = user;
    const double ratio =
        w->in_a_circle ? speed_in_a_circle(base, candidate) : speed(candidate) / speed(base);
    (void) final;
    (void)error;
    w->n_asked++;
    if (w->nap_us)
        usleep((useconds_t)w->nap_us);
    *answer = candidate[2] == w->wrong_chunk
                  ? json_pack("{s:s}", "reason", "wrong")
                  : json_pack("{s:f s:f s:f}", "ratio", ratio, "low", ratio * (1 - w->noise),
                              "high", ratio * (1 + w->noise));
    return MESO_OK;
}

static meso_status keep(void *user, meso_error *error)
{
    const world *w = user;
    char *bytes = w->file ? json_dumps(w->tried, 0) : NULL;
    meso_status status = bytes ? meso_file_write(w->file, bytes, strlen(bytes), error) : MESO_OK;
    free(bytes);
    return status;
}

/* From the bad row on, with what is in `tried`. */
static const json_t *search(world *w, json_t *tried, const meso_device_info *info, double seconds,
                            int row[MESO_MAX_TUNABLES])
{
    meso_error error;
    const json_t *answer;
    const tune_search s = {.family = &family,
                           .device = info,
                           .end = meso_seconds() + seconds,
                           .tried = tried,
                           .ask = ask,
                           .keep = keep,
                           .user = w};
    w->tried = tried;
    memcpy(row, bad, sizeof bad);
    assert_int_equal(tune_search_run(&s, row, &error), MESO_OK);
    assert_int_equal(tune_search_final(&s, shipped, row, &answer, &error), MESO_OK);
    return answer;
}

static void check_row(const int *row, int lanes, int group, int chunk)
{
    if (row[0] != lanes || row[1] != group || row[2] != chunk)
        fail_msg("%d %d %d instead of %d %d %d", row[0], row[1], row[2], lanes, group, chunk);
}

static void finds_the_best(void **state)
{
    world w = {.noise = 0.01};
    json_t *tried = json_array();
    int row[MESO_MAX_TUNABLES];
    (void)state;
    const json_t *answer = search(&w, tried, &device, 100, row);
    check_row(row, 16, 64, 4);
    assert_true(json_number_value(json_object_get(answer, "low")) > 1);
    /* Each question once: 2 + 3 + 4 from the first row, and no more than as many again. */
    assert_true(w.n_asked <= 19 && w.n_asked == json_array_size(tried));
    search(&w, tried, &device, 100, row);
    assert_true(w.n_asked == json_array_size(tried));
    json_decref(tried);
}

/* What is not beyond doubt changes nothing. */
static void keeps_the_shipped_row(void **state)
{
    world w = {.noise = 0.9};
    json_t *tried = json_array();
    int row[MESO_MAX_TUNABLES];
    (void)state;
    search(&w, tried, &device, 100, row);
    check_row(row, shipped[0], shipped[1], shipped[2]);
    json_decref(tried);
}

static void never_chooses_a_wrong_row(void **state)
{
    world w = {.noise = 0.01, .wrong_chunk = 4};
    json_t *tried = json_array();
    int row[MESO_MAX_TUNABLES];
    (void)state;
    search(&w, tried, &device, 100, row);
    assert_int_not_equal(row[2], 4);
    assert_int_equal(row[0], 16);
    json_decref(tried);
}

static void stays_within_the_device(void **state)
{
    const meso_device_info small = {.vector_width = 8, .max_work_group = 8};
    world w = {.noise = 0.01};
    json_t *tried = json_array(), *answer;
    size_t i;
    int row[MESO_MAX_TUNABLES], asked[MESO_MAX_TUNABLES];
    (void)state;
    search(&w, tried, &small, 100, row);
    json_array_foreach (tried, i, answer) {
        const json_t *question = json_object_get(answer, "question");
        if (json_is_true(json_object_get(question, "final")))
            continue;
        assert_true(meso_tuning_values(json_object_get(question, "candidate"), &family, asked));
        assert_true(asked[0] <= 8 && asked[1] <= 8);
    }
    json_decref(tried);
}

/* As noise can have it: then it ends at the fourth. */
static void ends_in_a_circle(void **state)
{
    world w = {.noise = 0.01, .in_a_circle = 1};
    json_t *tried = json_array();
    int row[MESO_MAX_TUNABLES];
    (void)state;
    alarm(10);
    search(&w, tried, &device, 100, row);
    alarm(0);
    const json_t *last = json_array_get(tried, json_array_size(tried) - 1);
    assert_true(json_is_true(json_object_get(json_object_get(last, "question"), "final")));
    json_decref(tried);
}

static void ends_in_time(void **state)
{
    world w = {.noise = 0.01};
    json_t *tried = json_array();
    int row[MESO_MAX_TUNABLES];
    (void)state;
    search(&w, tried, &device, -1, row);
    assert_int_equal(w.n_asked, 1); /* the last comparison alone */
    check_row(row, shipped[0], shipped[1], shipped[2]);
    json_decref(tried);
}

/* A process that goes on from the file; 0: it was killed. */
static int go_on(int nap_us, int after_us)
{
    int how;
    pid_t pid = fork();
    if (pid == 0) {
        world w = {.noise = 0.01, .nap_us = nap_us, .file = "tried.json"};
        json_t *tried = json_load_file(w.file, 0, NULL);
        int row[MESO_MAX_TUNABLES];
        search(&w, tried ? tried : json_array(), &device, 100, row);
        _exit(0);
    }
    if (after_us > 0) {
        usleep((useconds_t)after_us);
        kill(pid, SIGKILL);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static void goes_on_where_it_was_killed(void **state)
{
    const int full = getenv("MESO_FULL") != NULL, n = full ? 20 : 2, nap_us = 4000;
    meso_random random = {1};
    world undisturbed = {.noise = 0.01}, after = {.noise = 0.01};
    json_t *expected = json_array();
    int row[MESO_MAX_TUNABLES], got[MESO_MAX_TUNABLES];
    (void)state;
    search(&undisturbed, expected, &device, 100, row);
    for (int i = 0; i < n; i++) {
        go_on(nap_us, 1 + (int)meso_random_below(&random, 40000 / (full ? 4 : 1)));
        json_t *tried = json_load_file("tried.json", 0, NULL);
        assert_true(tried || access("tried.json", F_OK) != 0); /* whole, or not there yet */
        json_decref(tried);
    }
    assert_true(go_on(0, 0));
    json_t *tried = json_load_file("tried.json", 0, NULL);
    assert_true(json_equal(tried, expected)); /* nothing asked twice, nothing left out */
    search(&after, tried, &device, 100, got);
    assert_int_equal(after.n_asked, 0);
    assert_memory_equal(got, row, sizeof(int) * 3);
    json_decref(tried);
    json_decref(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_best),
        cmocka_unit_test(keeps_the_shipped_row),
        cmocka_unit_test(never_chooses_a_wrong_row),
        cmocka_unit_test(stays_within_the_device),
        cmocka_unit_test(ends_in_a_circle),
        cmocka_unit_test(ends_in_time),
        cmocka_unit_test_setup_teardown(goes_on_where_it_was_killed, harness_enter_folder,
                                        harness_leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

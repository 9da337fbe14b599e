/* SPDX-License-Identifier: Apache-2.0
 *
 * Tracks and verdicts of clips, from figures made by hand; the same ones in any order.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "face/face_verdict.h"
#include "harness_device.h"

enum { most_frames = 40 };
static double seconds[most_frames];

static int every_tenth(void **state)
{
    (void)state;
    for (int i = 0; i < most_frames; i++)
        seconds[i] = i / 10.0;
    return 0;
}

static face_sighting sight(size_t frame, float x, float y, float side, double p)
{
    return (face_sighting){
        .face = {.picture = frame, .x1 = x, .y1 = y, .x2 = x + side, .y2 = y + side},
        .side = 2 * (double)side,
        .p_fake = p,
        .track = 99};
}

static face_verdict judge(size_t n_frames, face_sighting *seen, size_t n, face_rule rule)
{
    face_verdict verdict;
    meso_error error = {0};
    assert_int_equal(face_judge(seconds, n_frames, seen, n, rule, &verdict, &error), MESO_OK);
    return verdict;
}

static size_t n_tracks(size_t n_frames, face_sighting *seen, size_t n)
{
    size_t tracks;
    assert_int_equal(face_link(seconds, n_frames, seen, n, &tracks, NULL), MESO_OK);
    return tracks;
}

static void of_two_people_the_fake_one_decides(void **state)
{
    face_sighting seen[20];
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        seen[2 * i] = sight(i, 10 + (float)i, 10, 40, 0.1);
        seen[2 * i + 1] = sight(i, 200 - (float)i, 12, 30, i % 2 ? 0.9 : 0.7);
        seen[2 * i].tag = i;
        seen[2 * i + 1].tag = 100 + i;
    }
    face_verdict verdict = judge(10, seen, 20, FACE_MEAN);
    assert_int_equal(verdict.n_tracks, 2);
    assert_int_equal(verdict.n_counting, 2);
    assert_int_equal(verdict.n_frames_seen, 10);
    assert_int_equal(verdict.worst, 1);
    harness_close(verdict.score, 0.8, 1e-12, "score");
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(seen[i].track, i / 10);
        assert_int_equal(seen[i].tag, i < 10 ? i : 90 + i);
    }
    const face_track *fake = &verdict.tracks[1];
    assert_int_equal(fake->begin, 10);
    assert_int_equal(fake->n_seen, 10);
    assert_int_equal(fake->n, 10);
    assert_true(fake->is_small);
    assert_false(verdict.tracks[0].is_small);
    harness_close(fake->median, 0.8, 1e-12, "median");
    harness_close(fake->share, 1, 0, "share");
    harness_close(verdict.tracks[0].share, 0, 0, "share of the real one");
    harness_close(fake->sd, 0.1 * sqrt(10.0 / 9), 1e-12, "sd");
    harness_close(fake->n_effective, 10, 1e-12, "each unlike the one before");
    harness_close(verdict.tracks[0].sd, 0, 0, "sd of the same");
    harness_close(verdict.tracks[0].n_effective, 1, 0, "n of the same");
    free(verdict.tracks);
}

/* ρ of 0 0 1 1: deviations −½ −½ ½ ½, squares 1; lag 1: ¼ − ¼ + ¼, lag 2: −½, and no further. */
static void neighbours_that_agree_are_fewer(void **state)
{
    const double p[] = {0, 0, 1, 1};
    face_sighting seen[4];
    (void)state;
    for (size_t i = 0; i < 4; i++)
        seen[i] = sight(i, 0, 0, 50, p[i]);
    face_verdict verdict = judge(4, seen, 4, FACE_MEAN);
    harness_close(verdict.tracks[0].n_effective, 4 / 1.5, 1e-12, "n");
    free(verdict.tracks);
}

static void gaps_of_two_samples_are_bridged(void **state)
{
    face_sighting two[2] = {sight(0, 0, 0, 40, 0.5), sight(3, 4, 0, 40, 0.5)};
    (void)state;
    assert_int_equal(n_tracks(9, two, 2), 1);
    two[1].face.picture = 4;
    assert_int_equal(n_tracks(9, two, 2), 2);
}

/* IoU of squares of 40 moved by d is (40 − d) / (40 + d): .333 for 20, .290 for 22. */
static void soon_after_boxes_must_overlap(void **state)
{
    face_sighting two[2] = {sight(0, 0, 0, 40, 0.5), sight(1, 20, 0, 40, 0.5)};
    (void)state;
    assert_int_equal(n_tracks(2, two, 2), 1);
    two[1] = sight(1, 22, 0, 40, 0.5);
    assert_int_equal(n_tracks(2, two, 2), 2);
    two[1] = sight(1, 0, 0, 70, 0.5); /* one in the other, .327 */
    assert_int_equal(n_tracks(2, two, 2), 1);
}

static void later_they_must_be_near_and_alike(void **state)
{
    face_sighting two[2] = {sight(0, 0, 0, 40, 0.5), sight(1, 19, 0, 40, 0.5)};
    (void)state;
    seconds[1] = 0.51;
    assert_int_equal(n_tracks(2, two, 2), 1);
    two[1] = sight(1, 20, 0, 40, 0.5);
    assert_int_equal(n_tracks(2, two, 2), 2);
    seconds[1] = 0.5;
    assert_int_equal(n_tracks(2, two, 2), 1);
    seconds[1] = 5;
    two[1] = sight(1, -10, -10, 60, 0.5);
    assert_int_equal(n_tracks(2, two, 2), 1);
    two[1] = sight(1, -10, -10, 60.25f, 0.5);
    assert_int_equal(n_tracks(2, two, 2), 2);
    every_tenth(NULL);
}

/* Two boxes of frame 1 overlap the one of frame 0: the nearer goes on, the other is new. And the
 * other way round. */
static void the_best_overlap_comes_first(void **state)
{
    face_sighting seen[3] = {sight(0, 10, 0, 40, 0.5), sight(1, 0, 0, 40, 0.5),
                             sight(1, 14, 0, 40, 0.5)};
    (void)state;
    assert_int_equal(n_tracks(2, seen, 3), 2);
    assert_int_equal(seen[1].track, 0);
    harness_close(seen[1].face.x1, 14, 0, "the nearer");
    assert_int_equal(seen[2].track, 1);
    face_sighting one[3] = {sight(0, 0, 0, 40, 0.5), sight(0, 30, 0, 40, 0.5),
                            sight(1, 10, 0, 40, 0.5)};
    assert_int_equal(n_tracks(2, one, 3), 2);
    assert_int_equal(one[1].track, 0);
    assert_int_equal(one[1].face.picture, 1);
}

static void short_tracks_do_not_count(void **state)
{
    face_sighting seen[13];
    (void)state;
    for (size_t i = 0; i < 10; i++)
        seen[i] = sight(i, 0, 0, 50, 0.2);
    for (size_t i = 0; i < 3; i++)
        seen[10 + i] = sight(i, 300, 0, 50, 0.9);
    face_verdict verdict = judge(16, seen, 13, FACE_MEAN);
    assert_int_equal(verdict.n_counting, 1); /* 3 < 16 / 5 */
    harness_close(verdict.score, 0.2, 1e-12, "score");
    free(verdict.tracks);
    verdict = judge(15, seen, 13, FACE_MEAN);
    assert_int_equal(verdict.n_counting, 2);
    harness_close(verdict.score, 0.9, 1e-12, "score");
    free(verdict.tracks);
    verdict = judge(10, seen, 12, FACE_MEAN); /* ordered by track: two of the second are left */
    assert_int_equal(verdict.n_counting, 1);
    free(verdict.tracks);
}

/* Nobody is there for long: the longest count. So do all faces of a photo. */
static void without_a_long_track_the_longest_count(void **state)
{
    face_sighting seen[3] = {sight(0, 0, 0, 50, 0.2), sight(1, 0, 0, 50, 0.3),
                             sight(1, 200, 0, 50, 0.9)};
    face_sighting photo[3] = {sight(0, 0, 0, 50, 0.2), sight(0, 100, 0, 50, 0.7),
                              sight(0, 200, 0, 50, 0.4)};
    (void)state;
    face_verdict verdict = judge(30, seen, 3, FACE_MEAN);
    assert_int_equal(verdict.n_counting, 1);
    assert_int_equal(verdict.worst, 0);
    harness_close(verdict.score, 0.25, 1e-12, "score");
    free(verdict.tracks);
    verdict = judge(1, photo, 3, FACE_MEAN);
    assert_int_equal(verdict.n_counting, 3);
    assert_int_equal(verdict.worst, 1);
    harness_close(verdict.score, 0.7, 0, "score");
    assert_true(isnan(verdict.tracks[1].sd));
    harness_close(verdict.tracks[1].n_effective, 1, 0, "n");
    free(verdict.tracks);
}

static void of_equal_tracks_the_longest_decides(void **state)
{
    face_sighting seen[10];
    (void)state;
    for (size_t i = 0; i < 10; i++)
        seen[i] = i < 3   ? sight(i, 0, 0, 50, 1)
                  : i < 7 ? sight(i - 3, 100, 0, 50, 1)
                          : sight(i - 7, 200, 0, 50, 1);
    face_verdict verdict = judge(4, seen, 10, FACE_MEAN);
    assert_int_equal(verdict.n_counting, 3);
    assert_int_equal(verdict.worst, 1);
    free(verdict.tracks);
}

static void no_face_gives_no_verdict(void **state)
{
    face_sighting unscored[2] = {sight(0, 0, 0, 8, NAN), sight(1, 0, 0, 8, NAN)};
    (void)state;
    face_verdict verdict = judge(30, NULL, 0, FACE_MEAN);
    assert_int_equal(verdict.n_tracks, 0);
    assert_int_equal(verdict.n_frames_seen, 0);
    assert_true(verdict.worst == FACE_NO_TRACK);
    assert_true(isnan(verdict.score));
    free(verdict.tracks);
    verdict = judge(2, unscored, 2, FACE_MEAN);
    assert_int_equal(verdict.n_tracks, 1);
    assert_int_equal(verdict.n_frames_seen, 2);
    assert_int_equal(verdict.n_counting, 0);
    assert_int_equal(verdict.tracks[0].n_seen, 2);
    assert_int_equal(verdict.tracks[0].n, 0);
    assert_true(verdict.worst == FACE_NO_TRACK);
    assert_true(isnan(verdict.score) && isnan(verdict.tracks[0].score));
    free(verdict.tracks);
}

/* A face without a crop keeps the track together and is not scored. */
static void faces_without_a_crop_are_not_scored(void **state)
{
    face_sighting seen[5];
    (void)state;
    for (size_t i = 0; i < 5; i++)
        seen[i] = sight(i, 30 * (float)i / 2, 0, 40, i == 2 ? -1 : 0.25 * (double)i);
    face_verdict verdict = judge(5, seen, 5, FACE_MEAN);
    assert_int_equal(verdict.n_tracks, 1);
    assert_int_equal(verdict.tracks[0].n_seen, 5);
    assert_int_equal(verdict.tracks[0].n, 4);
    harness_close(verdict.score, 0.5, 1e-12, "score");
    free(verdict.tracks);
}

static void numbers_that_cannot_be_have_no_track(void **state)
{
    face_sighting seen[9];
    const double no_times[2] = {NAN, NAN};
    size_t tracks;
    (void)state;
    for (int i = 0; i < 9; i++)
        seen[i] = sight(0, 100 * (float)i, 0, 50, 0.5);
    seen[0].face.x2 = INFINITY;
    seen[1].face.y2 = INFINITY;
    seen[2].face.x1 = -FLT_MAX;
    seen[2].face.x2 = FLT_MAX;
    seen[3].face.picture = 1;
    seen[4].face.picture = SIZE_MAX;
    seen[5].face.x2 = seen[5].face.x1;
    seen[6].face.y2 = NAN;
    seen[7].side = NAN;
    seen[8].p_fake = INFINITY;
    face_verdict verdict = judge(1, seen, 9, FACE_MEAN);
    assert_int_equal(verdict.n_tracks, 3);
    assert_int_equal(verdict.n_counting, 2);
    assert_false(verdict.tracks[0].is_small); /* the one as wide as can be */
    assert_true(verdict.tracks[1].is_small);  /* with no side */
    for (int i = 0; i < 9; i++)
        assert_true((seen[i].track == FACE_NO_TRACK) == (i >= 3));
    free(verdict.tracks);
    face_sighting two[2] = {sight(0, 0, 0, 40, 0.5), sight(1, 10, 0, 40, 0.5)};
    assert_int_equal(face_link(no_times, 2, two, 2, &tracks, NULL), MESO_OK);
    assert_int_equal(tracks, 1);
}

/* A crowd on a small square, with many ties. */
static void the_order_of_faces_changes_nothing(void **state)
{
    enum { n = 400 };
    static face_sighting seen[n], again[n];
    size_t order[n];
    meso_random random = {5};
    (void)state;
    for (size_t i = 0; i < n; i++) {
        seen[i] = sight(meso_random_below(&random, 30), (float)(8 * meso_random_below(&random, 30)),
                        (float)(8 * meso_random_below(&random, 8)),
                        (float)(16 + 8 * meso_random_below(&random, 3)),
                        (double)meso_random_below(&random, 5) / 4);
        seen[i].p_fake = i % 9 ? seen[i].p_fake : NAN;
        order[i] = i;
    }
    memcpy(again, seen, sizeof seen);
    face_verdict first = judge(30, seen, n, FACE_LOGIT);
    assert_true(first.n_tracks > 20 && first.n_tracks < 300);
    for (int turn = 0; turn < 20; turn++) {
        static face_sighting shuffled[n];
        meso_random_shuffle(&random, order, n);
        for (size_t i = 0; i < n; i++)
            shuffled[i] = again[order[i]];
        face_verdict other = judge(30, shuffled, n, FACE_LOGIT);
        assert_int_equal(other.n_tracks, first.n_tracks);
        assert_memory_equal(other.tracks, first.tracks, first.n_tracks * sizeof *first.tracks);
        assert_memory_equal(&other.score, &first.score, sizeof first.score);
        assert_int_equal(other.worst, first.worst);
        assert_memory_equal(shuffled, seen, sizeof seen);
        free(other.tracks);
    }
    free(first.tracks);
}

/* No sighting of a frame shares its track with another of it, and frames of a track lie close. */
static void a_track_has_one_face_a_frame(void **state)
{
    enum { n = 300 };
    static face_sighting seen[n];
    meso_random random = {6};
    (void)state;
    for (size_t i = 0; i < n; i++)
        seen[i] = sight(i / 8, (float)meso_random_uniform(&random, 0, 90),
                        (float)meso_random_uniform(&random, 0, 20), 40, 0.5);
    n_tracks(most_frames, seen, n);
    for (size_t i = 1; i < n; i++)
        if (seen[i].track == seen[i - 1].track) {
            const size_t step = seen[i].face.picture - seen[i - 1].face.picture;
            assert_true(step >= 1 && step <= 3);
        } else {
            assert_int_equal(seen[i].track, seen[i - 1].track + 1);
        }
}

static void each_rule_gives_its_figure(void **state)
{
    double p[] = {0.9, 0.1, 0.8, 0.5, 0.2, 0.6, 0, 1, 0.7, 0.3};
    double twenty[20], logits = 0;
    (void)state;
    meso_sort(p, 10);
    for (int i = 0; i < 10; i++)
        logits += log(fmin(fmax(p[i], 1e-4), 1 - 1e-4) / (1 - fmin(fmax(p[i], 1e-4), 1 - 1e-4)));
    harness_close(face_score(FACE_MEAN, p, 10), 0.51, 1e-12, "mean");
    harness_close(face_score(FACE_MEDIAN, p, 10), 0.55, 1e-12, "median");
    harness_close(face_score(FACE_SHARE, p, 10), 0.6, 1e-12, "share: .5 is fake");
    harness_close(face_score(FACE_TRIMMED, p, 10), 3.1 / 6, 1e-12, "trimmed");
    harness_close(face_score(FACE_TRIMMED, p, 1), 0, 0, "trimmed one");
    harness_close(face_score(FACE_LOGIT, p, 10), 1 / (1 + exp(-logits / 10)), 1e-12, "logit");
    harness_close(face_score(FACE_MAX, p, 10), 1, 0, "max");
    harness_close(face_score(FACE_CONFIDENT, p, 10), 0.51, 1e-12, "confident: none");
    for (int i = 0; i < 20; i++)
        twenty[i] = i < 8 ? 0.1 : 0.9;
    harness_close(face_score(FACE_CONFIDENT, twenty, 20), 0.9, 1e-12, "confident: fake");
    harness_close(face_score(FACE_TRIMMED, twenty, 20), 7.6 / 12, 1e-12, "trimmed by 4 and 4");
    twenty[8] = 0.1; /* 11 left */
    harness_close(face_score(FACE_CONFIDENT, twenty, 20), 0.54, 1e-12, "confident: too few");
    for (int i = 0; i < 20; i++)
        twenty[i] = i < 19 ? 0.1 : 0.9;
    harness_close(face_score(FACE_CONFIDENT, twenty, 20), 0.1, 1e-12, "confident: real");
    twenty[18] = 0.3; /* 18 of 20 are not more than .9 */
    harness_close(face_score(FACE_CONFIDENT, twenty, 20), 0.15, 1e-12, "confident: not so real");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_people_the_fake_one_decides),
        cmocka_unit_test(neighbours_that_agree_are_fewer),
        cmocka_unit_test(gaps_of_two_samples_are_bridged),
        cmocka_unit_test(soon_after_boxes_must_overlap),
        cmocka_unit_test(later_they_must_be_near_and_alike),
        cmocka_unit_test(the_best_overlap_comes_first),
        cmocka_unit_test(short_tracks_do_not_count),
        cmocka_unit_test(without_a_long_track_the_longest_count),
        cmocka_unit_test(of_equal_tracks_the_longest_decides),
        cmocka_unit_test(no_face_gives_no_verdict),
        cmocka_unit_test(faces_without_a_crop_are_not_scored),
        cmocka_unit_test(numbers_that_cannot_be_have_no_track),
        cmocka_unit_test(the_order_of_faces_changes_nothing),
        cmocka_unit_test(a_track_has_one_face_a_frame),
        cmocka_unit_test(each_rule_gives_its_figure),
    };
    return cmocka_run_group_tests(tests, every_tenth, NULL);
}

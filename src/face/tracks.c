/* SPDX-License-Identifier: Apache-2.0 */
#include "face/tracks.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"

static const double soon = 0.5; /* seconds */
static const double least_share = 0.3, most_distance = 0.5, most_ratio = 1.5;
enum { most_missed = 2 };

/* Two sightings that may be one person's. */
typedef struct pairing {
    double share;
    size_t before, now;
} pairing;

typedef struct pairings {
    pairing *items;
    size_t n, room;
} pairings;

/* A box whose area is a number. */
static int is_box(const face *one)
{
    const double w = (double)one->x2 - one->x1, h = (double)one->y2 - one->y1;
    return w > 0 && h > 0 && isfinite(w) && isfinite(h);
}

static int differ(double a, double b)
{
    return (a > b) - (a < b);
}

/* Every number that counts, so that the order of the input does not. */
static int by_frame(const void *left, const void *right)
{
    const face_sighting *a = left, *b = right;
    if (a->track != b->track)
        return a->track < b->track ? -1 : 1;
    if (a->face.picture != b->face.picture)
        return a->face.picture < b->face.picture ? -1 : 1;
    const double numbers[][2] = {{a->face.x1, b->face.x1}, {a->face.y1, b->face.y1},
                                 {a->face.x2, b->face.x2}, {a->face.y2, b->face.y2},
                                 {a->p_fake, b->p_fake},   {a->side, b->side}};
    int order = 0;
    for (size_t i = 0; !order && i < sizeof numbers / sizeof *numbers; i++) {
        const double *pair = numbers[i];
        order = isnan(pair[0]) || isnan(pair[1]) ? !isnan(pair[0]) - !isnan(pair[1])
                                                 : differ(pair[0], pair[1]);
    }
    return order;
}

static int likeliest_first(const void *left, const void *right)
{
    const pairing *a = left, *b = right;
    int order = differ(b->share, a->share);
    order = order ? order : (a->before > b->before) - (a->before < b->before);
    return order ? order : (a->now > b->now) - (a->now < b->now);
}

static int may_join(const face *a, const face *b, double seconds, double share)
{
    const double side_a = ((double)a->x2 - a->x1 + a->y2 - a->y1) / 2;
    const double side_b = ((double)b->x2 - b->x1 + b->y2 - b->y1) / 2;
    const double x = ((double)a->x1 + a->x2 - b->x1 - b->x2) / 2;
    const double y = ((double)a->y1 + a->y2 - b->y1 - b->y2) / 2;
    if (seconds <= soon)
        return share >= least_share;
    return hypot(x, y) < most_distance * (side_a + side_b) / 2 &&
           fmax(side_a, side_b) <= most_ratio * fmin(side_a, side_b);
}

/* Sightings begin … end are of one frame; those that a track may go on with stand from `from` on.
 * last[track]: its last sighting. 0 where memory ran out. */
static int join(const double *seconds, face_sighting *seen, size_t from, size_t begin, size_t end,
                size_t *last, pairings *pairs)
{
    pairs->n = 0;
    for (size_t i = from; i < begin; i++)
        for (size_t k = begin; k < end; k++) {
            const face *before = &seen[i].face, *now = &seen[k].face;
            const pairing pair = {face_share(before, now, FACE_OF_UNION), i, k};
            if (!may_join(before, now, seconds[now->picture] - seconds[before->picture],
                          pair.share))
                continue;
            pairing *items = meso_grow(pairs->items, pairs->n, &pairs->room, sizeof *items);
            if (!items)
                return 0;
            pairs->items = items;
            items[pairs->n++] = pair;
        }
    if (pairs->n)
        qsort(pairs->items, pairs->n, sizeof *pairs->items, likeliest_first);
    for (size_t i = 0; i < pairs->n; i++) {
        const size_t now = pairs->items[i].now, before = pairs->items[i].before;
        if (seen[now].track == FACE_NO_TRACK && last[seen[before].track] == before) {
            seen[now].track = seen[before].track;
            last[seen[now].track] = now;
        }
    }
    return 1;
}

/* Makes what cannot be FACE_NO_TRACK, the rest 0; returns how many the rest are. */
static size_t clean(face_sighting *seen, size_t n, size_t n_frames)
{
    size_t good = 0;
    for (size_t i = 0; i < n; i++) {
        const int is_good = seen[i].face.picture < n_frames && is_box(&seen[i].face);
        seen[i].track = is_good ? 0 : FACE_NO_TRACK;
        good += (size_t)is_good;
        if (!(seen[i].p_fake >= 0 && seen[i].p_fake <= 1))
            seen[i].p_fake = NAN;
    }
    return good;
}

meso_status face_link(const double *seconds, size_t n_frames, face_sighting *seen, size_t n,
                      size_t *n_tracks, meso_error *error)
{
    const size_t good = clean(seen, n, n_frames);
    size_t *last = malloc((good + 1) * sizeof *last);
    pairings pairs = {0};
    int ok = last != NULL;
    *n_tracks = 0;
    if (n)
        qsort(seen, n, sizeof *seen, by_frame);
    for (size_t i = 0; i < good; i++)
        seen[i].track = FACE_NO_TRACK;
    for (size_t begin = 0, end = 0, from = 0; ok && begin < good; begin = end) {
        const size_t frame = seen[begin].face.picture;
        while (end < good && seen[end].face.picture == frame)
            end++;
        while (seen[from].face.picture + most_missed + 1 < frame)
            from++;
        ok = join(seconds, seen, from, begin, end, last, &pairs);
        for (size_t i = begin; ok && i < end; i++)
            if (seen[i].track == FACE_NO_TRACK) {
                seen[i].track = (*n_tracks)++;
                last[seen[i].track] = i;
            }
    }
    if (ok && n)
        qsort(seen, n, sizeof *seen, by_frame);
    free(pairs.items);
    free(last);
    MESO_DEMAND_MEMORY(ok, error);
    return MESO_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "face/face_verdict.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "mesocl/metrics.h"

static const double small_side = 64;
enum { least_faces = 3, least_part = 5, /* a fifth */ trimmed_part = 5 };

static double mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

static double mean_logit(const double *p, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double held = fmin(fmax(p[i], 1e-4), 1 - 1e-4);
        sum += log(held / (1 - held));
    }
    return 1 / (1 + exp(-sum / (double)n));
}

static double share_of_fakes(const double *p, size_t n)
{
    size_t fake = 0;
    for (size_t i = 0; i < n; i++)
        fake += !meso_is_real(1 - p[i], 0.5);
    return (double)fake / (double)n;
}

static double confident(const double *sorted, size_t n)
{
    size_t low = 0, high = 0;
    while (low < n && sorted[low] < 0.2)
        low++;
    while (high < n && sorted[n - 1 - high] > 0.8)
        high++;
    if (high > 2 * n / 5 && high > 11)
        return mean(sorted + n - high, high);
    return mean(sorted, 10 * low > 9 * n ? low : n);
}

static double median(const double *sorted, size_t n)
{
    return meso_quantile(sorted, n, 0.5);
}

static double trimmed(const double *sorted, size_t n)
{
    const size_t cut = n / trimmed_part;
    return mean(sorted + cut, n - 2 * cut);
}

static double last(const double *sorted, size_t n)
{
    return sorted[n - 1];
}

double face_score(face_rule rule, const double *sorted, size_t n)
{
    static double (*const rules[])(const double *, size_t) = {
        [FACE_MEAN] = mean,          [FACE_MEDIAN] = median,    [FACE_SHARE] = share_of_fakes,
        [FACE_TRIMMED] = trimmed,    [FACE_LOGIT] = mean_logit, [FACE_MAX] = last,
        [FACE_CONFIDENT] = confident};
    return rules[rule](sorted, n);
}

/* Σ (p[i] − middle) · (p[i + lag] − middle) */
static double products(const double *p, size_t n, size_t lag, double middle)
{
    double sum = 0;
    for (size_t i = 0; i + lag < n; i++)
        sum += (p[i] - middle) * (p[i + lag] - middle);
    return sum;
}

static void spread(const double *p, size_t n, face_track *track)
{
    double middle = p[0]; /* exactly, where all are the same */
    for (size_t i = 1; i < n; i++)
        middle += (p[i] - p[0]) / (double)n;
    const double squares = products(p, n, 0, middle);
    double rho = 1, sum = 0;
    track->sd = n < 2 ? NAN : sqrt(squares / (double)(n - 1));
    track->n_effective = 1;
    if (!(squares > 0))
        return;
    for (size_t lag = 1; lag < n && rho > 0; lag++) {
        rho = products(p, n, lag, middle) / squares;
        sum += fmax(rho, 0);
    }
    track->n_effective = fmax(1, (double)n / (1 + 2 * sum));
}

/* p and sides have room for all of the track's sightings. */
static void judge_track(const face_sighting *seen, face_rule rule, size_t n_frames, double *p,
                        double *sides, face_track *track)
{
    track->n = 0;
    for (size_t i = track->begin; i < track->begin + track->n_seen; i++)
        if (!isnan(seen[i].p_fake)) {
            p[track->n] = seen[i].p_fake;
            sides[track->n++] = fmax(seen[i].side, 0);
        }
    track->score = track->median = track->share = track->sd = track->n_effective = NAN;
    track->counts = track->n >= least_faces && least_part * track->n >= n_frames;
    if (track->n == 0)
        return;
    spread(p, track->n, track);
    meso_sort(p, track->n);
    meso_sort(sides, track->n);
    track->score = face_score(rule, p, track->n);
    track->median = median(p, track->n);
    track->share = share_of_fakes(p, track->n);
    track->is_small = median(sides, track->n) < small_side;
}

/* Frames stand together in each track only, so each is marked. */
static size_t count_frames(const face_sighting *seen, size_t n, unsigned char *marks)
{
    size_t count = 0;
    for (size_t i = 0; i < n && seen[i].track != FACE_NO_TRACK; i++) {
        count += !marks[seen[i].face.picture];
        marks[seen[i].face.picture] = 1;
    }
    return count;
}

/* Which tracks count, and the worst of them: of equal ones the longest, then the first. */
static void decide(face_verdict *verdict)
{
    size_t longest = 0;
    verdict->n_counting = 0;
    verdict->worst = FACE_NO_TRACK;
    verdict->score = NAN;
    for (size_t i = 0; i < verdict->n_tracks; i++) {
        verdict->n_counting += (size_t)verdict->tracks[i].counts;
        longest = verdict->tracks[i].n > longest ? verdict->tracks[i].n : longest;
    }
    const int none = verdict->n_counting == 0;
    for (size_t i = 0; i < verdict->n_tracks; i++) {
        face_track *track = &verdict->tracks[i];
        if (none && longest && track->n == longest) {
            track->counts = 1;
            verdict->n_counting++;
        }
        const face_track *worst =
            verdict->worst == FACE_NO_TRACK ? NULL : &verdict->tracks[verdict->worst];
        if (track->counts && (!worst || track->score > worst->score ||
                              (track->score == worst->score && track->n > worst->n))) {
            verdict->worst = i;
            verdict->score = track->score;
        }
    }
}

meso_status face_judge(const double *seconds, size_t n_frames, face_sighting *seen, size_t n,
                       face_rule rule, face_verdict *verdict, meso_error *error)
{
    size_t n_tracks;
    MESO_CHECK(face_link(seconds, n_frames, seen, n, &n_tracks, error));
    double *p = malloc((n + 1) * sizeof *p), *sides = malloc((n + 1) * sizeof *sides);
    unsigned char *marks = calloc(n_frames + 1, 1);
    face_track *tracks = calloc(n_tracks + 1, sizeof *tracks);
    const int ok = p && sides && marks && tracks;
    if (ok) {
        *verdict = (face_verdict){.tracks = tracks, .n_tracks = n_tracks};
        for (size_t i = 0; i < n && seen[i].track != FACE_NO_TRACK; i++)
            if (tracks[seen[i].track].n_seen++ == 0)
                tracks[seen[i].track].begin = i;
        for (size_t i = 0; i < n_tracks; i++)
            judge_track(seen, rule, n_frames, p, sides, &tracks[i]);
        verdict->n_frames_seen = count_frames(seen, n, marks);
        decide(verdict);
    }
    free(p);
    free(sides);
    free(marks);
    if (!ok)
        free(tracks);
    MESO_DEMAND_MEMORY(ok, error);
    return MESO_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * From P(fake) of each face in a clip to one score for each person and for the clip.
 */
#ifndef MESO_FACE_FACE_VERDICT_H
#define MESO_FACE_FACE_VERDICT_H

#include "face/tracks.h"

typedef enum face_rule {
    FACE_MEAN,
    FACE_MEDIAN,
    FACE_SHARE, /* of faces that are called fake at ½: the published figure, of the other class */
    FACE_TRIMMED, /* mean without a fifth at each end */
    FACE_LOGIT,   /* mean of logits, P held within 1e-4 … 1 − 1e-4 */
    FACE_MAX,
    FACE_CONFIDENT /* of DFDC's winner, as published for 32 frames */
} face_rule;
#define FACE_RULES "mean|median|share|trimmed|logit|max|confident"

/* Of n ≥ 1 P(fake) in ascending order. */
double face_score(face_rule rule, const double *sorted, size_t n);

typedef struct face_track {
    size_t begin, n_seen;        /* its sightings */
    size_t n;                    /* those of them with a P */
    double score, median, share; /* NaN where n is 0 */
    double sd;                   /* NaN where n < 2 */
    double n_effective; /* n / (1 + 2 Σ ρ), over lags up to the first where ρ is not positive; 1
                         * where all P are the same */
    int is_small;       /* the median square is less than 64 rows: nets have seen none so small */
    int counts;         /* at least 3 faces with a P, and in a fifth of the frames */
} face_track;

typedef struct face_verdict {
    face_track *tracks; /* the caller's, to free() */
    size_t n_tracks, n_counting;
    size_t n_frames_seen; /* frames with a face */
    size_t worst; /* the track that decides, of those that count; FACE_NO_TRACK: none has a P */
    double score; /* of that track; NaN: no verdict */
} face_verdict;

/* Links the sightings (tracks.h, with the order that it gives them) and judges. Where no track is
 * long enough the longest count. Errors: MEMORY. */
meso_status face_judge(const double *seconds, size_t n_frames, face_sighting *seen, size_t n,
                       face_rule rule, face_verdict *verdict, meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which faces of a clip's frames are one person's: a track.
 */
#ifndef MESO_FACE_TRACKS_H
#define MESO_FACE_TRACKS_H

#include "face/boxes.h"
#include "mesocl/status.h"

#define FACE_NO_TRACK SIZE_MAX

typedef struct face_sighting {
    face face;     /* picture: the frame's number among those that were looked at, from 0 */
    double side;   /* of its square, in rows */
    double p_fake; /* NaN: there was no crop to score */
    size_t tag;    /* the caller's own */
    size_t track;  /* is written: from 0, as they come up */
} face_sighting;

/* Orders the n sightings by track, those of a track by frame; the result is the same whatever their
 * order was. Those whose frame or box cannot be come last, as FACE_NO_TRACK; p_fake outside 0…1
 * becomes NaN. seconds[n_frames]: when each frame is shown. Errors: MEMORY. */
meso_status face_link(const double *seconds, size_t n_frames, face_sighting *seen, size_t n,
                      size_t *n_tracks, meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A perceptual hash: 64 bits that hardly change when a picture is scaled or encoded anew.
 */
#ifndef MESO_STUDY_LOOK_H
#define MESO_STUDY_LOOK_H

#include <stdint.h>

enum { STUDY_LOOK_SIDE = 32 };

/* The signs, against their median, of the 8×8 lowest frequencies but for the mean ("pHash":
 * Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010). grey:
 * [32][32], as study_reduce() makes it. *mirrored is the hash of the picture's mirror image. */
void study_look(const float *grey, uint64_t *look, uint64_t *mirrored);

static inline int study_look_distance(uint64_t a, uint64_t b)
{
    return __builtin_popcountll(a ^ b);
}

#endif

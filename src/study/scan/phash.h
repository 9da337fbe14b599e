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
void study_phash(const float *grey, uint64_t *phash, uint64_t *mirrored);

/* Bits in which two differ, counted in the word: where the processor that is compiled for has no
 * instruction for it, __builtin_popcountll is a call, which takes thrice as long. */
static inline int study_phash_distance(uint64_t a, uint64_t b)
{
    const uint64_t pairs = UINT64_MAX / 3, fours = UINT64_MAX / 5, bytes = UINT64_MAX / 17;
    uint64_t x = a ^ b;
    x -= x >> 1 & pairs;
    x = (x & fours) + (x >> 2 & fours);
    x = (x + (x >> 4)) & bytes;
    return (int)(x * (UINT64_MAX / 255) >> 56);
}

#endif

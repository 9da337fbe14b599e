/* SPDX-License-Identifier: Apache-2.0
 *
 * One file → what is known of it without a device (scan_file.c): what it says of itself
 * (file_facts.c), a small copy (reduce.c), its spectrum (spectrum.c) and a perceptual hash
 * (phash.c). Runs on decoding threads.
 */
#ifndef MESO_STUDY_SCAN_FILE_H
#define MESO_STUDY_SCAN_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "study/scan/study_scan.h"

/* ---- What a file says of its making, without decoding it. */

typedef struct study_file_facts {
    double jpeg_quality; /* of libjpeg's scale, 1…100, whose luminance table is nearest; NaN */
    double chroma;       /* luma samples for each chroma sample: 1 is 4:4:4, 4 is 4:2:0; NaN */
    int exif;
} study_file_facts;

/* bytes: a whole JPEG, PNG or WebP file, sound or not; of others nothing is known. */
void study_file_facts_read(const uint8_t *bytes, size_t n, study_file_facts *facts);

/* ---- Pictures made small: grey, each value the mean over its share of the picture's area. */

enum { STUDY_MAX_REDUCED = 64 };

/* Pillow's L of an RGB pixel. */
static inline unsigned study_luma(const uint8_t *rgb)
{
    return (19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >> 16;
}

/* out: [side][side], 0…255, side ≤ STUDY_MAX_REDUCED. Works for any size, smaller ones too. */
void study_reduce(const uint8_t *rgb, unsigned width, unsigned height, unsigned side, float *out);

/* ---- How a picture's power is spread over spatial frequencies. */

typedef struct study_spectrum_plan study_spectrum_plan; /* may be used by many threads at once */

meso_status study_spectrum_open(study_spectrum_plan **plan, meso_error *error);
void study_spectrum_close(study_spectrum_plan *plan);

/* The power spectrum of Pillow's L in the middle of the picture, a square of up to 128×128 pixels
 * under a Hann window, averaged over rings of equal width from 0 to half the sampling rate, as
 * log10 ("azimuthal integration": Durall, Keuper and Keuper, Watch your Up-Convolution, CVPR 2020).
 * *high is log10 of the share of the power above a quarter of the sampling rate. All are NaN for
 * pictures below 32×32. */
void study_spectrum(const study_spectrum_plan *plan, const uint8_t *rgb, unsigned width,
                    unsigned height, float rings[STUDY_SPECTRUM_BINS], double *high);

/* ---- A perceptual hash: 64 bits that hardly change when a picture is scaled or encoded anew. */

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

/* ---- All of it. */

study_stamp study_file_stamp(const char *path);

/* Reads, hashes and decodes path. out is filled but for the statistics of the device, which are
 * NaN; image: the pixels, the caller's to free. spectrum: NULL: only what the study's statistics
 * need (no fingerprints, no spectrum). A file that cannot be used is MESO_OK with a refusal.
 * Errors: MEMORY. */
meso_status study_scan_file(const char *path, const meso_image_options *options,
                            const study_spectrum_plan *spectrum, study_image *out,
                            meso_image *image, meso_error *error);

#endif

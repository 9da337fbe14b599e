/* SPDX-License-Identifier: Apache-2.0 */
#include "study/scan/scan_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/text.h"
#include "data/image/image.h"

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

study_stamp study_file_stamp(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return (study_stamp){0};
    return (study_stamp){(uint64_t)info.st_size, (uint64_t)info.st_dev, (uint64_t)info.st_ino,
                         nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

static void put_hash(XXH128_hash_t hash, uint8_t out[STUDY_HASH_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(out, canonical.digest, STUDY_HASH_BYTES);
}

/* Pixels of the same bytes in another shape are another picture. */
static void hash_pixels(const meso_image *image, uint8_t out[STUDY_HASH_BYTES])
{
    XXH64_hash_t shape = (uint64_t)image->width << 32 | image->height;
    put_hash(XXH3_128bits_withSeed(image->rgb, (size_t)image->width * image->height * 3, shape),
             out);
}

static void take_facts(const uint8_t *bytes, size_t n, study_image *out)
{
    study_file_facts facts;
    study_file_facts_read(bytes, n, &facts);
    out->property[STUDY_JPEG_QUALITY] = facts.jpeg_quality;
    out->property[STUDY_CHROMA] = facts.chroma;
    out->property[STUDY_EXIF] = facts.exif;
    out->property[STUDY_FILE_BYTES] = (double)n;
}

static void take_sizes(const meso_image *image, study_image *out)
{
    double pixels = (double)image->width * image->height;
    out->property[STUDY_WIDTH] = image->width;
    out->property[STUDY_HEIGHT] = image->height;
    out->property[STUDY_ASPECT] = (double)image->width / image->height;
    out->property[STUDY_BITS_PER_PIXEL] = 8 * out->property[STUDY_FILE_BYTES] / pixels;
    out->suspect = image->suspect != 0;
    out->property[STUDY_IS_JPEG] = strcmp(image->format, "jpeg") == 0;
    snprintf(out->format, sizeof out->format, "%s", image->format);
}

static void take_fingerprints(const meso_image *image, study_image *out)
{
    float grey[STUDY_LOOK_SIDE * STUDY_LOOK_SIDE];
    study_reduce(image->rgb, image->width, image->height, STUDY_LOOK_SIDE, grey);
    study_phash(grey, &out->phash, &out->phash_mirrored);
    for (int y = 0; y < STUDY_THUMB_SIDE; y++)
        for (int x = 0; x < STUDY_THUMB_SIDE; x++) {
            const float *four = grey + 2 * y * STUDY_LOOK_SIDE + 2 * x;
            float sum = four[0] + four[1] + four[STUDY_LOOK_SIDE] + four[STUDY_LOOK_SIDE + 1];
            out->thumb[y * STUDY_THUMB_SIDE + x] = (uint8_t)(sum / 4 + 0.5f);
        }
    hash_pixels(image, out->pixel_hash);
}

/* Path and reason have places of their own: the detail is the rest of the sentence. */
static void take_refusal(const char *path, meso_refusal refusal, const char *sentence,
                         study_image *out)
{
    const char *prefixes[] = {MESO_PRINTABLE(path), meso_refusal_name(refusal)};
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(prefixes[i]);
        if (strncmp(sentence, prefixes[i], n) == 0 && strncmp(sentence + n, ": ", 2) == 0)
            sentence += n + 2;
    }
    out->refusal = (uint32_t)refusal;
    snprintf(out->detail, sizeof out->detail, "%s", sentence);
}

static meso_status look_at(const char *path, const void *bytes, size_t n,
                           const meso_image_options *options, const study_spectrum_plan *spectrum,
                           study_image *out, meso_image *image, meso_error *error)
{
    meso_error why = {0};
    meso_refusal refusal = MESO_IMAGE_OK;
    put_hash(XXH3_128bits(bytes, n), out->file_hash);
    take_facts(bytes, n, out);
    meso_status status = meso_image_decode(bytes, n, path, options, image, &refusal, &why);
    if (status != MESO_OK && refusal == MESO_IMAGE_OK)
        return meso_fail(error, status, "%s", why.text);
    if (refusal != MESO_IMAGE_OK) {
        take_refusal(path, refusal, why.text, out);
        return MESO_OK;
    }
    take_sizes(image, out);
    if (spectrum) {
        take_fingerprints(image, out);
        study_spectrum(spectrum, image->rgb, image->width, image->height, out->spectrum,
                       &out->property[STUDY_HIGH_FREQUENCY]);
    }
    return MESO_OK;
}

meso_status study_scan_file(const char *path, const meso_image_options *options,
                            const study_spectrum_plan *spectrum, study_image *out,
                            meso_image *image, meso_error *error)
{
    void *bytes = NULL;
    size_t n = 0;
    meso_refusal refusal = MESO_IMAGE_OK;
    meso_error why = {0};
    memset(out, 0, sizeof *out); /* padding, too: records are kept byte for byte */
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        out->property[p] = NAN;
    out->stamp = study_file_stamp(path);
    meso_status status = meso_image_read(path, NULL, &bytes, &n, &refusal, &why);
    if (status == MESO_OK)
        status = look_at(path, bytes, n, options, spectrum, out, image, error);
    else if (refusal == MESO_IMAGE_OK) /* not the file's fault */
        status = meso_fail(error, status, "%s", why.text);
    else {
        take_refusal(path, refusal, why.text, out);
        status = MESO_OK;
    }
    free(bytes);
    return status;
}

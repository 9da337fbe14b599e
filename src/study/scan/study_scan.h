/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets, looked at: every file of a dataset is read once, and what it is like is kept as one
 * study_image (study_scan.c). All other parts of the study work on these. sample.c draws files.
 *
 *   study_scan_options options = STUDY_SCAN_OPTIONS_INIT;
 *   options.device = device;
 *   study_scan("train", "of/Train", &files, &options, &dataset, &error);
 *   …
 *   study_dataset_free(&dataset);
 */
#ifndef MESO_STUDY_SCAN_H
#define MESO_STUDY_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/dataset.h"
#include "mesocl/device.h"
#include "mesocl/image.h"
#include "study/scan/property.h"

enum {
    STUDY_HASH_BYTES = 16, /* XXH3-128 */
    STUDY_THUMB_SIDE = 16,
    STUDY_THUMB_PIXELS = STUDY_THUMB_SIDE * STUDY_THUMB_SIDE,
    STUDY_SPECTRUM_BINS = 16,
    STUDY_DETAIL_SIZE = 160
};

/* What tells a file from what stood at its path before. Size and mtime alone do not: pictures of
 * one size keep their times when they are unpacked from an archive or moved between folders. Free
 * of padding, so that two can be compared byte for byte. Zero where there is no file. */
typedef struct study_stamp {
    uint64_t bytes, device, inode;
    int64_t modified_ns, changed_ns; /* mtime, ctime; since 1970 */
} study_stamp;

/* Fixed in size and free of pointers: the scan's cache keeps it as it is. */
typedef struct study_image {
    study_stamp stamp;
    uint8_t file_hash[STUDY_HASH_BYTES];
    uint8_t pixel_hash[STUDY_HASH_BYTES]; /* of width, height and RGB; zero where refused */
    uint64_t phash;                       /* perceptual hash, and that of the mirrored picture */
    uint64_t phash_mirrored;
    uint32_t refusal; /* a meso_refusal; but for MESO_IMAGE_OK only what comes before holds */
    uint32_t suspect; /* decoded with warnings */
    double property[STUDY_N_PROPERTIES]; /* NaN where it does not apply */
    float spectrum[STUDY_SPECTRUM_BINS]; /* radial power spectrum, log10, from low to high */
    uint8_t thumb[STUDY_THUMB_PIXELS];   /* 16×16 grey, area means */
    char format[8];                      /* "jpeg", "png", … */
    char detail[STUDY_DETAIL_SIZE];      /* why it was refused */
} study_image;

typedef struct study_dataset {
    char *name;          /* in reports */
    char *path;          /* as it was given */
    meso_dataset files;  /* items[i] is images[i]: path, label, group; owned */
    study_image *images; /* [files.n_items] */
    size_t n_read;       /* files that were read now; the others came from the cache */
    size_t n_usable[2];  /* images of each class that were not refused */
    int published_only;  /* only the study's properties are known */
} study_dataset;

/* Called on the caller's thread now and then; any value but 0 stops the scan (CANCELLED), and what
 * was read until then is in the cache. */
typedef int (*study_progress)(size_t n_done, size_t n, void *user);

/* A long work of n steps, and who is told. */
typedef struct study_steps {
    study_progress progress; /* NULL is allowed */
    void *user;
    size_t n_done, n;
} study_steps;

/* One more is done. Errors: CANCELLED. */
meso_status study_step(study_steps *steps, meso_error *error);

typedef struct study_scan_options {
    meso_device *device;     /* where the pixels' statistics are computed; required */
    size_t n_threads;        /* decoding threads; 0: one for each processor */
    uint64_t max_pixels;     /* as in meso_image_options */
    int published_only;      /* the study's six properties alone, which is faster */
    const char *cache;       /* folder for what is known of files; NULL: nothing is kept */
    study_progress progress; /* NULL is allowed */
    void *user;
} study_scan_options;

#define STUDY_SCAN_OPTIONS_INIT         \
    {                                   \
        NULL, 0, 0, 0, NULL, NULL, NULL \
    }

/* 32 hex digits, as manifests have them. */
void study_hash_text(const uint8_t hash[STUDY_HASH_BYTES], char hex[2 * STUDY_HASH_BYTES + 1]);

/* Takes *files over, in any case. A file that cannot be used is kept with its refusal. Errors: DATA
 * (no image can be used; a file changed while it was scanned, or since its
 * manifest was written), CANCELLED, DEVICE, MEMORY, and those
 * of writing the cache. */
meso_status study_scan(const char *name, const char *path, meso_dataset *files,
                       const study_scan_options *options, study_dataset *dataset,
                       meso_error *error);

void study_dataset_free(study_dataset *dataset); /* frees and zeroes; zeroed is allowed */

/* Is image i part of comparisons: was it decoded? */
static inline int study_usable(const study_dataset *dataset, size_t i)
{
    return dataset->images[i].refusal == MESO_IMAGE_OK;
}

/* Keeps n files of each class (or what there is), drawn from the seed, in their order. */
void study_sample(meso_dataset *files, size_t n, uint64_t seed);

#endif

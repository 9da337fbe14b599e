/* SPDX-License-Identifier: Apache-2.0
 *
 * What earlier scans found, in one file for each dataset. A file of the dataset is known while its
 * path and stamp are the same. Files that were refused are read again each time: what was
 * wrong may have been mended without a trace. A damaged cache, or one of another version, is as
 * good as none.
 */
#ifndef MESO_STUDY_SCAN_CACHE_H
#define MESO_STUDY_SCAN_CACHE_H

#include "base/text.h"
#include "study/scan/study_scan.h"

typedef struct study_cache_entry {
    const char *path; /* below the dataset's folder */
    const study_image *image;
} study_cache_entry;

typedef struct study_cache {
    char *file;                 /* where it is; NULL: nothing is kept */
    size_t prefix;              /* bytes of a path that name the dataset's folder */
    void *bytes;                /* as it was read */
    study_cache_entry *entries; /* by path */
    size_t n;
} study_cache;

/* folder: of caches, made where it is missing; NULL: nothing is kept. root: the dataset's folder or
 * manifest. published_only: such scans know less and have a cache of their own. Errors: CREATE (the
 * folder), MEMORY. */
meso_status study_cache_open(const char *folder, const char *root, int published_only,
                             study_cache *cache, meso_error *error);
void study_cache_close(study_cache *cache);

/* What is known of the file at path with that stamp; NULL. */
const study_image *study_cache_find(const study_cache *cache, const char *path,
                                    const study_stamp *stamp);

/* Writes all images that are done, and what was known of files that are not in the list (a smaller
 * sample must not forget the rest). Atomic. Errors: CREATE, IO, MEMORY. */
meso_status study_cache_save(const study_cache *cache, const meso_dataset *files,
                             const study_image *images, const unsigned char *done,
                             meso_error *error);

#endif

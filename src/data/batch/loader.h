/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes a list of image files on threads, ahead of whoever consumes them, and hands them out in
 * list order. At most n_slots files are decoded or held at a time. Nothing here knows of devices.
 *
 *   meso_loader_start(&options, &loader, error);
 *   while ((status = meso_loader_next(loader, &item, error)) == MESO_OK && item) {
 *       …
 *       meso_loader_release(loader, 1);
 *   }
 *   meso_loader_stop(loader);
 */
#ifndef MESO_DATA_LOADER_H
#define MESO_DATA_LOADER_H

#include "base/error.h"
#include "mesocl/image.h"

typedef struct meso_loader meso_loader;
struct meso_loaded;

typedef struct meso_loader_options {
    const char *const *paths;  /* outlive the loader */
    const char *const *hashes; /* what a manifest says of each, or NULL; NULL: nothing of any */
    size_t n;
    size_t n_threads;         /* 0: one for each processor */
    size_t n_slots;           /* files in decoding, waiting or held; at least 1 */
    meso_image_options image; /* size to resize to, limits */
    /* Where file i's picture goes, asked on a thread once file i − n_slots has been released; NULL:
     * memory of its own. */
    uint8_t *(*place)(void *user, size_t i);
    /* What a thread does for file i in place of reading and decoding paths[i], which may then be
     * NULL: it fills in refusal, image and error. NULL: that. */
    meso_status (*load)(void *user, size_t i, struct meso_loaded *loaded);
    void *user;
} meso_loader_options;

/* One file's outcome. It lives until it is released. */
typedef struct meso_loaded {
    size_t index; /* in the list */
    meso_refusal refusal;
    meso_image image; /* rgb is NULL where refused, and where it was given a place */
    meso_error error; /* why it was refused */
    double seconds;   /* that reading and decoding took */
} meso_loaded;

/* Starts the threads; paths are copied by reference. Errors: MEMORY, IO (no thread could be made).
 */
meso_status meso_loader_start(const meso_loader_options *options, meso_loader **loader,
                              meso_error *error);

/* Waits for the next file in list order; *item is NULL behind the last. Before asking for more than
 * n_slots files release the first. Errors: MEMORY (a thread ran out of it). */
meso_status meso_loader_next(meso_loader *loader, const meso_loaded **item, meso_error *error);

/* Gives the n oldest files handed out and not released yet back to the threads. */
void meso_loader_release(meso_loader *loader, size_t n);

/* Stops the threads, at the latest when each has finished its picture, and frees all. NULL is
 * allowed. May be called at any time between two calls of meso_loader_next. */
void meso_loader_stop(meso_loader *loader);

#endif

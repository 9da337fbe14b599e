/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside meso_batches; for batches.c, which is the consumer's side, and batches_load.c, which is
 * the threads'.
 */
#ifndef MESO_DATA_BATCHES_OBJECT_H
#define MESO_DATA_BATCHES_OBJECT_H

#include "data/batch/batches.h"
#include "data/batch/loader.h"
#include "data/batch/pixel_cache.h"

#define MESO_NO_ITEM ((size_t)-1)

/* An epoch's order: entry → position in items. */
typedef struct epoch_order {
    uint64_t epoch;
    int known;
    size_t *entries;
} epoch_order;

struct meso_batches {
    meso_batches_options options;
    size_t *items; /* [n_entries] */
    size_t n_entries, n_batches, n_slots;
    size_t picture_bytes, slot_bytes;
    uint8_t *pixels; /* [n_slots] batches */
    size_t
        *entry_item; /* [n_slots · batch] position in items of the picture there, or MESO_NO_ITEM */
    uint8_t *real;   /* [batch] of the batch handed out, */
    size_t *handed;  /* [batch] likewise */
    meso_pixel_cache cache;

    meso_loader *loader;   /* NULL: to be started at the place below */
    uint64_t first_epoch;  /* where the loader's list begins */
    size_t first_batch;    /* of that epoch */
    uint64_t n_handed_out; /* batches, since then */

    pthread_mutex_t lock; /* guards what threads share: */
    epoch_order *orders;  /* a ring by epoch */
    size_t n_orders;
    double next_decode;        /* not before this time */
    double decodes_per_second; /* at most; 0: no limit. Tests set it before the first batch */
    size_t n_decoded;

    unsigned char *refused; /* [n_entries] was told; the consumer's alone */
    size_t n_refused;
    meso_batches_refused on_refused;
    void *user;
};

/* meso_batches_open, with n_ahead batches decoded ahead of the consumer; for tests. */
meso_status meso_batches_open_ahead(const meso_batches_options *options, size_t n_ahead,
                                    meso_batches **batches, meso_error *error);

/* On a thread, for the loader: the picture of place i of its list. user: the meso_batches. */
meso_status meso_batches_load(void *user, size_t i, meso_loaded *loaded);

#endif

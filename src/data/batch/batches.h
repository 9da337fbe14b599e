/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches of labelled pictures, epoch after epoch: shuffled, decoded on threads ahead of the
 * consumer, kept in memory as far as a budget allows. What comes, and in which order, depends on
 * the seed and the files alone, never on threads or the budget.
 *
 * Batch b of an epoch has the entries b · batch … of the epoch's order, without the files that
 * cannot be used; so positions are known before any file is read. A file is refused for what it
 * holds, as often as it comes up, and counted once. A file that cannot be read any more, or holds
 * something else than `contents` says, ends the run with an error that names it.
 *
 *   meso_batches_open(&options, &batches, error);
 *   meso_batches_seek(batches, epoch, position);    (where to go on; at first epoch 0, position 0)
 *   while ((status = meso_batches_next(batches, &batch, error)) == MESO_OK) {
 *       …                                           (batch.last ends an epoch)
 *   }
 *   meso_batches_close(batches);
 *
 * contents.c reads what files hold, feature_fit.c measures a training set.
 */
#ifndef MESO_DATA_BATCHES_H
#define MESO_DATA_BATCHES_H

#include <stdint.h>

#include "base/error.h"
#include "mesocl/augment.h"
#include "mesocl/dataset.h"
#include "mesocl/image.h"

/* What the files of a dataset hold, so that a later reader can tell whether they still do. */
typedef struct meso_contents {
    uint64_t *hashes;       /* [n] XXH3-64 of each file's bytes */
    meso_refusal *refusals; /* [n] why a file could not be read: not_regular permission vanished io
                               too_large */
    size_t n;
    size_t n_unreadable;
    char hash[33]; /* of labels, groups and contents in the dataset's order; not of names, so that a
                      dataset may move */
} meso_contents;

/* Reads every file once, on threads (0: one for each processor). Errors: MEMORY, IO (no thread
 * could be made), DATA (not the file that the manifest lists). */
meso_status meso_contents_read(const meso_dataset *dataset, size_t n_threads,
                               meso_contents *contents, meso_error *error);
void meso_contents_free(meso_contents *contents); /* frees and zeroes */

typedef struct meso_batches meso_batches;

typedef struct meso_batches_options {
    const meso_dataset *dataset;   /* outlives the batches */
    const meso_contents *contents; /* of that dataset; outlives them too */
    const size_t *items;           /* [n_items] positions in the dataset, copied; NULL: all of it */
    size_t n_items;
    unsigned width, height; /* pictures are resized to */
    size_t batch;           /* entries of a batch */
    int shuffle;            /* 1: a new order each epoch; 0: that of items */
    uint64_t seed;
    int one_epoch;        /* 1: decoding stops at the end of an epoch until next or seek is called:
                             for validation; 0: it goes on into the next */
    size_t n_threads;     /* 0: one for each processor */
    uint64_t cache_bytes; /* budget for decoded pictures kept in memory */
    uint64_t max_pixels;  /* as in meso_image_options */
    int exif_orient;
} meso_batches_options;

/* It lives until the next call of next, seek or close. */
typedef struct meso_batch {
    const uint8_t *pixels; /* [n][height][width][3]; the first byte lies on a page */
    const uint8_t *real;   /* [n] 0 fake, 1 real */
    const size_t *items;   /* [n] positions in the dataset */
    size_t n;              /* 0 where all of its files were refused */
    uint64_t epoch;        /* of the batch */
    int last;              /* the last batch of its epoch */
    uint64_t next_epoch;   /* where the next batch begins: for meso_batches_seek */
    size_t next_position;  /* entries of that epoch that are behind */
} meso_batch;

/* A refused file, told on the consumer's thread inside meso_batches_next the first time it comes
 * up. sentence: "path: reason: detail". */
typedef void (*meso_batches_refused)(size_t item, meso_refusal refusal, const char *sentence,
                                     void *user);

/* Errors: ARGUMENT (batch 0, sizes that cannot be addressed), DATA (no items), MEMORY. */
meso_status meso_batches_open(const meso_batches_options *options, meso_batches **batches,
                              meso_error *error);
void meso_batches_close(meso_batches *batches); /* NULL is allowed */

/* Who hears of refused files; NULL for nobody. */
void meso_batches_on_refused(meso_batches *batches, meso_batches_refused callback, void *user);

/* The next batch. Errors: NO_INPUT, IO, DATA (a file is gone or has changed), MEMORY. After an
 * error the batches can only be closed. */
meso_status meso_batches_next(meso_batches *batches, meso_batch *batch, meso_error *error);

/* Goes on at `position` entries of `epoch`: exactly the batches follow that would have followed.
 * Errors: ARGUMENT (position past the end, or inside a batch). */
meso_status meso_batches_seek(meso_batches *batches, uint64_t epoch, size_t position,
                              meso_error *error);

/* Of one picture: width · height. */
size_t meso_batches_picture_pixels(const meso_batches *batches);

/* Mean and standard deviation of a training set, channel by channel. Goes through epoch 0 once,
 * without its augmentation, and leaves the batches at its beginning. settings->mean and ->std are
 * of pixels / divide; sums are whole numbers, so that order does not matter. Errors: those of
 * meso_batches_next. */
meso_status meso_feature_fit(meso_batches *batches, double divide, meso_augment_settings *settings,
                             meso_error *error);

#endif

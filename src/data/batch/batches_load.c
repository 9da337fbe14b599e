/* SPDX-License-Identifier: Apache-2.0
 *
 * What decoding threads do for a batch.
 */
#include "data/batch/batches_object.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "data/image/image.h"

static const uint64_t stream = 0x73687566666c65; /* "shuffle": apart from other uses of the seed */

static void make_order(const meso_batches *b, uint64_t epoch, epoch_order *order)
{
    for (size_t i = 0; i < b->n_entries; i++)
        order->entries[i] = i;
    if (b->options.shuffle) {
        meso_random random = meso_random_for(b->options.seed ^ stream, epoch, 0);
        meso_random_shuffle(&random, order->entries, b->n_entries);
    }
    order->epoch = epoch;
    order->known = 1;
}

/* Which of items stands at place i of the loader's list; MESO_NO_ITEM past an epoch's end. */
static size_t item_at(meso_batches *b, size_t i)
{
    const size_t batch = b->first_batch + i / b->options.batch;
    const size_t entry = batch % b->n_batches * b->options.batch + i % b->options.batch;
    const uint64_t epoch = b->first_epoch + batch / b->n_batches;
    if (entry >= b->n_entries)
        return MESO_NO_ITEM;
    pthread_mutex_lock(&b->lock);
    epoch_order *order = &b->orders[epoch % b->n_orders];
    if (!order->known || order->epoch != epoch)
        make_order(b, epoch, order);
    size_t item = order->entries[entry];
    pthread_mutex_unlock(&b->lock);
    return item;
}

static uint8_t *place_of(const meso_batches *b, size_t i)
{
    return b->pixels + i / b->options.batch % b->n_slots * b->slot_bytes +
           i % b->options.batch * b->picture_bytes;
}

/* Counts a decoding and waits for its turn, where there is a limit. */
static void pace(meso_batches *b)
{
    double now = meso_seconds(), wait = 0;
    pthread_mutex_lock(&b->lock);
    b->n_decoded++;
    if (b->decodes_per_second > 0) {
        double at = b->next_decode > now ? b->next_decode : now;
        b->next_decode = at + 1 / b->decodes_per_second;
        wait = at - now;
    }
    pthread_mutex_unlock(&b->lock);
    if (wait > 0)
        nanosleep(&(struct timespec){(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)},
                  NULL);
}

/* Not a refusal: training began with other files. */
static meso_status changed(const meso_dataset_item *item, meso_status status, meso_loaded *loaded)
{
    meso_error why = loaded->error;
    loaded->refusal = MESO_IMAGE_OK;
    if (status != MESO_OK)
        return meso_fail(&loaded->error, status, "%s; it could be read when training began",
                         why.text);
    return meso_fail(&loaded->error, MESO_ERROR_DATA,
                     "%s: the file has changed since training began: restore it, or start a new "
                     "run",
                     MESO_PRINTABLE(item->path));
}

/* Reads and decodes; what the file holds is what decides, and must be what `contents` says. */
static meso_status decode(meso_batches *b, size_t position, uint8_t *to, meso_loaded *loaded)
{
    meso_image_options image = MESO_INIT(meso_image_options);
    const meso_dataset_item *item = &b->options.dataset->items[position];
    const meso_contents *contents = b->options.contents;
    void *bytes = NULL;
    size_t n = 0;
    pace(b);
    meso_status status =
        meso_image_read(item->path, NULL, &bytes, &n, &loaded->refusal, &loaded->error);
    if (loaded->refusal != contents->refusals[position] ||
        (status == MESO_OK && meso_hash_64(bytes, n) != contents->hashes[position])) {
        free(bytes);
        return status != MESO_OK && loaded->refusal == MESO_IMAGE_OK
                   ? status
                   : changed(item, status, loaded);
    }
    image.width = b->options.width;
    image.height = b->options.height;
    image.max_pixels = b->options.max_pixels;
    image.exif_orient = b->options.exif_orient;
    image.into = to;
    if (status == MESO_OK)
        status = meso_image_decode(bytes, n, item->path, &image, &loaded->image, &loaded->refusal,
                                   &loaded->error);
    free(bytes);
    return status;
}

meso_status meso_batches_load(void *user, size_t i, meso_loaded *loaded)
{
    meso_batches *b = user;
    meso_status status = MESO_OK;
    const size_t item = item_at(b, i);
    uint8_t *to = place_of(b, i);
    b->entry_item[i % (b->n_slots * b->options.batch)] = item;
    if (item == MESO_NO_ITEM || meso_pixel_cache_get(&b->cache, item, to))
        return MESO_OK;
    status = decode(b, b->items[item], to, loaded);
    if (status == MESO_OK)
        meso_pixel_cache_put(&b->cache, item, to);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Epochs laid end to end are one endless list for the loader's threads: batch after batch, each of
 * `batch` places, of which an epoch's last batch may leave some without a file. So place i of the
 * list belongs to batch i / batch, and its picture to place i modulo the memory.
 */
#include <stdlib.h>
#include <string.h>

#include "data/batch/batches_object.h"

enum { default_ahead = 3, page_bytes = 4096 };

static meso_status check_options(const meso_batches_options *o, size_t n, size_t n_ahead,
                                 meso_error *error)
{
    const uint64_t limit = SIZE_MAX / 4;
    MESO_DEMAND(o->batch > 0 && o->width > 0 && o->height > 0 &&
                    o->batch <= limit / o->width / o->height / 3 / (n_ahead + 1),
                error, MESO_ERROR_ARGUMENT, "batches of %zu pictures of %u x %u", o->batch,
                o->width, o->height);
    MESO_DEMAND(n > 0, error, MESO_ERROR_DATA, "no images to make batches of");
    return MESO_OK;
}

static meso_status allocate(meso_batches *b, meso_error *error)
{
    const size_t batch = b->options.batch;
    b->pixels = aligned_alloc(page_bytes, b->n_slots * b->slot_bytes);
    b->entry_item = malloc(b->n_slots * batch * sizeof *b->entry_item);
    b->real = malloc(batch);
    b->handed = malloc(batch * sizeof *b->handed);
    b->refused = calloc(b->n_entries, 1);
    b->orders = calloc(b->n_orders, sizeof *b->orders);
    MESO_DEMAND_MEMORY(b->pixels, error);
    MESO_DEMAND_MEMORY(b->entry_item, error);
    MESO_DEMAND_MEMORY(b->real, error);
    MESO_DEMAND_MEMORY(b->handed, error);
    MESO_DEMAND_MEMORY(b->refused, error);
    MESO_DEMAND_MEMORY(b->orders, error);
    for (size_t i = 0; i < b->n_orders; i++) {
        b->orders[i].entries = malloc(b->n_entries * sizeof *b->orders[i].entries);
        MESO_DEMAND_MEMORY(b->orders[i].entries, error);
    }
    MESO_DEMAND_MEMORY(
        meso_pixel_cache_open(&b->cache, b->n_entries, b->picture_bytes, b->options.cache_bytes),
        error);
    return MESO_OK;
}

static meso_status copy_items(meso_batches *b, meso_error *error)
{
    b->items = malloc(b->n_entries * sizeof *b->items);
    MESO_DEMAND_MEMORY(b->items, error);
    for (size_t i = 0; i < b->n_entries; i++) {
        b->items[i] = b->options.items ? b->options.items[i] : i;
        const meso_label label = b->options.dataset->items[b->items[i]].label;
        MESO_DEMAND(label == MESO_FAKE || label == MESO_REAL, error, MESO_ERROR_DATA,
                    "image %zu has no label", b->items[i]);
    }
    b->options.items = NULL;
    return MESO_OK;
}

meso_status meso_batches_open_ahead(const meso_batches_options *options, size_t n_ahead,
                                    meso_batches **batches, meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t n = options->items ? options->n_items : options->dataset->n_items;
    meso_batches *b = NULL;
    MESO_TRY(check_options(options, n, n_ahead, error));
    b = calloc(1, sizeof *b);
    MESO_REQUIRE_MEMORY(b, error);
    pthread_mutex_init(&b->lock, NULL);
    b->options = *options;
    b->n_entries = n;
    b->n_batches = (n + options->batch - 1) / options->batch;
    b->n_slots = n_ahead + 1;
    b->n_orders = b->n_slots / b->n_batches + 3; /* epochs that n_slots batches can touch */
    b->picture_bytes = 3 * (size_t)options->width * options->height;
    b->slot_bytes = (options->batch * b->picture_bytes + page_bytes - 1) / page_bytes * page_bytes;
    MESO_TRY(copy_items(b, error));
    MESO_TRY(allocate(b, error));
    *batches = b;
    b = NULL;
out:
    meso_batches_close(b);
    return status;
}

meso_status meso_batches_open(const meso_batches_options *options, meso_batches **batches,
                              meso_error *error)
{
    return meso_batches_open_ahead(options, default_ahead, batches, error);
}

void meso_batches_close(meso_batches *batches)
{
    meso_batches *b = batches;
    if (!b)
        return;
    meso_loader_stop(b->loader); /* before what its threads use */
    if (b->cache.picture_bytes)
        meso_pixel_cache_close(&b->cache);
    for (size_t i = 0; b->orders && i < b->n_orders; i++)
        free(b->orders[i].entries);
    free(b->orders);
    free(b->refused);
    free(b->handed);
    free(b->real);
    free(b->entry_item);
    free(b->pixels);
    free(b->items);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

void meso_batches_on_refused(meso_batches *batches, meso_batches_refused callback, void *user)
{
    batches->on_refused = callback;
    batches->user = user;
}

static meso_status start_loader(meso_batches *b, meso_error *error)
{
    const size_t left = (b->n_batches - b->first_batch) * b->options.batch;
    const meso_loader_options options = {.n = b->options.one_epoch ? left : SIZE_MAX,
                                         .n_threads = b->options.n_threads,
                                         .n_slots = b->n_slots * b->options.batch,
                                         .image = MESO_INIT(meso_image_options),
                                         .load = meso_batches_load,
                                         .user = b};
    b->n_handed_out = 0;
    return meso_loader_start(&options, &b->loader, error);
}

/* Where the next batch begins: batches of the epoch that are behind. */
static size_t next_place(const meso_batches *b, uint64_t *epoch)
{
    const uint64_t batch = b->first_batch + b->n_handed_out;
    *epoch = b->first_epoch + batch / b->n_batches;
    return (size_t)(batch % b->n_batches);
}

/* Threads end; the next call of next starts them again at this place. */
static void stop_at(meso_batches *b, uint64_t epoch, size_t batch)
{
    meso_loader_stop(b->loader);
    b->loader = NULL;
    b->first_epoch = epoch;
    b->first_batch = batch;
    b->n_handed_out = 0;
}

static void note_refusal(meso_batches *b, size_t item, const meso_loaded *loaded)
{
    if (b->refused[item])
        return;
    b->refused[item] = 1;
    b->n_refused++;
    if (b->on_refused)
        b->on_refused(b->items[item], loaded->refusal, loaded->error.text, b->user);
}

/* Gathers the pictures of a batch without gaps. */
static meso_status gather(meso_batches *b, size_t slot, meso_batch *batch, meso_error *error)
{
    uint8_t *pixels = b->pixels + slot * b->slot_bytes;
    const size_t *entry_item = b->entry_item + slot * b->options.batch;
    size_t n = 0;
    for (size_t i = 0; i < b->options.batch; i++) {
        const meso_loaded *loaded = NULL;
        MESO_CHECK(meso_loader_next(b->loader, &loaded, error));
        if (entry_item[i] == MESO_NO_ITEM)
            continue;
        if (loaded->refusal != MESO_IMAGE_OK) {
            note_refusal(b, entry_item[i], loaded);
            continue;
        }
        if (i != n)
            memcpy(pixels + n * b->picture_bytes, pixels + i * b->picture_bytes, b->picture_bytes);
        b->handed[n] = b->items[entry_item[i]];
        b->real[n] = b->options.dataset->items[b->handed[n]].label == MESO_REAL;
        n++;
    }
    batch->pixels = pixels;
    batch->n = n;
    return MESO_OK;
}

meso_status meso_batches_next(meso_batches *batches, meso_batch *batch, meso_error *error)
{
    meso_batches *b = batches;
    uint64_t epoch;
    size_t in_epoch = next_place(b, &epoch);
    *batch = (meso_batch){0};
    if (b->loader && b->n_handed_out > 0)
        meso_loader_release(b->loader, b->options.batch);
    if (b->loader && b->options.one_epoch && in_epoch == 0 && b->n_handed_out > 0)
        stop_at(b, epoch, 0);
    if (!b->loader)
        MESO_CHECK(start_loader(b, error));
    MESO_CHECK(gather(b, (size_t)(b->n_handed_out % b->n_slots), batch, error));
    b->n_handed_out++;
    batch->real = b->real;
    batch->items = b->handed;
    batch->epoch = epoch;
    batch->last = in_epoch + 1 == b->n_batches;
    batch->next_position = next_place(b, &batch->next_epoch) * b->options.batch;
    return MESO_OK;
}

meso_status meso_batches_seek(meso_batches *batches, uint64_t epoch, size_t position,
                              meso_error *error)
{
    const size_t batch = position / batches->options.batch;
    if (position % batches->options.batch != 0 || batch >= batches->n_batches)
        return meso_fail(error, MESO_ERROR_ARGUMENT,
                         "no batch begins at position %zu: an epoch has %zu batches of %zu",
                         position, batches->n_batches, batches->options.batch);
    stop_at(batches, epoch, batch);
    return MESO_OK;
}

size_t meso_batches_picture_pixels(const meso_batches *batches)
{
    return batches->picture_bytes / 3;
}

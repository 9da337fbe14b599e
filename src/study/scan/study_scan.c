/* SPDX-License-Identifier: Apache-2.0
 *
 * The scan: threads read, hash and decode (scan_file.c), the device counts, this thread brings
 * files and counts together. What the cache knows is not read again.
 */
#include "study/scan/study_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "data/batch/loader.h"
#include "data/image/image.h"
#include "picture/statistics.h"
#include "runtime/device.h"
#include "study/scan/scan_cache.h"
#include "study/scan/scan_file.h"

enum {
    batch_pictures = 16, /* that share a slot: launching costs as much as counting a small one */
    batch_bytes = 4 << 20,
    held = 2 * batch_pictures /* files in decoding or waiting for a slot */
};
static const double save_seconds = 15; /* an interrupted scan loses no more */

/* Files whose counts are with the device. */
typedef struct batch {
    size_t n;
    size_t items[batch_pictures];
} batch;

typedef struct scan {
    const study_scan_options *options;
    study_dataset *dataset;
    study_cache cache;
    study_spectrum_plan *spectrum;
    meso_statistics *statistics;
    batch *batches; /* [n_slots] */
    size_t n_slots, oldest, n_running;
    const char **paths; /* of the files to be read */
    size_t *items;      /* and their places in the dataset */
    size_t n_to_read, n_done;
    unsigned char *done; /* [n_items] */
    double saved;
    meso_error *error;
} scan;

/* On a decoding thread. */
static meso_status load_file(void *user, size_t i, struct meso_loaded *loaded)
{
    scan *s = user;
    meso_image_options options = MESO_INIT(meso_image_options);
    options.max_pixels = s->options->max_pixels;
    return study_scan_file(s->paths[i], &options, s->spectrum, &s->dataset->images[s->items[i]],
                           &loaded->image, &loaded->error);
}

static void take_statistics(const meso_image_statistics *from, study_image *to)
{
    double *p = to->property;
    p[STUDY_RED] = from->red;
    p[STUDY_GREEN] = from->green;
    p[STUDY_BLUE] = from->blue;
    p[STUDY_CONTRAST] = from->contrast;
    p[STUDY_BRIGHTNESS] = from->brightness;
    p[STUDY_ENTROPY] = from->entropy;
    p[STUDY_SHARPNESS] = from->sharpness;
    p[STUDY_NOISE] = from->noise;
    p[STUDY_COLOURFULNESS] = from->colourfulness;
    p[STUDY_SATURATION] = from->saturation;
    p[STUDY_BLOCKINESS] = from->blockiness;
}

static meso_status device_failed(scan *s, meso_status status)
{
    return meso_fail(s->error, status, "%s", meso_device_error(s->options->device));
}

/* Waits for the batch that was submitted first. */
static meso_status finish_oldest(scan *s)
{
    meso_image_statistics results[batch_pictures];
    batch *b = &s->batches[s->oldest];
    meso_status status = meso_statistics_wait(s->statistics, s->oldest, results);
    if (status != MESO_OK)
        return device_failed(s, status);
    for (size_t i = 0; i < b->n; i++) {
        take_statistics(&results[i], &s->dataset->images[b->items[i]]);
        s->done[b->items[i]] = 1;
    }
    s->n_done += b->n;
    s->oldest = (s->oldest + 1) % s->n_slots;
    s->n_running--;
    return MESO_OK;
}

/* Hands a batch over, when the slot behind those at work is free. */
static meso_status submit(scan *s, const batch *b, const meso_picture *pictures)
{
    meso_status status = MESO_OK;
    if (s->n_running == s->n_slots)
        MESO_TRY(finish_oldest(s));
    size_t slot = (s->oldest + s->n_running) % s->n_slots;
    s->batches[slot] = *b;
    status = meso_statistics_submit(s->statistics, slot, pictures, b->n);
    if (status != MESO_OK)
        return device_failed(s, status);
    s->n_running++;
out:
    return status;
}

static meso_status save(scan *s)
{
    s->saved = meso_seconds();
    return study_cache_save(&s->cache, &s->dataset->files, s->dataset->images, s->done, s->error);
}

/* Between batches: progress, interruption, and now and then the cache. */
static meso_status pause_scan(scan *s)
{
    size_t n = s->dataset->files.n_items;
    if (meso_seconds() - s->saved > save_seconds)
        MESO_CHECK(save(s));
    MESO_DEMAND(!s->options->progress || s->options->progress(s->n_done, n, s->options->user) == 0,
                s->error, MESO_ERROR_CANCELLED, "interrupted after %zu of %zu files%s", s->n_done,
                n, s->cache.file ? ": the next run continues there" : "");
    return MESO_OK;
}

/* Takes files from the threads until a batch is full or the list ends. *n_files: how many. */
static meso_status gather(scan *s, meso_loader *loader, batch *b, meso_picture *pictures,
                          size_t *n_files)
{
    const meso_loaded *file;
    size_t bytes = 0;
    b->n = 0;
    *n_files = 0;
    while (*n_files < batch_pictures && bytes < batch_bytes) {
        MESO_CHECK(meso_loader_next(loader, &file, s->error));
        if (!file)
            break;
        ++*n_files;
        size_t item = s->items[file->index];
        if (s->dataset->images[item].refusal != MESO_IMAGE_OK) {
            s->done[item] = 1;
            s->n_done++;
            continue;
        }
        pictures[b->n] = (meso_picture){file->image.rgb, file->image.width, file->image.height};
        b->items[b->n++] = item;
        bytes += (size_t)file->image.width * file->image.height * 3;
    }
    return MESO_OK;
}

static meso_status read_files(scan *s)
{
    meso_loader *loader = NULL;
    meso_loader_options o = {.paths = s->paths,
                             .n = s->n_to_read,
                             .n_threads = s->options->n_threads,
                             .n_slots = held,
                             .load = load_file,
                             .user = s};
    meso_picture pictures[batch_pictures];
    meso_status status = MESO_OK;
    MESO_TRY(meso_loader_start(&o, &loader, s->error));
    for (size_t n_files = 1; n_files > 0;) {
        batch b;
        MESO_TRY(gather(s, loader, &b, pictures, &n_files));
        if (b.n > 0)
            MESO_TRY(submit(s, &b, pictures));
        meso_loader_release(loader, n_files);
        MESO_TRY(pause_scan(s));
    }
    while (s->n_running > 0)
        MESO_TRY(finish_oldest(s));
    MESO_TRY(pause_scan(s));
out:
    meso_loader_stop(loader);
    return status;
}

/* Files that the cache knows are copied from it; the others are listed. */
static meso_status look_up(scan *s)
{
    const meso_dataset *files = &s->dataset->files;
    for (size_t i = 0; i < files->n_items; i++) {
        const study_stamp stamp = study_file_stamp(files->items[i].path);
        const study_image *known = study_cache_find(&s->cache, files->items[i].path, &stamp);
        if (known) {
            s->dataset->images[i] = *known;
            s->done[i] = 1;
            s->n_done++;
            continue;
        }
        s->items[s->n_to_read] = i;
        s->paths[s->n_to_read++] = files->items[i].path;
        if (i % 4096 == 0)
            MESO_CHECK(pause_scan(s));
    }
    return MESO_OK;
}

void study_hash_text(const uint8_t hash[STUDY_HASH_BYTES], char hex[2 * STUDY_HASH_BYTES + 1])
{
    for (size_t i = 0; i < STUDY_HASH_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

/* Statistics of a file that changes meanwhile belong to neither of its states. Nor must it have
 * changed since its manifest was written. */
static meso_status check_unchanged(const scan *s)
{
    static const uint8_t unread[STUDY_HASH_BYTES];
    char found[2 * STUDY_HASH_BYTES + 1];
    const meso_dataset *files = &s->dataset->files;
    for (size_t i = 0; i < files->n_items; i++) {
        const study_image *image = &s->dataset->images[i];
        const study_stamp stamp = study_file_stamp(files->items[i].path);
        MESO_DEMAND(memcmp(&stamp, &image->stamp, sizeof stamp) == 0, s->error, MESO_ERROR_DATA,
                    "%s changed while the dataset was scanned: scan again when nothing writes to "
                    "it any more",
                    MESO_PRINTABLE(files->items[i].path));
        study_hash_text(image->file_hash, found);
        if (memcmp(image->file_hash, unread, sizeof unread) != 0)
            MESO_CHECK(
                meso_image_check_hash(files->items[i].path, files->items[i].hash, found, s->error));
    }
    return MESO_OK;
}

static meso_status count_usable(study_dataset *dataset, meso_error *error)
{
    size_t n = dataset->files.n_items;
    for (size_t i = 0; i < n; i++)
        if (study_usable(dataset, i))
            dataset->n_usable[dataset->files.items[i].label]++;
    MESO_DEMAND(dataset->n_usable[0] + dataset->n_usable[1] > 0, error, MESO_ERROR_DATA,
                "%s: none of its %zu images can be used; the first, %s, is %s: is this the "
                "right folder, and are its files whole?",
                MESO_PRINTABLE(dataset->path), n, MESO_PRINTABLE(dataset->files.items[0].path),
                meso_refusal_name((meso_refusal)dataset->images[0].refusal));
    return MESO_OK;
}

static meso_status open_scan(scan *s)
{
    size_t n = s->dataset->files.n_items;
    s->saved = meso_seconds();
    s->done = calloc(n, 1);
    s->paths = calloc(n, sizeof *s->paths);
    s->items = calloc(n, sizeof *s->items);
    s->dataset->images = calloc(n, sizeof *s->dataset->images);
    MESO_DEMAND_MEMORY(s->done, s->error);
    MESO_DEMAND_MEMORY(s->paths, s->error);
    MESO_DEMAND_MEMORY(s->items, s->error);
    MESO_DEMAND_MEMORY(s->dataset->images, s->error);
    MESO_CHECK(study_cache_open(s->options->cache, s->dataset->path, s->options->published_only,
                                &s->cache, s->error));
    if (!s->options->published_only)
        MESO_CHECK(study_spectrum_open(&s->spectrum, s->error));
    return MESO_OK;
}

/* The device is not needed where the cache knows everything. */
static meso_status read_unknown(scan *s)
{
    meso_status status = MESO_OK;
    s->dataset->n_read = s->n_to_read;
    if (s->n_to_read == 0)
        return MESO_OK;
    if (s->cache.file) /* before the work that it keeps */
        MESO_CHECK(meso_file_check_output(s->cache.file, s->error));
    MESO_TRY(meso_statistics_open(s->options->device, !s->options->published_only, &s->statistics,
                                  s->error));
    s->n_slots = meso_statistics_n_slots(s->statistics);
    s->batches = calloc(s->n_slots, sizeof *s->batches);
    MESO_REQUIRE_MEMORY(s->batches, s->error);
    status = read_files(s);
    if (status == MESO_ERROR_CANCELLED) { /* what is done is kept; its sentence stays */
        meso_error *said = s->error;
        s->error = NULL;
        save(s);
        s->error = said;
    }
    if (status == MESO_OK)
        status = save(s);
out:
    return status;
}

static void close_scan(scan *s)
{
    meso_statistics_close(s->statistics);
    study_spectrum_close(s->spectrum);
    study_cache_close(&s->cache);
    free(s->batches);
    free(s->paths);
    free(s->items);
    free(s->done);
}

meso_status study_scan(const char *name, const char *path, meso_dataset *files,
                       const study_scan_options *options, study_dataset *dataset, meso_error *error)
{
    meso_status status = MESO_OK;
    scan s = {.options = options, .dataset = dataset, .error = error};
    *dataset = (study_dataset){.name = strdup(name),
                               .path = strdup(path),
                               .files = *files,
                               .published_only = options->published_only};
    *files = (meso_dataset){0};
    MESO_REQUIRE_MEMORY(dataset->name, error);
    MESO_REQUIRE_MEMORY(dataset->path, error);
    MESO_TRY(open_scan(&s));
    MESO_TRY(look_up(&s));
    MESO_TRY(read_unknown(&s));
    MESO_TRY(check_unchanged(&s));
    MESO_TRY(count_usable(dataset, error));
out:
    close_scan(&s);
    if (status != MESO_OK)
        study_dataset_free(dataset);
    return status;
}

void study_dataset_free(study_dataset *dataset)
{
    meso_dataset_close(&dataset->files);
    free(dataset->images);
    free(dataset->name);
    free(dataset->path);
    *dataset = (study_dataset){0};
}

meso_status study_step(study_steps *steps, meso_error *error)
{
    steps->n_done++;
    if (steps->progress && steps->progress(steps->n_done, steps->n, steps->user) != 0)
        return meso_fail(error, MESO_ERROR_CANCELLED, "interrupted after %zu of %zu checks",
                         steps->n_done, steps->n);
    return MESO_OK;
}

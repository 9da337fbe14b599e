/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of slots: file i is decoded into slot i % n_slots. Threads take files in list order and
 * wait while the slot of the next one still holds a file that was not released. So order costs
 * nothing, and memory is bounded.
 */
#include "data/batch/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "data/image/image.h"

typedef struct slot {
    meso_loaded loaded;
    meso_status status; /* of meso_image_load */
    int ready;
} slot;

struct meso_loader {
    meso_loader_options options;
    slot *slots;
    pthread_t *threads;
    size_t n_threads;

    pthread_mutex_t lock; /* guards all below, and `ready` of the slots */
    pthread_cond_t freed; /* threads wait for it: a slot was freed, or stop */
    pthread_cond_t ready; /* the consumer waits for it: a slot became ready */
    size_t next;          /* first file that no thread has taken */
    size_t released;      /* files handed out and given back */
    int stop;

    size_t handed_out; /* files; the consumer's alone */
};

/* The next file for a thread, or n when there is nothing more to do. */
static size_t take(meso_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    while (!loader->stop && loader->next < loader->options.n &&
           loader->next >= loader->released + loader->options.n_slots)
        pthread_cond_wait(&loader->freed, &loader->lock);
    size_t i = loader->options.n;
    if (!loader->stop && loader->next < i)
        i = loader->next++;
    pthread_mutex_unlock(&loader->lock);
    return i;
}

static slot *slot_of(const meso_loader *loader, size_t i)
{
    return &loader->slots[i % loader->options.n_slots];
}

static void decode_file(const meso_loader *loader, size_t i, slot *s)
{
    meso_image_options image = loader->options.image;
    double started = meso_seconds();
    memset(&s->loaded, 0, sizeof s->loaded);
    s->loaded.index = i;
    s->loaded.image.struct_bytes = sizeof s->loaded.image;
    if (loader->options.place)
        image.into = loader->options.place(loader->options.user, i);
    if (loader->options.load)
        s->status = loader->options.load(loader->options.user, i, &s->loaded);
    else
        s->status = meso_image_load_listed(
            loader->options.paths[i], loader->options.hashes ? loader->options.hashes[i] : NULL,
            &image, &s->loaded.image, &s->loaded.refusal, &s->loaded.error);
    s->loaded.seconds = meso_seconds() - started;
}

static void *decode_files(void *argument)
{
    meso_loader *loader = argument;
    meso_thread_runs = MESO_OF_PROGRAM;
    for (size_t i; (i = take(loader)) < loader->options.n;) {
        slot *s = slot_of(loader, i);
        decode_file(loader, i, s);
        pthread_mutex_lock(&loader->lock);
        s->ready = 1;
        pthread_cond_signal(&loader->ready);
        pthread_mutex_unlock(&loader->lock);
    }
    return NULL;
}

/* As many as the system gives, at least one. Signals are left to the program's own threads. */
static void start_threads(meso_loader *loader, size_t wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (loader->n_threads < wanted &&
           pthread_create(&loader->threads[loader->n_threads], NULL, decode_files, loader) == 0)
        loader->n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

meso_status meso_loader_start(const meso_loader_options *options, meso_loader **loader,
                              meso_error *error)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n_threads =
        options->n_threads ? options->n_threads : (size_t)(processors > 0 ? processors : 1);
    meso_status status = MESO_OK;
    meso_loader *l = calloc(1, sizeof *l);
    MESO_REQUIRE_MEMORY(l, error);
    l->options = *options;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->freed, NULL);
    pthread_cond_init(&l->ready, NULL);
    if (n_threads > options->n)
        n_threads = options->n ? options->n : 1;
    l->slots = calloc(options->n_slots, sizeof *l->slots);
    l->threads = calloc(n_threads, sizeof *l->threads);
    MESO_REQUIRE_MEMORY(l->slots, error);
    MESO_REQUIRE_MEMORY(l->threads, error);
    start_threads(l, n_threads);
    MESO_REQUIRE(l->n_threads > 0, error, MESO_ERROR_IO, "no decoding thread could be started");
    *loader = l;
out:
    if (status != MESO_OK)
        meso_loader_stop(l);
    return status;
}

meso_status meso_loader_next(meso_loader *loader, const meso_loaded **item, meso_error *error)
{
    *item = NULL;
    if (loader->handed_out == loader->options.n)
        return MESO_OK;
    slot *s = slot_of(loader, loader->handed_out);
    pthread_mutex_lock(&loader->lock);
    while (!s->ready)
        pthread_cond_wait(&loader->ready, &loader->lock);
    pthread_mutex_unlock(&loader->lock);
    loader->handed_out++;
    /* Refusals have a name; what has none went wrong here, not in the file. */
    if (s->status != MESO_OK && s->loaded.refusal == MESO_IMAGE_OK)
        return meso_fail(error, s->status, "%s", s->loaded.error.text);
    *item = &s->loaded;
    return MESO_OK;
}

void meso_loader_release(meso_loader *loader, size_t n)
{
    for (size_t i = loader->released; i < loader->released + n; i++)
        meso_image_free(&slot_of(loader, i)->loaded.image);
    pthread_mutex_lock(&loader->lock);
    for (size_t i = 0; i < n; i++)
        slot_of(loader, loader->released++)->ready = 0;
    pthread_cond_broadcast(&loader->freed);
    pthread_mutex_unlock(&loader->lock);
}

void meso_loader_stop(meso_loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->stop = 1;
    pthread_cond_broadcast(&loader->freed);
    pthread_mutex_unlock(&loader->lock);
    for (size_t i = 0; i < loader->n_threads; i++)
        pthread_join(loader->threads[i], NULL);
    for (size_t i = 0; loader->slots && i < loader->options.n_slots; i++)
        meso_image_free(&loader->slots[i].loaded.image);
    pthread_cond_destroy(&loader->ready);
    pthread_cond_destroy(&loader->freed);
    pthread_mutex_destroy(&loader->lock);
    free(loader->threads);
    free(loader->slots);
    free(loader);
}

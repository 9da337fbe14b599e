/* SPDX-License-Identifier: Apache-2.0 */
#include "data/batch/pixel_cache.h"

#include <stdlib.h>
#include <string.h>

int meso_pixel_cache_open(meso_pixel_cache *cache, size_t n_keys, size_t picture_bytes,
                          uint64_t budget)
{
    const uint64_t limit = budget / picture_bytes;
    *cache = (meso_pixel_cache){.n_keys = n_keys, .picture_bytes = picture_bytes};
    cache->limit = limit < n_keys ? (size_t)limit : n_keys;
    pthread_mutex_init(&cache->lock, NULL);
    cache->pictures = calloc(n_keys + 1, sizeof *cache->pictures);
    return cache->pictures != NULL;
}

void meso_pixel_cache_close(meso_pixel_cache *cache)
{
    for (size_t i = 0; cache->pictures && i < cache->n_keys; i++)
        free(cache->pictures[i]);
    free(cache->pictures);
    pthread_mutex_destroy(&cache->lock);
}

/* A picture stays where it is until the cache is closed, so that it is copied without the lock. */
int meso_pixel_cache_get(meso_pixel_cache *cache, size_t key, uint8_t *to)
{
    pthread_mutex_lock(&cache->lock);
    const uint8_t *from = cache->pictures[key];
    pthread_mutex_unlock(&cache->lock);
    if (from)
        memcpy(to, from, cache->picture_bytes);
    return from != NULL;
}

void meso_pixel_cache_put(meso_pixel_cache *cache, size_t key, const uint8_t *from)
{
    pthread_mutex_lock(&cache->lock);
    const int room = cache->n < cache->limit && !cache->pictures[key];
    cache->n += (size_t)room;
    pthread_mutex_unlock(&cache->lock);
    if (!room)
        return;
    uint8_t *copy = malloc(cache->picture_bytes);
    if (copy)
        memcpy(copy, from, cache->picture_bytes);
    pthread_mutex_lock(&cache->lock);
    if (!copy || cache->pictures[key]) { /* another thread has brought the same picture */
        free(copy);
        cache->n--;
    } else {
        cache->pictures[key] = copy;
    }
    pthread_mutex_unlock(&cache->lock);
}

size_t meso_pixel_cache_count(meso_pixel_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    size_t n = cache->n;
    pthread_mutex_unlock(&cache->lock);
    return n;
}

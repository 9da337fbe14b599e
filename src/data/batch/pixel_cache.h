/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoded pictures kept in memory, all of one size, as many as a budget allows: the first that come
 * stay, since every picture is wanted once an epoch. Calls may come from several threads.
 */
#ifndef MESO_DATA_PIXEL_CACHE_H
#define MESO_DATA_PIXEL_CACHE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

typedef struct meso_pixel_cache {
    uint8_t **pictures; /* [n_keys]; NULL: not here */
    size_t n_keys, picture_bytes;
    size_t n, limit; /* pictures here, and at most */
    pthread_mutex_t lock;
} meso_pixel_cache;

/* Returns 0 where memory ran out; the cache is to be closed in any case. */
int meso_pixel_cache_open(meso_pixel_cache *cache, size_t n_keys, size_t picture_bytes,
                          uint64_t budget);
void meso_pixel_cache_close(meso_pixel_cache *cache);

/* Copies picture `key` to `to`; 0 where it is not here. */
int meso_pixel_cache_get(meso_pixel_cache *cache, size_t key, uint8_t *to);

/* Keeps a copy, where there is room for one. */
void meso_pixel_cache_put(meso_pixel_cache *cache, size_t key, const uint8_t *from);

size_t meso_pixel_cache_count(meso_pixel_cache *cache);

#endif

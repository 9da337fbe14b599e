/* SPDX-License-Identifier: Apache-2.0 */
#include "study/check/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "data/list/group.h"

/* An image by the hash that makes it equal to others. */
typedef struct key {
    const uint8_t *hash; /* [STUDY_HASH_BYTES] */
    size_t number;
} key;

static int compare_bytes(const key *a, const key *b)
{
    return memcmp(a->hash, b->hash, STUDY_HASH_BYTES);
}

static int compare_keys(const void *left, const void *right)
{
    const key *a = left, *b = right;
    int order = compare_bytes(a, b);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static int compare_to_key(const void *wanted, const void *entry)
{
    return compare_bytes(wanted, entry);
}

/* The key of image i; 0 where it cannot be used. */
static int key_of(const study_dataset *dataset, size_t i, study_pair_kind kind, key *out)
{
    const study_image *image = &dataset->images[i];
    *out = (key){kind == STUDY_SAME_FILE ? image->file_hash : image->pixel_hash, i};
    return study_usable(dataset, i);
}

/* Keys of all images that are not taken (NULL: of all), sorted; equal ones by number. */
static key *sorted_keys(const study_dataset *dataset, study_pair_kind kind,
                        const unsigned char *taken, size_t *n)
{
    key *keys = malloc((dataset->files.n_items + 1) * sizeof *keys);
    *n = 0;
    for (size_t i = 0; keys && i < dataset->files.n_items; i++)
        if (!(taken && taken[i]))
            *n += (size_t)key_of(dataset, i, kind, &keys[*n]);
    if (keys)
        qsort(keys, *n, sizeof *keys, compare_keys);
    return keys;
}

/* Pairs each image with the first of its set, and takes it out of what follows. */
static meso_status pair_sets(const study_dataset *dataset, study_pair_kind kind,
                             unsigned char *taken, study_pairs *pairs, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n;
    key *keys = sorted_keys(dataset, kind, taken, &n);
    MESO_REQUIRE_MEMORY(keys, error);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (compare_bytes(&keys[first], &keys[i]) != 0) {
            first = i;
            continue;
        }
        taken[keys[i].number] = 1;
        MESO_TRY(study_pairs_add(
            pairs, (study_pair){.a = keys[first].number, .b = keys[i].number, .kind = kind},
            error));
    }
out:
    free(keys);
    return status;
}

/* Adds the images that are not taken; returns how many. */
static size_t add_items(const study_dataset *dataset, const unsigned char *taken, int side,
                        study_near_item *items)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->files.n_items; i++)
        if (study_usable(dataset, i) && !(taken && taken[i]))
            items[n++] =
                (study_near_item){dataset->files.items[i].path, &dataset->images[i], i, side};
    return n;
}

static int compare_by_a(const void *left, const void *right)
{
    const study_pair *x = left, *y = right;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

/* A scan for the published statistics alone knows no hashes. */
static meso_status require_whole(const study_dataset *dataset, meso_error *error)
{
    return dataset->published_only
               ? meso_fail(error, MESO_ERROR_ARGUMENT,
                           "%s was scanned for the study's statistics alone: finding duplicates "
                           "needs a full scan",
                           MESO_PRINTABLE(dataset->name))
               : MESO_OK;
}

meso_status study_duplicates(const study_dataset *dataset, study_pairs *pairs, meso_error *error)
{
    meso_status status = MESO_OK;
    unsigned char *taken = calloc(dataset->files.n_items + 1, 1);
    study_near_item *items = malloc((dataset->files.n_items + 1) * sizeof *items);
    *pairs = (study_pairs){0};
    MESO_REQUIRE_MEMORY(taken, error);
    MESO_REQUIRE_MEMORY(items, error);
    MESO_TRY(require_whole(dataset, error));
    MESO_TRY(pair_sets(dataset, STUDY_SAME_FILE, taken, pairs, error));
    MESO_TRY(pair_sets(dataset, STUDY_SAME_PIXELS, taken, pairs, error));
    MESO_TRY(study_near_pairs(items, add_items(dataset, taken, 0, items), pairs, error));
    if (pairs->n > 0)
        qsort(pairs->pairs, pairs->n, sizeof *pairs->pairs, compare_by_a);
out:
    free(items);
    free(taken);
    if (status != MESO_OK)
        study_pairs_free(pairs);
    return status;
}

/* Images of test whose key an image of train has, too. */
static meso_status match(const study_dataset *train, const study_dataset *test,
                         study_pair_kind kind, unsigned char *taken, study_pairs *pairs,
                         meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n;
    key *keys = sorted_keys(train, kind, NULL, &n), wanted;
    MESO_REQUIRE_MEMORY(keys, error);
    for (size_t i = 0; n > 0 && i < test->files.n_items; i++) {
        if (taken[i] || !key_of(test, i, kind, &wanted))
            continue;
        const key *found = bsearch(&wanted, keys, n, sizeof *keys, compare_to_key);
        if (!found)
            continue;
        while (found > keys && compare_bytes(found - 1, &wanted) == 0)
            found--;
        taken[i] = 1;
        MESO_TRY(
            study_pairs_add(pairs, (study_pair){.a = found->number, .b = i, .kind = kind}, error));
    }
out:
    free(keys);
    return status;
}

/* Images of test that belong to a recording that an image of train belongs to, too. */
static meso_status match_recordings(const study_dataset *train, const study_dataset *test,
                                    unsigned char *taken, study_pairs *pairs, meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t n = train->files.n_items;
    meso_groups groups = {0};
    size_t *first = malloc((n + test->files.n_items + 1) * sizeof *first); /* [groups.n] of train */
    MESO_REQUIRE_MEMORY(first, error);
    MESO_TRY(meso_groups_of_two(&train->files, &test->files, &groups, error));
    for (size_t g = 0; g < groups.n; g++)
        first[g] = n;
    for (size_t i = 0; groups.n > 0 && i < n; i++)
        if (study_usable(train, i) && first[groups.of_item[i]] == n)
            first[groups.of_item[i]] = i;
    for (size_t i = 0; groups.n > 0 && i < test->files.n_items; i++) {
        const size_t same = first[groups.of_item[n + i]];
        if (taken[i] || !study_usable(test, i) || same == n)
            continue;
        taken[i] = 1;
        MESO_TRY(study_pairs_add(
            pairs, (study_pair){.a = same, .b = i, .kind = STUDY_SAME_RECORDING}, error));
    }
out:
    free(first);
    meso_groups_free(&groups);
    return status;
}

static int compare_by_b(const void *left, const void *right)
{
    const study_pair *x = left, *y = right;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    return x->distance < y->distance ? -1 : x->distance > y->distance;
}

/* Of each image of test the nearest only. */
static meso_status match_near(const study_dataset *train, const study_dataset *test,
                              unsigned char *taken, study_pairs *pairs, meso_error *error)
{
    meso_status status = MESO_OK;
    study_pairs near = {0};
    study_near_item *items =
        malloc((train->files.n_items + test->files.n_items + 1) * sizeof *items);
    MESO_REQUIRE_MEMORY(items, error);
    size_t n = add_items(train, NULL, 0, items);
    size_t n_test = add_items(test, taken, 1, items + n);
    if (n > 0 && n_test > 0)
        MESO_TRY(study_near_pairs(items, n + n_test, &near, error));
    if (near.n > 0)
        qsort(near.pairs, near.n, sizeof *near.pairs, compare_by_b);
    for (size_t i = 0; i < near.n; i++) {
        if (taken[near.pairs[i].b])
            continue;
        taken[near.pairs[i].b] = 1;
        MESO_TRY(study_pairs_add(pairs, near.pairs[i], error));
    }
out:
    free(items);
    study_pairs_free(&near);
    return status;
}

meso_status study_leaks(const study_dataset *train, const study_dataset *test, study_pairs *pairs,
                        meso_error *error)
{
    meso_status status = MESO_OK;
    unsigned char *taken = calloc(test->files.n_items + 1, 1);
    *pairs = (study_pairs){0};
    MESO_REQUIRE_MEMORY(taken, error);
    MESO_TRY(require_whole(train, error));
    MESO_TRY(require_whole(test, error));
    MESO_TRY(match(train, test, STUDY_SAME_FILE, taken, pairs, error));
    MESO_TRY(match(train, test, STUDY_SAME_PIXELS, taken, pairs, error));
    MESO_TRY(match_near(train, test, taken, pairs, error));
    MESO_TRY(match_recordings(train, test, taken, pairs, error));
    if (pairs->n > 0)
        qsort(pairs->pairs, pairs->n, sizeof *pairs->pairs, compare_by_b);
out:
    free(taken);
    if (status != MESO_OK)
        study_pairs_free(pairs);
    return status;
}

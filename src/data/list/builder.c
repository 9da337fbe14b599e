/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/structs.h"
#include "base/text.h"

/* Strings are carved out of large blocks: a million names cost neither a million allocations nor a
 * million frees. Blocks never move, so that pointers into them stay valid. */
enum { block_bytes = 1 << 16 };

typedef struct block {
    struct block *next;
    size_t used, size;
    char bytes[];
} block;

static block *block_with_room(meso_dataset *dataset, size_t n)
{
    block *first = dataset->storage;
    if (first && first->size - first->used >= n)
        return first;
    size_t size = n > block_bytes ? n : block_bytes;
    block *fresh = malloc(sizeof *fresh + size);
    if (!fresh)
        return NULL;
    *fresh = (block){first, 0, size};
    dataset->storage = fresh;
    return fresh;
}

meso_status meso_list_copy(meso_list_builder *builder, const char *bytes, size_t n,
                           const char **copy, meso_error *error)
{
    block *room = block_with_room(builder->dataset, n + 1);
    if (!room)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    char *start = room->bytes + room->used;
    memcpy(start, bytes, n);
    start[n] = '\0';
    room->used += n + 1;
    *copy = start;
    return MESO_OK;
}

meso_status meso_list_add(meso_list_builder *builder, const char *path, meso_label label,
                          const char *group, meso_error *error)
{
    meso_dataset *dataset = builder->dataset;
    meso_dataset_item item = {.label = label};
    meso_dataset_item *items =
        meso_grow(dataset->items, dataset->n_items, &builder->capacity, sizeof item);
    MESO_DEMAND_MEMORY(items, error);
    dataset->items = items;
    MESO_CHECK(meso_list_copy(builder, path, strlen(path), &item.path, error));
    if (group)
        MESO_CHECK(meso_list_copy(builder, group, strlen(group), &item.group, error));
    dataset->items[dataset->n_items++] = item;
    return MESO_OK;
}

void meso_list_unreadable(meso_list_builder *builder, const char *path, int error_number)
{
    meso_dataset *dataset = builder->dataset;
    if (dataset->n_unreadable++ == 0)
        snprintf(dataset->unreadable, sizeof dataset->unreadable, "%.400s: %.100s",
                 MESO_PRINTABLE(path), strerror(error_number));
}

void meso_dataset_close(meso_dataset *dataset)
{
    if (!dataset)
        return;
    for (block *b = dataset->storage, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(dataset->items);
    free(dataset->passed_over);
    meso_struct_clear(dataset);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "data/batch/batches.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "data/batch/loader.h"
#include "data/image/image.h"

enum { slots = 256 }; /* files hashed and waiting for their turn; a few words each */

typedef struct reading {
    const meso_dataset *dataset;
    meso_contents *contents;
} reading;

/* On a thread. Threads write to different places of hashes and refusals. */
static meso_status read_file(void *user, size_t i, meso_loaded *loaded)
{
    const reading *r = user;
    void *bytes = NULL;
    size_t n = 0;
    meso_status status = meso_image_read(r->dataset->items[i].path, r->dataset->items[i].hash,
                                         &bytes, &n, &loaded->refusal, &loaded->error);
    r->contents->refusals[i] = loaded->refusal;
    if (status == MESO_OK)
        r->contents->hashes[i] = meso_hash_64(bytes, n);
    free(bytes);
    return status;
}

static void write_hash(const meso_dataset *dataset, meso_contents *contents, meso_text *text)
{
    for (size_t i = 0; i < contents->n; i++) {
        const meso_dataset_item *item = &dataset->items[i];
        meso_text_format(text, "%d %s %016llx ", (int)item->label,
                         meso_refusal_name(contents->refusals[i]),
                         (unsigned long long)contents->hashes[i]);
        meso_text_add(text, item->group ? item->group : "");
        meso_text_add_n(text, "", 1); /* no group name holds a NUL */
    }
    meso_hash_hex(text->bytes, text->length, contents->hash);
}

meso_status meso_contents_read(const meso_dataset *dataset, size_t n_threads,
                               meso_contents *contents, meso_error *error)
{
    meso_status status = MESO_OK;
    reading r = {dataset, contents};
    const meso_loader_options options = {.n = dataset->n_items,
                                         .n_threads = n_threads,
                                         .n_slots = slots,
                                         .image = MESO_INIT(meso_image_options),
                                         .load = read_file,
                                         .user = &r};
    meso_loader *loader = NULL;
    const meso_loaded *item = NULL;
    meso_text text = {0};
    *contents = (meso_contents){.n = dataset->n_items};
    contents->hashes = calloc(contents->n + 1, sizeof *contents->hashes);
    contents->refusals = calloc(contents->n + 1, sizeof *contents->refusals);
    MESO_REQUIRE_MEMORY(contents->hashes, error);
    MESO_REQUIRE_MEMORY(contents->refusals, error);
    MESO_TRY(meso_loader_start(&options, &loader, error));
    for (;;) {
        MESO_TRY(meso_loader_next(loader, &item, error));
        if (!item)
            break;
        contents->n_unreadable += item->refusal != MESO_IMAGE_OK;
        meso_loader_release(loader, 1);
    }
    write_hash(dataset, contents, &text);
    MESO_REQUIRE_MEMORY(!text.out_of_memory, error);
out:
    meso_loader_stop(loader);
    meso_text_free(&text);
    if (status != MESO_OK)
        meso_contents_free(contents);
    return status;
}

void meso_contents_free(meso_contents *contents)
{
    free(contents->hashes);
    free(contents->refusals);
    *contents = (meso_contents){0};
}

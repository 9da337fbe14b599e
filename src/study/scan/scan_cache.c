/* SPDX-License-Identifier: Apache-2.0
 *
 * The file: a header, then for each image its record and its path with a NUL, padded to 8 bytes.
 * It is this machine's own business, so numbers stand as they do in memory.
 */
#include "study/scan/scan_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/file.h"

/* Raise the version whenever a property means something else. 2: the stamp knows ctime and
 * inode. */
enum { version = 2 };

typedef struct header {
    char magic[8];
    uint32_t version, record_bytes;
    uint64_t n, bytes; /* of images; of all that follows the header */
    uint64_t check;    /* XXH3-64 of all that follows the header */
} header;

static const char magic[8] = "MESOSCAN";

static size_t padded(size_t n)
{
    return (n + 7) / 8 * 8;
}

static int compare_entries(const void *left, const void *right)
{
    const study_cache_entry *a = left, *b = right;
    return strcmp(a->path, b->path);
}

/* Entries of a file whose check is right; 0 where something is wrong all the same. */
static int list_entries(const header *head, study_cache *cache)
{
    const char *at = (const char *)(head + 1), *end = at + head->bytes;
    cache->entries = calloc(head->n ? head->n : 1, sizeof *cache->entries);
    for (; cache->entries && cache->n < head->n; cache->n++) {
        const char *path = at + sizeof(study_image);
        if ((size_t)(end - at) <= sizeof(study_image))
            return 0;
        const char *stop = memchr(path, '\0', (size_t)(end - path));
        if (!stop)
            return 0;
        cache->entries[cache->n] = (study_cache_entry){path, (const study_image *)at};
        at = path + padded((size_t)(stop + 1 - path));
    }
    return cache->entries && at == end;
}

static int is_sound(const header *head, size_t n)
{
    return n >= sizeof *head && memcmp(head->magic, magic, sizeof magic) == 0 &&
           head->version == version && head->record_bytes == sizeof(study_image) &&
           head->bytes == n - sizeof *head && head->n <= head->bytes / sizeof(study_image) &&
           head->check == XXH3_64bits(head + 1, n - sizeof *head);
}

static void load(study_cache *cache)
{
    size_t n;
    if (meso_file_read(cache->file, SIZE_MAX / 2, &cache->bytes, &n, NULL, NULL) != MESO_OK)
        return;
    const header *head = cache->bytes;
    if (is_sound(head, n) && list_entries(head, cache)) {
        qsort(cache->entries, cache->n, sizeof *cache->entries, compare_entries);
        return;
    }
    cache->n = 0;
}

/* The folder and those above it. */
static meso_status make_folder(const char *folder, meso_error *error)
{
    char *path = strdup(folder);
    meso_status status = MESO_OK;
    MESO_REQUIRE_MEMORY(path, error);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777); /* what is wrong with it shows at the last one */
        *slash = '/';
    }
    MESO_REQUIRE(mkdir(path, 0777) == 0 || errno == EEXIST, error, MESO_ERROR_CREATE,
                 "%s: cannot make this folder for what scans find: %s; choose another with "
                 "--cache or none with --no-cache",
                 MESO_PRINTABLE(folder), strerror(errno));
out:
    free(path);
    return status;
}

meso_status study_cache_open(const char *folder, const char *root, int published_only,
                             study_cache *cache, meso_error *error)
{
    meso_status status = MESO_OK;
    char *real = NULL, hex[33];
    meso_text file = {0};
    *cache = (study_cache){.prefix = strlen(root)};
    while (cache->prefix > 0 && root[cache->prefix - 1] == '/')
        cache->prefix--;
    if (!folder)
        return MESO_OK;
    MESO_TRY(make_folder(folder, error));
    real = realpath(root, NULL);
    MESO_REQUIRE(real, error, MESO_ERROR_NO_INPUT, "%s: %s", MESO_PRINTABLE(root), strerror(errno));
    meso_hash_hex(real, strlen(real), hex);
    meso_text_format(&file, "%s/%s%s.scan", folder, hex, published_only ? "-study" : "");
    MESO_REQUIRE_MEMORY(!file.out_of_memory, error);
    cache->file = file.bytes;
    load(cache);
out:
    free(real);
    return status;
}

void study_cache_close(study_cache *cache)
{
    free(cache->file);
    free(cache->entries);
    free(cache->bytes);
    *cache = (study_cache){0};
}

/* A manifest's files may lie anywhere: such paths stand as they are. */
static const char *below_root(const study_cache *cache, const char *path)
{
    return strlen(path) > cache->prefix && path[cache->prefix] == '/' ? path + cache->prefix : path;
}

static const study_cache_entry *find_path(const study_cache *cache, const char *path)
{
    const study_cache_entry key = {path, NULL};
    return cache->n ? bsearch(&key, cache->entries, cache->n, sizeof key, compare_entries) : NULL;
}

const study_image *study_cache_find(const study_cache *cache, const char *path,
                                    const study_stamp *stamp)
{
    const study_cache_entry *found = find_path(cache, below_root(cache, path));
    return found && memcmp(&found->image->stamp, stamp, sizeof *stamp) == 0 ? found->image : NULL;
}

/* The entries to be written: those of the list, then the others that were there. */
static size_t collect(const study_cache *cache, const meso_dataset *files,
                      const study_image *images, const unsigned char *done,
                      study_cache_entry *entries, unsigned char *listed)
{
    size_t n = 0;
    for (size_t i = 0; i < files->n_items; i++) {
        const char *path = below_root(cache, files->items[i].path);
        const study_cache_entry *old = find_path(cache, path);
        if (old && done[i])
            listed[old - cache->entries] = 1;
        if (done[i] && images[i].refusal == MESO_IMAGE_OK)
            entries[n++] = (study_cache_entry){path, &images[i]};
    }
    for (size_t k = 0; k < cache->n; k++)
        if (!listed[k])
            entries[n++] = cache->entries[k];
    return n;
}

meso_status study_cache_save(const study_cache *cache, const meso_dataset *files,
                             const study_image *images, const unsigned char *done,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    study_cache_entry *entries = NULL;
    unsigned char *listed = NULL;
    char *bytes = NULL;
    size_t size = sizeof(header);
    if (!cache->file)
        return MESO_OK;
    entries = calloc(files->n_items + cache->n + 1, sizeof *entries);
    listed = calloc(cache->n + 1, 1);
    MESO_REQUIRE_MEMORY(entries, error);
    MESO_REQUIRE_MEMORY(listed, error);
    size_t n = collect(cache, files, images, done, entries, listed);
    for (size_t k = 0; k < n; k++)
        size += sizeof(study_image) + padded(strlen(entries[k].path) + 1);
    bytes = calloc(size, 1);
    MESO_REQUIRE_MEMORY(bytes, error);
    char *at = bytes + sizeof(header);
    for (size_t k = 0; k < n; k++) {
        size_t length = strlen(entries[k].path) + 1;
        memcpy(at, entries[k].image, sizeof(study_image));
        memcpy(at + sizeof(study_image), entries[k].path, length);
        at += sizeof(study_image) + padded(length);
    }
    header head = {.version = version,
                   .record_bytes = sizeof(study_image),
                   .n = n,
                   .bytes = size - sizeof head,
                   .check = XXH3_64bits(bytes + sizeof head, size - sizeof head)};
    memcpy(head.magic, magic, sizeof magic);
    memcpy(bytes, &head, sizeof head);
    MESO_TRY(meso_file_write(cache->file, bytes, size, error));
out:
    free(bytes);
    free(listed);
    free(entries);
    return status;
}

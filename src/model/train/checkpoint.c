/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/run_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "model/weights/weights.h"

static const char hash_key[] = "mesocl.checkpoint.hash";
static const char no_hash[] = "00000000000000000000000000000000";
enum { hash_length = sizeof no_hash - 1 };
static const size_t max_file = (size_t)1 << 31;

/* The hash's place in a file. In JSON a quote inside a string has a backslash before it, so these
 * bytes cannot stand anywhere else in the header; NULL where they are missing. */
static char *find_hash(unsigned char *bytes, size_t n)
{
    char key[sizeof hash_key + 8];
    snprintf(key, sizeof key, "\"%s\":\"", hash_key);
    char *at = memmem(bytes, n, key, strlen(key));
    size_t end = at ? (size_t)(at - (char *)bytes) + strlen(key) + hash_length : 0;
    return at && end <= n ? at + strlen(key) : NULL;
}

static void path_of(const char *folder, uint64_t number, meso_text *path)
{
    meso_text_format(path, "%s/checkpoint-%06llu.safetensors", folder, (unsigned long long)number);
}

/* The number in a file's name; 0 where it is no checkpoint: they count from 1. */
static uint64_t number_of(const char *name)
{
    unsigned long long number = 0;
    int end = 0;
    if (sscanf(name, "checkpoint-%llu.safetensors%n", &number, &end) != 1 || end == 0 || name[end])
        return 0;
    return number;
}

/* The highest number below `below`; 0 where there is none. */
static uint64_t newest(const char *folder, uint64_t below)
{
    uint64_t found = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        uint64_t number = number_of(entry->d_name);
        if (number < below && number > found)
            found = number;
    }
    if (dir)
        closedir(dir);
    return found;
}

int meso_checkpoint_exists(const char *folder)
{
    return newest(folder, UINT64_MAX) > 0;
}

static void remove_old(const char *folder, uint64_t number)
{
    for (uint64_t old; number > 1 && (old = newest(folder, number - 1)) > 0;) {
        meso_text path = {0};
        path_of(folder, old, &path);
        int removed = !path.out_of_memory && unlink(path.bytes) == 0;
        meso_text_free(&path);
        if (!removed)
            return;
    }
}

meso_status meso_checkpoint_write(const char *folder, uint64_t number, meso_weights *set,
                                  meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    unsigned char *bytes = NULL;
    size_t n = 0;
    char hash[hash_length + 1];
    path_of(folder, number, &path);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    MESO_TRY(meso_weights_set(set, hash_key, no_hash, error));
    MESO_TRY(meso_safetensors_format(set, &bytes, &n, error));
    meso_hash_hex(bytes, n, hash);
    memcpy(find_hash(bytes, n), hash, hash_length);
    MESO_TRY(meso_file_write(path.bytes, bytes, n, error));
    remove_old(folder, number);
out:
    free(bytes);
    meso_text_free(&path);
    return status;
}

static meso_status parse(unsigned char *bytes, size_t n, meso_weights **set, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *read = NULL;
    char said[hash_length + 1] = "", hash[hash_length + 1];
    char *place = find_hash(bytes, n);
    MESO_REQUIRE(place, error, MESO_ERROR_DATA, "not a checkpoint");
    memcpy(said, place, hash_length);
    memcpy(place, no_hash, hash_length);
    meso_hash_hex(bytes, n, hash);
    MESO_REQUIRE(strcmp(said, hash) == 0, error, MESO_ERROR_DATA, "its checksum is wrong");
    MESO_TRY(meso_weights_create(&read, error));
    MESO_TRY(meso_safetensors_parse(bytes, n, read, error));
    *set = read;
    read = NULL;
out:
    meso_weights_close(read);
    return status;
}

static meso_status read_one(const char *folder, uint64_t number, meso_weights **set,
                            meso_text *notes, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    meso_text path = {0};
    void *bytes = NULL;
    size_t n = 0;
    path_of(folder, number, &path);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    status = meso_file_read(path.bytes, max_file, &bytes, &n, NULL, &why);
    if (status == MESO_OK && parse(bytes, n, set, &why) != MESO_OK)
        status = MESO_ERROR_DATA;
    MESO_REQUIRE_MEMORY(why.status != MESO_ERROR_MEMORY, error);
    if (status != MESO_OK)
        meso_text_format(notes, "%s is damaged: %s\n", MESO_PRINTABLE(path.bytes), why.text);
out:
    free(bytes);
    meso_text_free(&path);
    return status;
}

meso_status meso_checkpoint_read(const char *folder, meso_weights **set, uint64_t *number,
                                 meso_text *notes, meso_error *error)
{
    meso_status status = MESO_ERROR_NO_INPUT;
    size_t n_damaged = 0;
    for (uint64_t k = newest(folder, UINT64_MAX); k > 0; k = newest(folder, k)) {
        status = read_one(folder, k, set, notes, error);
        if (status == MESO_OK)
            *number = k;
        if (status == MESO_OK || status == MESO_ERROR_MEMORY)
            return status;
        n_damaged++;
    }
    if (n_damaged == 0)
        return meso_fail(error, MESO_ERROR_NO_INPUT, "%s: no run to resume: there is no checkpoint",
                         MESO_PRINTABLE(folder));
    return meso_fail(error, MESO_ERROR_DATA, "%s: none of its %zu checkpoints is whole",
                     MESO_PRINTABLE(folder), n_damaged);
}

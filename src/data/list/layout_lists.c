/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/layout_lists.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_builder.h"
#include "base/text.h"
#include "data/list/builder.h"

static const size_t limit_bytes = (size_t)1 << 28;

/* Without the ending: "aaa" of "aaa.mp4". */
static json_t *stem_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return json_stringn(name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

/* The bytes of root/name with a NUL behind them; NULL where it is not there. */
static meso_status read_list(const char *root, const char *name, meso_text *path, char **bytes,
                             size_t *n, meso_error *error)
{
    void *read = NULL;
    *bytes = NULL;
    path->length = 0;
    meso_text_format(path, "%s/%s", root, name);
    MESO_DEMAND_MEMORY(!path->out_of_memory, error);
    if (access(path->bytes, F_OK) != 0)
        return MESO_OK;
    meso_status status = meso_file_read(path->bytes, limit_bytes, &read, n, NULL, error);
    *bytes = read;
    return status;
}

/* The document of root/name; NULL where it is not there. */
static meso_status read_json(const char *root, const char *name, meso_text *path, json_t **json,
                             meso_error *error)
{
    char *bytes = NULL;
    size_t n = 0;
    json_error_t fault = {0};
    meso_status status = MESO_OK;
    *json = NULL;
    MESO_TRY(read_list(root, name, path, &bytes, &n, error));
    if (bytes)
        status = meso_json_load(bytes, n, json, &fault);
    if (status != MESO_OK)
        status = meso_fail(error, status, "%s:%d: %s", MESO_PRINTABLE(path->bytes), fault.line,
                           status == MESO_ERROR_MEMORY ? "out of memory" : fault.text);
out:
    free(bytes);
    return status;
}

static int add_pair(json_t *listed, const char *a, const char *b)
{
    return json_object_set_new(listed, a, json_pack("{s:s}", "identity", b)) == 0 &&
           json_object_set_new(listed, b, json_pack("{s:s}", "identity", a)) == 0;
}

static meso_status read_pairs(const char *root, const char *name, json_t *listed, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    json_t *pairs = NULL, *pair;
    size_t i;
    MESO_TRY(read_json(root, name, &path, &pairs, error));
    MESO_REQUIRE(!pairs || json_is_array(pairs), error, MESO_ERROR_DATA, "%s: not a list of pairs",
                 MESO_PRINTABLE(path.bytes));
    json_array_foreach (pairs, i, pair) {
        const char *a = json_string_value(json_array_get(pair, 0));
        const char *b = json_string_value(json_array_get(pair, 1));
        MESO_REQUIRE(a && b && json_array_size(pair) == 2, error, MESO_ERROR_DATA,
                     "%s: element %zu is not a pair of names, such as [\"000\", \"003\"]",
                     MESO_PRINTABLE(path.bytes), i);
        MESO_REQUIRE_MEMORY(add_pair(listed, a, b), error);
    }
out:
    json_decref(pairs);
    meso_text_free(&path);
    return status;
}

meso_status meso_layout_pairs(const char *root, json_t *listed, meso_error *error)
{
    static const char *const names[] = {"train.json",        "val.json",        "test.json",
                                        "splits/train.json", "splits/val.json", "splits/test.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        MESO_CHECK(read_pairs(root, names[i], listed, error));
    return MESO_OK;
}

/* "1 Celeb-real/id0_0000.mp4": 1 is real. A list that says the opposite is another one. */
static meso_status add_tested(char *line, const char *where, size_t number, json_t *listed,
                              meso_error *error)
{
    const char *name = line + 1 + strspn(line + (*line != '\0'), " \t");
    const int is_real =
        strncmp(name, "Celeb-real/", 11) == 0 || strncmp(name, "YouTube-real/", 13) == 0;
    MESO_DEMAND((*line == '0' || *line == '1') && name > line + 1 &&
                    (is_real || strncmp(name, "Celeb-synthesis/", 16) == 0),
                error, MESO_ERROR_DATA,
                "%s:%zu: \"%s\" is not 0 or 1 and a video of one of the three folders", where,
                number, MESO_PRINTABLE(line));
    MESO_DEMAND((*line == '1') == is_real, error, MESO_ERROR_DATA,
                "%s:%zu: %s is listed as %c, and 1 means real", where, number, MESO_PRINTABLE(name),
                *line);
    json_t *stem = stem_of(name);
    const int ok = stem && json_object_set_new(listed, json_string_value(stem), json_object()) == 0;
    json_decref(stem);
    MESO_DEMAND(ok, error, MESO_ERROR_DATA, "%s:%zu: not UTF-8", where, number);
    return MESO_OK;
}

meso_status meso_layout_tested(const char *root, json_t *listed, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    char *bytes = NULL, *rest;
    size_t n = 0, number = 0;
    MESO_TRY(read_list(root, "List_of_testing_videos.txt", &path, &bytes, &n, error));
    rest = bytes;
    for (char *line; (line = strsep(&rest, "\n"));) {
        number++;
        line[strcspn(line, "\r")] = '\0';
        if (*line)
            MESO_TRY(add_tested(line, MESO_PRINTABLE(path.bytes), number, listed, error));
    }
out:
    free(bytes);
    meso_text_free(&path);
    return status;
}

/* 1, "FAKE" → 1; 0, "REAL" → 0; else -1. */
static int is_fake(const json_t *label)
{
    const char *word = json_string_value(label);
    if (json_is_integer(label) && json_integer_value(label) >> 1 == 0)
        return (int)json_integer_value(label);
    return !word ? -1 : strcasecmp(word, "FAKE") == 0 ? 1 : strcasecmp(word, "REAL") == 0 ? 0 : -1;
}

static meso_status add_video(const char *where, const char *name, const json_t *said,
                             json_t *listed, meso_error *error)
{
    const char *original = json_string_value(json_object_get(said, "original"));
    const int fake = is_fake(json_object_get(said, "label"));
    MESO_DEMAND(fake >= 0, error, MESO_ERROR_DATA,
                "%s: the label of %s is neither REAL or 0 nor FAKE or 1", where,
                MESO_PRINTABLE(name));
    json_t *stem = stem_of(name);
    json_t *row = json_pack("{s:b, s:o}", "fake", fake, "identity",
                            stem_of(original && *original ? original : name));
    const int ok = stem && json_object_set_new(listed, json_string_value(stem), row) == 0;
    json_decref(stem);
    MESO_DEMAND_MEMORY(ok, error);
    return MESO_OK;
}

static meso_status read_metadata(const char *folder, json_t *listed, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    json_t *videos = NULL, *said;
    const char *name;
    MESO_TRY(read_json(folder, "metadata.json", &path, &videos, error));
    MESO_REQUIRE(!videos || json_is_object(videos), error, MESO_ERROR_DATA,
                 "%s: not an object with a member for each video", MESO_PRINTABLE(path.bytes));
    json_object_foreach (videos, name, said)
        MESO_TRY(add_video(MESO_PRINTABLE(path.bytes), name, said, listed, error));
out:
    json_decref(videos);
    meso_text_free(&path);
    return status;
}

/* The published archives unpack into a folder each. */
meso_status meso_layout_metadata(const char *root, json_t *listed, meso_error *error)
{
    struct dirent **entries = NULL;
    meso_text folder = {0};
    meso_status status = read_metadata(root, listed, error);
    const int n =
        status == MESO_OK ? scandir(root, &entries, meso_scan_not_hidden, meso_scan_by_name) : 0;
    for (int i = 0; i < n; i++) {
        folder.length = 0;
        meso_text_format(&folder, "%s/%s", root, entries[i]->d_name);
        if (status == MESO_OK && folder.out_of_memory)
            status = meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
        if (status == MESO_OK)
            status = read_metadata(folder.bytes, listed, error);
        free(entries[i]);
    }
    free(entries);
    meso_text_free(&folder);
    return status;
}

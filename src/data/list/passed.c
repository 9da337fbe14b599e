/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/passed.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/json_builder.h"
#include "data/image/image.h"

/* Where every file has an ending of its own, the list ends somewhere. */
enum { most_names = 100, ending_bytes = 12 };
static const char others[] = "others";

/* As in JSON, and what people are told. */
static const struct {
    const char *key, *reason;
} kinds[MESO_PASSED_N_KINDS] = {
    [MESO_PASSED_FORMAT] = {"format", "formats that are not read"},
    [MESO_PASSED_NO_ENDING] = {"no_ending", "names without an ending"},
    [MESO_PASSED_FOLDER] = {"folder", "images outside the two class folders"},
    [MESO_PASSED_OTHER] = {"other", "not images"},
    [MESO_PASSED_SYSTEM] = {"system", "system and hidden files"},
    [MESO_PASSED_UNLISTED] = {"unlisted", "images of no video of this layout"},
    [MESO_PASSED_MISSING] = {"missing", "in the lists, without images here"},
};

/* Images to those who look at names; some are read where their library was there at build time. */
static const char picture_endings[] =
    "avif|heic|heif|hif|jxl|jp2|j2k|jpf|tif|tiff|gif|webp|pbm|pam|pfm|tga|psd|svg|ico|exr|hdr|pcx|"
    "dng|raw|cr2|cr3|nef|arw";

/* The ending in small letters; "" where there is none, or what stands behind the dot is a number or
 * a part of a sentence. */
static void ending_of(const char *name, char ending[ending_bytes])
{
    const char *dot = strrchr(name, '.');
    size_t n = 0;
    int n_letters = 0;
    for (; dot && isalnum((unsigned char)dot[n + 1]) && n + 1 < ending_bytes; n++) {
        ending[n] = (char)tolower((unsigned char)dot[n + 1]);
        n_letters += isalpha((unsigned char)dot[n + 1]) != 0;
    }
    ending[n_letters > 0 && !dot[n + 1] ? n : 0] = '\0';
}

int meso_passed_is_image(const char *name)
{
    char ending[ending_bytes];
    ending_of(name, ending);
    return *ending && meso_image_reads(ending);
}

const char *meso_passed_system(const char *name)
{
    static const char *const patterns[] = {
        "@eaDir",     "__MACOSX",  "#recycle",     "#snapshot",   "$RECYCLE.BIN",
        "lost+found", "Thumbs.db", "ehthumbs*.db", "desktop.ini", "._*",
        ".Trash*",    ".git",      ".DS_Store",    ".*"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (fnmatch(patterns[i], name, FNM_CASEFOLD) == 0)
            return patterns[i];
    return NULL;
}

meso_status meso_passed_add(meso_list_builder *builder, meso_passed_kind kind, const char *name,
                            size_t n, meso_error *error)
{
    meso_dataset *dataset = builder->dataset;
    size_t i = 0;
    if (!dataset->passed_over)
        dataset->passed_over =
            calloc(most_names + MESO_PASSED_N_KINDS, sizeof *dataset->passed_over);
    meso_passed_over *rows = dataset->passed_over;
    MESO_DEMAND_MEMORY(rows, error);
    while (i < dataset->n_passed_over && (rows[i].kind != kind || strcmp(rows[i].name, name) != 0))
        i++;
    if (i == dataset->n_passed_over) {
        if (i >= most_names && strcmp(name, others) != 0)
            return meso_passed_add(builder, kind, others, n, error);
        MESO_CHECK(meso_list_copy(builder, name, strlen(name), &rows[i].name, error));
        rows[i].kind = kind;
        dataset->n_passed_over++;
    }
    rows[i].n += n;
    return MESO_OK;
}

meso_status meso_passed_file(meso_list_builder *builder, const char *name, meso_error *error)
{
    char key[ending_bytes + 1] = ".";
    ending_of(name, key + 1);
    meso_passed_kind kind = !key[1]                                         ? MESO_PASSED_NO_ENDING
                            : meso_word_find(picture_endings, key + 1) >= 0 ? MESO_PASSED_FORMAT
                                                                            : MESO_PASSED_OTHER;
    return meso_passed_add(builder, kind, key[1] ? key : "files", 1, error);
}

void meso_passed_say_json(const json_t *list, meso_text *out)
{
    for (int kind = 0; kind < MESO_PASSED_N_KINDS; kind++) {
        size_t n = 0, i;
        const json_t *row;
        json_array_foreach (list, i, row) {
            const char *key = json_string_value(json_object_get(row, "kind"));
            const char *name = json_string_value(json_object_get(row, "name"));
            if (!key || !name || strcmp(key, kinds[kind].key) != 0)
                continue;
            meso_text_add(out, n++ ? ", " : out->length ? "; " : "");
            meso_text_format(
                out, "%lld %s", (long long)json_integer_value(json_object_get(row, "n")),
                kind == MESO_PASSED_FOLDER || kind == MESO_PASSED_UNLISTED ? "in " : "");
            meso_text_add_printable(out, name);
        }
        if (n > 0)
            meso_text_format(out, " (%s)", kinds[kind].reason);
    }
}

void meso_passed_say(const meso_dataset *dataset, meso_text *out)
{
    json_t *list = meso_passed_json(dataset);
    meso_passed_say_json(list, out);
    out->out_of_memory |= !list;
    json_decref(list);
}

json_t *meso_passed_json(const meso_dataset *dataset)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < dataset->n_passed_over; i++) {
        const meso_passed_over *row = &dataset->passed_over[i];
        meso_builder object = meso_build_object();
        meso_build_text(&object, "kind", kinds[row->kind].key);
        meso_build_text(&object, "name", row->name);
        meso_build_count(&object, "n", row->n);
        meso_build_add(&list, meso_build_end(&object));
    }
    return meso_build_end(&list);
}

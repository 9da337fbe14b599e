/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unicode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef MESO_UTF8PROC
#include <utf8proc.h>
#endif

static size_t put_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    const size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(0xF00 >> n | code);
    return n;
}

/* Two bytes of UTF-16 at `at`. */
static uint32_t unit(const char *at, int big_endian)
{
    const unsigned char *b = (const unsigned char *)at;
    return big_endian ? (uint32_t)b[0] << 8 | b[1] : (uint32_t)b[1] << 8 | b[0];
}

static meso_status from_utf16(char **text, size_t *n, int big_endian, const char *name,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    const char *at = *text + 2, *end = *text + *n;
    char *out = malloc((*n - 2) / 2 * 3 + 1), *to = out;
    MESO_REQUIRE_MEMORY(out, error);
    while (at < end) {
        uint32_t code = 0, low = 0;
        int pair = 0;
        if (end - at >= 2)
            code = unit(at, big_endian);
        pair = code >= 0xD800 && code < 0xDC00;
        if (pair && end - at >= 4)
            low = unit(at + 2, big_endian);
        MESO_REQUIRE(end - at >= 2 && (code & 0xFC00) != 0xDC00 &&
                         (!pair || (low & 0xFC00) == 0xDC00),
                     error, MESO_ERROR_DATA, "%s: half a character of UTF-16 at byte %zu",
                     MESO_PRINTABLE(name), (size_t)(at - *text));
        if (pair)
            code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
        to += put_utf8(code, to);
        at += pair ? 4 : 2;
    }
    *to = '\0';
    free(*text);
    *text = out;
    *n = (size_t)(to - out);
    out = NULL;
out:
    free(out);
    return status;
}

meso_status meso_to_utf8(char **text, size_t *n, const char *name, meso_error *error)
{
    static const char utf8_mark[] = "\xEF\xBB\xBF";
    if (*n >= 2 && (memcmp(*text, "\xFF\xFE", 2) == 0 || memcmp(*text, "\xFE\xFF", 2) == 0))
        return from_utf16(text, n, **text == '\xFE', name, error);
    if (*n >= 3 && memcmp(*text, utf8_mark, 3) == 0) {
        *n -= 3;
        memmove(*text, *text + 3, *n + 1);
    }
    return MESO_OK;
}

#ifdef MESO_UTF8PROC

/* A name in one of its forms, malloc'ed; NULL where it is not UTF-8. */
static char *form_of(const char *name, int composed)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)name;
    return (char *)(composed ? utf8proc_NFC(bytes) : utf8proc_NFD(bytes));
}

static void add_as_on_disk(const char *name, meso_text *path)
{
    const size_t start = path->length;
    meso_text_add(path, name);
    for (int composed = 0; composed < 2; composed++) {
        if (path->out_of_memory || access(path->bytes, F_OK) == 0)
            return;
        char *form = form_of(name, composed);
        path->length = start;
        meso_text_add(path, form ? form : name);
        free(form);
    }
}

static int is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return 0;
    return 1;
}

void meso_path_as_on_disk(meso_text *path)
{
    meso_text found = {0};
    if (path->out_of_memory || !path->bytes || is_ascii(path->bytes) ||
        access(path->bytes, F_OK) == 0)
        return;
    for (const char *at = path->bytes; *at;) {
        const size_t n = strcspn(at, "/") + strspn(at + strcspn(at, "/"), "/");
        char *part = strndup(at, n);
        found.out_of_memory |= !part;
        if (part)
            add_as_on_disk(part, &found);
        free(part);
        at += n;
    }
    if (found.out_of_memory || access(found.bytes, F_OK) == 0) {
        meso_text_free(path);
        *path = found;
    } else {
        meso_text_free(&found);
    }
}

int meso_same_name(const char *a, const char *b)
{
    if (strcmp(a, b) == 0 || is_ascii(a) || is_ascii(b))
        return strcmp(a, b) == 0;
    char *of_a = form_of(a, 1), *of_b = form_of(b, 1);
    const int same = of_a && of_b && strcmp(of_a, of_b) == 0;
    free(of_a);
    free(of_b);
    return same;
}

#else

void meso_path_as_on_disk(meso_text *path)
{
    (void)path;
}

int meso_same_name(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

#endif

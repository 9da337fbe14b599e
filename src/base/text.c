/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more bytes and the NUL; 0 where memory ran out. */
static int reserve(meso_text *text, size_t n)
{
    if (text->out_of_memory)
        return 0;
    if (text->length + n + 1 > text->capacity) {
        size_t capacity = 2 * (text->length + n + 1);
        char *bytes = realloc(text->bytes, capacity);
        if (!bytes) {
            text->out_of_memory = 1;
            return 0;
        }
        text->bytes = bytes;
        text->capacity = capacity;
    }
    return 1;
}

void meso_text_add_n(meso_text *text, const char *bytes, size_t n)
{
    if (!reserve(text, n))
        return;
    memcpy(text->bytes + text->length, bytes, n);
    text->length += n;
    text->bytes[text->length] = '\0';
}

void meso_text_add(meso_text *text, const char *string)
{
    meso_text_add_n(text, string, strlen(string));
}

void meso_text_format(meso_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n < 0 || !reserve(text, (size_t)n))
        return;
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)n + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)n;
}

void meso_text_free(meso_text *text)
{
    free(text->bytes);
    *text = (meso_text){0};
}

void meso_text_add_count(meso_text *text, size_t n, const char *noun)
{
    meso_text_format(text, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

void meso_text_add_duration(meso_text *text, double seconds)
{
    if (seconds < 90)
        meso_text_format(text, "%.0f s", seconds);
    else if (seconds < 90 * 60)
        meso_text_format(text, "%.0f min", seconds / 60);
    else
        meso_text_format(text, "%.1f h", seconds / 3600);
}

size_t meso_utf8_length(const char *s)
{
    const unsigned char *b = (const unsigned char *)s;
    /* Lead byte, length, and the range of the second byte (Unicode 15, table 3-7). */
    static const struct {
        unsigned char first, last, length, low, high;
    } rows[] = {
        {0x01, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
        {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
        {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (b[0] < rows[i].first || b[0] > rows[i].last)
            continue;
        if (rows[i].length > 1 && (b[1] < rows[i].low || b[1] > rows[i].high))
            return 0;
        for (size_t k = 2; k < rows[i].length; k++)
            if (b[k] < 0x80 || b[k] > 0xBF)
                return 0;
        return rows[i].length;
    }
    return 0;
}

int meso_is_utf8(const char *s)
{
    for (size_t length; *s; s += length)
        if ((length = meso_utf8_length(s)) == 0)
            return 0;
    return 1;
}

/* Characters that drive a terminal or a page rather than show: controls, of which C1
 * (U+0080–U+009F) do as ESC does; line separators, and those that reverse what follows
 * (U+2028–U+202E, U+2066–U+2069), by which gpj.exe reads exe.jpg. */
static int is_control(const unsigned char *c, size_t length)
{
    if (length == 2)
        return c[0] == 0xC2 && c[1] < 0xA0;
    if (length == 3 && c[0] == 0xE2)
        return (c[1] == 0x80 && c[2] >= 0xA8 && c[2] <= 0xAE) ||
               (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9);
    return length < 2 && (c[0] < 0x20 || c[0] == 0x7F);
}

char *meso_printable(const char *name, char *out, size_t size)
{
    size_t n = 0;
    while (*name) {
        size_t length = meso_utf8_length(name);
        int escape =
            length == 0 || *name == '\\' || is_control((const unsigned char *)name, length);
        size_t needed = escape ? 4 * (length ? length : 1) : length;
        if (n + needed + sizeof "…" > size) {
            memcpy(out + n, "…", sizeof "…");
            return out;
        }
        for (size_t k = 0; k < (length ? length : 1); k++) {
            if (escape)
                n += (size_t)snprintf(out + n, 5, "\\x%02X", (unsigned char)name[k]);
            else
                out[n++] = name[k];
        }
        name += length ? length : 1;
    }
    out[n] = '\0';
    return out;
}

void meso_text_add_printable(meso_text *text, const char *name)
{
    size_t size = 4 * strlen(name) + sizeof "…"; /* room for \xNN in place of every byte */
    char *escaped = malloc(size);
    if (!escaped) {
        text->out_of_memory = 1;
        return;
    }
    meso_text_add(text, meso_printable(name, escaped, size));
    free(escaped);
}

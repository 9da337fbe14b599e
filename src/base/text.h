/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing string. A failed allocation is remembered, so that a caller checks once, at the end.
 */
#ifndef MESO_BASE_TEXT_H
#define MESO_BASE_TEXT_H

#include <stddef.h>

typedef struct meso_text {
    char *bytes; /* NUL-terminated once something was added; NULL before */
    size_t length;
    size_t capacity;
    int out_of_memory;
} meso_text;

void meso_text_add(meso_text *text, const char *string);
void meso_text_add_n(meso_text *text, const char *bytes, size_t n);
void meso_text_format(meso_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void meso_text_free(meso_text *text); /* frees and zeroes */

/* "1 seed", "3 seeds": a noun whose plural is made by an s. */
void meso_text_add_count(meso_text *text, size_t n, const char *noun);

/* "40 s", "22 min", "3.5 h": for people. */
void meso_text_add_duration(meso_text *text, double seconds);

/* Appends name whole, with what could disturb a terminal escaped as \xNN (see meso_printable). */
void meso_text_add_printable(meso_text *text, const char *name);

/* Copies name into out with every byte that could disturb a terminal or a line-based reader
 * (control characters, invalid UTF-8, backslash) as \xNN; cuts at size with "…". Returns out. */
char *meso_printable(const char *name, char *out, size_t size);
#define MESO_PRINTABLE_SIZE 512
#define MESO_PRINTABLE(name) \
    meso_printable((name), (char[MESO_PRINTABLE_SIZE]){0}, MESO_PRINTABLE_SIZE)

/* The number of bytes (1–4) of the valid UTF-8 sequence at s, 0 where it is invalid or ends early.
 */
size_t meso_utf8_length(const char *s);
int meso_is_utf8(const char *s); /* the whole string */

#endif

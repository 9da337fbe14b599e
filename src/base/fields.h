/* SPDX-License-Identifier: Apache-2.0
 *
 * Members of a struct by name: one table says where each lies and what it may be, and this file
 * takes them to text and JSON and back.
 *
 *   static const meso_field fields[] = {
 *       MESO_FIELD(settings, "epochs", WHOLE, epochs, 0, 1e9, NULL),
 *       MESO_FIELD(settings, "loss", CHOICE, loss, 0, 0, "mse|bce|cce")};
 *
 * A refusal is the rest of a sentence, 'takes a whole number from 0 to 1e9, not "-1"': who calls
 * says of what.
 */
#ifndef MESO_BASE_FIELDS_H
#define MESO_BASE_FIELDS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum meso_field_kind {
    MESO_FIELD_TEXT,   /* const char *; the text's or the document's. In JSON null is NULL */
    MESO_FIELD_WHOLE,  /* uint64_t, or a size_t of its size */
    MESO_FIELD_REAL,   /* double; one that is not finite is null, where any may stand */
    MESO_FIELD_SWITCH, /* int; yes, true and 1, or no, false and 0; written as yes or no */
    MESO_FIELD_CHOICE  /* int, or an enum of its size: the position of the word */
} meso_field_kind;

typedef struct meso_field {
    const char *key;
    meso_field_kind kind;
    size_t offset;     /* of the member in its struct */
    double low, high;  /* of a number, bounds included; 0, 0: any */
    const char *words; /* of a choice: "a|b|c", in the order of its enum */
    size_t n;          /* of an array: a list in JSON, with ':' between in text; 0: one value */
} meso_field;

/* clang-format off */
#define MESO_FIELD(type, key, kind, member, low, high, words) \
    {key, MESO_FIELD_##kind, offsetof(type, member), low, high, words, 0}
#define MESO_FIELD_ARRAY(type, key, kind, member, element) \
    {key, MESO_FIELD_##kind, offsetof(type, member), 0, 0, NULL, \
     sizeof(((type *)0)->member) / (sizeof(element))}
/* clang-format on */

/* By its key; NULL: there is none. */
const meso_field *meso_field_find(const meso_field *fields, size_t n, const char *key);

/* Store a value in the struct at base, which on an error stays as it is, but for an array's
 * beginning. Errors: ARGUMENT. */
meso_status meso_field_from_text(const meso_field *field, const char *text, void *base,
                                 meso_error *error);
meso_status meso_field_from_json(const meso_field *field, const json_t *value, void *base,
                                 meso_error *error);

/* NULL: out of memory. A whole number above INT64_MAX becomes a negative one, which is read back to
 * the same bits. */
json_t *meso_field_to_json(const meso_field *field, const void *base);

/* Is the value at base one that the field takes? Errors: ARGUMENT. */
meso_status meso_field_check(const meso_field *field, const void *base, meso_error *error);

/* Whole tables. Adding returns 0 where memory is out; reading wants every key. Errors: DATA (names
 * the key). */
json_t *meso_fields_to_json(const meso_field *fields, size_t n, const void *base);
int meso_fields_add(const meso_field *fields, size_t n, const void *base, json_t *object);
meso_status meso_fields_from_json(const meso_field *fields, size_t n, const json_t *document,
                                  void *base, meso_error *error);

/* "key=value,key=value" of numbers and switches; each key without its first `skip` characters.
 * what stands before sentences: "schedule epochs". Errors: ARGUMENT. */
meso_status meso_fields_from_list(const char *what, const char *text, const meso_field *fields,
                                  size_t n, size_t skip, void *base, meso_error *error);

/* The position of a word in "a|b|c"; −1: it is none of them. And the word there, of n characters;
 * NULL: there are fewer. */
int meso_word_find(const char *words, const char *word);
const char *meso_word_at(const char *words, int position, size_t *n);

/* Digits alone, and a decimal number with a point, whatever the process' locale; nothing around
 * them, no "nan", "inf" or hexadecimal. 0 where the text is anything else. */
int meso_read_whole(const char *text, uint64_t *value);
int meso_read_number(const char *text, double *value);

#endif

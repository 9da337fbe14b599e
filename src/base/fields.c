/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fields.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "a size_t is read as a uint64_t");

/* Yes at odd positions. */
static const char switch_words[] = "no|yes|false|true|0|1";

enum { shown_size = 64 };

int meso_word_find(const char *words, const char *word)
{
    for (int i = 0;; i++) {
        size_t n = strcspn(words, "|");
        if (strlen(word) == n && strncmp(words, word, n) == 0)
            return i;
        if (words[n] == '\0')
            return -1;
        words += n + 1;
    }
}

const char *meso_word_at(const char *words, int position, size_t *n)
{
    for (; position > 0; position--) {
        words += strcspn(words, "|");
        if (*words++ == '\0')
            return NULL;
    }
    *n = strcspn(words, "|");
    return position < 0 ? NULL : words;
}

int meso_read_whole(const char *text, uint64_t *value)
{
    if (!*text || text[strspn(text, "0123456789")])
        return 0;
    errno = 0;
    const unsigned long long number = strtoull(text, NULL, 10);
    if (errno)
        return 0;
    *value = number;
    return 1;
}

int meso_read_number(const char *text, double *value)
{
    char *end;
    if (!text[0] || text[strspn(text, "+-.0123456789eE")])
        return 0;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return 0;
    *value = strtod_l(text, &end, c_locale);
    freelocale(c_locale);
    return end != text && *end == '\0' && isfinite(*value);
}

const meso_field *meso_field_find(const meso_field *fields, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(fields[i].key, key) == 0)
            return &fields[i];
    return NULL;
}

static meso_status refuse(const meso_field *field, const char *shown, meso_error *error)
{
    static const char *const forms[] = {[MESO_FIELD_TEXT] = "a text",
                                        [MESO_FIELD_WHOLE] = "a whole number",
                                        [MESO_FIELD_REAL] = "a number",
                                        [MESO_FIELD_SWITCH] = "yes or no",
                                        [MESO_FIELD_CHOICE] = "one of "};
    char range[64] = "";
    if (field->low != 0 || field->high != 0)
        snprintf(range, sizeof range, " from %.15g to %.15g", field->low, field->high);
    return meso_fail(error, MESO_ERROR_ARGUMENT, "takes %s%s, not \"%s\"", forms[field->kind],
                     field->kind == MESO_FIELD_CHOICE ? field->words : range,
                     MESO_PRINTABLE(shown));
}

static int in_range(const meso_field *field, double value)
{
    return (field->low == 0 && field->high == 0) || (value >= field->low && value <= field->high);
}

static int put_whole(const meso_field *field, uint64_t value, double shown, void *at)
{
    if (!in_range(field, shown))
        return 0;
    *(uint64_t *)at = value;
    return 1;
}

static int put_real(const meso_field *field, double value, void *at)
{
    if (!in_range(field, value))
        return 0;
    *(double *)at = value;
    return 1;
}

static int put_word(const meso_field *field, const char *word, void *at)
{
    const int is_switch = field->kind == MESO_FIELD_SWITCH;
    const int position = meso_word_find(is_switch ? switch_words : field->words, word);
    if (position < 0)
        return 0;
    *(int *)at = is_switch ? position % 2 : position;
    return 1;
}

meso_status meso_field_from_text(const meso_field *field, const char *text, void *base,
                                 meso_error *error)
{
    void *at = (char *)base + field->offset;
    uint64_t whole;
    double real;
    int good = 1;
    switch (field->kind) {
    case MESO_FIELD_TEXT:
        *(const char **)at = text;
        break;
    case MESO_FIELD_WHOLE:
        good = meso_read_whole(text, &whole) && put_whole(field, whole, (double)whole, at);
        break;
    case MESO_FIELD_REAL:
        good = meso_read_number(text, &real) && put_real(field, real, at);
        break;
    case MESO_FIELD_SWITCH:
    case MESO_FIELD_CHOICE:
        good = put_word(field, text, at);
        break;
    }
    return good ? MESO_OK : refuse(field, text, error);
}

/* A string as it is, anything else as JSON has it. */
static const char *shown_json(const json_t *value, char out[shown_size])
{
    if (json_is_string(value))
        return json_string_value(value);
    size_t n = json_dumpb(value, out, shown_size - 1, JSON_ENCODE_ANY | JSON_COMPACT);
    out[n < shown_size ? n : 0] = '\0';
    return n < shown_size ? out : "…";
}

meso_status meso_field_from_json(const meso_field *field, const json_t *value, void *base,
                                 meso_error *error)
{
    void *at = (char *)base + field->offset;
    char buffer[shown_size];
    const char *shown = value ? shown_json(value, buffer) : "";
    int good = 0;
    switch (field->kind) {
    case MESO_FIELD_TEXT:
        good = json_is_string(value) || json_is_null(value);
        if (good)
            *(const char **)at = json_string_value(value);
        break;
    case MESO_FIELD_WHOLE:
        good = json_is_integer(value) && put_whole(field, (uint64_t)json_integer_value(value),
                                                   (double)json_integer_value(value), at);
        break;
    case MESO_FIELD_REAL:
        good = json_is_number(value) && put_real(field, json_number_value(value), at);
        break;
    case MESO_FIELD_SWITCH:
    case MESO_FIELD_CHOICE:
        good = put_word(field, shown, at);
        break;
    }
    return good ? MESO_OK : refuse(field, shown, error);
}

json_t *meso_field_to_json(const meso_field *field, const void *base)
{
    const void *at = (const char *)base + field->offset;
    const char *text;
    size_t n;
    switch (field->kind) {
    case MESO_FIELD_TEXT:
        text = *(const char *const *)at;
        return text ? json_string(text) : json_null();
    case MESO_FIELD_WHOLE:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case MESO_FIELD_REAL:
        return json_real(*(const double *)at);
    case MESO_FIELD_SWITCH:
        return json_string(*(const int *)at ? "yes" : "no");
    case MESO_FIELD_CHOICE:
        text = meso_word_at(field->words, *(const int *)at, &n);
        return text ? json_stringn(text, n) : NULL;
    }
    return NULL;
}

meso_status meso_field_check(const meso_field *field, const void *base, meso_error *error)
{
    const void *at = (const char *)base + field->offset;
    char shown[shown_size] = "";
    size_t length;
    int good = 1;
    if (field->kind == MESO_FIELD_WHOLE) {
        good = in_range(field, (double)*(const uint64_t *)at);
        snprintf(shown, sizeof shown, "%llu", (unsigned long long)*(const uint64_t *)at);
    } else if (field->kind == MESO_FIELD_REAL) {
        good = in_range(field, *(const double *)at);
        snprintf(shown, sizeof shown, "%.15g", *(const double *)at);
    } else if (field->kind == MESO_FIELD_CHOICE) {
        good = meso_word_at(field->words, *(const int *)at, &length) != NULL;
        snprintf(shown, sizeof shown, "%d", *(const int *)at);
    }
    return good ? MESO_OK : refuse(field, shown, error);
}

json_t *meso_fields_to_json(const meso_field *fields, size_t n, const void *base)
{
    json_t *document = json_object();
    for (size_t i = 0; document && i < n; i++)
        if (json_object_set_new(document, fields[i].key, meso_field_to_json(&fields[i], base))) {
            json_decref(document);
            return NULL;
        }
    return document;
}

meso_status meso_fields_from_json(const meso_field *fields, size_t n, const json_t *document,
                                  void *base, meso_error *error)
{
    for (size_t i = 0; i < n; i++) {
        meso_error why = {0};
        const json_t *value = json_object_get(document, fields[i].key);
        if (!value)
            return meso_fail(error, MESO_ERROR_DATA, "%s is missing", fields[i].key);
        if (meso_field_from_json(&fields[i], value, base, &why) != MESO_OK)
            return meso_fail(error, MESO_ERROR_DATA, "%s %s", fields[i].key, why.text);
    }
    return MESO_OK;
}

/* ---- lists -------------------------------------------------------------------------------------
 */

static meso_status unknown_key(const char *what, const char *key, const meso_field *fields,
                               size_t n, size_t skip, meso_error *error)
{
    char keys[128] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%s", i ? ", " : "",
                 fields[i].key + skip);
    return meso_fail(error, MESO_ERROR_ARGUMENT, "%s has no setting \"%s\"; it has %s", what,
                     MESO_PRINTABLE(key), n ? keys : "none");
}

meso_status meso_fields_from_list(const char *what, const char *text, const meso_field *fields,
                                  size_t n, size_t skip, void *base, meso_error *error)
{
    meso_status status = MESO_OK;
    char *next = NULL, *copy = strdup(text);
    MESO_REQUIRE_MEMORY(copy, error);
    for (char *word = strtok_r(copy, ",", &next); word; word = strtok_r(NULL, ",", &next)) {
        meso_error why = {0};
        char *value = strchr(word, '=');
        size_t i = 0;
        if (value)
            *value++ = '\0';
        while (i < n && strcmp(fields[i].key + skip, word) != 0)
            i++;
        if (i == n) {
            status = unknown_key(what, word, fields, n, skip, error);
            goto out;
        }
        status = meso_field_from_text(&fields[i], value ? value : "", base, &why);
        MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s %s", what, word, why.text);
    }
out:
    free(copy);
    return status;
}

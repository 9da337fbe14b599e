/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fields.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_builder.h"
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
    char range[64] = "", form[48] = "";
    if (field->n > 0)
        snprintf(form, sizeof form, "%zu numbers with : between", field->n);
    if (field->low != 0 || field->high != 0)
        snprintf(range, sizeof range, " from %.15g to %.15g", field->low, field->high);
    return meso_fail(error, MESO_ERROR_ARGUMENT, "takes %s%s, not \"%s\"",
                     field->n > 0 ? form : forms[field->kind],
                     field->kind == MESO_FIELD_CHOICE ? field->words : range,
                     MESO_PRINTABLE(shown));
}

static const size_t sizes[] = {[MESO_FIELD_TEXT] = sizeof(char *),
                               [MESO_FIELD_WHOLE] = sizeof(uint64_t),
                               [MESO_FIELD_REAL] = sizeof(double),
                               [MESO_FIELD_SWITCH] = sizeof(int),
                               [MESO_FIELD_CHOICE] = sizeof(int)};

static meso_field element_of(const meso_field *array, size_t i)
{
    meso_field element = *array;
    element.offset += i * sizes[array->kind];
    element.n = 0;
    return element;
}

static int in_range(const meso_field *field, double value)
{
    return (field->low == 0 && field->high == 0) || (value >= field->low && value <= field->high);
}

static int read_word(const meso_field *field, const char *word, int *value)
{
    const int is_switch = field->kind == MESO_FIELD_SWITCH;
    const int position = meso_word_find(is_switch ? switch_words : field->words, word);
    *value = is_switch ? position % 2 : position;
    return position >= 0;
}

static meso_status array_from_text(const meso_field *field, const char *text, void *base,
                                   meso_error *error)
{
    const char *next = text;
    for (size_t i = 0; i < field->n; i++) {
        const meso_field element = element_of(field, i);
        char word[32];
        size_t length = strcspn(next, ":");
        snprintf(word, sizeof word, "%.*s", (int)length, next);
        if (length >= sizeof word || (next[length] == ':') != (i + 1 < field->n) ||
            meso_field_from_text(&element, word, base, NULL) != MESO_OK)
            return refuse(field, text, error);
        next += length + 1;
    }
    return MESO_OK;
}

meso_status meso_field_from_text(const meso_field *field, const char *text, void *base,
                                 meso_error *error)
{
    if (field->n > 0)
        return array_from_text(field, text, base, error);
    void *at = (char *)base + field->offset;
    uint64_t whole;
    double real;
    int word;
    switch (field->kind) {
    case MESO_FIELD_TEXT:
        *(const char **)at = text;
        return MESO_OK;
    case MESO_FIELD_WHOLE:
        if (!meso_read_whole(text, &whole) || !in_range(field, (double)whole))
            break;
        *(uint64_t *)at = whole;
        return MESO_OK;
    case MESO_FIELD_REAL:
        if (!meso_read_number(text, &real) || !in_range(field, real))
            break;
        *(double *)at = real;
        return MESO_OK;
    case MESO_FIELD_SWITCH:
    case MESO_FIELD_CHOICE:
        if (!read_word(field, text, &word))
            break;
        *(int *)at = word;
        return MESO_OK;
    }
    return refuse(field, text, error);
}

/* A string as it is, anything else as JSON has it: numbers read back to the same bits. */
static const char *text_of(const json_t *value, char out[shown_size])
{
    if (json_is_string(value))
        return json_string_value(value);
    size_t n = value ? json_dumpb(value, out, shown_size, JSON_ENCODE_ANY | JSON_COMPACT) : 0;
    out[n < shown_size ? n : 0] = '\0';
    return n < shown_size ? out : "…";
}

meso_status meso_field_from_json(const meso_field *field, const json_t *value, void *base,
                                 meso_error *error)
{
    char buffer[shown_size];
    const char *text = text_of(value, buffer);
    const int any = field->low == 0 && field->high == 0;
    if (field->n > 0 && json_array_size(value) != field->n)
        return refuse(field, text, error);
    for (size_t i = 0; i < field->n; i++) {
        const meso_field element = element_of(field, i);
        if (meso_field_from_json(&element, json_array_get(value, i), base, NULL) != MESO_OK)
            return refuse(field, text, error);
    }
    if (field->n > 0)
        return MESO_OK;
    if (field->kind == MESO_FIELD_REAL && any && json_is_null(value)) {
        *(double *)((char *)base + field->offset) = NAN;
        return MESO_OK;
    }
    if (field->kind == MESO_FIELD_TEXT && json_is_null(value))
        text = NULL;
    else if ((field->kind == MESO_FIELD_TEXT && !json_is_string(value)) ||
             (field->kind == MESO_FIELD_WHOLE && !json_is_integer(value)) ||
             (field->kind == MESO_FIELD_REAL && !json_is_number(value)))
        return refuse(field, text, error);
    if (field->kind == MESO_FIELD_WHOLE && any && json_integer_value(value) < 0)
        snprintf(buffer, sizeof buffer, "%llu", (unsigned long long)json_integer_value(value));
    return meso_field_from_text(field, text, base, error);
}

static json_t *array_to_json(const meso_field *field, const void *base)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < field->n; i++) {
        const meso_field element = element_of(field, i);
        meso_build_add(&list, meso_field_to_json(&element, base));
    }
    return meso_build_end(&list);
}

json_t *meso_field_to_json(const meso_field *field, const void *base)
{
    const void *at = (const char *)base + field->offset;
    const char *text;
    size_t n;
    if (field->n > 0)
        return array_to_json(field, base);
    switch (field->kind) {
    case MESO_FIELD_TEXT:
        text = *(const char *const *)at;
        return text ? json_string(text) : json_null();
    case MESO_FIELD_WHOLE:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case MESO_FIELD_REAL:
        return meso_json_number(*(const double *)at);
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
    meso_field alone = *field;
    uint64_t unused;
    json_t *value = meso_field_to_json(field, base);
    alone.offset = 0;
    meso_status status = meso_field_from_json(&alone, value, &unused, error);
    json_decref(value);
    return status;
}

int meso_fields_add(const meso_field *fields, size_t n, const void *base, json_t *object)
{
    for (size_t i = 0; i < n; i++)
        if (json_object_set_new(object, fields[i].key, meso_field_to_json(&fields[i], base)) != 0)
            return 0;
    return 1;
}

json_t *meso_fields_to_json(const meso_field *fields, size_t n, const void *base)
{
    json_t *document = json_object();
    if (meso_fields_add(fields, n, base, document))
        return document;
    json_decref(document);
    return NULL;
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

/* ---- lists ---- */

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

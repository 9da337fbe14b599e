/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_builder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"

enum { largest_document = 1 << 30 };

json_t *meso_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *meso_json_text(const char *text)
{
    if (meso_is_utf8(text))
        return json_string(text);
    meso_text escaped = {0};
    meso_text_add_printable(&escaped, text);
    json_t *string = escaped.out_of_memory ? NULL : json_string(escaped.bytes);
    meso_text_free(&escaped);
    return string;
}

double meso_json_number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int append(const char *bytes, size_t n, void *out)
{
    meso_text_add_n(out, bytes, n);
    return ((meso_text *)out)->out_of_memory ? -1 : 0;
}

void meso_json_write(const json_t *value, size_t flags, meso_text *out)
{
    if (!value || json_dump_callback(value, append, out, flags | JSON_ENCODE_ANY) != 0)
        out->out_of_memory = 1;
}

void meso_json_write_number(double value, meso_text *out)
{
    json_t *number = meso_json_number(value);
    if (!json_is_null(number))
        meso_json_write(number, JSON_REAL_PRECISION(9), out);
    json_decref(number);
}

/* jansson (2.14) does not look whether it could store a string's next byte: without memory for it
 * the string lacks it, and all seems well. Two readings that lose the same have no memory left for
 * their values either. */
meso_status meso_json_load(const char *bytes, size_t n, json_t **json, json_error_t *fault)
{
    errno = 0; /* malloc() sets it */
    *json = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, fault);
    meso_status status = *json ? MESO_OK : errno == ENOMEM ? MESO_ERROR_MEMORY : MESO_ERROR_DATA;
    json_t *again = *json ? json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (*json && !json_equal(*json, again)) {
        json_decref(*json);
        *json = NULL;
        status = MESO_ERROR_MEMORY;
    }
    json_decref(again);
    return status;
}

meso_status meso_json_read(const char *path, json_t **document, meso_error *error)
{
    meso_status status = MESO_OK;
    json_error_t at;
    void *bytes = NULL;
    size_t n = 0;
    json_t *json = NULL;
    MESO_TRY(meso_file_read(path, largest_document, &bytes, &n, NULL, error));
    json = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &at);
    MESO_REQUIRE(json, error, MESO_ERROR_DATA, "%s:%d:%d: %s", MESO_PRINTABLE(path), at.line,
                 at.column, MESO_PRINTABLE(at.text));
    MESO_REQUIRE(json_is_object(json), error, MESO_ERROR_DATA, "%s: not a JSON object",
                 MESO_PRINTABLE(path));
    *document = json_incref(json);
out:
    json_decref(json);
    free(bytes);
    return status;
}

meso_status meso_json_save(const json_t *document, size_t flags, const char *path,
                           meso_error *error)
{
    meso_text text = {0};
    meso_json_write(document, flags, &text);
    return meso_file_write_text(path, &text, error);
}

static meso_builder begin(json_t *json)
{
    return (meso_builder){json, json == NULL};
}

meso_builder meso_build_object(void)
{
    return begin(json_object());
}

meso_builder meso_build_list(void)
{
    return begin(json_array());
}

void meso_build_set(meso_builder *builder, const char *key, json_t *value)
{
    builder->failed |= json_object_set_new(builder->json, key, value) != 0;
}

void meso_build_number(meso_builder *builder, const char *key, double value)
{
    meso_build_set(builder, key, meso_json_number(value));
}

void meso_build_count(meso_builder *builder, const char *key, size_t count)
{
    meso_build_set(builder, key, json_integer((json_int_t)count));
}

void meso_build_flag(meso_builder *builder, const char *key, int flag)
{
    meso_build_set(builder, key, json_boolean(flag));
}

void meso_build_text(meso_builder *builder, const char *key, const char *text)
{
    meso_build_set(builder, key, text ? meso_json_text(text) : json_null());
}

void meso_build_add(meso_builder *builder, json_t *value)
{
    builder->failed |= json_array_append_new(builder->json, value) != 0;
}

json_t *meso_build_end(meso_builder *builder)
{
    if (builder->failed)
        json_decref(builder->json);
    return builder->failed ? NULL : builder->json;
}

json_t *meso_json_numbers(const double *values, size_t n)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < n; i++)
        meso_build_add(&list, meso_json_number(values[i]));
    return meso_build_end(&list);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads safetensors: 8 bytes of header length N (little-endian), N bytes of JSON, then the values.
 *   {"__metadata__": {key: text}, name: {"dtype": "F32", "shape": [..], "data_offsets": [begin,
 * end]}} Offsets count from the end of the header; sorted, they must cover the rest of the file
 * without a hole, an overlap or a byte left over. A file may come from anywhere, so nothing in it
 * is believed unchecked.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_builder.h"
#include "base/text.h"
#include "model/weights/weights.h"

static const size_t max_file = (size_t)1 << 31;

/* One tensor as the header describes it. */
typedef struct entry {
    const char *name;
    size_t dims[4], n_dims, n_values;
    size_t type; /* in types[] */
    uint64_t begin, end;
} entry;

static uint64_t little_endian(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = n; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* IEEE half to single, exact: every half, subnormals included, is a single. */
static uint32_t widen_half(uint32_t half)
{
    uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31, fraction = half & 0x3FF;
    if (exponent == 31)
        return sign | 0x7F800000u | fraction << 13;
    if (exponent == 0) {
        if (fraction == 0)
            return sign;
        /* A subnormal is fraction · 2⁻²⁴: shift its first one to where singles imply it. */
        for (exponent = 1; !(fraction & 0x400); exponent--)
            fraction <<= 1;
        fraction &= 0x3FF;
    }
    return sign | (exponent + 127 - 15) << 23 | fraction << 13;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float from_f16(const unsigned char *bytes)
{
    return float_of(widen_half((uint32_t)little_endian(bytes, 2)));
}

static float from_bf16(const unsigned char *bytes)
{
    return float_of((uint32_t)little_endian(bytes, 2) << 16);
}

static float from_f64(const unsigned char *bytes)
{
    uint64_t bits = little_endian(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

static const struct {
    const char *name;
    size_t bytes;
    float (*read)(const unsigned char *bytes);
} types[] = {{"F32", 4, meso_float_from_le},
             {"F16", 2, from_f16},
             {"BF16", 2, from_bf16},
             {"F64", 8, from_f64}};
enum { n_types = sizeof types / sizeof types[0] };

static int get_u64(const json_t *json, uint64_t *value)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return 0;
    *value = (uint64_t)json_integer_value(json);
    return 1;
}

static meso_status parse_metadata(json_t *json, meso_weights *weights, meso_error *error)
{
    const char *key;
    json_t *value;
    MESO_DEMAND(json_is_object(json), error, MESO_ERROR_DATA, "__metadata__ is not an object");
    json_object_foreach (json, key, value) {
        MESO_DEMAND(json_is_string(value), error, MESO_ERROR_DATA, "metadata %s is not a string",
                    MESO_PRINTABLE(key));
        MESO_CHECK(meso_weights_set(weights, key, json_string_value(value), error));
    }
    return MESO_OK;
}

static meso_status parse_shape(const json_t *shape, entry *e, meso_error *error)
{
    uint64_t product = 1;
    MESO_DEMAND(json_is_array(shape), error, MESO_ERROR_DATA, "tensor %s has no shape",
                MESO_PRINTABLE(e->name));
    e->n_dims = json_array_size(shape);
    MESO_DEMAND(e->n_dims <= 4, error, MESO_ERROR_DATA,
                "tensor %s has %zu dimensions; at most 4 are allowed", MESO_PRINTABLE(e->name),
                e->n_dims);
    for (size_t i = 0; i < e->n_dims; i++) {
        uint64_t dim;
        MESO_DEMAND(get_u64(json_array_get(shape, i), &dim), error, MESO_ERROR_DATA,
                    "tensor %s: dimension %zu is not a whole number ≥ 0", MESO_PRINTABLE(e->name),
                    i);
        /* Checked at every step: a product that wrapped round to 0 would look like an empty tensor.
         */
        MESO_DEMAND(!__builtin_mul_overflow(product, dim, &product) && product <= max_file, error,
                    MESO_ERROR_DATA,
                    "tensor %s: its dimensions multiply to more than a file can hold",
                    MESO_PRINTABLE(e->name));
        e->dims[i] = (size_t)dim;
    }
    e->n_values = (size_t)product;
    return MESO_OK;
}

static meso_status parse_entry(json_t *json, entry *e, meso_error *error)
{
    const char *dtype = json_string_value(json_object_get(json, "dtype"));
    const json_t *offsets = json_object_get(json, "data_offsets");
    MESO_DEMAND(json_is_object(json) && json_object_size(json) == 3, error, MESO_ERROR_DATA,
                "tensor %s must have dtype, shape and data_offsets, and nothing else",
                MESO_PRINTABLE(e->name));
    while (e->type < n_types && (!dtype || strcmp(dtype, types[e->type].name) != 0))
        e->type++;
    MESO_DEMAND(e->type < n_types, error, MESO_ERROR_DATA,
                "tensor %s has dtype %s; MesoCL reads F16, BF16, F32 and F64: save quantised "
                "weights as one of these",
                MESO_PRINTABLE(e->name), dtype ? MESO_PRINTABLE(dtype) : "missing");
    const size_t value_bytes = types[e->type].bytes;
    MESO_CHECK(parse_shape(json_object_get(json, "shape"), e, error));
    MESO_DEMAND(json_array_size(offsets) == 2 && get_u64(json_array_get(offsets, 0), &e->begin) &&
                    get_u64(json_array_get(offsets, 1), &e->end) && e->begin <= e->end,
                error, MESO_ERROR_DATA, "tensor %s: data_offsets are not [begin, end]",
                MESO_PRINTABLE(e->name));
    MESO_DEMAND(e->end - e->begin == (uint64_t)e->n_values * value_bytes, error, MESO_ERROR_DATA,
                "tensor %s: its offsets span %llu bytes, its shape %s needs %llu",
                MESO_PRINTABLE(e->name), (unsigned long long)(e->end - e->begin),
                MESO_DIMS(e->dims, e->n_dims), (unsigned long long)e->n_values * value_bytes);
    return MESO_OK;
}

static int by_offset(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* Sorted entries must follow each other from 0 to n_bytes. */
static meso_status check_cover(const entry *entries, size_t n, uint64_t n_bytes, meso_error *error)
{
    uint64_t next = 0;
    for (size_t i = 0; i < n; i++) {
        MESO_DEMAND(entries[i].begin == next, error, MESO_ERROR_DATA,
                    "tensor %s starts at byte %llu, %s byte %llu where the one before it ends",
                    MESO_PRINTABLE(entries[i].name), (unsigned long long)entries[i].begin,
                    entries[i].begin > next ? "leaving a hole from" : "overlapping",
                    (unsigned long long)next);
        next = entries[i].end;
    }
    MESO_DEMAND(next == n_bytes, error, MESO_ERROR_DATA, "the tensors take %llu bytes, %s %llu",
                (unsigned long long)next,
                next > n_bytes ? "but the file is cut off after" : "but the file goes on to",
                (unsigned long long)n_bytes);
    return MESO_OK;
}

static meso_status copy_values(const entry *e, const unsigned char *data, meso_weights *weights,
                               meso_error *error)
{
    meso_tensor *tensor = NULL;
    const unsigned char *from = data + e->begin;
    MESO_CHECK(meso_weights_new(weights, e->name, e->dims, e->n_dims, &tensor, error));
    for (size_t i = 0; i < e->n_values; i++)
        tensor->values[i] = types[e->type].read(from + i * types[e->type].bytes);
    size_t bad = meso_first_not_finite(tensor->values, tensor->n_values);
    MESO_DEMAND(bad == tensor->n_values, error, MESO_ERROR_DATA,
                "tensor %s: value %zu is not finite", MESO_PRINTABLE(e->name), bad);
    return MESO_OK;
}

static meso_status parse_tensors(json_t *header, const unsigned char *data, size_t n_data,
                                 meso_weights *weights, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = 0;
    const char *name;
    json_t *value;
    entry *entries = calloc(json_object_size(header) + 1, sizeof *entries);
    MESO_REQUIRE_MEMORY(entries, error);
    json_object_foreach (header, name, value) {
        if (strcmp(name, "__metadata__") == 0) {
            MESO_TRY(parse_metadata(value, weights, error));
            continue;
        }
        entries[n].name = name;
        MESO_TRY(parse_entry(value, &entries[n++], error));
    }
    qsort(entries, n, sizeof *entries, by_offset);
    MESO_TRY(check_cover(entries, n, n_data, error));
    for (size_t i = 0; i < n; i++)
        MESO_TRY(copy_values(&entries[i], data, weights, error));
out:
    free(entries);
    return status;
}

meso_status meso_safetensors_parse(const unsigned char *bytes, size_t n, meso_weights *weights,
                                   meso_error *error)
{
    meso_status status = MESO_OK;
    json_t *header = NULL;
    json_error_t fault;

    MESO_REQUIRE(n >= 8, error, MESO_ERROR_DATA,
                 "not a safetensors file: %zu bytes, a header alone takes 8", n);
    uint64_t length = little_endian(bytes, 8);
    MESO_REQUIRE(length <= MESO_SAFETENSORS_MAX_HEADER, error, MESO_ERROR_DATA,
                 "not a safetensors file: a header of %llu bytes; at most %d are allowed",
                 (unsigned long long)length, MESO_SAFETENSORS_MAX_HEADER);
    MESO_REQUIRE(length <= n - 8, error, MESO_ERROR_DATA,
                 "cut off: a header of %llu bytes in a file of %zu", (unsigned long long)length, n);
    MESO_REQUIRE(length > 0 && bytes[8] == '{', error, MESO_ERROR_DATA,
                 "not a safetensors file: its header does not begin with '{'");
    status = meso_json_load((const char *)bytes + 8, (size_t)length, &header, &fault);
    MESO_REQUIRE(status != MESO_ERROR_MEMORY, error, status, "out of memory");
    MESO_REQUIRE(status == MESO_OK, error, status, "the header is not valid JSON: %s (byte %d)",
                 MESO_PRINTABLE(fault.text), fault.position);
    MESO_TRY(parse_tensors(header, bytes + 8 + length, n - 8 - (size_t)length, weights, error));
out:
    json_decref(header);
    return status;
}

/* A file of another kind: what it is, and what to do about it. */
static meso_status refuse_kind(const char *path, const unsigned char *bytes, size_t n,
                               meso_error *error)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *what = meso_not_weights(bytes, n);
    size_t n_text = 0; /* the length of a header has zeros among its eight bytes */
    while (n_text < n && n_text < 8 &&
           ((bytes[n_text] >= ' ' && bytes[n_text] <= '~') || bytes[n_text] == '\n'))
        n_text++;
    if (!what && n_text == 8)
        what = "text; a .net file is named with --net";
    MESO_DEMAND(!meso_is_keras(bytes, n), error, MESO_ERROR_DATA,
                "%s: a Keras file: convert it first: mesocl convert %s -o %.*s.safetensors",
                MESO_PRINTABLE(path), MESO_PRINTABLE(path), (int)strcspn(base, "."),
                MESO_PRINTABLE(base));
    MESO_DEMAND(!what, error, MESO_ERROR_DATA, "%s: not a model of MesoCL but %s",
                MESO_PRINTABLE(path), what);
    return MESO_OK;
}

meso_status meso_weights_read(const char *name, meso_weights **weights, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_embedded *own = &meso_embedded_weights[0];
    meso_error why = {0};
    meso_weights *set = NULL;
    meso_text path = {0};
    void *file = NULL;
    const void *bytes = own->text;
    size_t n = own->length;

    MESO_TRY(meso_weights_locate(name, &path, error));
    if (path.length > 0) {
        MESO_TRY(meso_file_read(path.bytes, max_file, &file, &n, NULL, error));
        bytes = file;
        MESO_TRY(refuse_kind(path.bytes, bytes, n, error));
    }
    MESO_TRY(meso_weights_create(&set, error));
    status = meso_safetensors_parse(bytes, n, set, &why);
    /* A name that cannot be a tensor's is the file's fault here, not the caller's. */
    if (status == MESO_ERROR_ARGUMENT)
        status = MESO_ERROR_DATA;
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s",
                 path.length ? MESO_PRINTABLE(path.bytes) : "built-in weights", why.text);
    meso_hash_hex(bytes, n, set->hash);
    *weights = set;
    set = NULL;
out:
    free(file);
    meso_text_free(&path);
    meso_weights_close(set);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The tensor set itself: add, find, metadata.
 */
#include "model/weights/weights.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

meso_status meso_weights_create(meso_weights **weights, meso_error *error)
{
    *weights = calloc(1, sizeof **weights);
    return *weights ? MESO_OK : meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
}

void meso_weights_close(meso_weights *weights)
{
    if (!weights)
        return;
    for (size_t i = 0; i < weights->n_tensors; i++) {
        free((char *)weights->tensors[i].name);
        free(weights->tensors[i].values);
    }
    for (size_t i = 0; i < weights->n_metadata; i++) {
        free(weights->metadata[i].key);
        free(weights->metadata[i].value);
    }
    free(weights->tensors);
    free(weights->metadata);
    free(weights);
}

meso_status meso_weights_new(meso_weights *weights, const char *name, const size_t *dims,
                             size_t n_dims, meso_tensor **tensor, meso_error *error)
{
    meso_status status = MESO_OK;
    char *copy = NULL;
    float *values = NULL;
    size_t n_values = 1, n_bytes = 0;

    MESO_REQUIRE(name[0] && strcmp(name, "__metadata__") != 0 && meso_is_utf8(name), error,
                 MESO_ERROR_ARGUMENT, "'%s' cannot be a tensor's name", MESO_PRINTABLE(name));
    MESO_REQUIRE(!meso_weights_find(weights, name), error, MESO_ERROR_ARGUMENT,
                 "tensor %s is listed twice", MESO_PRINTABLE(name));
    MESO_REQUIRE(n_dims <= 4, error, MESO_ERROR_ARGUMENT,
                 "tensor %s has %zu dimensions; at most 4 are allowed", MESO_PRINTABLE(name),
                 n_dims);
    for (size_t i = 0; i < n_dims; i++)
        MESO_REQUIRE(!__builtin_mul_overflow(n_values, dims[i], &n_values), error,
                     MESO_ERROR_ARGUMENT, "tensor %s is too large", MESO_PRINTABLE(name));
    MESO_REQUIRE(!__builtin_mul_overflow(n_values, sizeof(float), &n_bytes), error,
                 MESO_ERROR_ARGUMENT, "tensor %s is too large", MESO_PRINTABLE(name));

    /* Room for one value where there is none: malloc(0) may return NULL. */
    MESO_REQUIRE_MEMORY(values = malloc(n_bytes ? n_bytes : sizeof(float)), error);
    MESO_REQUIRE_MEMORY(copy = strdup(name), error);
    meso_tensor *larger =
        realloc(weights->tensors, (weights->n_tensors + 1) * sizeof *weights->tensors);
    MESO_REQUIRE_MEMORY(larger, error);
    weights->tensors = larger;
    *tensor = &larger[weights->n_tensors++];
    **tensor =
        (meso_tensor){.name = copy, .n_dims = n_dims, .n_values = n_values, .values = values};
    for (size_t i = 0; i < n_dims; i++)
        (*tensor)->dims[i] = dims[i];
    return MESO_OK;
out:
    free(copy);
    free(values);
    return status;
}

meso_status meso_weights_add(meso_weights *weights, const char *name, const size_t *dims,
                             size_t n_dims, const float *values, meso_error *error)
{
    meso_tensor *tensor = NULL;
    meso_status status = meso_weights_new(weights, name, dims, n_dims, &tensor, error);
    if (status == MESO_OK && tensor->n_values)
        memcpy(tensor->values, values, tensor->n_values * sizeof *values);
    return status;
}

meso_status meso_weights_append(const meso_weights *from, meso_weights *to, meso_error *error)
{
    for (size_t i = 0; i < from->n_tensors; i++) {
        const meso_tensor *t = &from->tensors[i];
        MESO_CHECK(meso_weights_add(to, t->name, t->dims, t->n_dims, t->values, error));
    }
    for (size_t i = 0; i < from->n_metadata; i++)
        MESO_CHECK(meso_weights_set(to, from->metadata[i].key, from->metadata[i].value, error));
    return MESO_OK;
}

meso_status meso_weights_copy(const meso_weights *weights, meso_weights **copy, meso_error *error)
{
    meso_weights *c = NULL;
    meso_status status = meso_weights_create(&c, error);
    if (status == MESO_OK)
        status = meso_weights_append(weights, c, error);
    if (status != MESO_OK)
        meso_weights_close(c);
    else
        *copy = c;
    return status;
}

size_t meso_weights_n_tensors(const meso_weights *weights)
{
    return weights->n_tensors;
}

const meso_tensor *meso_weights_tensor(const meso_weights *weights, size_t i)
{
    return i < weights->n_tensors ? &weights->tensors[i] : NULL;
}

const meso_tensor *meso_weights_find(const meso_weights *weights, const char *name)
{
    for (size_t i = 0; i < weights->n_tensors; i++)
        if (strcmp(weights->tensors[i].name, name) == 0)
            return &weights->tensors[i];
    return NULL;
}

static meso_metadata *find_metadata(const meso_weights *weights, const char *key)
{
    for (size_t i = 0; i < weights->n_metadata; i++)
        if (strcmp(weights->metadata[i].key, key) == 0)
            return &weights->metadata[i];
    return NULL;
}

const char *meso_weights_get(const meso_weights *weights, const char *key)
{
    const meso_metadata *entry = find_metadata(weights, key);
    return entry ? entry->value : NULL;
}

meso_status meso_weights_set(meso_weights *weights, const char *key, const char *value,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    char *key_copy = NULL, *value_copy = NULL;
    meso_metadata *entry = find_metadata(weights, key);

    MESO_REQUIRE(meso_is_utf8(key) && meso_is_utf8(value), error, MESO_ERROR_ARGUMENT,
                 "metadata %s is not UTF-8", MESO_PRINTABLE(key));
    MESO_REQUIRE_MEMORY(value_copy = strdup(value), error);
    if (entry) {
        free(entry->value);
        entry->value = value_copy;
        return MESO_OK;
    }
    MESO_REQUIRE_MEMORY(key_copy = strdup(key), error);
    meso_metadata *larger =
        realloc(weights->metadata, (weights->n_metadata + 1) * sizeof *weights->metadata);
    MESO_REQUIRE_MEMORY(larger, error);
    weights->metadata = larger;
    larger[weights->n_metadata++] = (meso_metadata){key_copy, value_copy};
    return MESO_OK;
out:
    free(key_copy);
    free(value_copy);
    return status;
}

const char *meso_weights_hash(const meso_weights *weights)
{
    return weights->hash;
}

size_t meso_first_not_finite(const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        if ((bits & 0x7F800000u) == 0x7F800000u)
            return i;
    }
    return n;
}

const char *meso_dims_text(const size_t *dims, size_t n_dims, char out[MESO_DIMS_SIZE])
{
    int n = snprintf(out, MESO_DIMS_SIZE, "%s", n_dims ? "" : "scalar");
    for (size_t i = 0; i < n_dims && i < 4; i++)
        n += snprintf(out + n, MESO_DIMS_SIZE - (size_t)n, "%s%zu", i ? "x" : "", dims[i]);
    return out;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/structs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { most_bytes = 1 << 16 }; /* more is no size, but a struct that was never initialised */

static size_t size_of(const void *given)
{
    size_t size;
    memcpy(&size, given, sizeof size);
    return size;
}

static meso_status check_size(size_t size, const char *type, meso_error *error)
{
    if (size >= sizeof size && size <= most_bytes)
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_ARGUMENT,
                     "%s: struct_bytes is %zu: start from MESO_INIT(%s)", type, size, type);
}

meso_status meso_struct_check(const void *result, const char *type, meso_error *error)
{
    return check_size(size_of(result), type, error);
}

meso_status meso_struct_read(void *own, size_t bytes, const void *given, const char *type,
                             meso_error *error)
{
    if (!given)
        return MESO_OK;
    const size_t size = size_of(given);
    meso_status status = check_size(size, type, error);
    for (size_t i = bytes; i < size && status == MESO_OK; i++)
        if (((const char *)given)[i] != 0)
            status = meso_fail(error, MESO_ERROR_ARGUMENT,
                               "%s: something is set behind the %zu bytes that MesoCL %s knows: "
                               "the program needs a newer library",
                               type, bytes, meso_version());
    if (status == MESO_OK) {
        memcpy(own, given, size < bytes ? size : bytes);
        memcpy(own, &bytes, sizeof bytes);
    }
    return status;
}

void meso_struct_clear(void *result)
{
    const size_t size = size_of(result);
    memset((char *)result + sizeof size, 0, size > sizeof size ? size - sizeof size : 0);
}

void meso_struct_write(void *result, const void *own, size_t bytes)
{
    const size_t size = size_of(result);
    meso_struct_clear(result);
    memcpy(result, own, size < bytes ? size : bytes);
    memcpy(result, &size, sizeof size);
}

meso_status meso_struct_array(const void *rows, size_t bytes, size_t n, size_t stride,
                              const char *type, void *array, meso_error *error)
{
    char *out = NULL;
    MESO_CHECK(check_size(stride, type, error));
    MESO_DEMAND_MEMORY(out = calloc(n + 1, stride), error);
    for (size_t i = 0; i < n; i++) {
        memcpy(out + i * stride, &stride, sizeof stride);
        meso_struct_write(out + i * stride, (const char *)rows + i * bytes, bytes);
    }
    memcpy(array, &out, sizeof out);
    return MESO_OK;
}

void meso_free(void *memory)
{
    free(memory);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes safetensors (the format is described in safetensors_read.c).
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "model/weights/weights.h"

/* {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}; NULL where memory ran out. */
static json_t *entry_of(const meso_tensor *tensor, size_t begin)
{
    json_t *shape = json_array();
    int failed = !shape;
    for (size_t i = 0; i < tensor->n_dims; i++)
        failed |= json_array_append_new(shape, json_integer((json_int_t)tensor->dims[i]));
    if (failed) {
        json_decref(shape);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + tensor->n_values * sizeof(float)));
}

/* The header's text, to be freed; NULL where memory ran out. *n_data: the bytes of all values. */
static char *header_of(const meso_weights *weights, size_t *n_data)
{
    json_t *header = json_object(), *metadata = json_object();
    int failed = !header || !metadata;
    for (size_t i = 0; i < weights->n_metadata; i++)
        failed |= json_object_set_new(metadata, weights->metadata[i].key,
                                      json_string(weights->metadata[i].value));
    failed |= json_object_set_new(header, "__metadata__", metadata);
    *n_data = 0;
    for (size_t i = 0; i < weights->n_tensors; i++) {
        const meso_tensor *tensor = &weights->tensors[i];
        failed |= json_object_set_new(header, tensor->name, entry_of(tensor, *n_data));
        *n_data += tensor->n_values * sizeof(float);
    }
    /* Not json_dumps(): where memory runs out it drops a key without a word (jansson 2.14). */
    size_t n = failed ? 0 : json_dumpb(header, NULL, 0, JSON_COMPACT);
    char *text = n ? malloc(n + 1) : NULL;
    if (text && json_dumpb(header, text, n, JSON_COMPACT) != n) {
        free(text);
        text = NULL;
    }
    if (text)
        text[n] = '\0';
    json_decref(header);
    return text;
}

static void put_little_endian(unsigned char *out, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(value >> 8 * i);
}

meso_status meso_safetensors_format(const meso_weights *weights, unsigned char **bytes, size_t *n,
                                    meso_error *error)
{
    meso_status status = MESO_OK;
    unsigned char *file = NULL;
    size_t n_data = 0;
    char *header = header_of(weights, &n_data);
    MESO_REQUIRE_MEMORY(header, error);

    /* Padded with spaces, so that the values are aligned for readers that map the file. */
    size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    MESO_REQUIRE(padded <= MESO_SAFETENSORS_MAX_HEADER, error, MESO_ERROR_DATA,
                 "a header of %zu bytes would be needed; at most %d are allowed", padded,
                 MESO_SAFETENSORS_MAX_HEADER);
    MESO_REQUIRE_MEMORY(file = malloc(8 + padded + n_data), error);
    put_little_endian(file, padded, 8);
    memset(file + 8, ' ', padded);
    memcpy(file + 8, header, length);
    unsigned char *out = file + 8 + padded;
    for (size_t i = 0; i < weights->n_tensors; i++)
        for (size_t k = 0; k < weights->tensors[i].n_values; k++, out += 4) {
            uint32_t bits;
            memcpy(&bits, &weights->tensors[i].values[k], sizeof bits);
            put_little_endian(out, bits, 4);
        }
    *bytes = file;
    *n = 8 + padded + n_data;
out:
    free(header);
    return status;
}

meso_status meso_weights_write(const meso_weights *weights, const char *path, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    unsigned char *bytes = NULL;
    size_t n = 0;
    status = meso_safetensors_format(weights, &bytes, &n, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", MESO_PRINTABLE(path), why.text);
    MESO_TRY(meso_file_write(path, bytes, n, error));
out:
    free(bytes);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what mesocl-h5import writes. That program looked at a hostile file, so its word is checked,
 * too.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_builder.h"
#include "base/text.h"
#include "model/keras/keras_import.h"
#include "model/weights/weights.h"

static const char magic[] = "mesocl-h5import 1\n";

static const struct {
    const char *name, *words;
} kinds[] = {
    [MESO_KERAS_H5_WEIGHTS] = {"h5-weights", "weights only (.h5)"},
    [MESO_KERAS_H5_MODEL] = {"h5-model", "whole model (.h5)"},
    [MESO_KERAS3_WEIGHTS] = {"keras3-weights", "weights only (.weights.h5)"},
    [MESO_KERAS3_MODEL] = {"keras3-model", "whole model (.keras)"},
};

/* The four files that were published with the paper (github.com/DariusAf/MesoNet). */
static const struct {
    const char *name, *sha256;
} published[] = {
    {"Meso4_DF", "036ed30d04ffd9c7506f825b97c86aa64915f5818931da96817b169aad790af5"},
    {"Meso4_F2F", "bcfda015d217b9f8d6557693edbdf9f4e79cfd22672541968dd0e2954462b5d7"},
    {"MesoInception_DF", "234586d40058e76ef8b6f27ca4b63c06e31c2a5a69c0d8ba6f30b1468ab7bafa"},
    {"MesoInception_F2F", "d4533ac8a3197dc35c47405d23d99e888c1d0135e267e03540c7451feaccff3f"},
};

const char *meso_keras_published(const meso_keras_file *file)
{
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++)
        if (strcmp(published[i].sha256, file->sha256) == 0)
            return published[i].name;
    return NULL;
}

int meso_keras_turns_kernels(const meso_keras_file *file)
{
    return file->backend && strcmp(file->backend, "theano") == 0;
}

void meso_keras_describe(const meso_keras_file *file, meso_text *out)
{
    const char *version = file->version                       ? file->version
                          : file->kind == MESO_KERAS3_WEIGHTS ? "3"
                                                              : "1 or 2";
    meso_text_format(out, "Keras %s, %s%s", MESO_PRINTABLE(version), kinds[file->kind].words,
                     meso_keras_turns_kernels(file)
                         ? ", written on Theano: convolution kernels turned by 180°"
                         : "");
}

void meso_keras_close(meso_keras_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->n_layers; i++)
        free(file->layers[i].arrays);
    free(file->layers);
    free(file->values);
    json_decref(file->header);
    meso_keras_close(file->next);
    free(file);
}

/* Appends what `from` has to the layer of its group. */
static meso_status join_layer(meso_keras_file *file, meso_keras_layer *from, meso_error *error)
{
    size_t i = 0;
    while (i < file->n_layers && strcmp(file->layers[i].group, from->group) != 0)
        i++;
    meso_keras_layer *to = &file->layers[i];
    if (i == file->n_layers) {
        file->layers[file->n_layers++] = *from;
        *from = (meso_keras_layer){0};
        return MESO_OK;
    }
    meso_keras_array *larger =
        realloc(to->arrays, (to->n_arrays + from->n_arrays) * sizeof *to->arrays);
    MESO_DEMAND_MEMORY(larger, error);
    memcpy(larger + to->n_arrays, from->arrays, from->n_arrays * sizeof *larger);
    to->arrays = larger;
    to->n_arrays += from->n_arrays;
    return MESO_OK;
}

meso_status meso_keras_join(meso_keras_file *file, meso_keras_file *more, meso_error *error)
{
    more->next = file->next;
    file->next = more;
    meso_keras_layer *larger =
        realloc(file->layers, (file->n_layers + more->n_layers + 1) * sizeof *file->layers);
    MESO_DEMAND_MEMORY(larger, error);
    file->layers = larger;
    for (size_t i = 0; i < more->n_layers; i++)
        MESO_CHECK(join_layer(file, &more->layers[i], error));
    return MESO_OK;
}

static meso_status bad_stream(meso_error *error, const char *what)
{
    return meso_fail(error, MESO_ERROR_DATA, "mesocl-h5import gave no valid stream: %s", what);
}

/* The array's shape; its values are the next ones of *left. */
static meso_status parse_array(const json_t *json, meso_keras_array *array, const float **next,
                               size_t *left, meso_error *error)
{
    const json_t *shape = json_object_get(json, "shape");
    array->name = json_string_value(json_object_get(json, "name"));
    array->type = json_string_value(json_object_get(json, "type"));
    array->n_dims = json_array_size(shape);
    if (!array->name || !json_is_array(shape) || array->n_dims > 4)
        return bad_stream(error, "an array without name or shape");
    size_t n = 1;
    for (size_t i = 0; i < array->n_dims; i++) {
        json_int_t dim = json_integer_value(json_array_get(shape, i));
        if (dim < 0 || __builtin_mul_overflow(n, (size_t)dim, &n))
            return bad_stream(error, "an impossible shape");
        array->dims[i] = (size_t)dim;
    }
    if (array->type)
        return MESO_OK;
    if (n > *left)
        return bad_stream(error, "values are missing");
    array->n_values = n;
    array->values = *next;
    *next += n;
    *left -= n;
    return MESO_OK;
}

static meso_status parse_layers(const json_t *layers, meso_keras_file *file, size_t n_values,
                                meso_error *error)
{
    const float *next = file->values;
    size_t i;
    json_t *json;
    MESO_DEMAND_MEMORY(file->layers = calloc(json_array_size(layers) + 1, sizeof *file->layers),
                       error);
    json_array_foreach (layers, i, json) {
        const json_t *arrays = json_object_get(json, "arrays");
        if (json_array_size(arrays) == 0)
            continue; /* pooling, dropout: nothing to import */
        meso_keras_layer *layer = &file->layers[file->n_layers++];
        layer->name = json_string_value(json_object_get(json, "name"));
        layer->group = json_string_value(json_object_get(json, "group"));
        layer->n_arrays = json_array_size(arrays);
        if (!layer->group)
            return bad_stream(error, "a layer without a group");
        MESO_DEMAND_MEMORY(layer->arrays = calloc(layer->n_arrays, sizeof *layer->arrays), error);
        for (size_t k = 0; k < layer->n_arrays; k++)
            MESO_CHECK(
                parse_array(json_array_get(arrays, k), &layer->arrays[k], &next, &n_values, error));
    }
    if (n_values > 0)
        return bad_stream(error, "there are values left over");
    return MESO_OK;
}

static meso_status parse_header(const json_t *header, meso_keras_file *file, meso_error *error)
{
    const char *kind = json_string_value(json_object_get(header, "kind"));
    size_t n_kinds = sizeof kinds / sizeof kinds[0], k = 0;
    while (k < n_kinds && (!kind || strcmp(kind, kinds[k].name) != 0))
        k++;
    file->sha256 = json_string_value(json_object_get(header, "sha256"));
    file->version = json_string_value(json_object_get(header, "keras_version"));
    file->backend = json_string_value(json_object_get(header, "backend"));
    file->config = json_string_value(json_object_get(header, "config"));
    if (k == n_kinds || !file->sha256 || strlen(file->sha256) != 64)
        return bad_stream(error, "a header without kind or SHA-256");
    file->kind = (meso_keras_kind)k;
    return MESO_OK;
}

meso_status meso_keras_parse(const void *stream, size_t n, meso_keras_file **file,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    const char *text = stream, *end = text + n;
    meso_keras_file *f = calloc(1, sizeof *f);
    MESO_REQUIRE_MEMORY(f, error);

    if (n < sizeof magic || memcmp(text, magic, sizeof magic - 1) != 0)
        MESO_TRY(bad_stream(error, "the first line is missing"));
    text += sizeof magic - 1;
    const char *line_end = memchr(text, '\n', (size_t)(end - text));
    if (!line_end || (end - line_end - 1) % 4 != 0)
        MESO_TRY(bad_stream(error, "it is cut off"));
    json_t *header = NULL;
    status = meso_json_load(text, (size_t)(line_end - text), &header, NULL);
    f->header = header;
    MESO_REQUIRE(status != MESO_ERROR_MEMORY, error, status, "out of memory");
    if (status != MESO_OK)
        MESO_TRY(bad_stream(error, "its header is not JSON"));

    const unsigned char *data = (const unsigned char *)line_end + 1;
    size_t n_values = (size_t)(end - line_end - 1) / 4;
    MESO_REQUIRE_MEMORY(f->values = calloc(n_values + 1, sizeof *f->values), error);
    for (size_t i = 0; i < n_values; i++)
        f->values[i] = meso_float_from_le(data + 4 * i);
    MESO_TRY(parse_header(f->header, f, error));
    MESO_TRY(parse_layers(json_object_get(f->header, "layers"), f, n_values, error));
    *file = f;
    f = NULL;
out:
    meso_keras_close(f);
    return status;
}

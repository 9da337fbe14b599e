/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON documents, value by value. A failed allocation gives NULL, and NULL travels up: the builder
 * remembers that it was given one, so that a caller checks once, at the end.
 *
 *   meso_builder row = meso_build_object();
 *   meso_build_text(&row, "name", name);
 *   meso_build_number(&row, "auc", NAN); // null
 *   meso_build_set(&row, "pairs", json_of_pairs(…));
 *   return meso_build_end(&row);
 */
#ifndef MESO_BASE_JSON_BUILDER_H
#define MESO_BASE_JSON_BUILDER_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* A number, or null where the value is not finite: JSON has no NaN. */
json_t *meso_json_number(double value);

/* A string; where the text is not UTF-8, with bytes escaped as \xNN (see meso_printable). */
json_t *meso_json_text(const char *text);

/* What meso_json_number wrote: the number of a key; NaN where it is null or missing. */
double meso_json_number_of(const json_t *object, const char *key);

/* Appends a value as jansson's flags say; NULL: out of memory. */
void meso_json_write(const json_t *value, size_t flags, meso_text *out);

/* Appends a number of a CSV file, nine significant digits and a point whatever the locale; nothing
 * where it is not finite. */
void meso_json_write_number(double value, meso_text *out);

/* Parses n bytes, with want of memory noticed, which jansson alone does not always do. Duplicate
 * keys are refused. *json is the caller's, NULL on failure. Errors: DATA (*fault says why; NULL is
 * allowed), MEMORY; the sentence is the caller's. */
meso_status meso_json_load(const char *bytes, size_t n, json_t **json, json_error_t *fault);

/* Reads a file of one object; keys that are there twice are refused. Errors: DATA (with the place);
 * as of meso_file_read. */
meso_status meso_json_read(const char *path, json_t **document, meso_error *error);

/* Writes a document to a file. Errors: MEMORY; as of meso_file_write. */
meso_status meso_json_save(const json_t *document, size_t flags, const char *path,
                           meso_error *error);

typedef struct meso_builder {
    json_t *json;
    int failed;
} meso_builder;

meso_builder meso_build_object(void);
meso_builder meso_build_list(void);

/* To an object; value is taken. */
void meso_build_set(meso_builder *builder, const char *key, json_t *value);
void meso_build_number(meso_builder *builder, const char *key, double value);
void meso_build_count(meso_builder *builder, const char *key, size_t count);
void meso_build_flag(meso_builder *builder, const char *key, int flag);
void meso_build_text(meso_builder *builder, const char *key, const char *text); /* NULL: null */

/* To a list; value is taken. */
void meso_build_add(meso_builder *builder, json_t *value);

/* The value, the caller's; NULL where anything failed. */
json_t *meso_build_end(meso_builder *builder);

/* A list of numbers, as meso_json_number has them. */
json_t *meso_json_numbers(const double *values, size_t n);

#endif

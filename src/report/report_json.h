/* SPDX-License-Identifier: Apache-2.0
 *
 * What every JSON report shares: how it is written, and file names.
 *
 * JSON is UTF-8, a file name is any bytes. A name that is UTF-8 stands in "file" as it is. One that
 * is not stands in "file" with bytes escaped as \xNN, to be read by people, and in "file_bytes" in
 * hex, to be opened by programs: where "file_bytes" is there, it is the name.
 */
#ifndef MESO_REPORT_JSON_H
#define MESO_REPORT_JSON_H

#include <jansson.h>

#include "base/json_builder.h"
#include "base/text.h"

/* Sets "file" (and "file_bytes") of an object. */
void report_build_file(meso_builder *object, const char *path);

/* Appends the document with nine significant digits, keys in the order they were set: indented and
 * with a line break at the end, or on one line without. */
typedef enum report_json_style { REPORT_JSON_INDENTED, REPORT_JSON_LINE } report_json_style;
void report_json_write(const json_t *document, report_json_style style, meso_text *out);

/* Appends the document, indented, and releases it. NULL: out of memory. */
void report_json_put(json_t *document, meso_text *out);

#endif

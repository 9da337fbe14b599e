/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_json.h"

static json_t *hex_of(const char *bytes)
{
    meso_text hex = {0};
    for (; *bytes; bytes++)
        meso_text_format(&hex, "%02x", (unsigned char)*bytes);
    json_t *string = hex.out_of_memory ? NULL : json_string(hex.bytes);
    meso_text_free(&hex);
    return string;
}

void report_build_file(meso_builder *object, const char *path)
{
    meso_build_text(object, "file", path);
    if (!meso_is_utf8(path))
        meso_build_set(object, "file_bytes", hex_of(path));
}

void report_json_write(const json_t *document, report_json_style style, meso_text *out)
{
    meso_json_write(document,
                    JSON_REAL_PRECISION(9) | (style == REPORT_JSON_LINE ? 0 : JSON_INDENT(2)), out);
    if (style == REPORT_JSON_INDENTED)
        meso_text_add(out, "\n");
}

void report_json_put(json_t *document, meso_text *out)
{
    report_json_write(document, REPORT_JSON_INDENTED, out);
    json_decref(document);
}

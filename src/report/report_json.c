/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_json.h"

#include <math.h>
#include <string.h>

#include "report/report_number.h"

json_t *report_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static int is_utf8(const char *s)
{
    while (*s) {
        size_t length = meso_utf8_length(s);
        if (length == 0)
            return 0;
        s += length;
    }
    return 1;
}

json_t *report_json_text(const char *text)
{
    if (is_utf8(text))
        return json_string(text);
    meso_text escaped = {0};
    report_printable(text, &escaped);
    json_t *string = escaped.out_of_memory ? NULL : json_string(escaped.bytes);
    meso_text_free(&escaped);
    return string;
}

static json_t *hex_of(const char *bytes)
{
    meso_text hex = {0};
    for (; *bytes; bytes++)
        meso_text_format(&hex, "%02x", (unsigned char)*bytes);
    json_t *string = hex.out_of_memory ? NULL : json_string(hex.bytes);
    meso_text_free(&hex);
    return string;
}

int report_json_set_file(json_t *object, const char *path)
{
    if (json_object_set_new(object, "file", report_json_text(path)) != 0)
        return -1;
    return is_utf8(path) ? 0 : json_object_set_new(object, "file_bytes", hex_of(path));
}

static int append(const char *bytes, size_t n, void *out)
{
    meso_text_add_n(out, bytes, n);
    return ((meso_text *)out)->out_of_memory ? -1 : 0;
}

void report_json_write(const json_t *document, report_json_style style, meso_text *out)
{
    size_t flags =
        JSON_ENCODE_ANY | JSON_REAL_PRECISION(9) | (style == REPORT_JSON_LINE ? 0 : JSON_INDENT(2));
    if (!document || json_dump_callback(document, append, out, flags) != 0)
        out->out_of_memory = 1;
    if (style == REPORT_JSON_INDENTED)
        meso_text_add(out, "\n");
}

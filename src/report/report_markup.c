/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "report/report_number.h"

/* Control characters and broken UTF-8 are gone by now; what XML still forbids are U+FFFE and
 * U+FFFF. */
void report_markup_printable(const char *text, meso_text *out)
{
    static const struct {
        const char *from, *to;
    } rows[] = {{"&", "&amp;"},
                {"<", "&lt;"},
                {">", "&gt;"},
                {"\"", "&quot;"},
                {"\xEF\xBF\xBE", "\\uFFFE"},
                {"\xEF\xBF\xBF", "\\uFFFF"}};
    const size_t n_rows = sizeof rows / sizeof rows[0];
    while (*text) {
        size_t i = 0;
        while (i < n_rows && strncmp(text, rows[i].from, strlen(rows[i].from)) != 0)
            i++;
        if (i < n_rows) {
            meso_text_add(out, rows[i].to);
            text += strlen(rows[i].from);
        } else {
            meso_text_add_n(out, text++, 1);
        }
    }
}

void report_markup(const char *text, meso_text *out)
{
    meso_text printable = {0};
    meso_text_add_printable(&printable, text);
    out->out_of_memory |= printable.out_of_memory;
    if (printable.bytes)
        report_markup_printable(printable.bytes, out);
    meso_text_free(&printable);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv_field.h"

#include <string.h>

static void add_doubled(const char *field, meso_text *out)
{
    for (; *field; field++) {
        if (*field == '"')
            meso_text_add(out, "\"");
        meso_text_add_n(out, field, 1);
    }
}

void meso_csv_field(const char *field, meso_text *out)
{
    int guard = *field && strchr("=+-@\t\r'", *field) != NULL;
    int quote = strpbrk(field, ",\"\r\n") != NULL;
    meso_text_add(out, quote ? "\"" : "");
    meso_text_add(out, guard ? "'" : "");
    add_doubled(field, out);
    meso_text_add(out, quote ? "\"" : "");
}

void meso_csv_exact(const char *field, meso_text *out)
{
    meso_text_add(out, "\"");
    add_doubled(field, out);
    meso_text_add(out, "\"");
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a manifest's CSV, whatever separates its fields: every field ends inside the text.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "data/list/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    meso_csv csv;
    meso_error error = {0};
    char *text = malloc(n + 1);
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    meso_csv_start(&csv, text, n, "fuzz");
    meso_csv_find_separator(&csv);
    while (meso_csv_next(&csv, &error) == MESO_OK && csv.n_fields > 0)
        for (size_t i = 0; i < csv.n_fields; i++)
            if (csv.fields[i] < text || csv.fields[i] + strlen(csv.fields[i]) > text + n)
                abort();
    free(text);
    return 0;
}

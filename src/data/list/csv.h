/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads CSV as RFC 4180 has it, but for the separator, record by record, out of text in memory.
 */
#ifndef MESO_DATA_CSV_H
#define MESO_DATA_CSV_H

#include <stddef.h>

#include "base/error.h"

enum { meso_csv_max_fields = 64 };

typedef struct meso_csv {
    const char *name; /* stands before the line number in messages: "list.csv:7: …" */
    char separator;   /* of fields: ',' */
    char *next;       /* the text is unquoted in place */
    char *end;
    size_t line; /* where the current record begins, from 1 */
    size_t next_line;
    char *fields[meso_csv_max_fields]; /* NUL-terminated, inside the text */
    size_t n_fields;
} meso_csv;

/* text[n] must be writable: it becomes a NUL. */
void meso_csv_start(meso_csv *csv, char *text, size_t n, const char *name);

/* Before the first record: what separates fields in a file of somebody's spreadsheet. That is what
 * Excel's line "sep=;" says, else whichever of comma, semicolon and TAB the first line has most of.
 */
void meso_csv_find_separator(meso_csv *csv);

/* The next record that is not a blank line; n_fields = 0 at the end. Lines end with LF or CRLF.
 * Errors: DATA with the line. */
meso_status meso_csv_next(meso_csv *csv, meso_error *error);

#endif

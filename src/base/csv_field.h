/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV as RFC 4180 has it: lines end with CR LF, a field with a comma, quote or line break is
 * quoted.
 *
 * Text keeps its bytes, also those that are no UTF-8, with one exception: a spreadsheet takes text
 * that starts with = + - @, tab or CR for a formula and would run it, so it gets an apostrophe in
 * front. So does text that starts with an apostrophe: a reader takes one leading apostrophe off and
 * has the bytes again.
 */
#ifndef MESO_BASE_CSV_FIELD_H
#define MESO_BASE_CSV_FIELD_H

#include "base/text.h"

#define MESO_CSV_END "\r\n"

/* Appends one field of text, guarded and quoted where needed. Numbers need neither. */
void meso_csv_field(const char *field, meso_text *out);

/* Appends it quoted and without a guard: for files that are read back, such as paths. */
void meso_csv_exact(const char *field, meso_text *out);

#endif

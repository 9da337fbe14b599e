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
#ifndef MESO_REPORT_CSV_H
#define MESO_REPORT_CSV_H

#include "base/text.h"

#define REPORT_CSV_END "\r\n"

/* Appends one field, guarded and quoted where needed. Numbers need neither: use report_exact(). */
void report_csv_text(const char *field, meso_text *out);

#endif

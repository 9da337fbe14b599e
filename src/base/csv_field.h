/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BASE_CSV_FIELD_H
#define MESO_BASE_CSV_FIELD_H

#include "base/text.h"

/* Appends one field of text as report/report_csv.h says: quoted where it must be, and guarded
 * against spreadsheets that take it for a formula. */
void meso_csv_field(const char *field, meso_text *out);

/* Appends it quoted and without a guard: for files that are read back, such as paths. */
void meso_csv_exact(const char *field, meso_text *out);

#endif

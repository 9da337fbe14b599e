/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as text: numbers with a point whatever the program's locale (report_number.c), and any
 * text in HTML (report_markup.c).
 */
#ifndef MESO_REPORT_NUMBER_H
#define MESO_REPORT_NUMBER_H

#include <stddef.h>

#include "base/text.h"

#define REPORT_NUMBER_SIZE 48

/* For people: so many digits behind the point; "n/a" where the value is not finite. Returns out. */
const char *report_fixed(double value, int digits, char out[REPORT_NUMBER_SIZE]);

/* For programs: nine significant digits, enough to give every float back; "" where not finite. */
const char *report_exact(double value, char out[REPORT_NUMBER_SIZE]);

/* Characters, not bytes, of valid UTF-8: how wide it is on a screen, but for scripts with wide
 * ones. */
size_t report_width(const char *utf8);

/* Appends text of any bytes for XML or HTML, between tags or in a quoted attribute: control
 * characters and broken UTF-8 as \xNN (see meso_printable), markup as entities. */
void report_markup(const char *text, meso_text *out);

/* The same for text that is printable already. */
void report_markup_printable(const char *text, meso_text *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_REPORT_MARKUP_H
#define MESO_REPORT_MARKUP_H

#include "base/text.h"

/* Appends text of any bytes for XML or HTML, between tags or in a quoted attribute: control
 * characters and broken UTF-8 as \xNN (see meso_printable), markup as entities. */
void report_markup(const char *text, meso_text *out);

/* The same for text that is printable already. */
void report_markup_printable(const char *text, meso_text *out);

#endif

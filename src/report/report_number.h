/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as text: with a point whatever the program's locale.
 */
#ifndef MESO_REPORT_NUMBER_H
#define MESO_REPORT_NUMBER_H

#include <stddef.h>

#define REPORT_NUMBER_SIZE 48

/* For people: so many digits behind the point; "n/a" where the value is not finite. Returns out. */
const char *report_fixed(double value, int digits, char out[REPORT_NUMBER_SIZE]);

/* For programs: nine significant digits, enough to give every float back; "" where not finite. */
const char *report_exact(double value, char out[REPORT_NUMBER_SIZE]);

/* Characters, not bytes, of valid UTF-8: how wide it is on a screen, but for scripts with wide
 * ones. */
size_t report_width(const char *utf8);

#endif

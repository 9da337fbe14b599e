/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* printf writes the locale's decimal point, which may be a comma (or several bytes). */
static void use_point(char *number)
{
    const char *mark = localeconv()->decimal_point;
    char *found = strcmp(mark, ".") != 0 ? strstr(number, mark) : NULL;
    if (found) {
        size_t length = strlen(mark);
        *found = '.';
        memmove(found + 1, found + length, strlen(found + length) + 1);
    }
}

const char *report_exact(double value, char out[REPORT_NUMBER_SIZE])
{
    if (!isfinite(value))
        return "";
    snprintf(out, REPORT_NUMBER_SIZE, "%.9g", value);
    use_point(out);
    return out;
}

const char *report_fixed(double value, int digits, char out[REPORT_NUMBER_SIZE])
{
    if (!isfinite(value))
        return "n/a";
    if (fabs(value) >= 1e17) /* too long to be read digit by digit */
        return report_exact(value, out);
    snprintf(out, REPORT_NUMBER_SIZE, "%.*f", digits, value);
    use_point(out);
    return out;
}

/* Each character begins with the one byte of it that is not 10xxxxxx. */
size_t report_width(const char *utf8)
{
    size_t n = 0;
    for (; *utf8; utf8++)
        n += ((unsigned char)*utf8 & 0xC0) != 0x80;
    return n;
}

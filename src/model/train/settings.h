/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings as text: "key=value,key=value".
 */
#ifndef MESO_MODEL_SETTINGS_H
#define MESO_MODEL_SETTINGS_H

#include <stddef.h>

#include "base/error.h"

typedef struct meso_setting {
    const char *key;
    double low, high;
    int whole;    /* a whole number */
    double value; /* the default; written where the text gives another */
} meso_setting;

/* "" is no settings. what stands before messages: "schedule epochs". Errors: ARGUMENT. */
meso_status meso_settings_parse(const char *what, const char *text, meso_setting *settings,
                                size_t n, meso_error *error);

/* Decimal number with a point, whatever the process' locale, nothing behind it; 0 where it is none.
 */
int meso_read_number(const char *text, double *value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/settings.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int meso_read_number(const char *text, double *value)
{
    char *end;
    if (!text[0] || text[strspn(text, "+-.0123456789eE")])
        return 0;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return 0;
    *value = strtod_l(text, &end, c_locale);
    freelocale(c_locale);
    return end != text && *end == '\0' && isfinite(*value);
}

static meso_setting *find(meso_setting *settings, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(settings[i].key, key) == 0)
            return &settings[i];
    return NULL;
}

static meso_status unknown_key(const char *what, const char *key, const meso_setting *settings,
                               size_t n, meso_error *error)
{
    char keys[128] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%s", i ? ", " : "",
                 settings[i].key);
    return meso_fail(error, MESO_ERROR_ARGUMENT, "%s has no setting \"%s\"; it has %s", what,
                     MESO_PRINTABLE(key), n ? keys : "none");
}

meso_status meso_settings_parse(const char *what, const char *text, meso_setting *settings,
                                size_t n, meso_error *error)
{
    meso_status status = MESO_OK;
    char *next = NULL, *copy = strdup(text);
    MESO_REQUIRE_MEMORY(copy, error);
    for (char *word = strtok_r(copy, ",", &next); word; word = strtok_r(NULL, ",", &next)) {
        char *value = strchr(word, '=');
        double number = 0;
        if (value)
            *value++ = '\0';
        meso_setting *setting = find(settings, n, word);
        if (!setting) {
            status = unknown_key(what, word, settings, n, error);
            goto out;
        }
        MESO_REQUIRE(value && meso_read_number(value, &number) && number >= setting->low &&
                         number <= setting->high && !(setting->whole && number != floor(number)),
                     error, MESO_ERROR_ARGUMENT, "%s: %s takes %s from %g to %g, not \"%s\"", what,
                     word, setting->whole ? "a whole number" : "a number", setting->low,
                     setting->high, value ? MESO_PRINTABLE(value) : "");
        setting->value = number;
    }
out:
    free(copy);
    return status;
}

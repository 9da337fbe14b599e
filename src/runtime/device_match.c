/* SPDX-License-Identifier: Apache-2.0
 *
 * What --device and MESO_DEVICE mean.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/structs.h"
#include "base/text.h"
#include "mesocl/device.h"
#include "runtime/preference.h"

static const char *const type_names[] = {[MESO_DEVICE_CPU] = "cpu",
                                         [MESO_DEVICE_IGPU] = "igpu",
                                         [MESO_DEVICE_DGPU] = "dgpu",
                                         [MESO_DEVICE_OTHER] = "other"};

const char *meso_device_type_name(meso_device_type type)
{
    return type_names[type];
}

/* "1" or "0:1", nothing else: numbers[1] is −1 where there is no colon. */
static int parse_numbers(const char *selector, long numbers[2])
{
    char *end;
    if (!isdigit((unsigned char)*selector))
        return 0;
    numbers[0] = strtol(selector, &end, 10);
    numbers[1] = -1;
    if (*end == ':' && isdigit((unsigned char)end[1]))
        numbers[1] = strtol(end + 1, &end, 10);
    return *end == '\0';
}

static int contains(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

static int fits(const meso_device_info *info, const char *selector)
{
    long numbers[2];
    if (strcasecmp(selector, "all") == 0)
        return 1;
    if (strcasecmp(selector, "gpu") == 0)
        return info->type == MESO_DEVICE_IGPU || info->type == MESO_DEVICE_DGPU;
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (strcasecmp(selector, type_names[i]) == 0)
            return info->type == (meso_device_type)i;
    if (parse_numbers(selector, numbers))
        return info->platform == (unsigned long)numbers[0] &&
               (numbers[1] < 0 || info->index == (unsigned long)numbers[1]);
    return contains(info->name, selector) || contains(info->platform_name, selector);
}

/* The device that "auto" means: the user's preference, else the type most likely to be fast, first
 * in the list. */
static size_t automatic(const meso_device_info *list, size_t n)
{
    static const meso_device_type order[] = {MESO_DEVICE_DGPU, MESO_DEVICE_IGPU, MESO_DEVICE_CPU,
                                             MESO_DEVICE_OTHER};
    size_t preferred = meso_preference_find(list, n);
    if (preferred < n)
        return preferred;
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
        for (size_t i = 0; i < n; i++)
            if (list[i].type == order[k])
                return i;
    return 0;
}

static meso_status nothing_fits(const meso_device_info *list, size_t n, const char *selector,
                                meso_error *error)
{
    meso_text known = {0};
    for (size_t i = 0; i < n; i++)
        meso_text_format(&known, "%s%u:%u %s (%s)", i ? ", " : "", list[i].platform, list[i].index,
                         list[i].name, type_names[list[i].type]);
    meso_fail(error, MESO_ERROR_NO_DEVICE, "no device matches '%s'; available: %s",
              MESO_PRINTABLE(selector), known.bytes ? known.bytes : "none");
    meso_text_free(&known);
    return MESO_ERROR_NO_DEVICE;
}

static meso_status match(const meso_device_info *list, size_t n, const char *selector,
                         size_t *matches, size_t *n_matches, meso_error *error)
{
    int is_auto = !selector || !*selector || strcasecmp(selector, "auto") == 0;
    if (is_auto) {
        selector = getenv("MESO_DEVICE");
        is_auto = !selector || !*selector || strcasecmp(selector, "auto") == 0;
    }
    *n_matches = 0;
    if (is_auto && n > 0)
        matches[(*n_matches)++] = automatic(list, n);
    for (size_t i = 0; !is_auto && i < n; i++)
        if (fits(&list[i], selector))
            matches[(*n_matches)++] = i;
    return *n_matches > 0 ? MESO_OK : nothing_fits(list, n, is_auto ? "auto" : selector, error);
}

meso_status meso_device_match(const meso_device_info *list, size_t stride, size_t n,
                              const char *selector, size_t *matches, size_t *n_matches,
                              meso_error *error)
{
    meso_device_info *own = NULL;
    meso_status status =
        meso_struct_array(list, stride, n, sizeof *own, "meso_device_info", &own, error);
    if (status == MESO_OK)
        status = match(own, n, selector, matches, n_matches, error);
    free(own);
    return status;
}

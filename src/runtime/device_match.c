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
#include "runtime/device_list.h"
#include "runtime/preference.h"
#include "runtime/tuning.h"

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

static size_t all_that_fit(const meso_device_info *list, size_t n, const char *selector,
                           size_t *matches)
{
    size_t n_matches = 0;
    for (size_t i = 0; i < n; i++)
        if (fits(&list[i], selector))
            matches[n_matches++] = i;
    return n_matches;
}

/* Of the entries that show one piece of hardware, `first` the first: the preferred one, else the
 * first that was tuned, else the first. */
static size_t best_of_same(const meso_device_info *list, size_t n, size_t first,
                           const json_t *tuning)
{
    const size_t preferred = meso_preference_find(list, n);
    if (preferred < n && list[preferred].same_as == (int)first)
        return preferred;
    for (size_t i = first; preferred != first && i < n; i++) {
        size_t n_rows, n_other;
        const char *other;
        meso_tuning_count(tuning, &list[i], &n_rows, &n_other, &other);
        if (n_rows > 0 && (i == first || list[i].same_as == (int)first))
            return i;
    }
    return first;
}

static size_t each(const meso_device_info *list, size_t n, size_t *matches)
{
    size_t n_matches = 0;
    json_t *tuning = meso_tuning_read();
    for (size_t i = 0; i < n; i++)
        if (list[i].same_as < 0)
            matches[n_matches++] = best_of_same(list, n, i, tuning);
    json_decref(tuning);
    return n_matches;
}

/* The device that a part of a list means. */
static meso_status match_part(const meso_device_info *list, size_t n, const char *part,
                              size_t *matches, size_t *n_matches, meso_error *error)
{
    size_t found = n;
    for (size_t i = 0; i < n; i++) {
        if (!*part || !fits(&list[i], part))
            continue;
        MESO_DEMAND(found == n, error, MESO_ERROR_ARGUMENT,
                    "'%s' means more than one device, %u:%u and %u:%u: a list names each",
                    MESO_PRINTABLE(part), list[found].platform, list[found].index, list[i].platform,
                    list[i].index);
        found = i;
    }
    if (found == n)
        return nothing_fits(list, n, part, error);
    for (size_t k = 0; k < *n_matches; k++)
        MESO_DEMAND(matches[k] != found, error, MESO_ERROR_ARGUMENT,
                    "'%s' names device %u:%u a second time", MESO_PRINTABLE(part),
                    list[found].platform, list[found].index);
    matches[(*n_matches)++] = found;
    return MESO_OK;
}

/* "0:0,1:0", in the order given. */
static meso_status match_parts(const meso_device_info *list, size_t n, const char *selector,
                               size_t *matches, size_t *n_matches, meso_error *error)
{
    meso_status status = MESO_OK;
    char *parts = strdup(selector), *rest = parts;
    MESO_REQUIRE_MEMORY(parts, error);
    while (rest)
        MESO_TRY(match_part(list, n, strsep(&rest, ","), matches, n_matches, error));
out:
    free(parts);
    return status;
}

/* The environment's MESO_DEVICE where no device was chosen; NULL: the program chooses. */
static const char *resolve(const char *selector)
{
    for (int i = 0; i < 2; i++) {
        if (selector && *selector && strcasecmp(selector, "auto") != 0)
            return selector;
        selector = getenv("MESO_DEVICE");
    }
    return NULL;
}

int meso_device_is_list(const char *selector)
{
    selector = resolve(selector);
    return selector && (strcasecmp(selector, "each") == 0 || strchr(selector, ','));
}

/* Names of devices have commas, too. */
static meso_status match(const meso_device_info *list, size_t n, const char *selector,
                         size_t *matches, size_t *n_matches, meso_error *error)
{
    selector = resolve(selector);
    *n_matches = 0;
    if (!selector && n > 0)
        matches[(*n_matches)++] = automatic(list, n);
    else if (selector && strcasecmp(selector, "each") == 0)
        *n_matches = each(list, n, matches);
    else if (selector)
        *n_matches = all_that_fit(list, n, selector, matches);
    if (*n_matches == 0 && selector && strchr(selector, ','))
        return match_parts(list, n, selector, matches, n_matches, error);
    return *n_matches > 0 ? MESO_OK : nothing_fits(list, n, selector ? selector : "auto", error);
}

meso_status meso_device_match(const meso_device_info *list, size_t stride, size_t n,
                              const char *selector, size_t *matches, size_t *n_matches,
                              meso_error *error)
{
    meso_device_info *own = NULL;
    meso_status status =
        meso_struct_array(list, stride, n, sizeof *own, "meso_device_info", &own, error);
    if (status == MESO_OK)
        meso_device_mark_same(own, n);
    if (status == MESO_OK)
        status = match(own, n, selector, matches, n_matches, error);
    free(own);
    return status;
}

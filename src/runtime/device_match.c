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
enum { n_types = sizeof type_names / sizeof type_names[0] };

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
    for (size_t i = 0; i < n_types; i++)
        if (strcasecmp(selector, type_names[i]) == 0)
            return info->type == (meso_device_type)i;
    if (parse_numbers(selector, numbers))
        return info->platform == (unsigned long)numbers[0] &&
               (numbers[1] < 0 || info->index == (unsigned long)numbers[1]);
    return contains(info->name, selector) || contains(info->platform_name, selector);
}

/* Types in the order in which "auto" takes them, what is usable first. A few cores with wide
 * vectors are faster than a GPU that shares their memory. */
static int rank(const meso_device_info *info)
{
    static const int ranks[] = {[MESO_DEVICE_DGPU] = 0,
                                [MESO_DEVICE_CPU] = 1,
                                [MESO_DEVICE_IGPU] = 2,
                                [MESO_DEVICE_OTHER] = 3};
    return ranks[info->type] + (info->unusable[0] ? n_types : 0);
}

/* The device that "auto" means: the user's preference, else the first of the best type. */
static size_t automatic(const meso_device_info *list, size_t n)
{
    size_t best = 0;
    const size_t preferred = meso_preference_find(list, n);
    for (size_t i = 1; i < n; i++)
        if (rank(&list[i]) < rank(&list[best]))
            best = i;
    return preferred < n && !list[preferred].unusable[0] ? preferred : best;
}

/* The device to train a net on: the CPU, but for what was measured to be faster. */
static size_t for_training(const meso_device_info *list, size_t n, const char *net)
{
    double rates[MESO_MAX_DEVICES];
    size_t cpu = n, best;
    for (size_t i = 0; i < n && i < MESO_MAX_DEVICES; i++) {
        rates[i] = meso_preference_rate(&list[i], net);
        if (list[i].type == MESO_DEVICE_CPU && !list[i].unusable[0] &&
            (cpu == n || rates[i] > rates[cpu]))
            cpu = i;
    }
    if (cpu == n)
        return automatic(list, n);
    best = cpu;
    for (size_t i = 0; rates[cpu] > 0 && i < n && i < MESO_MAX_DEVICES; i++)
        if (rates[i] > rates[best])
            best = i;
    return best;
}

/* Of these positions the one of the best type, first in the list. */
static size_t best_of(const meso_device_info *list, const size_t *matches, size_t n_matches)
{
    size_t best = matches[0];
    for (size_t i = 1; i < n_matches; i++)
        if (rank(&list[matches[i]]) < rank(&list[best]))
            best = matches[i];
    return best;
}

/* "0:0 Iris (igpu)" */
static void say_device(const meso_device_info *info, meso_text *text)
{
    meso_text_format(text, "%s%u:%u %s (%s)", text->length ? ", " : "", info->platform, info->index,
                     info->name, type_names[info->type]);
}

static meso_status nothing_fits(const meso_device_info *list, size_t n, const char *selector,
                                meso_error *error)
{
    meso_text known = {0};
    for (size_t i = 0; i < n; i++)
        say_device(&list[i], &known);
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
        if (list[i].same_as < 0 && !list[i].unusable[0])
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

/* The net of "train:NET"; NULL: another selector. */
static const char *training_net(const char *selector)
{
    static const char word[] = "train:";
    const size_t n = sizeof word - 1;
    return selector && strncasecmp(selector, word, n) == 0 ? selector + n : NULL;
}

int meso_device_is_named(const char *selector)
{
    return selector && *selector && strcasecmp(selector, "auto") != 0;
}

/* The environment's MESO_DEVICE where no device was named; NULL: the program chooses. */
static const char *resolve(const char *selector)
{
    if (!meso_device_is_named(selector) || training_net(selector))
        selector = getenv("MESO_DEVICE");
    return meso_device_is_named(selector) ? selector : NULL;
}

int meso_device_leaves_gpu(const meso_device_info *list, size_t n, const char *selector, size_t one)
{
    int n_gpus = 0;
    for (size_t i = 0; i < n; i++)
        n_gpus += fits(&list[i], "gpu");
    return n_gpus > 0 && list[one].type == MESO_DEVICE_CPU && training_net(selector) &&
           !resolve(selector);
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
    const char *net = training_net(selector);
    selector = resolve(selector);
    *n_matches = 0;
    if (!selector && n > 0)
        matches[(*n_matches)++] = net ? for_training(list, n, net) : automatic(list, n);
    else if (selector && strcasecmp(selector, "each") == 0)
        *n_matches = each(list, n, matches);
    else if (selector)
        *n_matches = all_that_fit(list, n, selector, matches);
    if (*n_matches == 0 && selector && strchr(selector, ','))
        return match_parts(list, n, selector, matches, n_matches, error);
    return *n_matches > 0 ? MESO_OK : nothing_fits(list, n, selector ? selector : "auto", error);
}

/* A type means all its devices, and one of them will do. */
static int is_type(const char *selector)
{
    int found = strcasecmp(selector, "gpu") == 0;
    for (size_t i = 0; i < n_types; i++)
        found |= strcasecmp(selector, type_names[i]) == 0;
    return found;
}

static meso_status several_fit(const meso_device_info *list, const size_t *matches, size_t n,
                               const char *selector, meso_error *error)
{
    meso_text names = {0};
    for (size_t i = 0; i < n; i++)
        say_device(&list[matches[i]], &names);
    meso_fail(error, MESO_ERROR_ARGUMENT,
              "'%s' means %zu devices, where one is wanted: %s; name it by its number, as %u:%u",
              MESO_PRINTABLE(selector), n, names.bytes ? names.bytes : "",
              list[matches[0]].platform, list[matches[0]].index);
    meso_text_free(&names);
    return MESO_ERROR_ARGUMENT;
}

meso_status meso_device_match_one(const meso_device_info *list, size_t n, const char *selector,
                                  size_t *one, meso_error *error)
{
    size_t matches[MESO_MAX_DEVICES], n_matches = 0;
    MESO_CHECK(match(list, n, selector, matches, &n_matches, error));
    selector = resolve(selector);
    if (n_matches > 1 && !is_type(selector))
        return several_fit(list, matches, n_matches, selector, error);
    *one = best_of(list, matches, n_matches);
    return MESO_OK;
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

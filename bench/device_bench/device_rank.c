/* SPDX-License-Identifier: Apache-2.0 */
#include "device_rank.h"

#include <math.h>
#include <string.h>

enum { most_devices = 64 };

static const char *text_of(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

static double rate_of(const json_t *result)
{
    return json_number_value(json_object_get(result, "images_per_s"));
}

static int same(const json_t *a, const json_t *b, const char *key)
{
    return json_equal(json_object_get(a, key), json_object_get(b, key));
}

/* The rate of the same work as `result` on a device; 0 where it has none. */
static double rate_on(const json_t *results, const json_t *device, const json_t *result)
{
    const json_t *other;
    size_t i;
    json_array_foreach (results, i, other)
        if (same(other, device, "device_id") && same(other, result, "net") &&
            same(other, result, "direction") && same(other, result, "batch"))
            return rate_of(other);
    return 0;
}

/* Adds the logarithms of one row's shares; 0 where a device lacks it. */
static int add_row(const json_t *results, const json_t *devices, const json_t *result,
                   double sums[most_devices])
{
    double rates[most_devices], best = 0;
    size_t n = json_array_size(devices), i;
    for (i = 0; i < n && i < most_devices; i++) {
        rates[i] = rate_on(results, json_array_get(devices, i), result);
        best = fmax(best, rates[i]);
        if (!(rates[i] > 0))
            return 0;
    }
    for (i = 0; i < n && i < most_devices; i++)
        sums[i] += log(rates[i] / best);
    return 1;
}

const json_t *bench_rank_devices(const json_t *document, const char *direction, meso_text *out)
{
    const json_t *results = json_object_get(document, "results"), *result;
    const json_t *devices = json_object_get(document, "devices");
    double sums[most_devices] = {0};
    int placed[most_devices] = {0}, n_rows = 0;
    size_t n = json_array_size(devices), i;
    const json_t *winner = NULL;
    /* Rows of the first device are those that all can have. */
    json_array_foreach (results, i, result)
        if (same(result, json_array_get(devices, 0), "device_id") &&
            strcmp(text_of(result, "direction"), direction) == 0)
            n_rows += add_row(results, devices, result, sums);
    if (n_rows == 0)
        return NULL;
    meso_text_format(out, "\n%s: ranking over %d rows (1 = best in every row)\n", direction,
                     n_rows);
    for (size_t place = 1; place <= n && place <= most_devices; place++) {
        size_t best = most_devices;
        for (i = 0; i < n && i < most_devices; i++)
            if (!placed[i] && (best == most_devices || sums[i] > sums[best]))
                best = i;
        placed[best] = 1;
        const json_t *device = json_array_get(devices, best);
        winner = winner ? winner : device;
        meso_text_format(out, "%2zu.  %.3f  %s (%s)\n", place, exp(sums[best] / n_rows),
                         text_of(device, "device"), text_of(device, "driver"));
    }
    return winner;
}

meso_status bench_pick(const json_t *document, const json_t *best,
                       char path[MESO_PREFERENCE_PATH_SIZE], meso_error *error)
{
    meso_text rates = {0};
    const json_t *row;
    size_t i;
    meso_text_add(&rates, "");
    json_array_foreach (json_object_get(document, "results"), i, row)
        if (strcmp(text_of(row, "direction"), "train") == 0)
            meso_preference_add_rate(&rates, text_of(row, "net"), rate_of(row),
                                     text_of(row, "platform"), text_of(row, "device"));
    meso_status status = MESO_ERROR_MEMORY;
    if (!rates.out_of_memory)
        status = meso_preference_write(text_of(best, "platform"), text_of(best, "device"),
                                       rates.bytes, path, error);
    meso_text_free(&rates);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of tuning: the shipped ones, the user's, and rows as values that the tuner can change one by
 * one.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/embedded.h"
#include "net/strip/strip_run.h"

/* Training is always in Winograd's domain, and chunks are groups there. */
/* clang-format off */
const meso_tuning_family meso_tuning_fused = {"fused", 1, {
    {"lanes",           3, {4, 8, 16}},
    {"accumulators",    4, {4, 8, 16, 32}},
    {"first_filters",   4, {1, 2, 4, 8}},
    {"first_tile_rows", 4, {1, 2, 4, 8}},
    {"chunk",           5, {1, 2, 4, 8, 16}},
    {"method_3",        3, {MESO_STRIP_DIRECT, MESO_STRIP_WINOGRAD_Y, MESO_STRIP_WINOGRAD_YX}},
    {"method_5",        3, {MESO_STRIP_DIRECT, MESO_STRIP_WINOGRAD_Y, MESO_STRIP_WINOGRAD_YX}}}};
const meso_tuning_family meso_tuning_fused_training = {"fused training", 1, {
    {"lanes",           3, {4, 8, 16}},
    {"accumulators",    4, {4, 8, 16, 32}},
    {"first_filters",   4, {1, 2, 4, 8}},
    {"first_tile_rows", 4, {1, 2, 4, 8}}}};
/* clang-format on */

/* The rest of the row stays as it is. */
static void set_sizes(const meso_tuning_family *family, const int *values, meso_strip_tuning *row)
{
    const int fused = family == &meso_tuning_fused;
    row->lanes = values[0];
    row->accumulators = values[1];
    row->first_filters = values[2];
    row->first_tile_rows = values[3];
    row->chunk = fused ? values[4] : 1;
    row->method_3 = fused ? (meso_strip_method)values[5] : MESO_STRIP_WINOGRAD_YX;
    row->method_5 = fused ? (meso_strip_method)values[6] : MESO_STRIP_WINOGRAD_YX;
}

int meso_strip_read_tuning(const char *text, size_t length, meso_strip_tuning *row)
{
    const meso_tuning_family *family = &meso_tuning_fused;
    int values[MESO_MAX_TUNABLES];
    json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(document, "family"));
    const int is_row = name && strcmp(name, family->name) == 0 &&
                       meso_tuning_values(json_object_get(document, "values"), family, values);
    if (is_row)
        set_sizes(family, values, row);
    json_decref(document);
    return is_row;
}

/* Where the rows of tune/ hold. A compiler that targets no x86 (Intel's, which compiles for any of
 * its devices and finishes later) says nothing of AVX: there the device's native vector width
 * decides. */
#define SAYS_NOTHING(width) " || !defined(__SSE__) && NATIVE_WIDTH >= " #width
static meso_strip_tuning shipped[MESO_N_STRIP_TUNINGS] = {
    {.name = "avx512", .condition = "defined(__AVX512F__)" SAYS_NOTHING(16)},
    {.name = "avx2", .condition = "defined(__AVX__)" SAYS_NOTHING(8)},
    {.name = "any", .condition = "1"}};
static size_t n_shipped; /* the first ones, which have been read */
static pthread_mutex_t shipped_lock = PTHREAD_MUTEX_INITIALIZER;

static int read_shipped(meso_strip_tuning *row)
{
    const meso_embedded *file = meso_embedded_tunings;
    while (file->name && strcmp(file->name, row->name) != 0)
        file++;
    return file->name && meso_strip_read_tuning(file->text, file->length, row);
}

meso_status meso_strip_shipped(const meso_strip_tuning **rows, meso_error *error)
{
    size_t n;
    pthread_mutex_lock(&shipped_lock);
    errno = 0; /* malloc() sets it; what was not read for want of memory is read again */
    while (n_shipped < MESO_N_STRIP_TUNINGS && read_shipped(&shipped[n_shipped]))
        n_shipped++;
    n = n_shipped;
    pthread_mutex_unlock(&shipped_lock);
    MESO_DEMAND(n == MESO_N_STRIP_TUNINGS, error,
                errno == ENOMEM ? MESO_ERROR_MEMORY : MESO_ERROR_INTERNAL,
                "tune/%s.json, which the build put in, cannot be read as a row", shipped[n].name);
    *rows = shipped;
    return MESO_OK;
}

void meso_strip_tune(const meso_tuning_family *family, const int *values, meso_strip_tuning *row)
{
    size_t n = strlen("tuned");
    *row = (meso_strip_tuning){.name = "tuned", .condition = "1"};
    set_sizes(family, values, row);
    for (size_t i = 0; i < meso_tuning_n(family) && n < sizeof row->name; i++)
        n += (size_t)snprintf(row->name + n, sizeof row->name - n, "_%d", values[i]);
}

void meso_strip_make_exact(meso_strip_tuning *row)
{
    meso_strip_method *const methods[] = {&row->method_3, &row->method_5};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (*methods[i] == MESO_STRIP_WINOGRAD_YX)
            *methods[i] = MESO_STRIP_WINOGRAD_Y;
}

void meso_strip_tuning_values(const meso_tuning_family *family, const meso_strip_tuning *row,
                              int *values)
{
    const int all[] = {row->lanes, row->accumulators,  row->first_filters, row->first_tile_rows,
                       row->chunk, (int)row->method_3, (int)row->method_5};
    for (size_t i = 0; i < meso_tuning_n(family); i++)
        values[i] = all[i];
}

meso_status meso_strip_choose(meso_device *device, const meso_net *net,
                              const meso_tuning_family *family, meso_strip_tunings *rows)
{
    const meso_strip_tuning *all;
    int values[MESO_MAX_TUNABLES];
    rows->n = 1;
    if (meso_tuning_of(meso_device_get_info(device), family, net->name, values)) {
        meso_strip_tune(family, values, &rows->rows[0]);
        return MESO_OK;
    }
    MESO_CHECK(meso_strip_shipped(&all, meso_device_error_slot(device)));
    rows->n = MESO_N_STRIP_TUNINGS;
    memcpy(rows->rows, all, sizeof rows->rows);
    return MESO_OK;
}

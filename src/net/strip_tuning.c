/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of tuning as values that the tuner can change one by one.
 */
#include <stdio.h>

#include "net/strip_run.h"

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

void meso_strip_tune(const meso_tuning_family *family, const int *values, meso_strip_tuned *tuned)
{
    meso_strip_tuning *row = &tuned->row;
    size_t n = 0;
    *row = (meso_strip_tuning){.name = tuned->name,
                               .condition = "1",
                               .lanes = values[0],
                               .accumulators = values[1],
                               .first_filters = values[2],
                               .first_tile_rows = values[3],
                               .chunk = 1,
                               .method_3 = MESO_STRIP_WINOGRAD_YX,
                               .method_5 = MESO_STRIP_WINOGRAD_YX};
    if (family == &meso_tuning_fused) {
        row->chunk = values[4];
        row->method_3 = (meso_strip_method)values[5];
        row->method_5 = (meso_strip_method)values[6];
    }
    n = (size_t)snprintf(tuned->name, sizeof tuned->name, "tuned");
    for (size_t i = 0; i < meso_tuning_n(family) && n < sizeof tuned->name; i++)
        n += (size_t)snprintf(tuned->name + n, sizeof tuned->name - n, "_%d", values[i]);
}

void meso_strip_tuning_values(const meso_tuning_family *family, const meso_strip_tuning *row,
                              int *values)
{
    const int all[] = {row->lanes, row->accumulators,  row->first_filters, row->first_tile_rows,
                       row->chunk, (int)row->method_3, (int)row->method_5};
    for (size_t i = 0; i < meso_tuning_n(family); i++)
        values[i] = all[i];
}

int meso_strip_find_tuned(const meso_device *device, const meso_net *net,
                          const meso_tuning_family *family, meso_strip_tuned *tuned)
{
    int values[MESO_MAX_TUNABLES];
    int found = meso_tuning_of(meso_device_get_info(device), family, net->name, values);
    if (found)
        meso_strip_tune(family, values, tuned);
    return found;
}

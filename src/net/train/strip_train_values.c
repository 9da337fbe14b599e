/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights and moments between the host's order, which is the net's, and the device's: one array, in
 * which the hidden layer's kernel is [unit][input as the strips lie].
 */
#include <stdlib.h>
#include <string.h>

#include "net/train/strip_train_run.h"

/* Copies the hidden kernel: to the device's order, or back. */
static void permute_hidden(const train_run *run, float *host, float *device, meso_train_way way)
{
    const meso_strip_shape *in = &run->plan.blocks[run->plan.n_blocks - 1].out;
    const meso_shape s = in->shape;
    const size_t units = (size_t)run->plan.head.hidden->set.dense.units, n = meso_shape_size(s);
    for (int c = 0; c < s.c; c++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++) {
                size_t row = ((size_t)y * (size_t)s.w + (size_t)x) * (size_t)s.c + (size_t)c;
                size_t place = meso_strip_offset(in, run->plan.tuning.lanes, c, y, x);
                for (size_t u = 0; u < units; u++)
                    if (way == MESO_TO_DEVICE)
                        device[u * n + place] = host[row * units + u];
                    else
                        host[row * units + u] = device[u * n + place];
            }
}

/* One parameter between its list's array and its place among all. */
static void copy_param(const train_run *run, size_t i, float *host, float *all, meso_train_way way)
{
    float *device = all + meso_strip_train_place(run->net, i);
    const size_t bytes = run->net->params[i].n_values * sizeof *device;
    if (i == run->plan.head.hidden->first_param)
        permute_hidden(run, host, device, way);
    else if (way == MESO_TO_DEVICE)
        memcpy(device, host, bytes);
    else
        memcpy(host, device, bytes);
}

static meso_status copy_list(train_run *run, float *const *list, const meso_buffer *buffer,
                             meso_train_way way, int only_trained)
{
    meso_status status = MESO_OK;
    const size_t bytes = run->n_values * sizeof(float);
    float *all = NULL;
    if (!list)
        return MESO_OK;
    all = malloc(bytes);
    MESO_REQUIRE_MEMORY(all, meso_device_error_slot(run->device));
    MESO_TRY(meso_buffer_read(run->device, buffer, 0, all, bytes));
    for (size_t i = 0; i < run->net->n_params; i++)
        if (!only_trained || meso_train_is_trained(&run->settings, &run->net->params[i]))
            copy_param(run, i, list[i], all, way);
    if (way == MESO_TO_DEVICE)
        MESO_TRY(meso_buffer_write(run->device, buffer, 0, all, bytes));
out:
    free(all);
    return status;
}

meso_status meso_strip_train_copy(void *opaque, const meso_train_values *values, meso_train_way way)
{
    meso_status status = MESO_OK;
    train_run *run = opaque;
    meso_device_use_lane(run->device, 0);
    MESO_TRY(copy_list(run, values->params, &run->weights, way, 0));
    MESO_TRY(copy_list(run, values->rest, &run->rest, way, 1));
    MESO_TRY(copy_list(run, values->first, &run->first, way, 1));
    MESO_TRY(copy_list(run, values->second, &run->second, way, 1));
    if (way == MESO_TO_DEVICE && values->params)
        MESO_TRY(meso_strip_train_prepare(run));
    MESO_TRY(meso_device_finish(run->device));
out:
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}

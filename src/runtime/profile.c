/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time goes. While profiling is on each launch is waited for, so that the host's clock
 * around it can judge the driver's stamps: some drivers return zeros or times of another decade.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/cl_error.h"
#include "runtime/device_object.h"

void meso_device_span(meso_device *device, const char *span)
{
    device->profile.span = span;
}

meso_status meso_device_profile(meso_device *device, int on)
{
    device->profile.n_rows = 0;
    if (device->profile.on == !!on)
        return MESO_OK;
    device->profile.on = !!on;
    return meso_lanes_make_queues(device);
}

/* The row of this span and kernel, made if there is none. */
static meso_profile_row *find_row(meso_profile *profile, const char *span, const char *kernel)
{
    for (size_t i = 0; i < profile->n_rows; i++)
        if (strcmp(profile->rows[i].span, span) == 0 &&
            strcmp(profile->rows[i].kernel, kernel) == 0)
            return &profile->rows[i];
    if (profile->n_rows == profile->capacity) {
        size_t capacity = 2 * profile->capacity + 32;
        meso_profile_row *rows = realloc(profile->rows, capacity * sizeof *rows);
        if (!rows)
            return NULL;
        profile->rows = rows;
        profile->capacity = capacity;
    }
    meso_profile_row *row = &profile->rows[profile->n_rows++];
    *row = (meso_profile_row){0};
    snprintf(row->span, sizeof row->span, "%s", span);
    snprintf(row->kernel, sizeof row->kernel, "%s", kernel);
    return row;
}

/* Seconds by the driver's stamps; negative where they make no sense. */
static double stamped_seconds(cl_event event, double wall)
{
    cl_ulong start = 0, end = 0;
    if (clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL) !=
            CL_SUCCESS ||
        clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) !=
            CL_SUCCESS ||
        end <= start)
        return -1;
    double seconds = 1e-9 * (double)(end - start);
    return seconds <= wall ? seconds : -1;
}

meso_status meso_profile_add(meso_device *device, const char *kernel, cl_event event,
                             double started)
{
    meso_status status = MESO_OK;
    meso_profile *profile = &device->profile;
    MESO_CL(&device->error, clWaitForEvents, 1, &event);
    double wall = meso_seconds() - started;
    double seconds = stamped_seconds(event, wall);
    meso_profile_row *row = find_row(profile, profile->span ? profile->span : "", kernel);
    MESO_REQUIRE_MEMORY(row, &device->error);
    row->n_launches++;
    row->seconds += seconds < 0 ? wall : seconds;
    row->host_timer |= seconds < 0;
out:
    return status;
}

meso_status meso_device_get_profile(meso_device *device, meso_profile_row **rows, size_t *n)
{
    meso_status status = meso_device_finish(device);
    const meso_profile *profile = &device->profile;
    meso_profile_row *copy = calloc(profile->n_rows + 1, sizeof *copy);
    MESO_REQUIRE_MEMORY(copy, &device->error);
    if (profile->n_rows > 0)
        memcpy(copy, profile->rows, profile->n_rows * sizeof *copy);
    *rows = copy;
    *n = profile->n_rows;
out:
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time goes, launch by launch. Some drivers' stamps are zeros or times of another decade,
 * so the host's clock judges them: around each launch, where it is waited for, else around all.
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

static void forget_launched(meso_profile *profile)
{
    for (size_t i = 0; i < profile->n_launched; i++)
        clReleaseEvent(profile->launched[i].event);
    profile->n_launched = 0;
}

void meso_profile_release(meso_profile *profile)
{
    forget_launched(profile);
    free(profile->launched);
    free(profile->rows);
}

meso_status meso_device_profile(meso_device *device, meso_profile_mode mode)
{
    meso_profile *profile = &device->profile;
    const int was_on = profile->mode != MESO_PROFILE_OFF, on = mode != MESO_PROFILE_OFF;
    forget_launched(profile);
    profile->n_rows = 0;
    profile->mode = mode;
    profile->began = meso_seconds();
    return was_on == on ? MESO_OK : meso_lanes_make_queues(device);
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

/* The driver's stamps, in nanoseconds; 0 where they make no sense beside `wall` seconds. */
static int read_stamps(cl_event event, double wall, cl_ulong *start, cl_ulong *end)
{
    return clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof *start, start, NULL) ==
               CL_SUCCESS &&
           clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof *end, end, NULL) ==
               CL_SUCCESS &&
           *end > *start && 1e-9 * (double)(*end - *start) <= wall;
}

int meso_device_is_profiled(const meso_device *device)
{
    return device->profile.mode != MESO_PROFILE_OFF;
}

static meso_status wait_and_add(meso_device *device, meso_profile_row *row, cl_event event,
                                double started)
{
    meso_status status = MESO_OK;
    cl_ulong start = 0, end = 0;
    MESO_CL(&device->error, clWaitForEvents, 1, &event);
    double wall = meso_seconds() - started;
    int right = read_stamps(event, wall, &start, &end);
    row->seconds += right ? 1e-9 * (double)(end - start) : wall;
    row->host_timer |= !right;
out:
    return status;
}

static meso_status keep_launched(meso_device *device, size_t row, cl_event *event)
{
    meso_status status = MESO_OK;
    meso_profile *profile = &device->profile;
    if (profile->n_launched == profile->launched_capacity) {
        size_t capacity = 2 * profile->launched_capacity + 256;
        meso_launched *more = realloc(profile->launched, capacity * sizeof *more);
        MESO_REQUIRE_MEMORY(more, &device->error);
        profile->launched = more;
        profile->launched_capacity = capacity;
    }
    profile->launched[profile->n_launched++] = (meso_launched){*event, row};
    *event = NULL;
out:
    return status;
}

meso_status meso_profile_add(meso_device *device, const char *kernel, cl_event *event,
                             double started)
{
    meso_status status = MESO_OK;
    meso_profile *profile = &device->profile;
    meso_profile_row *row = find_row(profile, profile->span ? profile->span : "", kernel);
    MESO_REQUIRE_MEMORY(row, &device->error);
    row->n_launches++;
    status = profile->mode == MESO_PROFILE_RUNNING
                 ? keep_launched(device, (size_t)(row - profile->rows), event)
                 : wait_and_add(device, row, *event, started);
out:
    return status;
}

meso_status meso_profile_add_seconds(meso_device *device, const char *kernel, double seconds)
{
    meso_status status = MESO_OK;
    meso_profile *profile = &device->profile;
    meso_profile_row *row = find_row(profile, profile->span ? profile->span : "", kernel);
    MESO_REQUIRE_MEMORY(row, &device->error);
    row->n_launches++;
    row->seconds += seconds;
    row->host_timer = 1;
out:
    return status;
}

/* The begin or the end of a launch, on the device's clock. */
typedef struct moment {
    cl_ulong time;
    size_t row;
    int change; /* of how many run: 1 or −1 */
} moment;

/* At one time ends come before begins: in a queue one launch begins when the one before it ends. */
static int compare_moments(const void *left, const void *right)
{
    const moment *a = left, *b = right;
    return a->time != b->time ? (a->time > b->time) - (a->time < b->time) : a->change - b->change;
}

/* While k launches run, each is given 1/k of the time. With s the integral of dt/k, a launch is
 * given s at its end less s at its begin. */
static void share_out(meso_profile *profile, moment *moments, size_t n)
{
    double s = 0;
    int running = 0;
    qsort(moments, n, sizeof *moments, compare_moments);
    for (size_t i = 0; i < n; i++) {
        if (running > 0)
            s += 1e-9 * (double)(moments[i].time - moments[i - 1].time) / running;
        running += moments[i].change;
        profile->rows[moments[i].row].seconds -= moments[i].change * s;
    }
}

/* Waits for the launches that were kept, and adds their times. */
static meso_status read_launched(meso_device *device)
{
    meso_status status = MESO_OK;
    meso_profile *profile = &device->profile;
    size_t n = 0;
    moment *moments = calloc(2 * profile->n_launched + 1, sizeof *moments);
    MESO_REQUIRE_MEMORY(moments, &device->error);
    for (size_t i = 0; i < profile->n_launched; i++)
        MESO_CL(&device->error, clWaitForEvents, 1, &profile->launched[i].event);
    const double wall = meso_seconds() - profile->began;
    for (size_t i = 0; i < profile->n_launched; i++) {
        const size_t row = profile->launched[i].row;
        cl_ulong start = 0, end = 0;
        if (read_stamps(profile->launched[i].event, wall, &start, &end)) {
            moments[n++] = (moment){start, row, 1};
            moments[n++] = (moment){end, row, -1};
        } else {
            profile->rows[row].host_timer = 1;
        }
    }
    share_out(profile, moments, n);
    forget_launched(profile);
out:
    free(moments);
    return status;
}

meso_status meso_device_get_profile(meso_device *device, meso_profile_row **rows, size_t *n)
{
    meso_status status = MESO_OK;
    const meso_profile *profile = &device->profile;
    meso_profile_row *copy = NULL;
    MESO_TRY(meso_device_finish(device));
    MESO_TRY(read_launched(device));
    copy = calloc(profile->n_rows + 1, sizeof *copy);
    MESO_REQUIRE_MEMORY(copy, &device->error);
    if (profile->n_rows > 0)
        memcpy(copy, profile->rows, profile->n_rows * sizeof *copy);
    *rows = copy;
    *n = profile->n_rows;
out:
    return status;
}

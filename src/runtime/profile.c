/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time goes, launch by launch. Some drivers' stamps are zeros or times of another decade,
 * so the host's clock judges them: around each launch, where it is waited for, else around all.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/structs.h"
#include "runtime/cl_error.h"
#include "runtime/device_object.h"

void meso_device_cost(meso_device *device, double multiply_adds, double bytes)
{
    device->profile.multiply_adds = multiply_adds;
    device->profile.bytes = bytes;
}

void meso_device_span(meso_device *device, const char *span)
{
    device->profile.span = span;
    meso_device_cost(device, NAN, NAN);
}

static void forget_launched(meso_profile *profile)
{
    for (size_t i = 0; i < profile->n_launched; i++)
        clReleaseEvent(profile->launched[i].event);
    profile->n_launched = profile->n_marks = 0;
}

void meso_profile_release(meso_profile *profile)
{
    forget_launched(profile);
    free(profile->launched);
    free(profile->marks);
    free(profile->rows);
}

meso_status meso_device_profile(meso_device *device, meso_profile_mode mode, meso_error *error)
{
    meso_profile *profile = &device->profile;
    const int was_on = profile->mode != MESO_PROFILE_OFF, on = mode != MESO_PROFILE_OFF;
    forget_launched(profile);
    profile->n_rows = 0;
    profile->mode = mode;
    profile->began = meso_seconds();
    meso_device_cost(device, NAN, NAN);
    if (was_on == on)
        return MESO_OK;
    meso_status status = meso_lanes_make_queues(device);
    return status == MESO_OK ? MESO_OK : meso_fail(error, status, "%s", device->error.text);
}

/* The row of this span and kernel, made if there is none. */
static meso_profile_row *find_row(meso_profile *profile, const char *span, const char *kernel)
{
    for (size_t i = 0; i < profile->n_rows; i++)
        if (strcmp(profile->rows[i].span, span) == 0 &&
            strcmp(profile->rows[i].kernel, kernel) == 0)
            return &profile->rows[i];
    meso_profile_row *rows =
        meso_grow(profile->rows, profile->n_rows, &profile->capacity, sizeof *rows);
    if (!rows)
        return NULL;
    profile->rows = rows;
    meso_profile_row *row = &profile->rows[profile->n_rows++];
    *row = (meso_profile_row){0};
    snprintf(row->span, sizeof row->span, "%s", span);
    snprintf(row->kernel, sizeof row->kernel, "%s", kernel);
    return row;
}

/* One more launch in its row, with what it comes to. NULL: out of memory. */
static meso_profile_row *count_launch(meso_device *device, const char *kernel)
{
    meso_profile *profile = &device->profile;
    meso_profile_row *row = find_row(profile, profile->span ? profile->span : "", kernel);
    if (!row)
        return NULL;
    row->n_launches++;
    row->multiply_adds += profile->multiply_adds;
    row->bytes += profile->bytes;
    meso_device_cost(device, NAN, NAN);
    return row;
}

static int read_stamp(cl_event event, cl_profiling_info which, cl_ulong *stamp)
{
    return clGetEventProfilingInfo(event, which, sizeof *stamp, stamp, NULL) == CL_SUCCESS;
}

/* 1 if the second stamp is later, by at most `wall` seconds; stamps are in nanoseconds. */
static int in_order(cl_ulong first, cl_ulong second, double wall)
{
    return second > first && 1e-9 * (double)(second - first) <= wall;
}

/* 0 where the driver's stamps make no sense. Mesa 22.3 numbers them, 0 to 3, and nothing takes a
 * nanosecond. */
static int read_stamps(cl_event event, double wall, cl_ulong *start, cl_ulong *end)
{
    return read_stamp(event, CL_PROFILING_COMMAND_START, start) &&
           read_stamp(event, CL_PROFILING_COMMAND_END, end) && in_order(*start, *end, wall) &&
           *end - *start > 1;
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

static meso_status keep_launched(meso_device *device, size_t row, cl_event *event, double enqueued)
{
    meso_profile *profile = &device->profile;
    meso_launched *more = meso_grow(profile->launched, profile->n_launched,
                                    &profile->launched_capacity, sizeof *more);
    MESO_DEMAND_MEMORY(more, &device->error);
    profile->launched = more;
    profile->launched[profile->n_launched++] = (meso_launched){*event, row, enqueued};
    *event = NULL;
    return MESO_OK;
}

meso_status meso_profile_add(meso_device *device, const char *kernel, cl_event *event,
                             double started)
{
    meso_status status = MESO_OK;
    meso_profile *profile = &device->profile;
    meso_profile_row *row = count_launch(device, kernel);
    MESO_REQUIRE_MEMORY(row, &device->error);
    status = profile->mode == MESO_PROFILE_RUNNING
                 ? keep_launched(device, (size_t)(row - profile->rows), event, started)
                 : wait_and_add(device, row, *event, started);
out:
    return status;
}

meso_status meso_profile_add_seconds(meso_device *device, const char *kernel, double seconds)
{
    meso_profile_row *row = count_launch(device, kernel);
    MESO_DEMAND_MEMORY(row, &device->error);
    row->seconds += seconds;
    row->host_timer = 1;
    return MESO_OK;
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
 * given s at its end less s at its begin. Returns how long any ran. */
static double share_out(meso_profile *profile, moment *moments, size_t n)
{
    double s = 0, busy = 0;
    int running = 0;
    qsort(moments, n, sizeof *moments, compare_moments);
    for (size_t i = 0; i < n; i++) {
        double passed = running > 0 ? 1e-9 * (double)(moments[i].time - moments[i - 1].time) : 0;
        s += running > 0 ? passed / running : 0;
        busy += passed;
        running += moments[i].change;
        profile->rows[moments[i].row].seconds -= moments[i].change * s;
    }
    return busy;
}

/* From a call's first begin to its last end, on the device's clock, and both on the host's. */
typedef struct extent {
    cl_ulong start, end;
    double began, ended;
} extent;

/* A launch's place on the host's clock is that of its stamp "queued": the moment of the call that
 * enqueued it. 0 where that stamp makes no sense. */
static int widen(extent *e, const meso_launched *launched, double wall, cl_ulong start,
                 cl_ulong end)
{
    cl_ulong queued = 0;
    if (!read_stamp(launched->event, CL_PROFILING_COMMAND_QUEUED, &queued) ||
        !in_order(queued, end, wall) || queued > start)
        return 0;
    if (e->end == 0 || start < e->start) {
        e->start = start;
        e->began = launched->enqueued + 1e-9 * (double)(start - queued);
    }
    if (end > e->end) {
        e->end = end;
        e->ended = launched->enqueued + 1e-9 * (double)(end - queued);
    }
    return 1;
}

static void forget_idle(meso_profile *profile)
{
    for (int i = 0; i < MESO_N_IDLE; i++)
        profile->idle[i] = NAN;
}

/* extents: [n_marks], the last one of no call. busy: how long any launch ran. */
static void add_up_idle(meso_profile *profile, const extent *extents, double busy)
{
    double idle[MESO_N_IDLE] = {[MESO_IDLE_BETWEEN] = -busy};
    for (size_t c = 0; c + 1 < profile->n_marks; c++) {
        const extent *e = &extents[c];
        if (e->end == 0)
            return;
        idle[MESO_IDLE_BEFORE] += e->began - profile->marks[c].time;
        idle[MESO_IDLE_BETWEEN] += 1e-9 * (double)(e->end - e->start);
        idle[MESO_IDLE_AFTER] += profile->marks[c + 1].time - e->ended;
    }
    memcpy(profile->idle, idle, sizeof idle);
}

/* Waits for the launches that were kept, and adds their times. */
static meso_status read_launched(meso_device *device)
{
    meso_status status = MESO_OK;
    meso_profile *profile = &device->profile;
    size_t n = 0, call = 0;
    int placed = 1; /* all launches on the host's clock */
    moment *moments = calloc(2 * profile->n_launched + 1, sizeof *moments);
    extent *extents = calloc(profile->n_marks + 1, sizeof *extents);
    MESO_REQUIRE_MEMORY(moments, &device->error);
    MESO_REQUIRE_MEMORY(extents, &device->error);
    for (size_t i = 0; i < profile->n_launched; i++)
        MESO_CL(&device->error, clWaitForEvents, 1, &profile->launched[i].event);
    const double wall = meso_seconds() - profile->began;
    for (size_t i = 0; i < profile->n_launched; i++) {
        const size_t row = profile->launched[i].row;
        cl_ulong start = 0, end = 0;
        if (read_stamps(profile->launched[i].event, wall, &start, &end)) {
            moments[n++] = (moment){start, row, 1};
            moments[n++] = (moment){end, row, -1};
            while (call + 1 < profile->n_marks && profile->marks[call + 1].n_launched <= i)
                call++;
            placed &= widen(&extents[call], &profile->launched[i], wall, start, end);
        } else {
            profile->rows[row].host_timer = 1;
            placed = 0;
        }
    }
    const double busy = share_out(profile, moments, n);
    for (size_t i = 0; i < profile->n_rows; i++)
        placed &= !profile->rows[i].host_timer; /* CLBlast's calls are no launches */
    forget_idle(profile);
    if (placed && profile->n_marks > 1)
        add_up_idle(profile, extents, busy);
    forget_launched(profile);
out:
    free(extents);
    free(moments);
    return status;
}

meso_status meso_device_mark_call(meso_device *device, meso_error *error)
{
    meso_profile *profile = &device->profile;
    meso_profile_mark *more =
        meso_grow(profile->marks, profile->n_marks, &profile->marks_capacity, sizeof *more);
    MESO_DEMAND_MEMORY(more, error);
    profile->marks = more;
    profile->marks[profile->n_marks++] = (meso_profile_mark){meso_seconds(), profile->n_launched};
    return MESO_OK;
}

void meso_device_get_idle(const meso_device *device, double seconds[MESO_N_IDLE])
{
    memcpy(seconds, device->profile.idle, sizeof device->profile.idle);
}

meso_status meso_device_get_profile(meso_device *device, meso_profile_row **rows, size_t stride,
                                    size_t *n, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_profile *profile = &device->profile;
    MESO_TRY(meso_device_finish(device));
    MESO_TRY(read_launched(device));
    MESO_TRY(meso_struct_array(profile->rows, sizeof *profile->rows, profile->n_rows, stride,
                               "meso_profile_row", rows, &device->error));
    *n = profile->n_rows;
out:
    return status == MESO_OK ? MESO_OK : meso_fail(error, status, "%s", device->error.text);
}

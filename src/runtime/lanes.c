/* SPDX-License-Identifier: Apache-2.0
 *
 * The queues of a device.
 */
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/cl_error.h"
#include "runtime/device_object.h"
#include "runtime/tuning.h"

/* Platforms on which one queue for each core is faster than one over all. Measured on PoCL 3.1,
 * where a queue over two cores gives 1.0 to 1.9 times one; Intel's CPU runtime uses all cores even
 * for a sub-device of one. */
static const char *const platforms_by_core[] = {"Portable Computing Language"};

static int pays_by_core(const meso_device_info *info)
{
    int tuned[MESO_MAX_TUNABLES];
    if (info->type == MESO_DEVICE_CPU && meso_tuning_of(info, &meso_tuning_lanes, NULL, tuned))
        return tuned[0];
    for (size_t i = 0; i < sizeof platforms_by_core / sizeof platforms_by_core[0]; i++)
        if (info->type == MESO_DEVICE_CPU && strcmp(info->platform_name, platforms_by_core[i]) == 0)
            return 1;
    return 0;
}

void meso_lanes_split(meso_device *device, cl_device_id id)
{
    const cl_device_partition_property by_core[] = {CL_DEVICE_PARTITION_EQUALLY, 1, 0};
    cl_device_id parts[MESO_MAX_LANES] = {0};
    cl_uint n = 0;
    device->whole.id = id;
    device->lane = &device->whole;
    if (pays_by_core(&device->info) && device->info.compute_units > 1 &&
        device->info.compute_units <= MESO_MAX_LANES &&
        clCreateSubDevices(id, by_core, MESO_MAX_LANES, parts, &n) == CL_SUCCESS && n > 1) {
        for (cl_uint i = 0; i < n; i++)
            device->lanes[i].id = parts[i];
        device->n_lanes = n;
    } else {
        device->lanes[0].id = id;
        device->n_lanes = 1;
    }
}

cl_uint meso_lanes_ids(const meso_device *device, cl_device_id ids[MESO_MAX_LANES + 1])
{
    cl_uint n = 0;
    ids[n++] = device->whole.id;
    for (size_t i = 0; i < device->n_lanes; i++)
        if (device->lanes[i].id != device->whole.id)
            ids[n++] = device->lanes[i].id;
    return n;
}

static meso_status make_queue(meso_device *device, meso_lane *lane)
{
    meso_status status = MESO_OK;
    cl_int code;
    cl_command_queue_properties properties = device->profile.mode ? CL_QUEUE_PROFILING_ENABLE : 0;
    if (lane->queue) {
        MESO_CL(&device->error, clFinish, lane->queue);
        clReleaseCommandQueue(lane->queue);
    }
    lane->queue = clCreateCommandQueue(device->context, lane->id, properties, &code);
    MESO_REQUIRE_CL(code, &device->error, "clCreateCommandQueue");
out:
    return status;
}

meso_status meso_lanes_make_queues(meso_device *device)
{
    meso_status status = make_queue(device, &device->whole);
    for (size_t i = 0; i < device->n_lanes && status == MESO_OK; i++)
        status = make_queue(device, &device->lanes[i]);
    return status;
}

/* PoCL's threads let go of a command some time after clFinish has returned, and a command holds its
 * queue but not the queue's sub-device: that one must not be released before. */
static void wait_for_drivers_threads(cl_command_queue queue)
{
    const double patience = 1;    /* for drivers that hold queues for reasons of their own */
    const double unknown = 0.005; /* for those that do not answer: threads need far less */
    cl_uint n = 2;
    double end = meso_seconds() + patience;
    if (clGetCommandQueueInfo(queue, CL_QUEUE_REFERENCE_COUNT, sizeof n, &n, NULL) != CL_SUCCESS)
        end = meso_seconds() + unknown;
    for (; n > 1 && meso_seconds() < end; sched_yield())
        clGetCommandQueueInfo(queue, CL_QUEUE_REFERENCE_COUNT, sizeof n, &n, NULL);
}

static void release_queue(meso_lane *lane, int is_part)
{
    if (!lane->queue)
        return;
    clFinish(lane->queue);
    if (is_part)
        wait_for_drivers_threads(lane->queue);
    clReleaseCommandQueue(lane->queue);
}

void meso_lanes_release(meso_device *device)
{
    release_queue(&device->whole, 0);
    for (size_t i = 0; i < device->n_lanes; i++) {
        release_queue(&device->lanes[i], device->lanes[i].id != device->whole.id);
        if (device->lanes[i].id != device->whole.id)
            clReleaseDevice(device->lanes[i].id);
    }
}

size_t meso_device_n_lanes(const meso_device *device, size_t most)
{
    return most > 0 && most < device->n_lanes ? most : device->n_lanes;
}

meso_share meso_lane_share(size_t lane, size_t n_lanes, size_t total)
{
    const size_t first = lane * total / n_lanes;
    return (meso_share){first, (lane + 1) * total / n_lanes - first};
}

void meso_device_use_lane(meso_device *device, int lane)
{
    device->lane = lane == MESO_WHOLE_DEVICE ? &device->whole : &device->lanes[lane];
}

int meso_device_lane(const meso_device *device)
{
    return device->lane == &device->whole ? MESO_WHOLE_DEVICE : (int)(device->lane - device->lanes);
}

meso_status meso_device_flush(meso_device *device)
{
    meso_status status = MESO_OK;
    MESO_CL(&device->error, clFlush, device->lane->queue);
out:
    return status;
}

meso_status meso_device_join_lanes(meso_device *device, size_t n)
{
    meso_status status = MESO_OK;
    cl_event ends[MESO_MAX_LANES] = {NULL};
    for (size_t i = 0; i < n && n > 1; i++) {
        MESO_CL(&device->error, clEnqueueMarkerWithWaitList, device->lanes[i].queue, 0, NULL,
                &ends[i]);
        MESO_CL(&device->error, clFlush, device->lanes[i].queue);
    }
    for (size_t i = 0; i < n && n > 1; i++)
        MESO_CL(&device->error, clEnqueueBarrierWithWaitList, device->lanes[i].queue, (cl_uint)n,
                ends, NULL);
out:
    for (size_t i = 0; i < n; i++)
        if (ends[i])
            clReleaseEvent(ends[i]);
    return status;
}

meso_status meso_device_finish(meso_device *device)
{
    meso_status status = MESO_OK;
    MESO_CL(&device->error, clFinish, device->lane->queue);
out:
    return status;
}

meso_status meso_device_finish_lanes(meso_device *device, size_t n)
{
    meso_status status = MESO_OK;
    meso_lane *in_use = device->lane;
    for (size_t i = 0; i < n; i++) {
        device->lane = &device->lanes[i];
        meso_status finished = meso_device_finish(device);
        status = status == MESO_OK ? finished : status;
    }
    device->lane = in_use;
    return status;
}

meso_status meso_device_finish_all(meso_device *device)
{
    meso_lane *in_use = device->lane;
    device->lane = &device->whole;
    meso_status status = meso_device_finish(device);
    device->lane = in_use;
    meso_status of_lanes = meso_device_finish_lanes(device, device->n_lanes);
    return status == MESO_OK ? of_lanes : status;
}

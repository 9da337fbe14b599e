/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/cl_error.h"
#include "runtime/device_list.h"
#include "runtime/device_object.h"
#include "runtime/tuning.h"

static void release_built(meso_built *built)
{
    for (size_t i = 0; i < MESO_N_KERNELS; i++)
        meso_kernel_release(&built->kernels[i]);
    for (size_t i = 0; i < MESO_N_PROGRAMS; i++)
        meso_program_release(&built->programs[i]);
}

static void close_device(meso_device *device)
{
    if (!device)
        return;
    meso_driver_asked = "close a device";
    meso_profile_release(&device->profile);
    meso_clblast_forget(device);
    release_built(&device->for_whole);
    release_built(&device->for_lanes);
    meso_lanes_release(device);
    if (device->context)
        clReleaseContext(device->context);
    free(device);
}

/* Work-groups as the user's tuning says, else as the kernel table does. */
static void tune_groups(meso_device *device)
{
    int tuned[MESO_MAX_TUNABLES];
    for (size_t i = 0; i < MESO_N_PROGRAMS; i++)
        device->group_sizes[i] = meso_program_rows[i].group_size;
    if (meso_tuning_of(&device->info, &meso_tuning_plain, NULL, tuned))
        device->group_sizes[MESO_PROGRAM_PLAIN] = (size_t)tuned[0];
}

static meso_status open_device(const char *selector, meso_device **device, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_device_info *list = NULL;
    cl_device_id ids[MESO_MAX_DEVICES];
    size_t n, chosen;
    cl_int code;
    double started = meso_seconds();
    meso_device *d = calloc(1, sizeof *d);
    MESO_REQUIRE_MEMORY(d, error);
    MESO_TRY(meso_device_list_ids(&list, ids, &n, error));
    d->list_seconds = meso_seconds() - started;
    MESO_TRY(meso_device_match_one(list, n, selector, &chosen, error));
    meso_driver_asked = "open a device";
    d->info = list[chosen];
    MESO_REQUIRE(!d->info.unusable[0], error, MESO_ERROR_NO_DEVICE,
                 "%u:%u %s cannot be used: %s; mesocl devices lists others", d->info.platform,
                 d->info.index, d->info.name, d->info.unusable);
    const char *sync = getenv("MESO_CL_SYNC");
    d->sync = sync && strcmp(sync, "1") == 0;
    tune_groups(d);
    meso_lanes_split(d, ids[chosen]);
    /* The whole device and its lanes in one context, so that they share buffers and programs. */
    cl_device_id parts[MESO_MAX_LANES + 1];
    cl_uint n_parts = meso_lanes_ids(d, parts);
    d->context = clCreateContext(NULL, n_parts, parts, NULL, NULL, &code);
    MESO_REQUIRE(code == CL_SUCCESS, error, MESO_ERROR_DEVICE, "%s: clCreateContext: %s (%d)",
                 d->info.name, meso_cl_error_name(code), (int)code);
    status = meso_lanes_make_queues(d);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", d->info.name, d->error.text);
    d->open_seconds = meso_seconds() - started - d->list_seconds;
    *device = d;
    d = NULL;
out:
    close_device(d);
    free(list);
    return status;
}

meso_status meso_device_open(const char *selector, meso_device **device, meso_error *error)
{
    meso_driver_lock();
    meso_status status = open_device(selector, device, error);
    meso_driver_unlock();
    return status;
}

void meso_device_close(meso_device *device)
{
    meso_driver_lock();
    close_device(device);
    meso_driver_unlock();
}

const meso_device_info *meso_device_get_info(const meso_device *device)
{
    return &device->info;
}

unsigned meso_device_vendor_id(const meso_device *device)
{
    return (unsigned)meso_device_query(device->whole.id, CL_DEVICE_VENDOR_ID, 0);
}

size_t meso_device_constant_bytes(const meso_device *device)
{
    enum { most = 1 << 16 }; /* of NVIDIA, and the least of a full profile */
    const uint64_t bytes =
        meso_device_query(device->whole.id, CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE, most);
    return bytes < most ? (size_t)bytes : most;
}

int meso_device_local_is_global(const meso_device *device)
{
    return meso_device_query(device->whole.id, CL_DEVICE_LOCAL_MEM_TYPE, CL_LOCAL) != CL_LOCAL;
}

int meso_device_has_vectors(const meso_device *device)
{
    const unsigned least_vector = 4;
    return device->info.type == MESO_DEVICE_CPU && device->info.vector_width >= least_vector;
}

void meso_device_open_seconds(const meso_device *device, double *list, double *open)
{
    *list = device->list_seconds;
    *open = device->open_seconds;
}

size_t meso_device_group_size(const meso_device *device, meso_program_id program)
{
    return device->group_sizes[program];
}

const char *meso_device_error(const meso_device *device)
{
    return device->error.text;
}

meso_error *meso_device_error_slot(meso_device *device)
{
    return &device->error;
}

/* Arguments against the kernel's kinds, then set one by one. */
static meso_status set_arguments(meso_device *device, const meso_kernel *kernel,
                                 const meso_arg *args, size_t n_args)
{
    MESO_DEMAND(n_args == strlen(kernel->kinds), &device->error, MESO_ERROR_INTERNAL,
                "%s takes %zu arguments, not %zu", kernel->name, strlen(kernel->kinds), n_args);
    for (size_t i = 0; i < n_args; i++) {
        size_t size = args[i].kind == 'b'   ? sizeof(cl_mem)
                      : args[i].kind == 't' ? sizeof(cl_int8)
                                            : sizeof(cl_int);
        MESO_DEMAND(args[i].kind == kernel->kinds[i], &device->error, MESO_ERROR_INTERNAL,
                    "%s: argument %zu is of kind %c, not %c", kernel->name, i, kernel->kinds[i],
                    args[i].kind);
        cl_int code = clSetKernelArg(kernel->kernel, (cl_uint)i, size, &args[i].value);
        MESO_DEMAND(code == CL_SUCCESS, &device->error, MESO_ERROR_DEVICE,
                    "clSetKernelArg %zu of %s: %s (%d)", i, kernel->name, meso_cl_error_name(code),
                    (int)code);
    }
    return MESO_OK;
}

/* MESO_CL_SYNC=1: a launch that fails on the device is known by its kernel and layer. */
static meso_status wait_for_launch(meso_device *device, const char *kernel, cl_event event)
{
    const char *span = device->profile.span ? device->profile.span : "";
    cl_int code = clWaitForEvents(1, &event);
    MESO_DEMAND(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                "the kernel %s%s%s failed on the device: %s (%d)", kernel,
                *span ? " of layer " : "", span, meso_cl_error_name(code), (int)code);
    return MESO_OK;
}

meso_status meso_launch_kernel(meso_device *device, const meso_kernel *kernel,
                               const size_t global[3], const meso_arg *args, size_t n_args)
{
    meso_status status = MESO_OK;
    cl_event event = NULL;
    if (global[0] == 0 || global[1] == 0 || global[2] == 0)
        return MESO_OK;
    MESO_TRY(set_arguments(device, kernel, args, n_args));
    size_t items[3];
    for (size_t i = 0; i < 3; i++)
        items[i] = (global[i] + kernel->group[i] - 1) / kernel->group[i] * kernel->group[i];
    double started = meso_seconds();
    meso_driver_asked = "run a kernel";
    cl_int code =
        clEnqueueNDRangeKernel(device->lane->queue, kernel->kernel, 3, NULL, items, kernel->group,
                               0, NULL, device->profile.mode || device->sync ? &event : NULL);
    MESO_REQUIRE(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                 "clEnqueueNDRangeKernel of %s over %zu x %zu x %zu: %s (%d)", kernel->name,
                 items[0], items[1], items[2], meso_cl_error_name(code), (int)code);
    if (device->sync)
        MESO_TRY(wait_for_launch(device, kernel->name, event));
    if (device->profile.mode)
        MESO_TRY(meso_profile_add(device, kernel->name, &event, started));
out:
    if (event)
        clReleaseEvent(event);
    return status;
}

meso_status meso_launch(meso_device *device, meso_kernel_id id, const size_t global[3],
                        const meso_arg *args, size_t n_args)
{
    meso_kernel *kernel = NULL;
    MESO_CHECK(meso_device_prepare(device, id, &kernel));
    return meso_launch_kernel(device, kernel, global, args, n_args);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
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
    cl_device_id *ids = NULL;
    size_t *matches = NULL;
    size_t n, n_matches;
    cl_int code;
    double started = meso_seconds();
    meso_device *d = calloc(1, sizeof *d);
    MESO_REQUIRE_MEMORY(d, error);
    MESO_TRY(meso_device_list_ids(&list, &ids, &n, error));
    d->list_seconds = meso_seconds() - started;
    matches = calloc(n, sizeof *matches);
    MESO_REQUIRE_MEMORY(matches, error);
    MESO_TRY(meso_device_match(list, n, selector, matches, &n_matches, error));
    d->info = list[matches[0]];
    const char *sync = getenv("MESO_CL_SYNC");
    d->sync = sync && strcmp(sync, "1") == 0;
    tune_groups(d);
    meso_lanes_split(d, ids[matches[0]]);
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
    free(matches);
    free(ids);
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

meso_status meso_buffer_create(meso_device *device, size_t bytes, meso_buffer *buffer)
{
    meso_status status = MESO_OK;
    cl_int code;
    *buffer = (meso_buffer){NULL, bytes};
    buffer->memory = clCreateBuffer(device->context, CL_MEM_READ_WRITE,
                                    bytes ? bytes : sizeof(float), NULL, &code);
    MESO_REQUIRE(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                 "clCreateBuffer of %zu bytes: %s (%d)", bytes, meso_cl_error_name(code),
                 (int)code);
out:
    return status;
}

meso_status meso_buffer_create_filled(meso_device *device, const void *values, size_t bytes,
                                      meso_buffer *buffer)
{
    meso_status status = meso_buffer_create(device, bytes, buffer);
    return status == MESO_OK ? meso_buffer_write(device, buffer, 0, values, bytes) : status;
}

meso_status meso_buffer_wrap(meso_device *device, void *memory, size_t bytes, meso_buffer *buffer)
{
    meso_status status = MESO_OK;
    cl_int code;
    *buffer = (meso_buffer){NULL, bytes};
    buffer->memory = clCreateBuffer(device->context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, bytes,
                                    memory, &code);
    MESO_REQUIRE(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                 "clCreateBuffer over %zu bytes: %s (%d)", bytes, meso_cl_error_name(code),
                 (int)code);
out:
    return status;
}

void meso_buffer_release(meso_buffer *buffer)
{
    if (buffer->memory)
        clReleaseMemObject(buffer->memory);
    *buffer = (meso_buffer){0};
}

meso_status meso_buffer_write(meso_device *device, const meso_buffer *buffer, size_t offset,
                              const void *from, size_t bytes)
{
    meso_status status = MESO_OK;
    if (bytes > 0)
        MESO_CL(&device->error, clEnqueueWriteBuffer, device->lane->queue, buffer->memory, CL_TRUE,
                offset, bytes, from, 0, NULL, NULL);
out:
    return status;
}

meso_status meso_buffer_read(meso_device *device, const meso_buffer *buffer, size_t offset,
                             void *to, size_t bytes)
{
    meso_status status = MESO_OK;
    if (bytes > 0)
        MESO_CL(&device->error, clEnqueueReadBuffer, device->lane->queue, buffer->memory, CL_TRUE,
                offset, bytes, to, 0, NULL, NULL);
out:
    return status;
}

/* Intel's CPU runtime (2026.22) has let kernels run before the end of a fill ahead of them in the
 * same queue, about one time in fifty on a busy machine: hence the wait. */
meso_status meso_buffer_zero(meso_device *device, const meso_buffer *buffer)
{
    const cl_float zero = 0;
    meso_status status = MESO_OK;
    MESO_CL(&device->error, clEnqueueFillBuffer, device->lane->queue, buffer->memory, &zero,
            sizeof zero, 0, buffer->bytes, 0, NULL, NULL);
    MESO_CL(&device->error, clFinish, device->lane->queue);
out:
    return status;
}

meso_status meso_buffer_read_start(meso_device *device, const meso_buffer *buffer, void *to,
                                   size_t bytes, meso_event *event)
{
    meso_status status = MESO_OK;
    MESO_CL(&device->error, clEnqueueReadBuffer, device->lane->queue, buffer->memory, CL_FALSE, 0,
            bytes, to, 0, NULL, &event->event);
out:
    return status;
}

meso_status meso_buffer_create_mapped(meso_device *device, size_t bytes, meso_buffer *buffer,
                                      void **memory)
{
    meso_status status = MESO_OK;
    cl_int code;
    *memory = NULL;
    *buffer = (meso_buffer){NULL, bytes};
    buffer->memory = clCreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR,
                                    bytes, NULL, &code);
    MESO_REQUIRE(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                 "clCreateBuffer of %zu bytes of the host: %s (%d)", bytes,
                 meso_cl_error_name(code), (int)code);
    *memory = clEnqueueMapBuffer(device->lane->queue, buffer->memory, CL_TRUE,
                                 CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0, NULL, NULL, &code);
    MESO_REQUIRE(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                 "clEnqueueMapBuffer of %zu bytes: %s (%d)", bytes, meso_cl_error_name(code),
                 (int)code);
out:
    if (status != MESO_OK)
        meso_buffer_release(buffer);
    return status;
}

void meso_buffer_release_mapped(meso_device *device, meso_buffer *buffer, void *memory)
{
    if (memory)
        clEnqueueUnmapMemObject(device->lane->queue, buffer->memory, memory, 0, NULL, NULL);
    meso_buffer_release(buffer);
}

meso_status meso_buffer_write_ahead(meso_device *device, const meso_buffer *buffer,
                                    const void *from, size_t bytes)
{
    meso_status status = MESO_OK;
    cl_command_queue uploads = device->lanes[0].queue;
    cl_event whole = NULL;
    MESO_CL(&device->error, clEnqueueWriteBuffer, uploads, buffer->memory, CL_FALSE, 0, bytes, from,
            0, NULL, &whole);
    MESO_CL(&device->error, clFlush, uploads);
    MESO_CL(&device->error, clEnqueueBarrierWithWaitList, device->lane->queue, 1, &whole, NULL);
out:
    if (whole && status != MESO_OK)
        clWaitForEvents(1, &whole); /* nothing may read the caller's memory any more */
    if (whole)
        clReleaseEvent(whole);
    return status;
}

meso_status meso_event_wait(meso_device *device, meso_event *event)
{
    meso_status status = MESO_OK;
    if (event->event)
        MESO_CL(&device->error, clWaitForEvents, 1, &event->event);
out:
    if (event->event)
        clReleaseEvent(event->event);
    event->event = NULL;
    return status;
}

/* Arguments against the kernel's kinds, then set one by one. */
static meso_status set_arguments(meso_device *device, const meso_kernel *kernel,
                                 const meso_arg *args, size_t n_args)
{
    meso_status status = MESO_OK;
    MESO_REQUIRE(n_args == strlen(kernel->kinds), &device->error, MESO_ERROR_INTERNAL,
                 "%s takes %zu arguments, not %zu", kernel->name, strlen(kernel->kinds), n_args);
    for (size_t i = 0; i < n_args; i++) {
        size_t size = args[i].kind == 'b'   ? sizeof(cl_mem)
                      : args[i].kind == 't' ? sizeof(cl_int8)
                                            : sizeof(cl_int);
        MESO_REQUIRE(args[i].kind == kernel->kinds[i], &device->error, MESO_ERROR_INTERNAL,
                     "%s: argument %zu is of kind %c, not %c", kernel->name, i, kernel->kinds[i],
                     args[i].kind);
        cl_int code = clSetKernelArg(kernel->kernel, (cl_uint)i, size, &args[i].value);
        MESO_REQUIRE(code == CL_SUCCESS, &device->error, MESO_ERROR_DEVICE,
                     "clSetKernelArg %zu of %s: %s (%d)", i, kernel->name, meso_cl_error_name(code),
                     (int)code);
    }
out:
    return status;
}

/* MESO_CL_SYNC=1: a launch that fails on the device is known by its kernel and layer. */
static meso_status wait_for_launch(meso_device *device, const char *kernel, cl_event event)
{
    meso_status status = MESO_OK;
    const char *span = device->profile.span ? device->profile.span : "";
    cl_int code = clWaitForEvents(1, &event);
    MESO_REQUIRE(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                 "the kernel %s%s%s failed on the device: %s (%d)", kernel,
                 *span ? " of layer " : "", span, meso_cl_error_name(code), (int)code);
out:
    return status;
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
    meso_status status = meso_device_prepare(device, id, &kernel);
    return status == MESO_OK ? meso_launch_kernel(device, kernel, global, args, n_args) : status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Device memory: made, filled, copied, waited for.
 */
#include "runtime/cl_error.h"
#include "runtime/device_object.h"

meso_status meso_buffer_create(meso_device *device, size_t bytes, meso_buffer *buffer)
{
    cl_int code;
    *buffer = (meso_buffer){NULL, bytes};
    buffer->memory = clCreateBuffer(device->context, CL_MEM_READ_WRITE,
                                    bytes ? bytes : sizeof(float), NULL, &code);
    MESO_DEMAND(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                "clCreateBuffer of %zu bytes: %s (%d)", bytes, meso_cl_error_name(code), (int)code);
    return MESO_OK;
}

meso_status meso_buffer_create_part(meso_device *device, const meso_buffer *whole, size_t offset,
                                    size_t bytes, meso_buffer *part)
{
    const cl_buffer_region region = {offset, bytes};
    cl_int code;
    *part = (meso_buffer){NULL, bytes};
    part->memory = clCreateSubBuffer(whole->memory, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION,
                                     &region, &code);
    MESO_DEMAND(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                "clCreateSubBuffer of %zu bytes: %s (%d)", bytes, meso_cl_error_name(code),
                (int)code);
    return MESO_OK;
}

meso_status meso_buffer_grow(meso_device *device, size_t bytes, meso_buffer *buffer)
{
    if (buffer->memory && buffer->bytes >= bytes)
        return MESO_OK;
    meso_buffer_release(buffer);
    return meso_buffer_create(device, bytes, buffer);
}

meso_status meso_buffer_create_filled(meso_device *device, const void *values, size_t bytes,
                                      meso_buffer *buffer)
{
    MESO_CHECK(meso_buffer_create(device, bytes, buffer));
    return meso_buffer_write(device, buffer, 0, values, bytes);
}

meso_status meso_buffer_wrap(meso_device *device, void *memory, size_t bytes, meso_buffer *buffer)
{
    cl_int code;
    *buffer = (meso_buffer){NULL, bytes};
    buffer->memory = clCreateBuffer(device->context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, bytes,
                                    memory, &code);
    MESO_DEMAND(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                "clCreateBuffer over %zu bytes: %s (%d)", bytes, meso_cl_error_name(code),
                (int)code);
    return MESO_OK;
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

meso_status meso_buffer_map_start(meso_device *device, const meso_buffer *buffer, void **memory,
                                  meso_event *event)
{
    cl_int code;
    *memory = clEnqueueMapBuffer(device->lane->queue, buffer->memory, CL_FALSE,
                                 CL_MAP_READ | CL_MAP_WRITE, 0, buffer->bytes, 0, NULL,
                                 &event->event, &code);
    MESO_DEMAND(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                "clEnqueueMapBuffer of %zu bytes: %s (%d)", buffer->bytes, meso_cl_error_name(code),
                (int)code);
    return MESO_OK;
}

meso_status meso_buffer_unmap(meso_device *device, const meso_buffer *buffer, void *memory)
{
    meso_status status = MESO_OK;
    MESO_CL(&device->error, clEnqueueUnmapMemObject, device->lane->queue, buffer->memory, memory, 0,
            NULL, NULL);
out:
    return status;
}

meso_status meso_buffer_create_mapped(meso_device *device, size_t bytes, meso_buffer *buffer,
                                      void **memory)
{
    meso_status status = MESO_OK;
    meso_event mapped = {0};
    cl_int code;
    *memory = NULL;
    *buffer = (meso_buffer){NULL, bytes};
    buffer->memory = clCreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR,
                                    bytes, NULL, &code);
    MESO_REQUIRE(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                 "clCreateBuffer of %zu bytes of the host: %s (%d)", bytes,
                 meso_cl_error_name(code), (int)code);
    MESO_TRY(meso_buffer_map_start(device, buffer, memory, &mapped));
    MESO_TRY(meso_event_wait(device, &mapped));
out:
    if (status != MESO_OK) {
        meso_buffer_release_mapped(device, buffer, *memory);
        *memory = NULL;
    }
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

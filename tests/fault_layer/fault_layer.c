/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_layer.h"

#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CL/cl_layer.h>

#include "base/clock.h"

#define PUBLIC __attribute__((visibility("default")))

PUBLIC extern fault_layer_state fault_layer;

static const cl_icd_dispatch *next; /* of the loader or the next layer */

/* For good, and says since when. */
static void hang(void)
{
    fprintf(stderr, "hangs since %.3f\n", meso_seconds());
    while (fault_layer.hang == FAULT_HANG_SPINNING)
        ;
    for (;;)
        pause();
}

/* As drivers do: LLVM's handlers let an instruction that faults do so again, a raise() would be
 * lost. */
static void crash(void)
{
    static volatile int zero;
    if (fault_layer.signal == 0)
        sleep(2);
    if (fault_layer.signal == SIGABRT)
        abort();
    if (fault_layer.signal == SIGSEGV)
        *(volatile int *)(uintptr_t)(64 + zero) = 0;
    if (fault_layer.signal == SIGBUS) /* a page behind the end of its file */
        *(volatile char *)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, memfd_create("empty", 0), 0) = 0;
    if (fault_layer.signal == SIGILL)
        __builtin_trap();
}

/* Counts a call; 1 if it is to fail. */
static int fails(const char *function)
{
    if (fault_layer.crash_in && strcmp(function, fault_layer.crash_in) == 0)
        crash();
    fault_layer.n_counted += fault_layer.counted && strcmp(function, fault_layer.counted) == 0;
    size_t n = ++fault_layer.n_calls;
    if (fault_layer.fail_at == 0 || n < fault_layer.fail_at)
        return 0;
    if (fault_layer.hang)
        hang();
    if (n == fault_layer.fail_at)
        fault_layer.failed = function;
    return n == fault_layer.fail_at || fault_layer.lost;
}

/* Counts a driver's own refusal. */
static cl_int answer(cl_int code)
{
    fault_layer.n_refused += code != CL_SUCCESS;
    return code;
}

/* Of a call that must be made in any case: its code, or the one that is planted. */
static cl_int outcome(const char *function, cl_int code)
{
    answer(code);
    return fails(function) ? fault_layer.code : code;
}

/* A call that returns a code. */
#define CALL(function, parameters, arguments)                                          \
    static cl_int CL_API_CALL my_##function parameters                                 \
    {                                                                                  \
        return fails(#function) ? fault_layer.code : answer(next->function arguments); \
    }

/* A call that waits. */
#define WAIT(function, parameters, arguments)                \
    static cl_int CL_API_CALL my_##function parameters       \
    {                                                        \
        fault_layer.n_waits++;                               \
        return outcome(#function, next->function arguments); \
    }

#define RELEASE(function, kind, type)                      \
    static cl_int CL_API_CALL my_##function(type object)   \
    {                                                      \
        fault_layer.live[kind]--;                          \
        return outcome(#function, next->function(object)); \
    }

/* A call that returns an object, and its code through `error`. */
#define CREATE(function, kind, type, parameters, arguments) \
    static type CL_API_CALL my_##function parameters        \
    {                                                       \
        if (fails(#function)) {                             \
            if (error)                                      \
                *error = fault_layer.code;                  \
            return NULL;                                    \
        }                                                   \
        type object = next->function arguments;             \
        fault_layer.live[kind] += object != NULL;           \
        answer(object ? CL_SUCCESS : CL_INVALID_VALUE);     \
        return object;                                      \
    }

/* clang-format off */
CALL(clGetPlatformIDs, (cl_uint n, cl_platform_id *platforms, cl_uint *found),
     (n, platforms, found))
CALL(clGetDeviceIDs,
     (cl_platform_id platform, cl_device_type type, cl_uint n, cl_device_id *devices,
      cl_uint *found),
     (platform, type, n, devices, found))
CALL(clGetProgramBuildInfo,
     (cl_program program, cl_device_id device, cl_program_build_info what, size_t n, void *value,
      size_t *size),
     (program, device, what, n, value, size))
CALL(clGetProgramInfo,
     (cl_program program, cl_program_info what, size_t n, void *value, size_t *size),
     (program, what, n, value, size))
CALL(clGetCommandQueueInfo,
     (cl_command_queue queue, cl_command_queue_info what, size_t n, void *value, size_t *size),
     (queue, what, n, value, size))
CALL(clBuildProgram,
     (cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
      void (CL_CALLBACK *notify)(cl_program, void *), void *user),
     (program, n, devices, options, notify, user))
CALL(clSetKernelArg, (cl_kernel kernel, cl_uint i, size_t size, const void *value),
     (kernel, i, size, value))
CALL(clFlush, (cl_command_queue queue), (queue))

WAIT(clFinish, (cl_command_queue queue), (queue))
WAIT(clWaitForEvents, (cl_uint n, const cl_event *events), (n, events))

RELEASE(clReleaseDevice, FAULT_SUB_DEVICE, cl_device_id)
RELEASE(clReleaseContext, FAULT_CONTEXT, cl_context)
RELEASE(clReleaseCommandQueue, FAULT_QUEUE, cl_command_queue)
RELEASE(clReleaseMemObject, FAULT_BUFFER, cl_mem)
RELEASE(clReleaseProgram, FAULT_PROGRAM, cl_program)
RELEASE(clReleaseKernel, FAULT_KERNEL, cl_kernel)
RELEASE(clReleaseEvent, FAULT_EVENT, cl_event)

CREATE(clCreateContext, FAULT_CONTEXT, cl_context,
       (const cl_context_properties *properties, cl_uint n, const cl_device_id *devices,
        void (CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
        cl_int *error),
       (properties, n, devices, notify, user, error))
CREATE(clCreateCommandQueue, FAULT_QUEUE, cl_command_queue,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties,
        cl_int *error),
       (context, device, properties, error))
CREATE(clCreateSubBuffer, FAULT_BUFFER, cl_mem,
       (cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, const void *region,
        cl_int *error),
       (buffer, flags, type, region, error))
CREATE(clCreateProgramWithSource, FAULT_PROGRAM, cl_program,
       (cl_context context, cl_uint n, const char **texts, const size_t *lengths, cl_int *error),
       (context, n, texts, lengths, error))
CREATE(clCreateProgramWithBinary, FAULT_PROGRAM, cl_program,
       (cl_context context, cl_uint n, const cl_device_id *devices, const size_t *lengths,
        const unsigned char **binaries, cl_int *status, cl_int *error),
       (context, n, devices, lengths, binaries, status, error))
CREATE(clCreateKernel, FAULT_KERNEL, cl_kernel,
       (cl_program program, const char *name, cl_int *error),
       (program, name, error))
/* clang-format on */

static cl_mem CL_API_CALL my_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size,
                                            void *host, cl_int *error)
{
    int too_large = fault_layer.buffer_bytes && size > fault_layer.buffer_bytes;
    if (fails("clCreateBuffer") || too_large) {
        if (error)
            *error = too_large ? CL_INVALID_BUFFER_SIZE : fault_layer.code;
        return NULL;
    }
    cl_mem buffer = next->clCreateBuffer(context, flags, size, host, error);
    fault_layer.live[FAULT_BUFFER] += buffer != NULL;
    answer(buffer ? CL_SUCCESS : CL_INVALID_VALUE);
    return buffer;
}

static cl_int CL_API_CALL my_clCreateSubDevices(cl_device_id device,
                                                const cl_device_partition_property *properties,
                                                cl_uint n, cl_device_id *devices, cl_uint *found)
{
    cl_uint made = 0;
    if (fails("clCreateSubDevices"))
        return fault_layer.code;
    cl_int code = answer(next->clCreateSubDevices(device, properties, n, devices, &made));
    if (code == CL_SUCCESS && devices)
        fault_layer.live[FAULT_SUB_DEVICE] += made < n ? made : n;
    if (found)
        *found = made;
    return code;
}

/* An answer of the driver's is lowered to a limit that is planted. */
static void lower(size_t limit, size_t n, void *value)
{
    if (limit && value && n >= sizeof limit && *(size_t *)value > limit)
        *(size_t *)value = limit;
}

/* MESO_FAULT_PLATFORM is the platform's name. */
static cl_int CL_API_CALL my_clGetPlatformInfo(cl_platform_id platform, cl_platform_info what,
                                               size_t n, void *value, size_t *size)
{
    const char *name = getenv("MESO_FAULT_PLATFORM");
    if (fails("clGetPlatformInfo"))
        return fault_layer.code;
    if (!name || what != CL_PLATFORM_NAME)
        return answer(next->clGetPlatformInfo(platform, what, n, value, size));
    if (value)
        snprintf(value, n, "%s", name);
    if (size)
        *size = strlen(name) + 1;
    return CL_SUCCESS;
}

/* What a GPU answers. */
static void pose(cl_device_info what, size_t n, void *value)
{
    if (what == CL_DEVICE_TYPE && n >= sizeof(cl_device_type))
        *(cl_device_type *)value = CL_DEVICE_TYPE_GPU;
    if (what == CL_DEVICE_HOST_UNIFIED_MEMORY && n >= sizeof(cl_bool))
        *(cl_bool *)value = fault_layer.poses_as_gpu == 2;
    if (what == CL_DEVICE_LOCAL_MEM_TYPE && n >= sizeof(cl_uint))
        *(cl_uint *)value = fault_layer.poses_as_gpu == 3 ? CL_GLOBAL : CL_LOCAL;
    if (what == CL_DEVICE_VENDOR_ID && n >= sizeof(cl_uint) && fault_layer.vendor)
        *(cl_uint *)value = fault_layer.vendor;
    if (what == CL_DEVICE_MAX_COMPUTE_UNITS && n >= sizeof(cl_uint) && fault_layer.units)
        *(cl_uint *)value = fault_layer.units;
}

static cl_int CL_API_CALL my_clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t n,
                                             void *value, size_t *size)
{
    if (fails("clGetDeviceInfo"))
        return fault_layer.code;
    cl_int code = answer(next->clGetDeviceInfo(device, what, n, value, size));
    if (code == CL_SUCCESS && fault_layer.poses_as_gpu && value)
        pose(what, n, value);
    if (code == CL_SUCCESS) /* the numbers below are of 8 bytes, all of them */
        lower(what == CL_DEVICE_MAX_WORK_GROUP_SIZE  ? fault_layer.max_group
              : what == CL_DEVICE_LOCAL_MEM_SIZE     ? fault_layer.local_bytes
              : what == CL_DEVICE_MAX_MEM_ALLOC_SIZE ? fault_layer.buffer_bytes
                                                     : 0,
              n, value);
    return code;
}

static cl_int CL_API_CALL my_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device,
                                                      cl_kernel_work_group_info what, size_t n,
                                                      void *value, size_t *size)
{
    if (fails("clGetKernelWorkGroupInfo"))
        return fault_layer.code;
    cl_int code = answer(next->clGetKernelWorkGroupInfo(kernel, device, what, n, value, size));
    if (code == CL_SUCCESS && what == CL_KERNEL_WORK_GROUP_SIZE)
        lower(fault_layer.max_group, n, value);
    return code;
}

static cl_int CL_API_CALL my_clGetEventProfilingInfo(cl_event event, cl_profiling_info what,
                                                     size_t n, void *value, size_t *size)
{
    static const cl_ulong bogus[FAULT_N_TIMES][2] = {
        [FAULT_TIMES_EQUAL] = {1000, 1000},
        [FAULT_TIMES_BACKWARDS] = {2000, 1000},
        [FAULT_TIMES_YEARS] = {1, (cl_ulong)-1 - 1},
        [FAULT_TIMES_NUMBERED] = {2, 3},
    };
    if (fails("clGetEventProfilingInfo"))
        return fault_layer.code;
    if (fault_layer.times == FAULT_TIMES_REFUSED)
        return CL_PROFILING_INFO_NOT_AVAILABLE;
    cl_int code = answer(next->clGetEventProfilingInfo(event, what, n, value, size));
    if (code == CL_SUCCESS && fault_layer.times != FAULT_TIMES_TRUE && value)
        *(cl_ulong *)value = bogus[fault_layer.times][what == CL_PROFILING_COMMAND_END];
    return code;
}

static cl_int enqueued(cl_int code, const cl_event *event)
{
    fault_layer.live[FAULT_EVENT] += code == CL_SUCCESS && event && *event;
    return answer(code);
}

static void note_launch(cl_kernel kernel, cl_uint dims, const size_t *global, const size_t *local)
{
    fault_launch *launch = &fault_layer.launches[fault_layer.n_launches];
    if (fault_layer.n_launches >= FAULT_MAX_LAUNCHES)
        return;
    fault_layer.n_launches++;
    next->clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof launch->kernel, launch->kernel,
                          NULL);
    for (cl_uint i = 0; i < 3; i++) {
        launch->global[i] = i < dims ? global[i] : 1;
        launch->local[i] = i < dims && local ? local[i] : 1;
    }
}

static cl_int CL_API_CALL my_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel,
                                                    cl_uint dims, const size_t *offset,
                                                    const size_t *global, const size_t *local,
                                                    cl_uint n, const cl_event *wait,
                                                    cl_event *event)
{
    size_t items = 1;
    if (fails("clEnqueueNDRangeKernel"))
        return fault_layer.code;
    for (cl_uint i = 0; local && i < dims; i++)
        items *= local[i];
    if (fault_layer.max_group && items > fault_layer.max_group)
        return CL_INVALID_WORK_GROUP_SIZE;
    note_launch(kernel, dims, global, local);
    if (fault_layer.skips)
        return enqueued(next->clEnqueueMarkerWithWaitList(queue, n, wait, event), event);
    return enqueued(
        next->clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, n, wait, event),
        event);
}

static cl_int CL_API_CALL my_clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer,
                                                 cl_bool blocking, size_t offset, size_t size,
                                                 void *to, cl_uint n, const cl_event *wait,
                                                 cl_event *event)
{
    const float poison = NAN;
    if (fails("clEnqueueReadBuffer"))
        return fault_layer.code;
    if (fault_layer.skips && blocking) {
        memset(to, 0, size);
        return CL_SUCCESS;
    }
    cl_int code = next->clEnqueueReadBuffer(queue, buffer, blocking || fault_layer.poison_reads,
                                            offset, size, to, n, wait, event);
    if (code == CL_SUCCESS && fault_layer.poison_reads)
        for (size_t i = 0; i + sizeof poison <= size; i += sizeof poison)
            memcpy((char *)to + i, &poison, sizeof poison);
    return enqueued(code, event);
}

static cl_int CL_API_CALL my_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer,
                                                  cl_bool blocking, size_t offset, size_t size,
                                                  const void *from, cl_uint n, const cl_event *wait,
                                                  cl_event *event)
{
    if (fails("clEnqueueWriteBuffer"))
        return fault_layer.code;
    return enqueued(
        next->clEnqueueWriteBuffer(queue, buffer, blocking, offset, size, from, n, wait, event),
        event);
}

static void *CL_API_CALL my_clEnqueueMapBuffer(cl_command_queue queue, cl_mem buffer,
                                               cl_bool blocking, cl_map_flags flags, size_t offset,
                                               size_t size, cl_uint n, const cl_event *wait,
                                               cl_event *event, cl_int *error)
{
    if (fails("clEnqueueMapBuffer")) {
        if (error)
            *error = fault_layer.code;
        return NULL;
    }
    void *memory = next->clEnqueueMapBuffer(queue, buffer, blocking, flags, offset, size, n, wait,
                                            event, error);
    enqueued(memory ? CL_SUCCESS : CL_INVALID_VALUE, event);
    return memory;
}

static cl_int CL_API_CALL my_clEnqueueUnmapMemObject(cl_command_queue queue, cl_mem buffer,
                                                     void *memory, cl_uint n, const cl_event *wait,
                                                     cl_event *event)
{
    return outcome("clEnqueueUnmapMemObject",
                   next->clEnqueueUnmapMemObject(queue, buffer, memory, n, wait, event));
}

static cl_int CL_API_CALL my_clEnqueueFillBuffer(cl_command_queue queue, cl_mem buffer,
                                                 const void *pattern, size_t pattern_size,
                                                 size_t offset, size_t size, cl_uint n,
                                                 const cl_event *wait, cl_event *event)
{
    if (fails("clEnqueueFillBuffer"))
        return fault_layer.code;
    if (fault_layer.skips)
        return CL_SUCCESS;
    return enqueued(next->clEnqueueFillBuffer(queue, buffer, pattern, pattern_size, offset, size, n,
                                              wait, event),
                    event);
}

static cl_int CL_API_CALL my_clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint n,
                                                         const cl_event *wait, cl_event *event)
{
    if (fails("clEnqueueMarkerWithWaitList"))
        return fault_layer.code;
    return enqueued(next->clEnqueueMarkerWithWaitList(queue, n, wait, event), event);
}

static cl_int CL_API_CALL my_clEnqueueBarrierWithWaitList(cl_command_queue queue, cl_uint n,
                                                          const cl_event *wait, cl_event *event)
{
    if (fails("clEnqueueBarrierWithWaitList"))
        return fault_layer.code;
    return enqueued(next->clEnqueueBarrierWithWaitList(queue, n, wait, event), event);
}

/* All that the layer stands in: OVER(function) for each. */
/* clang-format off */
#define FUNCTIONS(OVER) \
    OVER(clGetPlatformIDs) OVER(clGetPlatformInfo) OVER(clGetDeviceIDs) \
    OVER(clGetDeviceInfo) OVER(clCreateSubDevices) OVER(clReleaseDevice) \
    OVER(clCreateContext) OVER(clReleaseContext) OVER(clCreateCommandQueue) \
    OVER(clGetCommandQueueInfo) OVER(clReleaseCommandQueue) OVER(clCreateBuffer) \
    OVER(clCreateSubBuffer) \
    OVER(clReleaseMemObject) OVER(clCreateProgramWithSource) \
    OVER(clCreateProgramWithBinary) OVER(clBuildProgram) \
    OVER(clGetProgramInfo) OVER(clGetProgramBuildInfo) OVER(clReleaseProgram) OVER(clCreateKernel) \
    OVER(clSetKernelArg) OVER(clGetKernelWorkGroupInfo) OVER(clReleaseKernel) \
    OVER(clEnqueueNDRangeKernel) OVER(clEnqueueReadBuffer) OVER(clEnqueueWriteBuffer) \
    OVER(clEnqueueMapBuffer) OVER(clEnqueueUnmapMemObject) \
    OVER(clEnqueueFillBuffer) OVER(clEnqueueMarkerWithWaitList) \
    OVER(clEnqueueBarrierWithWaitList) OVER(clFlush) OVER(clFinish) OVER(clWaitForEvents) \
    OVER(clGetEventProfilingInfo) OVER(clReleaseEvent)
/* clang-format on */

#define NAME_OF(function) #function,
static const char *const functions[] = {FUNCTIONS(NAME_OF) NULL};
PUBLIC fault_layer_state fault_layer = {.functions = functions};

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? strtol(text, NULL, 0) : 0;
}

PUBLIC CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint n, const cl_icd_dispatch *target,
                                                   cl_uint *n_mine, const cl_icd_dispatch **mine)
{
    static cl_icd_dispatch table;
    if (!target || !n_mine || !mine || n < sizeof table / sizeof(void *))
        return CL_INVALID_VALUE;
    next = target;
    table = *target;
#define STAND_IN(function) table.function = my_##function;
    FUNCTIONS(STAND_IN)
    *n_mine = sizeof table / sizeof(void *);
    *mine = &table;
    fault_layer.fail_at = (size_t)number_of("MESO_FAULT_CALL");
    fault_layer.code = (cl_int)number_of("MESO_FAULT_CODE");
    fault_layer.times = (fault_times)number_of("MESO_FAULT_TIMES");
    fault_layer.hang = (fault_hang)number_of("MESO_FAULT_HANG");
    fault_layer.crash_in = getenv("MESO_FAULT_IN");
    fault_layer.signal = (int)number_of("MESO_FAULT_SIGNAL");
    fault_layer.poses_as_gpu = (int)number_of("MESO_FAULT_GPU");
    fault_layer.vendor = (cl_uint)number_of("MESO_FAULT_VENDOR");
    fault_layer.max_group = (size_t)number_of("MESO_FAULT_GROUP");
    fault_layer.local_bytes = (size_t)number_of("MESO_FAULT_LOCAL");
    fault_layer.skips = (int)number_of("MESO_FAULT_SKIP");
    fault_layer.units = (cl_uint)number_of("MESO_FAULT_UNITS");
    fault_layer.poison_reads = (int)number_of("MESO_FAULT_POISON");
    return CL_SUCCESS;
}

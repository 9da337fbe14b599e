/* SPDX-License-Identifier: Apache-2.0
 *
 * In the place of NVIDIA's libcuda.so.1, for bench/record/replay.py: what it asks of CUDA's driver,
 * done by the first OpenCL device. A cubin is one of programN.sm_90 in $STUB_CUDA_FOLDER, and
 * programN.cl is compiled; a device pointer is a buffer's number above 32 bits of offset.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#define PUBLIC __attribute__((visibility("default")))

enum { most_buffers = 256, most_programs = 16, tensor_bytes = 32 };

static cl_context context;
static cl_device_id device;
static cl_command_queue queue;
static cl_mem buffers[most_buffers];
static int n_buffers;

static cl_mem buffer_at(uint64_t pointer, size_t *offset)
{
    *offset = (size_t)(pointer & 0xffffffff);
    return buffers[(pointer >> 32) % most_buffers];
}

PUBLIC int cuInit(unsigned flags)
{
    cl_platform_id platform;
    cl_int code = clGetPlatformIDs(1, &platform, NULL);
    (void)flags;
    if (!code)
        code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL);
    if (!code)
        context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    if (!code)
        queue = clCreateCommandQueue(context, device, 0, &code);
    return code;
}

PUBLIC int cuDeviceGet(int *made, int number)
{
    *made = number;
    return number;
}

PUBLIC int cuDevicePrimaryCtxRetain(void **made, int number)
{
    *made = context;
    return number;
}

PUBLIC int cuCtxSetCurrent(void *given)
{
    return given != context;
}

PUBLIC int cuDeviceGetName(char *name, int size, int number)
{
    snprintf(name, (size_t)size, "stub");
    return number;
}

PUBLIC int cuDeviceGetAttribute(int *value, int what, int number)
{
    *value = what == 75 ? 9 : 0; /* compute capability 9.0 */
    return number;
}

/* 1 if the file holds what begins at `image`. */
static int holds(const char *path, const char *image)
{
    int c;
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    while ((c = getc(file)) != EOF && (char)c == *image)
        image++;
    fclose(file);
    return c == EOF;
}

/* The source of the cubin at `image`; 0: there is none. */
static size_t find_source(const char *image, char *text, size_t size)
{
    char path[4096];
    for (int i = 1; i < most_programs; i++) {
        snprintf(path, sizeof path, "%s/program%d.sm_90", getenv("STUB_CUDA_FOLDER"), i);
        if (!holds(path, image))
            continue;
        snprintf(path, sizeof path, "%s/program%d.cl", getenv("STUB_CUDA_FOLDER"), i);
        FILE *file = fopen(path, "rb");
        size_t n = file ? fread(text, 1, size, file) : 0;
        if (file)
            fclose(file);
        return n;
    }
    return 0;
}

PUBLIC int cuModuleLoadData(void **made, const char *image)
{
    static char text[1 << 20];
    const char *texts = text;
    size_t n = find_source(image, text, sizeof text);
    cl_int code;
    if (n == 0)
        return 1;
    cl_program program = clCreateProgramWithSource(context, 1, &texts, &n, &code);
    *made = program;
    return code ? code
                : clBuildProgram(program, 1, &device, "-cl-std=CL1.2 -cl-kernel-arg-info", NULL,
                                 NULL);
}

PUBLIC int cuModuleGetFunction(void **made, void *module, const char *name)
{
    cl_int code;
    *made = clCreateKernel(module, name, &code);
    return code;
}

PUBLIC int cuMemAlloc_v2(uint64_t *pointer, size_t size)
{
    cl_int code;
    buffers[++n_buffers % most_buffers] =
        clCreateBuffer(context, CL_MEM_READ_WRITE, size, NULL, &code);
    *pointer = (uint64_t)n_buffers << 32;
    return code;
}

PUBLIC int cuMemsetD8_v2(uint64_t pointer, unsigned char value, size_t size)
{
    size_t offset;
    cl_mem buffer = buffer_at(pointer, &offset);
    return clEnqueueFillBuffer(queue, buffer, &value, 1, offset, size, 0, NULL, NULL);
}

PUBLIC int cuMemcpyHtoD_v2(uint64_t pointer, const void *from, size_t size)
{
    size_t offset;
    cl_mem buffer = buffer_at(pointer, &offset);
    return clEnqueueWriteBuffer(queue, buffer, CL_TRUE, offset, size, from, 0, NULL, NULL);
}

PUBLIC int cuMemcpyDtoH_v2(void *to, uint64_t pointer, size_t size)
{
    size_t offset;
    cl_mem buffer = buffer_at(pointer, &offset);
    return clEnqueueReadBuffer(queue, buffer, CL_TRUE, offset, size, to, 0, NULL, NULL);
}

/* Argument i, of the size that its type says. */
static cl_int set(cl_kernel kernel, cl_uint i, const void *value)
{
    char type[64] = "";
    size_t offset;
    cl_mem buffer;
    uint64_t pointer;
    cl_int code = clGetKernelArgInfo(kernel, i, CL_KERNEL_ARG_TYPE_NAME, sizeof type, type, NULL);
    if (code)
        return code;
    if (strchr(type, '*')) {
        memcpy(&pointer, value, sizeof pointer);
        buffer = buffer_at(pointer, &offset);
        return offset ? CL_INVALID_VALUE : clSetKernelArg(kernel, i, sizeof buffer, &buffer);
    }
    return clSetKernelArg(kernel, i, strstr(type, "tensor") ? tensor_bytes : 4, value);
}

PUBLIC int cuLaunchKernel(void *kernel, unsigned gx, unsigned gy, unsigned gz, unsigned lx,
                          unsigned ly, unsigned lz, unsigned shared, void *stream, void **values,
                          void **extra)
{
    const size_t local[3] = {lx, ly, lz};
    const size_t global[3] = {(size_t)gx * lx, (size_t)gy * ly, (size_t)gz * lz};
    cl_uint n = 0;
    cl_int code = clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof n, &n, NULL);
    for (cl_uint i = 0; !code && i < n; i++)
        code = set(kernel, i, values[i]);
    if (code || shared || stream || extra)
        return 1;
    return clEnqueueNDRangeKernel(queue, kernel, 3, NULL, global, local, 0, NULL, NULL);
}

PUBLIC int cuCtxSynchronize(void)
{
    return clFinish(queue);
}

PUBLIC int cuEventCreate(void **made, unsigned flags)
{
    *made = calloc(1, sizeof(struct timespec));
    return (int)flags;
}

PUBLIC int cuEventRecord(void *event, void *stream)
{
    clFinish(queue);
    clock_gettime(CLOCK_MONOTONIC, event);
    return stream != NULL;
}

PUBLIC int cuEventSynchronize(void *event)
{
    return event == NULL;
}

PUBLIC int cuEventElapsedTime(float *ms, const void *from, const void *to)
{
    const struct timespec *a = from, *b = to;
    *ms = (float)(b->tv_sec - a->tv_sec) * 1e3F + (float)(b->tv_nsec - a->tv_nsec) / 1e6F;
    return 0;
}

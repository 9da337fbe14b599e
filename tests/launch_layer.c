/* SPDX-License-Identifier: Apache-2.0
 *
 * An OpenCL layer (fault_layer/ says how one is loaded) that writes down what a program asks of a
 * device, so that bench/record/replay.py can ask it of CUDA and bench/gpu_estimate.py can count it.
 * To the folder $MESO_LAUNCHES: `log`, a line for each event, in the order of the calls; N.cl, the
 * programs; N.bin, contents of buffers.
 *
 *   buffer B BYTES | write B OFFSET BYTES N | fill B OFFSET BYTES HEX | read B OFFSET BYTES N
 *   part B BYTES                                         of another buffer; replay.py knows none
 *   launch PROGRAM KERNEL GX GY GZ LX LY LZ ARGUMENT…    bB a buffer, xHEX a value
 *
 * What is read is written down as the device gave it. Every call waits: the order is that of one
 * queue. Local memory by argument, offsets of launches and what is mapped more than once at a time
 * end the process: nothing here needs them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CL/cl_layer.h>

#define PUBLIC __attribute__((visibility("default")))

enum { most_objects = 4096, most_args = 32, most_bytes = 64 };

typedef struct argument {
    size_t size;
    unsigned char bytes[most_bytes];
} argument;

typedef struct kernel {
    cl_kernel id;
    int program;
    char name[64];
    cl_uint n;
    argument args[most_args];
} kernel;

static const cl_icd_dispatch *next;
static const char *folder;
static FILE *log_file;
static cl_mem buffers[most_objects];
static cl_program programs[most_objects];
static kernel kernels[most_objects];
static int n_buffers, n_programs, n_kernels, n_files;
static struct mapping {
    cl_mem buffer;
    void *memory;
    size_t offset, size;
    int writes;
} mappings[most_objects];
static int n_mappings;

static void die(const char *what)
{
    fprintf(stderr, "launch_layer: %s\n", what);
    abort();
}

static int number_of(cl_mem buffer)
{
    for (int i = n_buffers - 1; i >= 0; i--)
        if (buffers[i] == buffer)
            return i;
    return -1;
}

static FILE *open_file(const char *format, int n)
{
    char path[4096], name[64];
    snprintf(name, sizeof name, format, n);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file)
        die(path);
    return file;
}

static void say_bytes(const char *what, cl_mem buffer, size_t offset, size_t size, const void *from)
{
    int n = n_files++;
    FILE *file = open_file("%d.bin", n);
    fwrite(from, 1, size, file);
    fclose(file);
    fprintf(log_file, "%s %d %zu %zu %d\n", what, number_of(buffer), offset, size, n);
}

static void say_hex(const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(log_file, "%02x", ((const unsigned char *)bytes)[i]);
}

static cl_program CL_API_CALL my_clCreateProgramWithSource(cl_context context, cl_uint n,
                                                           const char **texts,
                                                           const size_t *lengths, cl_int *error)
{
    cl_program program = next->clCreateProgramWithSource(context, n, texts, lengths, error);
    FILE *file = open_file("%d.cl", n_programs);
    for (cl_uint i = 0; i < n; i++)
        fwrite(texts[i], 1, lengths && lengths[i] ? lengths[i] : strlen(texts[i]), file);
    fclose(file);
    programs[n_programs++ % most_objects] = program;
    return program;
}

static cl_kernel CL_API_CALL my_clCreateKernel(cl_program program, const char *name, cl_int *error)
{
    cl_kernel made = next->clCreateKernel(program, name, error);
    kernel *k = &kernels[n_kernels++ % most_objects];
    *k = (kernel){.id = made};
    snprintf(k->name, sizeof k->name, "%s", name);
    for (int i = 0; i < n_programs; i++)
        if (programs[i] == program)
            k->program = i;
    return made;
}

static kernel *find_kernel(cl_kernel id)
{
    for (int i = n_kernels - 1; i >= 0; i--)
        if (kernels[i].id == id)
            return &kernels[i];
    die("an unknown kernel");
    return NULL;
}

static cl_int CL_API_CALL my_clSetKernelArg(cl_kernel id, cl_uint i, size_t size, const void *value)
{
    kernel *k = find_kernel(id);
    if (!value || i >= most_args || size > most_bytes)
        die("an argument in local memory, or a large one");
    k->n = i >= k->n ? i + 1 : k->n;
    k->args[i].size = size;
    memcpy(k->args[i].bytes, value, size);
    return next->clSetKernelArg(id, i, size, value);
}

static cl_mem CL_API_CALL my_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size,
                                            void *host, cl_int *error)
{
    cl_mem buffer = next->clCreateBuffer(context, flags, size, host, error);
    if (!buffer)
        return buffer;
    buffers[n_buffers++ % most_objects] = buffer;
    fprintf(log_file, "buffer %d %zu\n", n_buffers - 1, size);
    if (host)
        say_bytes("write", buffer, 0, size, host);
    return buffer;
}

static cl_mem CL_API_CALL my_clCreateSubBuffer(cl_mem whole, cl_mem_flags flags,
                                               cl_buffer_create_type type, const void *info,
                                               cl_int *error)
{
    cl_mem buffer = next->clCreateSubBuffer(whole, flags, type, info, error);
    if (!buffer)
        return buffer;
    buffers[n_buffers++ % most_objects] = buffer;
    fprintf(log_file, "part %d %zu\n", n_buffers - 1, ((const cl_buffer_region *)info)->size);
    return buffer;
}

static cl_int CL_API_CALL my_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer,
                                                  cl_bool blocking, size_t offset, size_t size,
                                                  const void *from, cl_uint n, const cl_event *wait,
                                                  cl_event *event)
{
    (void)blocking;
    say_bytes("write", buffer, offset, size, from);
    return next->clEnqueueWriteBuffer(queue, buffer, CL_TRUE, offset, size, from, n, wait, event);
}

static cl_int CL_API_CALL my_clEnqueueFillBuffer(cl_command_queue queue, cl_mem buffer,
                                                 const void *pattern, size_t pattern_size,
                                                 size_t offset, size_t size, cl_uint n,
                                                 const cl_event *wait, cl_event *event)
{
    fprintf(log_file, "fill %d %zu %zu ", number_of(buffer), offset, size);
    say_hex(pattern, pattern_size);
    fprintf(log_file, "\n");
    return next->clEnqueueFillBuffer(queue, buffer, pattern, pattern_size, offset, size, n, wait,
                                     event);
}

static cl_int CL_API_CALL my_clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer,
                                                 cl_bool blocking, size_t offset, size_t size,
                                                 void *to, cl_uint n, const cl_event *wait,
                                                 cl_event *event)
{
    (void)blocking;
    cl_int code =
        next->clEnqueueReadBuffer(queue, buffer, CL_TRUE, offset, size, to, n, wait, event);
    if (code == CL_SUCCESS)
        say_bytes("read", buffer, offset, size, to);
    return code;
}

/* What a device in the host's memory reads by itself is written when the mapping ends. */
static void *CL_API_CALL my_clEnqueueMapBuffer(cl_command_queue queue, cl_mem buffer,
                                               cl_bool blocking, cl_map_flags flags, size_t offset,
                                               size_t size, cl_uint n, const cl_event *wait,
                                               cl_event *event, cl_int *error)
{
    (void)blocking;
    void *memory = next->clEnqueueMapBuffer(queue, buffer, CL_TRUE, flags, offset, size, n, wait,
                                            event, error);
    if (memory && flags & CL_MAP_READ)
        say_bytes("read", buffer, offset, size, memory);
    mappings[n_mappings++ % most_objects] =
        (struct mapping){buffer, memory, offset, size, !(flags & CL_MAP_READ)};
    return memory;
}

static cl_int CL_API_CALL my_clEnqueueUnmapMemObject(cl_command_queue queue, cl_mem buffer,
                                                     void *memory, cl_uint n, const cl_event *wait,
                                                     cl_event *event)
{
    for (int i = 0; i < n_mappings; i++) {
        struct mapping *m = &mappings[i];
        if (m->buffer != buffer || m->memory != memory)
            continue;
        if (m->writes)
            say_bytes("write", buffer, m->offset, m->size, memory);
        m->buffer = NULL;
    }
    return next->clEnqueueUnmapMemObject(queue, buffer, memory, n, wait, event);
}

static cl_int CL_API_CALL my_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel id,
                                                    cl_uint dims, const size_t *offset,
                                                    const size_t *global, const size_t *local,
                                                    cl_uint n, const cl_event *wait,
                                                    cl_event *event)
{
    const kernel *k = find_kernel(id);
    if (offset || !local)
        die("a launch with an offset, or without a work-group size");
    fprintf(log_file, "launch %d %s", k->program, k->name);
    for (cl_uint i = 0; i < 3; i++)
        fprintf(log_file, " %zu", i < dims ? global[i] : 1);
    for (cl_uint i = 0; i < 3; i++)
        fprintf(log_file, " %zu", i < dims ? local[i] : 1);
    for (cl_uint i = 0; i < k->n; i++) {
        cl_mem buffer;
        memcpy(&buffer, k->args[i].bytes, sizeof buffer);
        if (k->args[i].size == sizeof buffer && number_of(buffer) >= 0) {
            fprintf(log_file, " b%d", number_of(buffer));
        } else {
            fprintf(log_file, " x");
            say_hex(k->args[i].bytes, k->args[i].size);
        }
    }
    fprintf(log_file, "\n");
    cl_int code =
        next->clEnqueueNDRangeKernel(queue, id, dims, offset, global, local, n, wait, event);
    next->clFinish(queue);
    fflush(log_file);
    return code;
}

PUBLIC CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint n, const cl_icd_dispatch *target,
                                                   cl_uint *n_mine, const cl_icd_dispatch **mine)
{
    static cl_icd_dispatch table;
    folder = getenv("MESO_LAUNCHES");
    if (!folder || !target || !n_mine || !mine || n < sizeof table / sizeof(void *))
        return CL_INVALID_VALUE;
    log_file = open_file("log", 0);
    next = target;
    table = *target;
#define STAND_IN(function) table.function = my_##function;
    STAND_IN(clCreateProgramWithSource)
    STAND_IN(clCreateKernel)
    STAND_IN(clSetKernelArg)
    STAND_IN(clCreateBuffer)
    STAND_IN(clCreateSubBuffer)
    STAND_IN(clEnqueueWriteBuffer)
    STAND_IN(clEnqueueFillBuffer)
    STAND_IN(clEnqueueReadBuffer)
    STAND_IN(clEnqueueMapBuffer)
    STAND_IN(clEnqueueUnmapMemObject)
    STAND_IN(clEnqueueNDRangeKernel)
    *n_mine = sizeof table / sizeof(void *);
    *mine = &table;
    return CL_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs from the embedded sources. They are always built from source: drivers keep what they
 * compiled themselves, and a damaged binary handed to a driver can kill the process.
 */
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/text.h"
#include "runtime/cl_error.h"
#include "runtime/device_object.h"

enum { log_excerpt = 600, group_size = 64 };

static const char *find_source(const char *name)
{
    for (const meso_embedded *e = meso_embedded_kernels; e->name; e++)
        if (strcmp(e->name, name) == 0)
            return e->text;
    return NULL;
}

/* Adds a file so that the compiler's messages name it and its lines. */
static int add_source(meso_text *source, const char *name)
{
    const char *text = find_source(name);
    if (text)
        meso_text_format(source, "#line 1 \"%s.cl\"\n%s\n", name, text);
    return text != NULL;
}

static meso_status assemble(const meso_program_row *row, meso_text *source, meso_error *error)
{
    meso_status status = MESO_OK;
    MESO_REQUIRE(add_source(source, "prelude"), error, MESO_ERROR_INTERNAL, "no prelude.cl");
    for (size_t i = 0; i < MESO_MAX_PROGRAM_FILES && row->files[i]; i++)
        MESO_REQUIRE(add_source(source, row->files[i]), error, MESO_ERROR_INTERNAL, "no %s.cl",
                     row->files[i]);
    MESO_REQUIRE(!source->out_of_memory, error, MESO_ERROR_MEMORY, "out of memory");
out:
    return status;
}

/* The build's failure with the first lines of the compiler's log. */
static meso_status build_failed(meso_device *device, cl_program program, cl_int code)
{
    size_t n = 0;
    char *log = NULL;
    clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    log = calloc(n + 1, 1);
    if (log)
        clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, n, log, NULL);
    meso_fail(&device->error, MESO_ERROR_DEVICE, "%s: clBuildProgram: %s (%d): %.*s",
              device->info.name, meso_cl_error_name(code), (int)code, (int)log_excerpt,
              log ? log : "");
    free(log);
    return MESO_ERROR_DEVICE;
}

static meso_status build(meso_device *device, meso_program_id id)
{
    meso_status status = MESO_OK;
    meso_text source = {0};
    cl_program program = NULL;
    cl_int code;
    MESO_TRY(assemble(&meso_program_rows[id], &source, &device->error));
    program = clCreateProgramWithSource(device->context, 1, (const char **)&source.bytes,
                                        &source.length, &code);
    MESO_REQUIRE_CL(code, &device->error, "clCreateProgramWithSource");
    code = clBuildProgram(program, 1, &device->id, "-cl-std=CL1.2", NULL, NULL);
    if (code != CL_SUCCESS) {
        status = build_failed(device, program, code);
        goto out;
    }
    device->programs[id] = program;
    program = NULL;
out:
    if (program)
        clReleaseProgram(program);
    meso_text_free(&source);
    return status;
}

meso_status meso_device_prepare(meso_device *device, meso_kernel_id kernel)
{
    meso_status status = MESO_OK;
    const meso_kernel_row *row = &meso_kernel_rows[kernel];
    size_t limit = 0;
    cl_int code;
    if (device->kernels[kernel])
        return MESO_OK;
    if (!device->programs[row->program])
        MESO_TRY(build(device, row->program));
    device->kernels[kernel] = clCreateKernel(device->programs[row->program], row->name, &code);
    MESO_REQUIRE(code == CL_SUCCESS, &device->error, MESO_ERROR_DEVICE,
                 "clCreateKernel %s: %s (%d)", row->name, meso_cl_error_name(code), (int)code);
    MESO_CL(&device->error, clGetKernelWorkGroupInfo, device->kernels[kernel], device->id,
            CL_KERNEL_WORK_GROUP_SIZE, sizeof limit, &limit, NULL);
    /* One size for every shape: PoCL compiles a kernel anew for each work-group size it meets. */
    device->group_size[kernel] = limit >= group_size ? group_size : limit ? limit : 1;
out:
    return status;
}

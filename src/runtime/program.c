/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs from the embedded sources. They are built from source: drivers keep what they compiled
 * themselves, all but those that program_cache.c knows.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/embedded.h"
#include "base/file.h"
#include "base/text.h"
#include "runtime/cl_error.h"
#include "runtime/device_list.h"
#include "runtime/device_object.h"
#include "runtime/program_cache.h"

enum { log_excerpt = 600 };
/* -w: compilers say on stderr how many warnings there were; errors stay in the log. */
static const char build_options[] = "-cl-std=CL1.2 -w";

static const char *find_source(const char *name)
{
    for (const meso_embedded *e = meso_embedded_kernels; e->name; e++)
        if (strcmp(e->name, name) == 0)
            return e->text;
    return NULL;
}

meso_status meso_source_add(meso_text *source, const char *name, meso_error *error)
{
    const char *text = find_source(name);
    if (!text)
        return meso_fail(error, MESO_ERROR_INTERNAL, "no cl/%s.cl in the library", name);
    meso_text_format(source, "#line 1 \"%s.cl\"\n", name);
    meso_text_add(source, text);
    return MESO_OK;
}

/* Drivers keep what they compile in files and, where these cannot be written, say that a build
 * failed and no more. PoCL's folder, or that of most others; then the one for files that go again.
 */
static void find_full_disk(meso_text *reason)
{
    enum { needed = 4 << 20 };
    static const char *const places[][2] = {
        {"POCL_CACHE_DIR", ""}, {"XDG_CACHE_HOME", ""}, {"HOME", "/.cache"}, {"TMPDIR", ""}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *folder = getenv(places[i][0]);
        meso_text path = {0};
        if (!folder || !*folder)
            continue;
        meso_text_format(&path, "%s%s", folder, places[i][1]);
        int fd = path.bytes ? open(path.bytes, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) : -1;
        int code = fd >= 0 ? posix_fallocate(fd, 0, needed) : 0;
        if (fd >= 0)
            close(fd);
        if (code)
            meso_text_format(reason, "; a driver writes files to %s, where not even %d MiB fit: %s",
                             MESO_PRINTABLE(path.bytes), needed >> 20, strerror(code));
        meso_text_free(&path);
    }
}

/* The build's failure with the first lines of the compiler's log. */
static meso_status build_failed(meso_device *device, cl_program program, cl_device_id id,
                                cl_int code)
{
    size_t n = 0;
    char *log = NULL;
    meso_text disk = {0};
    find_full_disk(&disk);
    clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    log = calloc(n + 1, 1);
    if (log)
        clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, n, log, NULL);
    for (n = log ? strlen(log) : 0; n > 0 && strchr(" \n", log[n - 1]); n--)
        log[n - 1] = '\0';
    meso_fail(&device->error, MESO_ERROR_DEVICE, "%s: clBuildProgram: %s (%d): %.*s%s",
              device->info.name, meso_cl_error_name(code), (int)code, (int)log_excerpt,
              log ? log : "", disk.bytes ? disk.bytes : "");
    meso_text_free(&disk);
    free(log);
    return MESO_ERROR_DEVICE;
}

/* MESO_CL_DUMP=folder: the program's text there, named by its hash, behind a line that says how it
 * is built. #line directives in the text keep the numbers that compilers name. */
static meso_status dump(meso_device *device, const meso_text *source)
{
    meso_status status = MESO_OK;
    const char *folder = getenv("MESO_CL_DUMP");
    meso_text path = {0}, text = {0};
    if (!folder || !*folder)
        return MESO_OK;
    meso_text_format(&path, "%s/%016llx.cl", folder,
                     (unsigned long long)meso_hash_64(source->bytes, source->length));
    meso_text_format(&text, "// %s, %s: %s\n", device->info.name, device->info.driver,
                     build_options);
    meso_text_add_n(&text, source->bytes, source->length);
    MESO_REQUIRE_MEMORY(!path.out_of_memory && !text.out_of_memory, &device->error);
    MESO_TRY(meso_file_write(path.bytes, text.bytes, text.length, &device->error));
out:
    meso_text_free(&text);
    meso_text_free(&path);
    return status;
}

static meso_status compile(meso_device *device, const meso_text *source, const cl_device_id *ids,
                           cl_uint n_ids, meso_program *program)
{
    meso_status status = MESO_OK;
    cl_int code;
    program->program = clCreateProgramWithSource(device->context, 1, (const char **)&source->bytes,
                                                 &source->length, &code);
    MESO_REQUIRE_CL(code, &device->error, "clCreateProgramWithSource");
    code = clBuildProgram(program->program, n_ids, ids, build_options, NULL, NULL);
    if (code != CL_SUCCESS) {
        status = build_failed(device, program->program, ids[0], code);
        meso_program_release(program);
    }
out:
    return status;
}

static meso_status build(meso_device *device, const meso_text *source, const cl_device_id *ids,
                         cl_uint n_ids, meso_program *program)
{
    meso_status status = MESO_OK;
    meso_text kept = {0};
    program->program = NULL;
    MESO_DEMAND_MEMORY(!source->out_of_memory, &device->error);
    MESO_CHECK(dump(device, source));
    meso_program_cache_find(&device->info, build_options, source, &kept);
    meso_driver_lock();
    meso_driver_asked = MESO_DRIVER_COMPILES;
    program->program = meso_program_cache_load(device, &kept, ids, n_ids, build_options);
    if (!program->program) {
        status = compile(device, source, ids, n_ids, program);
        if (status == MESO_OK)
            meso_program_cache_store(&kept, program->program, ids[0]);
    }
    meso_driver_asked = "make a kernel";
    meso_driver_unlock();
    meso_text_free(&kept);
    return status;
}

meso_status meso_program_build(meso_device *device, const meso_text *source, meso_program *program)
{
    cl_device_id ids[MESO_MAX_LANES + 1];
    cl_uint n = meso_lanes_ids(device, ids);
    return build(device, source, ids, n, program);
}

void meso_program_release(meso_program *program)
{
    if (program->program)
        clReleaseProgram(program->program);
    program->program = NULL;
}

meso_status meso_program_has_kernel(meso_device *device, const meso_program *program,
                                    const char *name, int *has)
{
    meso_status status = MESO_OK;
    char *names = NULL, *rest = NULL; /* "a;b;c" */
    size_t n = 0;
    *has = 0;
    MESO_CL(&device->error, clGetProgramInfo, program->program, CL_PROGRAM_KERNEL_NAMES, 0, NULL,
            &n);
    MESO_REQUIRE_MEMORY(names = calloc(n + 1, 1), &device->error);
    MESO_CL(&device->error, clGetProgramInfo, program->program, CL_PROGRAM_KERNEL_NAMES, n, names,
            NULL);
    for (char *one = strtok_r(names, ";", &rest); one; one = strtok_r(NULL, ";", &rest))
        *has |= strcmp(one, name) == 0;
out:
    free(names);
    return status;
}

/* What a kernel of the lane in use may have at most. */
typedef struct limits {
    size_t items;    /* in a work-group */
    size_t sides[3]; /* of a work-group */
    cl_ulong local;  /* bytes of local memory that it takes, whatever its work-group */
} limits;

static meso_status query_limits(meso_device *device, const meso_kernel *kernel, limits *l)
{
    meso_status status = MESO_OK;
    enum { most_dimensions = 16 };
    size_t sides[most_dimensions] = {0};
    cl_device_id id = device->lane->id;
    *l = (limits){0};
    MESO_CL(&device->error, clGetKernelWorkGroupInfo, kernel->kernel, id, CL_KERNEL_WORK_GROUP_SIZE,
            sizeof l->items, &l->items, NULL);
    MESO_CL(&device->error, clGetKernelWorkGroupInfo, kernel->kernel, id, CL_KERNEL_LOCAL_MEM_SIZE,
            sizeof l->local, &l->local, NULL);
    if (clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof sides, sides, NULL) != CL_SUCCESS)
        memset(sides, 0, sizeof sides);
    for (size_t i = 0; i < 3; i++)
        l->sides[i] = sides[i] > 0 ? sides[i] : l->items;
out:
    return status;
}

/* The largest work-group of at most `wanted` work-items in one dimension on the lane in use; DEVICE
 * where the kernel needs more local memory than there is, which some drivers abort on. */
static meso_status fit_group(meso_device *device, meso_kernel *kernel, size_t wanted)
{
    limits l;
    MESO_CHECK(query_limits(device, kernel, &l));
    MESO_DEMAND(l.local <= device->info.local_memory_bytes, &device->error, MESO_ERROR_DEVICE,
                "the kernel %s needs %llu bytes of local memory; %s has %llu", kernel->name,
                (unsigned long long)l.local, device->info.name,
                (unsigned long long)device->info.local_memory_bytes);
    size_t limit = l.sides[0] < l.items ? l.sides[0] : l.items;
    kernel->group[0] = limit >= wanted ? wanted : limit ? limit : 1;
    return MESO_OK;
}

static meso_status make_kernel(meso_device *device, const meso_program *program, const char *name,
                               const char *kinds, meso_kernel *kernel)
{
    cl_int code;
    *kernel = (meso_kernel){NULL, name, kinds, {1, 1, 1}};
    kernel->kernel = clCreateKernel(program->program, name, &code);
    MESO_DEMAND(code == CL_SUCCESS, &device->error, MESO_ERROR_DEVICE, "clCreateKernel %s: %s (%d)",
                name, meso_cl_error_name(code), (int)code);
    return MESO_OK;
}

meso_status meso_program_kernel(meso_device *device, const meso_program *program, const char *name,
                                const char *kinds, meso_kernel *kernel)
{
    meso_status status = make_kernel(device, program, name, kinds, kernel);
    if (status == MESO_OK)
        status = fit_group(device, kernel, 1);
    if (status != MESO_OK)
        meso_kernel_release(kernel);
    return status;
}

meso_status meso_program_group_kernel(meso_device *device, const meso_program *program,
                                      const char *name, const char *kinds, const size_t group[3],
                                      meso_kernel *kernel, size_t *most)
{
    meso_status status = MESO_OK;
    limits l;
    MESO_TRY(make_kernel(device, program, name, kinds, kernel));
    MESO_TRY(query_limits(device, kernel, &l));
    *most = l.local <= device->info.local_memory_bytes ? l.items : 0;
    for (size_t i = 0; i < 3; i++) {
        *most = group[i] <= l.sides[i] ? *most : 0;
        kernel->group[i] = group[i];
    }
out:
    if (status != MESO_OK || *most < group[0] * group[1] * group[2])
        meso_kernel_release(kernel);
    return status;
}

void meso_kernel_release(meso_kernel *kernel)
{
    if (kernel->kernel)
        clReleaseKernel(kernel->kernel);
    kernel->kernel = NULL;
}

/* A program of the table, for the whole device or for every lane. */
static meso_status build_row(meso_device *device, meso_program_id id, meso_program *program)
{
    meso_status status = MESO_OK;
    meso_text source = {0};
    const meso_program_row *row = &meso_program_rows[id];
    cl_device_id ids[MESO_MAX_LANES + 1];
    cl_uint n_ids = 1;
    ids[0] = device->whole.id;
    if (device->lane != &device->whole)
        for (n_ids = 0; n_ids < device->n_lanes; n_ids++)
            ids[n_ids] = device->lanes[n_ids].id;
    meso_text_format(&source, "#define FILTER_GROUP %d\n#define TRAIN_ROWS %d\n", MESO_FILTER_GROUP,
                     MESO_TRAIN_ROWS);
    if (id == MESO_PROGRAM_TRAIN)
        meso_text_format(&source, "#define TRAIN_GROUP %d\n", MESO_TRAIN_GROUP);
    if (id == MESO_PROGRAM_PARALLEL)
        meso_text_format(&source,
                         "#define TRAIN_GROUP 1\n#define TRAIN_COLUMNS %d\n"
                         "#define TRAIN_WINDOW %d\n#define TRAIN_BAND %d\n#define ITEMS %zu\n",
                         MESO_TRAIN_COLUMNS, MESO_TRAIN_WINDOW, MESO_TRAIN_BAND,
                         device->group_sizes[id]);
    MESO_TRY(meso_source_add(&source, "prelude", &device->error));
    for (size_t i = 0; i < MESO_MAX_PROGRAM_FILES && row->files[i]; i++)
        MESO_TRY(meso_source_add(&source, row->files[i], &device->error));
    MESO_TRY(build(device, &source, ids, n_ids, program));
out:
    meso_text_free(&source);
    return status;
}

meso_status meso_device_prepare(meso_device *device, meso_kernel_id id, meso_kernel **ready)
{
    const meso_kernel_row *row = &meso_kernel_rows[id];
    meso_built *built = device->lane == &device->whole ? &device->for_whole : &device->for_lanes;
    meso_program *program = &built->programs[row->program];
    meso_kernel *kernel = &built->kernels[id];
    *ready = kernel;
    if (kernel->kernel)
        return MESO_OK;
    if (!program->program)
        MESO_CHECK(build_row(device, row->program, program));
    MESO_CHECK(meso_program_kernel(device, program, row->name, row->kinds, kernel));
    /* One size for every shape: PoCL compiles a kernel anew for each work-group size it meets. */
    return fit_group(device, kernel, device->group_sizes[row->program]);
}

/* The largest group of all kernels of a program, ready; `least` begins with what they want. */
static meso_status prepare_all(meso_device *device, meso_program_id id, size_t *least)
{
    for (size_t i = 0; i < MESO_N_KERNELS; i++) {
        meso_kernel *kernel;
        if (meso_kernel_rows[i].program != id)
            continue;
        MESO_CHECK(meso_device_prepare(device, (meso_kernel_id)i, &kernel));
        *least = kernel->group[0] < *least ? kernel->group[0] : *least;
    }
    return MESO_OK;
}

static void forget(meso_device *device, meso_program_id id)
{
    meso_built *built = device->lane == &device->whole ? &device->for_whole : &device->for_lanes;
    for (size_t i = 0; i < MESO_N_KERNELS; i++)
        if (meso_kernel_rows[i].program == id)
            meso_kernel_release(&built->kernels[i]);
    meso_program_release(&built->programs[id]);
}

meso_status meso_device_fit_groups(meso_device *device, meso_program_id id, size_t *items)
{
    size_t *size = &device->group_sizes[id];
    while (*size > device->info.max_work_group && *size > 1)
        *size /= 2;
    for (int again = 1; again;) {
        size_t can = *size;
        MESO_CHECK(prepare_all(device, id, &can));
        again = can < *size;
        if (again)
            forget(device, id);
        while (*size > can)
            *size /= 2;
    }
    *items = *size;
    return MESO_OK;
}

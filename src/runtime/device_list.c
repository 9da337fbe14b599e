/* SPDX-License-Identifier: Apache-2.0
 *
 * Outputs of queries are zeroed before each call: some drivers fail without touching them.
 */
#include "runtime/device_list.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/structs.h"
#include "runtime/cl_error.h"

enum { max_platforms = 64, max_devices = MESO_MAX_DEVICES };

const char *_Atomic meso_driver_asked;

static pthread_mutex_t driver_mutex = PTHREAD_MUTEX_INITIALIZER;

void meso_driver_lock(void)
{
    pthread_mutex_lock(&driver_mutex);
}

void meso_driver_unlock(void)
{
    pthread_mutex_unlock(&driver_mutex);
}

static void query_text(cl_device_id id, cl_device_info what, char text[128])
{
    char value[1024] = {0};
    size_t n = 0;
    if (clGetDeviceInfo(id, what, sizeof value - 1, value, &n) != CL_SUCCESS)
        value[0] = '\0';
    /* Drivers pad names with spaces. */
    char *start = value + strspn(value, " ");
    for (n = strlen(start); n > 0 && start[n - 1] == ' '; n--)
        start[n - 1] = '\0';
    snprintf(text, 128, "%.127s", start);
}

uint64_t meso_device_query(cl_device_id id, cl_device_info what, uint64_t otherwise)
{
    uint64_t value = 0;
    if (clGetDeviceInfo(id, what, sizeof value, &value, NULL) != CL_SUCCESS)
        return otherwise;
    return value;
}

static uint64_t query_number(cl_device_id id, cl_device_info what)
{
    return meso_device_query(id, what, 0);
}

static meso_device_type type_of(cl_device_id id)
{
    uint64_t type = query_number(id, CL_DEVICE_TYPE);
    if (type & CL_DEVICE_TYPE_GPU)
        return query_number(id, CL_DEVICE_HOST_UNIFIED_MEMORY) ? MESO_DEVICE_IGPU
                                                               : MESO_DEVICE_DGPU;
    return type & CL_DEVICE_TYPE_CPU ? MESO_DEVICE_CPU : MESO_DEVICE_OTHER;
}

static int has_extension(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return 1;
    return 0;
}

/* A query that came with an extension; 0 where the driver does not have it. */
static int query_extension(cl_device_id id, const char *list, const char *extension,
                           cl_device_info what, size_t size, void *value)
{
    return has_extension(list, extension) &&
           clGetDeviceInfo(id, what, size, value, NULL) == CL_SUCCESS;
}

/* What tells one piece of hardware from another: its place on the PCI bus where the driver gives
 * one (Khronos' query, then the vendors' older ones), else its UUID. Every CPU device is the host's
 * processor. */
static void name_hardware(cl_device_id id, meso_device_info *info)
{
    enum {
        pci_bus_info_khr = 0x410F,
        pci_bus_nv = 0x4008,
        pci_slot_nv = 0x4009,
        uuid_khr = 0x106A
    };
    static const char nv_attributes[] = "cl_nv_device_attribute_query";
    cl_uint pci[4] = {0};
    unsigned char uuid[16] = {0};
    char list[8192] = {0}, *to = info->hardware;
    const size_t size = sizeof info->hardware;
    if (info->type == MESO_DEVICE_CPU) {
        snprintf(to, size, "host processor");
        return;
    }
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, sizeof list - 1, list, NULL) != CL_SUCCESS)
        return;
    if (query_extension(id, list, "cl_khr_pci_bus_info", pci_bus_info_khr, sizeof pci, pci))
        snprintf(to, size, "pci %x:%x.%x", pci[1], pci[2], pci[3]);
    else if (query_extension(id, list, nv_attributes, pci_bus_nv, sizeof pci[0], &pci[1]) &&
             query_extension(id, list, nv_attributes, pci_slot_nv, sizeof pci[0], &pci[2]))
        snprintf(to, size, "pci %x:%x.%x", pci[1], pci[2] >> 3, pci[2] & 7);
    else if (query_extension(id, list, "cl_khr_device_uuid", uuid_khr, sizeof uuid, uuid))
        for (int i = 0; i < 16; i++)
            snprintf(to + 2 * i, 3, "%02x", uuid[i]);
}

static void describe(cl_device_id id, meso_device_info *info)
{
    info->type = type_of(id);
    query_text(id, CL_DEVICE_NAME, info->name);
    query_text(id, CL_DEVICE_VENDOR, info->vendor);
    query_text(id, CL_DRIVER_VERSION, info->driver);
    query_text(id, CL_DEVICE_VERSION, info->version);
    query_text(id, CL_DEVICE_OPENCL_C_VERSION, info->opencl_c);
    info->compute_units = (unsigned)query_number(id, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->clock_mhz = (unsigned)query_number(id, CL_DEVICE_MAX_CLOCK_FREQUENCY);
    info->vector_width = (unsigned)query_number(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
    info->max_work_group = (size_t)query_number(id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    info->global_memory_bytes = query_number(id, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->max_buffer_bytes = query_number(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info->local_memory_bytes = query_number(id, CL_DEVICE_LOCAL_MEM_SIZE);
    if (!meso_device_query(id, CL_DEVICE_AVAILABLE, 1))
        snprintf(info->unusable, sizeof info->unusable, "the driver says that it is not available");
    else if (!meso_device_query(id, CL_DEVICE_COMPILER_AVAILABLE, 1))
        snprintf(info->unusable, sizeof info->unusable, "the driver has no compiler for kernels");
}

/* Devices of one platform, behind the *n that are there. A platform without devices, or that fails,
 * adds none: that is normal after installing some drivers. */
static void list_platform(cl_platform_id platform, unsigned number, meso_device_info *list,
                          cl_device_id *handles, size_t *n)
{
    cl_device_id ids[max_devices] = {0};
    cl_uint n_ids = 0;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, max_devices, ids, &n_ids) != CL_SUCCESS)
        return;
    n_ids = n_ids < max_devices ? n_ids : max_devices;
    for (cl_uint i = 0; i < n_ids && *n < max_devices; i++) {
        meso_device_info *info = &list[*n];
        *info = (meso_device_info){.struct_bytes = sizeof *info, .platform = number, .index = i};
        describe(ids[i], info);
        name_hardware(ids[i], info);
        if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform_name - 1,
                              info->platform_name, NULL) != CL_SUCCESS)
            info->platform_name[0] = '\0';
        handles[(*n)++] = ids[i];
    }
}

static int is_same(const meso_device_info *a, const meso_device_info *b)
{
    if (a->hardware[0] || b->hardware[0])
        return strcmp(a->hardware, b->hardware) == 0;
    return a->platform != b->platform && a->index == b->index && a->type == b->type &&
           strcmp(a->name, b->name) == 0;
}

/* Platforms, by the first device of each. */
static int compare_platforms(const meso_device_info *a, const meso_device_info *b)
{
    int order = strcmp(a->platform_name, b->platform_name);
    order = order ? order : strcmp(a->driver, b->driver);
    order = order ? order : strcmp(a->version, b->version);
    return order ? order : (a->platform > b->platform) - (a->platform < b->platform);
}

/* Devices: by their platform, then as the driver has them. */
static int comes_before(const meso_device_info *a, const meso_device_info *b)
{
    return a->platform != b->platform ? a->platform < b->platform : a->index < b->index;
}

static void number_platforms(meso_device_info *list, size_t n)
{
    unsigned numbers[max_devices] = {0};
    const meso_device_info *first[max_devices];
    for (size_t i = 0; i < n; i++)
        for (first[i] = list; first[i]->platform != list[i].platform;)
            first[i]++;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            numbers[i] += first[k] == &list[k] && compare_platforms(first[k], first[i]) < 0;
    for (size_t i = 0; i < n; i++)
        list[i].platform = numbers[i];
}

void meso_device_mark_same(meso_device_info *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        list[i].same_as = -1;
        for (size_t k = i; k-- > 0;)
            if (is_same(&list[k], &list[i]))
                list[i].same_as = (int)k;
    }
}

void meso_device_list_arrange(meso_device_info *list, size_t *owner, size_t n)
{
    number_platforms(list, n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && comes_before(&list[k], &list[k - 1]); k--) {
            const meso_device_info info = list[k];
            const size_t held = owner[k];
            list[k] = list[k - 1];
            owner[k] = owner[k - 1];
            list[k - 1] = info;
            owner[k - 1] = held;
        }
    meso_device_mark_same(list, n);
}

meso_status meso_device_list_ids(meso_device_info **list, cl_device_id ids[MESO_MAX_DEVICES],
                                 size_t *n, meso_error *error)
{
    meso_status status = MESO_OK;
    cl_platform_id platforms[max_platforms] = {0};
    cl_uint n_platforms = 0;
    size_t found = 0, position[max_devices];
    meso_device_info *infos = calloc(max_devices, sizeof *infos);
    cl_device_id handles[max_devices] = {0};
    MESO_REQUIRE_MEMORY(infos, error);

    meso_driver_asked = "list its devices";
    cl_int code = clGetPlatformIDs(max_platforms, platforms, &n_platforms);
    MESO_REQUIRE(code == CL_SUCCESS && n_platforms > 0, error, MESO_ERROR_NO_DEVICE,
                 "no OpenCL platform (clGetPlatformIDs: %s): install a driver, for example "
                 "pocl-opencl-icd for the CPU, and check that its .icd file is in "
                 "/etc/OpenCL/vendors or the folder that OCL_ICD_VENDORS names",
                 meso_cl_error_name(code));
    n_platforms = n_platforms < max_platforms ? n_platforms : max_platforms;
    for (cl_uint p = 0; p < n_platforms; p++)
        list_platform(platforms[p], p, infos, handles, &found);
    MESO_REQUIRE(found > 0, error, MESO_ERROR_NO_DEVICE,
                 "%u OpenCL platform%s, but no device in %s: install a driver, for example "
                 "pocl-opencl-icd for the CPU. PoCL itself has no device where it cannot write to "
                 "POCL_CACHE_DIR, by default ~/.cache/pocl",
                 n_platforms, n_platforms == 1 ? "" : "s", n_platforms == 1 ? "it" : "them");
    for (size_t i = 0; i < found; i++)
        position[i] = i;
    meso_device_list_arrange(infos, position, found);
    for (size_t i = 0; ids && i < found; i++)
        ids[i] = handles[position[i]];
    *list = infos;
    infos = NULL;
    *n = found;
out:
    free(infos);
    return status;
}

meso_status meso_device_list(meso_device_info **list, size_t stride, size_t *n, meso_error *error)
{
    meso_device_info *own = NULL;
    meso_driver_lock();
    meso_status status = meso_device_list_ids(&own, NULL, n, error);
    meso_driver_unlock();
    if (status == MESO_OK)
        status = meso_struct_array(own, sizeof *own, *n, stride, "meso_device_info", list, error);
    free(own);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenCL vendor libraries that misbehave as real ones have, for test_drivers.c. Which way is said
 * by the one macro BAD_DRIVER_… that the build defines.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CL/cl.h>
#include <CL/cl_icd.h>

#define VISIBLE __attribute__((visibility("default")))

#if defined BAD_DRIVER_BARE || defined BAD_DRIVER_ALPHA || defined BAD_DRIVER_OMEGA || \
    defined BAD_DRIVER_MUTE || defined BAD_DRIVER_GARBAGE
/* Bare: a platform without a device, as Mesa's is where no device is enabled. Garbage: a thousand
 * platforms that are none. The others: devices that are listed, and of which no context can be
 * made. */
#if defined BAD_DRIVER_GARBAGE
enum { n_garbage = 1000 };
static const char *const names[] = {"Garbage"};
#elif defined BAD_DRIVER_BARE
enum { n_bare = 0 };
static const char *const names[] = {"Bare", ""};
#elif defined BAD_DRIVER_ALPHA
enum { n_bare = 1 };
static const char *const names[] = {"Alpha", "Alpha 0"};
#elif defined BAD_DRIVER_MUTE
enum { n_bare = 1 };
static const char *const names[] = {"Mute", "Mute 0"};
#else
enum { n_bare = 2 };
static const char *const names[] = {"Omega", "Omega 0", "Omega 1"};
#endif

static cl_int put_text(const char *text, size_t size, void *value, size_t *size_out)
{
    const size_t n = strlen(text) + 1;
    if (value)
        memcpy(value, text, size < n ? size : n);
    if (size_out)
        *size_out = n;
    return CL_SUCCESS;
}

/* "cl_khr_icd" is what loaders want to read before they follow the pointers. */
static cl_int CL_API_CALL platform_info(cl_platform_id platform, cl_platform_info what, size_t size,
                                        void *value, size_t *size_out)
{
    (void)platform;
    return put_text(what == CL_PLATFORM_NAME ? names[0] : "cl_khr_icd", size, value, size_out);
}

#ifdef BAD_DRIVER_GARBAGE
static cl_int get_platforms(cl_uint n, cl_platform_id *platforms, cl_uint *n_platforms)
{
    for (cl_uint i = 0; platforms && i < n && i < n_garbage; i++)
        platforms[i] = (cl_platform_id)(uintptr_t)(0x1000 + 24 * i);
    if (n_platforms)
        *n_platforms = n_garbage;
    return CL_SUCCESS;
}
#else
static cl_int CL_API_CALL bare_devices(cl_platform_id platform, cl_device_type type, cl_uint n,
                                       cl_device_id *devices, cl_uint *n_devices);
static cl_int CL_API_CALL bare_device_info(cl_device_id device, cl_device_info what, size_t size,
                                           void *value, size_t *size_out);

static cl_context CL_API_CALL bare_context(
    const cl_context_properties *properties, cl_uint n, const cl_device_id *devices,
    void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user, cl_int *code)
{
    (void)properties, (void)n, (void)devices, (void)notify, (void)user;
    *code = CL_OUT_OF_RESOURCES;
    return NULL;
}

static cl_icd_dispatch bare_calls = {.clGetPlatformInfo = platform_info,
                                     .clGetDeviceIDs = bare_devices,
                                     .clGetDeviceInfo = bare_device_info,
                                     .clCreateContext = bare_context};
typedef struct bare_object {
    cl_icd_dispatch *calls;
} bare_object;
static bare_object bare = {&bare_calls};
static bare_object bare_device[] = {{&bare_calls}, {&bare_calls}};

static cl_int CL_API_CALL bare_devices(cl_platform_id platform, cl_device_type type, cl_uint n,
                                       cl_device_id *devices, cl_uint *n_devices)
{
    (void)platform, (void)type;
    for (int i = 0; devices && i < (int)n && i < n_bare; i++)
        devices[i] = (cl_device_id)(void *)&bare_device[i];
    if (n_devices)
        *n_devices = n_bare;
    return n_bare > 0 ? CL_SUCCESS : CL_DEVICE_NOT_FOUND;
}

static cl_int CL_API_CALL bare_device_info(cl_device_id device, cl_device_info what, size_t size,
                                           void *value, size_t *size_out)
{
    const cl_device_type type = CL_DEVICE_TYPE_GPU;
    const cl_platform_id platform = (cl_platform_id)(void *)&bare;
    if (what == CL_DEVICE_NAME)
        return put_text(names[1 + ((bare_object *)(void *)device - bare_device)], size, value,
                        size_out);
    if (what == CL_DEVICE_TYPE && value && size >= sizeof type)
        memcpy(value, &type, sizeof type);
    else if (what == CL_DEVICE_PLATFORM && value && size >= sizeof platform)
        memcpy(value, &platform, sizeof platform);
#ifdef BAD_DRIVER_MUTE /* as boards that take kernels compiled elsewhere */
    else if (what == CL_DEVICE_COMPILER_AVAILABLE && value && size >= sizeof(cl_bool))
        memset(value, 0, sizeof(cl_bool));
#endif
    else
        return CL_INVALID_VALUE;
    return CL_SUCCESS;
}

static cl_int get_platforms(cl_uint n, cl_platform_id *platforms, cl_uint *n_platforms)
{
    if (platforms && n > 0)
        platforms[0] = (cl_platform_id)(void *)&bare;
    if (n_platforms)
        *n_platforms = 1;
    return CL_SUCCESS;
}
#endif

VISIBLE void *clGetExtensionFunctionAddress(const char *name);
void *clGetExtensionFunctionAddress(const char *name)
{
    if (strcmp(name, "clIcdGetPlatformIDsKHR") == 0)
        return (void *)(uintptr_t)get_platforms;
    return strcmp(name, "clGetPlatformInfo") == 0 ? (void *)(uintptr_t)platform_info : NULL;
}

#else
/* While the library is loaded. */
__attribute__((constructor)) static void misbehave(void)
{
#if defined BAD_DRIVER_ABORT
    abort();
#elif defined BAD_DRIVER_SEGFAULT
    raise(SIGSEGV);
#elif defined BAD_DRIVER_BUS
    raise(SIGBUS);
#elif defined BAD_DRIVER_ILLEGAL
    raise(SIGILL);
#elif defined BAD_DRIVER_ARITHMETIC
    raise(SIGFPE);
#elif defined BAD_DRIVER_HANG
    for (;;)
        pause();
#elif defined BAD_DRIVER_EXIT
    exit(0);
#endif
}

#ifndef BAD_DRIVER_EMPTY
VISIBLE void *clGetExtensionFunctionAddress(const char *name);
void *clGetExtensionFunctionAddress(const char *name)
{
    (void)name;
    return NULL;
}
#endif

#endif

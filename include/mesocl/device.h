/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenCL devices: list them, choose one, open it, look at its profile.
 *
 *   meso_device *device;
 *   if (meso_device_open("auto", &device, &error) == MESO_OK) { …; meso_device_close(device); }
 *
 * A device object serves one thread at a time; two threads open one each.
 */
#ifndef MESOCL_DEVICE_H
#define MESOCL_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct meso_device meso_device;

typedef enum meso_device_type {
    MESO_DEVICE_CPU,
    MESO_DEVICE_IGPU, /* a GPU that shares the host's memory (CL_DEVICE_HOST_UNIFIED_MEMORY) */
    MESO_DEVICE_DGPU, /* a GPU with memory of its own */
    MESO_DEVICE_OTHER /* CL_DEVICE_TYPE_ACCELERATOR or CUSTOM */
} meso_device_type;

/* What the driver says of a device. Strings are NUL-terminated, cut to size, never NULL. */
typedef struct meso_device_info {
    size_t struct_bytes;
    unsigned platform; /* numbers as in --device 0:1: platform, then device inside it, from 0. */
    unsigned index;    /* Platforms without a device have none; the others are sorted by name, so
                          that a number means the same in every process */
    meso_device_type type;
    char name[128];
    char vendor[128];
    char platform_name[128];
    char driver[128];       /* CL_DRIVER_VERSION */
    char version[128];      /* CL_DEVICE_VERSION, for example "OpenCL 3.0 PoCL 3.1" */
    char opencl_c[128];     /* CL_DEVICE_OPENCL_C_VERSION */
    unsigned compute_units; /* CL_DEVICE_MAX_COMPUTE_UNITS */
    unsigned clock_mhz;     /* CL_DEVICE_MAX_CLOCK_FREQUENCY; 0 where the driver does not say */
    unsigned vector_width;  /* CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT */
    size_t max_work_group;  /* CL_DEVICE_MAX_WORK_GROUP_SIZE */
    uint64_t global_memory_bytes;
    uint64_t max_buffer_bytes; /* CL_DEVICE_MAX_MEM_ALLOC_SIZE */
    uint64_t local_memory_bytes;
    char hardware[64]; /* what tells one piece of hardware from another: its place on the PCI bus or
                          its UUID; "host processor" for each CPU device; "" unknown */
    int same_as;       /* position in the list of an earlier entry of the same hardware, or -1 */
    char unusable[64]; /* why no kernel can run there: CL_DEVICE_AVAILABLE or
                          CL_DEVICE_COMPILER_AVAILABLE is false; "" where both are true */
} meso_device_info;

/* "cpu", "igpu", "dgpu", "other". */
MESO_API const char *meso_device_type_name(meso_device_type type);

/* Every device of every platform, in the order of their numbers.
 * *list is the caller's, to be given to meso_free(); stride is sizeof **list; *n is its length, at
 * least 1 on MESO_OK.
 * Errors: NO_DEVICE (no platform or no device: the text says what to install), MEMORY.
 * The drivers run inside this process: one that crashes takes it down. */
MESO_API meso_status meso_device_list(meso_device_info **list, size_t stride, size_t *n,
                                      meso_error *error);

/* Which entries of a list a selector means. selector is
 *   NULL, "" or "auto"         the environment's MESO_DEVICE if set, else what device_bench --pick
 *                              has stored, else the first dgpu, cpu, igpu, other that
 *                              is usable
 *   "train:NET"                the environment's MESO_DEVICE if set, else the device that
 *                              device_bench --pick has measured to train this net fastest, the CPU
 *                              among them, else the CPU
 *   "cpu" "gpu" "igpu" "dgpu"  every device of that type
 *   "1", "0:1"                 platform 1 whole; device 1 of platform 0
 *   "all"                      every device
 *   "each"                     every piece of hardware, once where several platforms show it: the
 *                              preferred device, else the first that was tuned, else the first
 *   "0:0,1:0"                  these, in this order; each part means one device
 *   anything else              part of the device's or platform's name, letter case ignored
 * matches has room for n positions; *n_matches of them are written, in list order but for a list.
 * Errors: NO_DEVICE (nothing matches: the text lists what there is), ARGUMENT (a part of a list
 * that means several devices, or one that is named already). */
MESO_API meso_status meso_device_match(const meso_device_info *list, size_t stride, size_t n,
                                       const char *selector, size_t *matches, size_t *n_matches,
                                       meso_error *error);

/* Opens the device that selector means (as above). Of a type ("cpu" to "dgpu") it is the first, of
 * "gpu" a dgpu comes first; any other selector must mean one device alone. Errors: NO_DEVICE
 * (also: it is unusable), ARGUMENT (it means several), DEVICE, MEMORY. */
MESO_API meso_status meso_device_open(const char *selector, meso_device **device,
                                      meso_error *error);
MESO_API void meso_device_close(meso_device *device); /* NULL is allowed */

MESO_API const meso_device_info *meso_device_get_info(const meso_device *device);

/* Seconds that opening took: loading the drivers and listing their devices, then this device. */
MESO_API void meso_device_open_seconds(const meso_device *device, double *list, double *open);

/* Profile: device time summed by kernel. Off when a device is opened. */
typedef struct meso_profile_row {
    size_t struct_bytes;
    char span[64];   /* the layer that launched it; "" outside a net */
    char kernel[64]; /* the kernel's name */
    uint64_t n_launches;
    double seconds; /* between the driver's start and end stamps */
    int host_timer; /* 1: the driver's stamps made no sense; seconds is the host's clock around it
                     */
    /* What all launches come to, NAN where it is not known: multiply-adds, of a convolution as a
     * direct one, and the bytes that must be read and written at least. */
    double multiply_adds, bytes;
} meso_profile_row;

/* How launches are timed. */
typedef enum meso_profile_mode {
    MESO_PROFILE_OFF,
    MESO_PROFILE_ALONE,  /* each launch is waited for: what a kernel takes with the device for
                            itself, or with its share of the device where a net runs in lanes */
    MESO_PROFILE_RUNNING /* launches run as they do unprofiled. Time in which several run side by
                            side is shared out evenly, so rows add up to the time in which any
                            runs. There is no host's clock around a launch: with host_timer, seconds
                            lack the launches whose stamps made no sense */
} meso_profile_mode;

/* Chooses a mode and forgets what was measured. */
MESO_API meso_status meso_device_profile(meso_device *device, meso_profile_mode mode,
                                         meso_error *error);

/* The rows so far, in order of first launch; waits for the device. *rows is the caller's, to
 * meso_free(); stride is sizeof **rows. */
MESO_API meso_status meso_device_get_profile(meso_device *device, meso_profile_row **rows,
                                             size_t stride, size_t *n, meso_error *error);

#ifdef __cplusplus
}
#endif
#endif

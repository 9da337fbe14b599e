/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside a meso_device; for src/runtime alone.
 */
#ifndef MESO_RUNTIME_DEVICE_OBJECT_H
#define MESO_RUNTIME_DEVICE_OBJECT_H

#include "runtime/device.h"

typedef struct meso_profile {
    int on;
    const char *span;
    meso_profile_row *rows;
    size_t n_rows, capacity;
} meso_profile;

struct meso_device {
    meso_device_info info;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    cl_program programs[MESO_N_PROGRAMS]; /* NULL until first use */
    cl_kernel kernels[MESO_N_KERNELS];    /* likewise */
    size_t group_size[MESO_N_KERNELS];    /* work-items in x; known once the kernel is */
    meso_profile profile;
    meso_error error;
};

/* A queue for the device, with time stamps if profiling is on. */
meso_status meso_device_make_queue(meso_device *device);

/* Makes kernels[kernel] ready, building its program if need be. */
meso_status meso_device_prepare(meso_device *device, meso_kernel_id kernel);

/* Waits for a launch and adds its time to the profile. started: host seconds before the launch. */
meso_status meso_profile_add(meso_device *device, meso_kernel_id kernel, cl_event event,
                             double started);

#endif

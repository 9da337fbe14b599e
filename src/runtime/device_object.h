/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside a meso_device; for src/runtime alone: device.c, lanes.c, program.c, profile.c, clblast.c.
 */
#ifndef MESO_RUNTIME_DEVICE_OBJECT_H
#define MESO_RUNTIME_DEVICE_OBJECT_H

#include "runtime/device.h"
#include "runtime/program.h"

/* A launch whose stamps are still to be read. */
typedef struct meso_launched {
    cl_event event;
    size_t row;
    double enqueued; /* by the host's clock, just before */
} meso_launched;

/* Where a call begins, and the one before it ends. */
typedef struct meso_profile_mark {
    double time; /* by the host's clock */
    size_t n_launched;
} meso_profile_mark;

typedef struct meso_profile {
    meso_profile_mode mode;
    double began; /* by the host's clock */
    const char *span;
    double multiply_adds, bytes; /* of the next launch */
    meso_profile_row *rows;
    size_t n_rows, capacity;
    meso_launched *launched;
    size_t n_launched, launched_capacity;
    meso_profile_mark *marks;
    size_t n_marks, marks_capacity;
    double idle[MESO_N_IDLE];
} meso_profile;

typedef struct meso_lane {
    cl_device_id id; /* a sub-device, or the device itself */
    cl_command_queue queue;
} meso_lane;

/* Programs and kernels of the table; empty until first use. */
typedef struct meso_built {
    meso_program programs[MESO_N_PROGRAMS];
    meso_kernel kernels[MESO_N_KERNELS];
} meso_built;

struct meso_device {
    meso_device_info info;
    cl_context context;
    meso_lane whole;
    meso_lane lanes[MESO_MAX_LANES];
    size_t n_lanes;
    meso_lane *lane;                 /* in use */
    meso_built for_whole, for_lanes; /* a build takes its time for each (sub-)device */
    meso_profile profile;
    size_t group_sizes[MESO_N_PROGRAMS]; /* of the programs' kernels, where the device allows it */
    int sync;                            /* MESO_CL_SYNC: each launch is waited for */
    int uses_clblast;
    char clblast_off[200]; /* why; empty: it may be used */
    double list_seconds, open_seconds;
    meso_error error;
};

/* Fills whole and lanes from the device's id: sub-devices where they pay. No queues yet. */
void meso_lanes_split(meso_device *device, cl_device_id id);

/* Writes the device and what sub-devices its lanes have; returns how many. */
cl_uint meso_lanes_ids(const meso_device *device, cl_device_id ids[MESO_MAX_LANES + 1]);

/* A queue for each lane and the whole, with time stamps if profiling is on; replaces those there
 * are. */
meso_status meso_lanes_make_queues(meso_device *device);
void meso_lanes_release(meso_device *device);

/* The kernel for the lane in use, ready; its program is built if need be. */
meso_status meso_device_prepare(meso_device *device, meso_kernel_id id, meso_kernel **kernel);

/* Adds a launch to the profile, which may keep the event: then it is NULL. started: host seconds
 * before the launch. */
meso_status meso_profile_add(meso_device *device, const char *kernel, cl_event *event,
                             double started);
/* The same with seconds that the caller took; for what is not a launch of its own. */
meso_status meso_profile_add_seconds(meso_device *device, const char *kernel, double seconds);
void meso_profile_release(meso_profile *profile);

/* The device is about to be closed, under the driver lock. */
void meso_clblast_forget(meso_device *device);

#endif

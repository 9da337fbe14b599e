/* SPDX-License-Identifier: Apache-2.0
 *
 * An open device: context, programs, kernels and launches (device.c, program.c), buffers
 * (buffer.c), lanes (lanes.c), the profile (profile.c). With device_list.c the only code that
 * calls cl*.
 */
#ifndef MESO_RUNTIME_DEVICE_H
#define MESO_RUNTIME_DEVICE_H

#include "base/each.h"
#include "base/error.h"
#include "mesocl/device.h"
#include "runtime/driver_call.h"
#include "runtime/kernel_table.h"

/* A kernel ready to launch. kinds: see kernel_table.h. */
typedef struct meso_kernel {
    cl_kernel kernel; /* NULL: not made yet */
    const char *name; /* outlives it */
    const char *kinds;
    size_t group[3]; /* work-items of a work-group */
} meso_kernel;

/* Work-items of a work-group of a program's kernels, where the device allows so many. */
size_t meso_device_group_size(const meso_device *device, meso_program_id program);

/* Builds a program of the table, with smaller work-groups where one of its kernels cannot have them
 * as large as they are meant to be; *items becomes their size, halved as often as it took. */
meso_status meso_device_fit_groups(meso_device *device, meso_program_id program, size_t *items);

/* Device memory. Owned by whoever called meso_buffer_create. */
typedef struct meso_buffer {
    cl_mem memory;
    size_t bytes;
} meso_buffer;

/* Work under way on a lane; empty: none. */
typedef struct meso_event {
    cl_event event;
} meso_event;

/* One value for a kernel. Kinds must match the kernel's row in the kernel table. */
typedef struct meso_arg {
    char kind; /* 'b' buffer, 'i' int, 'f' float, 't' tensor_t (int8 of prelude.cl) */
    union {
        cl_mem buffer;
        cl_int i;
        cl_float f;
        cl_int8 t;
    } value;
} meso_arg;

static inline meso_arg meso_arg_buffer(const meso_buffer *buffer)
{
    return (meso_arg){'b', {.buffer = buffer->memory}};
}
static inline meso_arg meso_arg_int(int i)
{
    return (meso_arg){'i', {.i = i}};
}
static inline meso_arg meso_arg_float(double f)
{
    return (meso_arg){'f', {.f = (cl_float)f}};
}
static inline meso_arg meso_arg_same(meso_arg arg)
{
    return arg;
}

/* Where the sentence of a failed call on this device goes; and that sentence, valid until the next
 * call on it. Public calls copy it to the caller's meso_error. */
meso_error *meso_device_error_slot(meso_device *device);
const char *meso_device_error(const meso_device *device);

/* A CPU whose driver keeps our vectors: drivers that split them into scalars, such as rusticl on
 * llvmpipe, compile the kernels made for vectors for minutes, and gain nothing. */
int meso_device_has_vectors(const meso_device *device);

int meso_device_is_profiled(const meso_device *device);

/* The name that profile rows carry from here on (a layer's); "" for none. The pointer is kept. */
void meso_device_span(meso_device *device, const char *span);

/* What the next launch under this span comes to, as in meso_profile_row. */
void meso_device_cost(meso_device *device, double multiply_adds, double bytes);

/* The PCI number of its maker, or what the driver gives in its place; 0 unknown. */
unsigned meso_device_vendor_id(const meso_device *device);

/* How many bytes a kernel may have in __constant arguments: 64 KB where the device has more. */
size_t meso_device_constant_bytes(const meso_device *device);

/* Is its local memory a part of the global one, and no faster? */
int meso_device_local_is_global(const meso_device *device);

/* Where, in a call, no launch runs: the host prepares, copies go to and fro, threads wake. */
typedef enum meso_idle {
    MESO_IDLE_BEFORE,  /* the first launch */
    MESO_IDLE_BETWEEN, /* launches */
    MESO_IDLE_AFTER,   /* the last one */
    MESO_N_IDLE
} meso_idle;

/* Under MESO_PROFILE_RUNNING: here a call begins, and the one before it, which has waited for its
 * launches, ends. Errors: MEMORY. */
meso_status meso_device_mark_call(meso_device *device, meso_error *error);

/* Of the calls between marks, once meso_device_get_profile has returned: idle seconds, by the
 * stamps of their launches and the host's clock. NaN where stamps make no sense, or where a call
 * launched nothing. */
void meso_device_get_idle(const meso_device *device, double seconds[MESO_N_IDLE]);

/* A buffer over the caller's own memory, which outlives it: nothing is copied where the device
 * shares the host's memory. Errors: DEVICE. */
meso_status meso_buffer_wrap(meso_device *device, void *memory, size_t bytes, meso_buffer *buffer);

/* bytes = 0 is allowed and takes the smallest buffer there is. Errors: DEVICE. */
meso_status meso_buffer_create(meso_device *device, size_t bytes, meso_buffer *buffer);

/* A buffer of at least so many bytes, with or without what was in it. */
meso_status meso_buffer_grow(meso_device *device, size_t bytes, meso_buffer *buffer);

/* A part of another buffer, `offset` bytes from its beginning: a multiple of 4096 for any device.
 * To be released before it. Errors: DEVICE. */
meso_status meso_buffer_create_part(meso_device *device, const meso_buffer *whole, size_t offset,
                                    size_t bytes, meso_buffer *part);

/* A buffer that holds a copy of `bytes` of `values`. Errors: DEVICE. */
meso_status meso_buffer_create_filled(meso_device *device, const void *values, size_t bytes,
                                      meso_buffer *buffer);
void meso_buffer_release(meso_buffer *buffer); /* empty is allowed; empties it */

/* Blocking copies of `bytes` bytes at `offset`. */
meso_status meso_buffer_write(meso_device *device, const meso_buffer *buffer, size_t offset,
                              const void *from, size_t bytes);
meso_status meso_buffer_read(meso_device *device, const meso_buffer *buffer, size_t offset,
                             void *to, size_t bytes);

/* Zeros for the whole of a buffer of floats; they are there when it returns. */
meso_status meso_buffer_zero(meso_device *device, const meso_buffer *buffer);

/* Memory of the host that the device copies from fastest, mapped until it is released. Errors:
 * DEVICE. */
meso_status meso_buffer_create_mapped(meso_device *device, size_t bytes, meso_buffer *buffer,
                                      void **memory);
void meso_buffer_release_mapped(meso_device *device, meso_buffer *buffer, void *memory);

/* For kernels to read it where it lies: nothing may use the memory from unmapping on until it has
 * been mapped again, which is done when meso_event_wait returns. Both go behind what is on the lane
 * in use. */
meso_status meso_buffer_unmap(meso_device *device, const meso_buffer *buffer, void *memory);
meso_status meso_buffer_map_start(meso_device *device, const meso_buffer *buffer, void **memory,
                                  meso_event *event);

/* Copies beside what is on the lane in use and returns; what is enqueued there from here on begins
 * when the copy is whole. Until then `from` stays. On a device of one lane, with
 * MESO_WHOLE_DEVICE in use. */
meso_status meso_buffer_write_ahead(meso_device *device, const meso_buffer *buffer,
                                    const void *from, size_t bytes);

/* Enqueues a copy behind what is on the lane in use and returns; `to` is whole, and all that was
 * enqueued before is done, when meso_event_wait returns. */
meso_status meso_buffer_read_start(meso_device *device, const meso_buffer *buffer, void *to,
                                   size_t bytes, meso_event *event);
meso_status meso_event_wait(meso_device *device, meso_event *event); /* empty is allowed; empties */

/* Enqueues a kernel over `global` work-items in three dimensions (a dimension of 0 launches
 * nothing). They are rounded up to whole work-groups, so kernels check them. The program is built
 * at first use. */
meso_status meso_launch(meso_device *device, meso_kernel_id kernel, const size_t global[3],
                        const meso_arg *args, size_t n_args);

/* The same with a kernel that is not in the table. */
meso_status meso_launch_kernel(meso_device *device, const meso_kernel *kernel,
                               const size_t global[3], const meso_arg *args, size_t n_args);

/* For meso_launch: up to 20 arguments as an array literal and its length. Each is a buffer, an int,
 * a float or double, or a meso_arg already. */
/* clang-format off */
#define MESO_ARGS(...) \
    (const meso_arg[]){MESO_EACH(MESO_ARG, __VA_ARGS__)}, \
    sizeof((const meso_arg[]){MESO_EACH(MESO_ARG, __VA_ARGS__)}) / sizeof(meso_arg)
#define MESO_ARG(a) \
    _Generic((a), meso_buffer *: meso_arg_buffer, const meso_buffer *: meso_arg_buffer, \
             int: meso_arg_int, unsigned: meso_arg_int, float: meso_arg_float, \
             double: meso_arg_float, meso_arg: meso_arg_same)(a)
/* clang-format on */
#define MESO_GLOBAL(x, y, z)                  \
    (const size_t[3])                         \
    {                                         \
        (size_t)(x), (size_t)(y), (size_t)(z) \
    }

/* Lanes are in-order queues that run side by side, each on its own share of the device: on PoCL a
 * core, where one queue over all cores moves an image's data between them; elsewhere the one lane
 * is the whole device. Launches and copies go to the lane in use; after opening, and with
 * MESO_WHOLE_DEVICE, to a queue of the whole device. */
enum { MESO_WHOLE_DEVICE = -1, MESO_MAX_LANES = 256 };
size_t meso_device_n_lanes(const meso_device *device, size_t most); /* 0: all there are */
void meso_device_use_lane(meso_device *device, int lane);
int meso_device_lane(const meso_device *device); /* in use; MESO_WHOLE_DEVICE */

/* Hands what was enqueued on the lane in use to the device, without waiting. */
meso_status meso_device_flush(meso_device *device);

/* Lanes 0 … n − 1: what is enqueued on any of them from here on begins when all that was enqueued
 * on all of them is done. Waits for nothing. */
meso_status meso_device_join_lanes(meso_device *device, size_t n);

/* Waits for everything enqueued on the lane in use; on lanes 0 … n − 1; on all lanes and the whole
 * device. The latter two also wait behind a failure. */
meso_status meso_device_finish(meso_device *device);
meso_status meso_device_finish_lanes(meso_device *device, size_t n);
meso_status meso_device_finish_all(meso_device *device);

/* What one of n_lanes lanes gets of `total` images, or groups of them. */
typedef struct meso_share {
    size_t first, n;
} meso_share;
meso_share meso_lane_share(size_t lane, size_t n_lanes, size_t total);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * An OpenCL layer that makes the driver below it misbehave on demand, and counts what lives. The
 * loader puts it between program and drivers where OPENCL_LAYERS names the library that
 * fault_layer.c becomes (ocl-icd since 2.2.14, Khronos' loader since 2021). A test in the same
 * process loads the same library by dlopen() and finds `fault_layer` by dlsym(). A program that a
 * test starts is told by its environment: MESO_FAULT_CALL=N, call N fails (1 is the first);
 * MESO_FAULT_CODE=C, with this code; MESO_FAULT_HANG=H, it never returns, as a fault_hang says;
 * MESO_FAULT_IN=F and MESO_FAULT_SIGNAL=N, function F crashes by signal N, or with 0 takes two
 * seconds; MESO_FAULT_TIMES=T, launches' times are those of a fault_times; MESO_FAULT_GPU=1, the
 * device poses as a GPU, with 2 as one in the host's memory, with MESO_FAULT_VENDOR=N of this
 * vendor, with MESO_FAULT_UNITS=N of so many compute units; MESO_FAULT_GROUP=N and
 * MESO_FAULT_LOCAL=N are max_group and local_bytes; MESO_FAULT_SKIP=1, no kernel runs;
 * MESO_FAULT_POISON=1, all that is read back is NaN.
 */
#ifndef MESO_TESTS_FAULT_LAYER_H
#define MESO_TESTS_FAULT_LAYER_H

#include <CL/cl.h>

typedef enum fault_kind {
    FAULT_SUB_DEVICE,
    FAULT_CONTEXT,
    FAULT_QUEUE,
    FAULT_BUFFER,
    FAULT_PROGRAM,
    FAULT_KERNEL,
    FAULT_EVENT,
    FAULT_N_KINDS
} fault_kind;

/* What a driver may say of a launch's times. */
typedef enum fault_times {
    FAULT_TIMES_TRUE,
    FAULT_TIMES_ZERO,
    FAULT_TIMES_EQUAL,
    FAULT_TIMES_BACKWARDS,
    FAULT_TIMES_YEARS,    /* a launch of 2300 years */
    FAULT_TIMES_NUMBERED, /* 0 to 3: queued, submitted, begun, ended */
    FAULT_TIMES_REFUSED,  /* CL_PROFILING_INFO_NOT_AVAILABLE */
    FAULT_N_TIMES
} fault_times;

/* A call that never returns, waiting or busy. */
typedef enum fault_hang {
    FAULT_HANG_NOT,
    FAULT_HANG_WAITING,
    FAULT_HANG_SPINNING,
    FAULT_N_HANGS
} fault_hang;

typedef struct fault_launch {
    char kernel[48];
    size_t global[3], local[3];
} fault_launch;
enum { FAULT_MAX_LAUNCHES = 1024 };

typedef struct fault_layer_state {
    size_t n_calls;      /* so far; the test sets it back to 0 */
    const char *counted; /* a function whose calls are counted apart; NULL: none */
    size_t n_counted;

    /* Call fail_at (0: none) is not made but returns `code`; with `lost` all behind it, too. A call
     * that releases or waits is made all the same: nothing runs any more on a device that is lost.
     */
    size_t fail_at;
    int lost;
    cl_int code;
    fault_hang hang;
    const char
        *crash_in; /* a function that crashes by `signal`, or takes two seconds; NULL: none */
    int signal;
    const char *failed; /* the function that failed first */

    size_t n_refused; /* calls that the driver itself refused */

    int poison_reads; /* NaN in all that is read back */
    int poses_as_gpu; /* 1: the device says that it is a GPU with memory of its own; 2: a GPU in the
                         host's; 3: one whose local memory is global memory */
    cl_uint vendor, units; /* its CL_DEVICE_VENDOR_ID, compute units; 0: the driver's own */
    int skips; /* launches and fills succeed, and that is all; blocking reads give zeros */
    fault_times times;

    size_t max_group, local_bytes, buffer_bytes; /* limits; 0: the driver's own */

    long live[FAULT_N_KINDS]; /* created and not released */

    /* What the layer stands in, for a test that no call goes past it; NULL ends them. */
    const char *const *functions;

    /* What was launched, and how often the host waited; the test sets both numbers back to 0. */
    fault_launch launches[FAULT_MAX_LAUNCHES];
    size_t n_launches, n_waits;
} fault_layer_state;

#define FAULT_LAYER_SYMBOL "fault_layer"

/* harness_faults.c: puts the library between this process and its drivers; before the first OpenCL
 * call, which makes the loader look for layers. NULL, and a sentence on stderr: it cannot be. */
fault_layer_state *harness_put_layer(const char *library);

/* Skips where the OpenCL loader knows no layers, as Intel's own: asks it for a call that this one
 * makes fail. There must be a device. */
void harness_need_layers(const char *library);

#endif

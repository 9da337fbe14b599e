/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs put together at run time, from the embedded files of cl/ and definitions in front of
 * them.
 */
#ifndef MESO_RUNTIME_PROGRAM_H
#define MESO_RUNTIME_PROGRAM_H

#include "base/text.h"
#include "runtime/device.h"

/* Adds cl/<name>.cl so that the compiler's messages name it and its lines. Errors: INTERNAL (no
 * such file). */
meso_status meso_source_add(meso_text *source, const char *name, meso_error *error);

typedef struct meso_program {
    cl_program program;
} meso_program;

/* Compiles for the device and its lanes. Errors: DEVICE with the first lines of the compiler's log.
 */
meso_status meso_program_build(meso_device *device, const meso_text *source, meso_program *program);
void meso_program_release(meso_program *program); /* empty is allowed */

/* *has becomes 1 if the program has a kernel of that name, else 0: how a program says which of its
 * alternatives was compiled. Errors: DEVICE. */
meso_status meso_program_has_kernel(meso_device *device, const meso_program *program,
                                    const char *name, int *has);

/* A kernel of work-groups of one. name and kinds are kept. */
meso_status meso_program_kernel(meso_device *device, const meso_program *program, const char *name,
                                const char *kinds, meso_kernel *kernel);
/* A kernel of work-groups of exactly this size. *most: how many work-items the lane in use can give
 * it, 0 where it lacks local memory; no kernel where they are fewer. */
meso_status meso_program_group_kernel(meso_device *device, const meso_program *program,
                                      const char *name, const char *kinds, const size_t group[3],
                                      meso_kernel *kernel, size_t *most);
void meso_kernel_release(meso_kernel *kernel); /* empty is allowed */

#endif

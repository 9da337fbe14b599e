/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices of all platforms with their OpenCL handles; device_match.c says which of them are meant.
 */
#ifndef MESO_RUNTIME_DEVICE_LIST_H
#define MESO_RUNTIME_DEVICE_LIST_H

#include "mesocl/device.h"
#include "runtime/driver_call.h"

enum { MESO_MAX_DEVICES = 256 }; /* more are as if they were not there */

/* meso_device_list with the handles beside it, under the caller's lock: ids[i] belongs to
 * (*list)[i], which is to be freed. ids may be NULL. */
meso_status meso_device_list_ids(meso_device_info **list, cl_device_id ids[MESO_MAX_DEVICES],
                                 size_t *n, meso_error *error);

/* One thread at a time inside: drivers are loaded, devices opened and closed and programs built
 * under it, because several drivers crash where two threads do so at once, PoCL 3.1 at first use
 * among them. */
void meso_driver_lock(void);
void meso_driver_unlock(void);

/* What a driver was asked for last ("run a kernel"), for whoever has to say that it crashed, or
 * that it compiles. */
#define MESO_DRIVER_COMPILES "compile kernels"
extern const char *_Atomic meso_driver_asked;

/* Sets same_as of each entry: by hardware, and where a driver does not say what it is, by type,
 * name and place in its platform. */
void meso_device_mark_same(meso_device_info *list, size_t n);

/* Numbers the platforms of a list, marks the same ones and moves the entries into that order,
 * with owner [n] beside them. By name, driver and version, so that a number means the same device
 * in every process: loaders have orders of their own, and a process may load one driver alone.
 * Platforms that compare equal keep the order of their numbers before. */
void meso_device_list_arrange(meso_device_info *list, size_t *owner, size_t n);

/* The one entry that selector means (see meso_device_open). Errors: NO_DEVICE, ARGUMENT (it means
 * several; the text lists them), MEMORY. */
meso_status meso_device_match_one(const meso_device_info *list, size_t n, const char *selector,
                                  size_t *one, meso_error *error);

/* A number of any integer width that the driver says of a device; `otherwise` where it does not. */
uint64_t meso_device_query(cl_device_id id, cl_device_info what, uint64_t otherwise);

/* Does a selector name devices, or leave the choice to us? */
int meso_device_is_named(const char *selector);

/* Has "train:NET" meant the CPU `one` though there is a GPU? */
int meso_device_leaves_gpu(const meso_device_info *list, size_t n, const char *selector,
                           size_t one);

/* Is it "each" or a list, "0:0,1:0", so that it may mean several devices at work together? */
int meso_device_is_list(const char *selector);

#endif

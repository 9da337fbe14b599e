/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled programs of drivers that do not keep them: files in programs/ of the user's cache
 * folder, the one of `dataset_bench stats`. A damaged or foreign file is as if it were not there;
 * the driver compiles then, and the file is replaced. There are at most 64.
 */
#ifndef MESO_RUNTIME_PROGRAM_CACHE_H
#define MESO_RUNTIME_PROGRAM_CACHE_H

#include "base/text.h"
#include "runtime/device_object.h"

/* The file of a program; path stays empty where none is kept: the driver does so itself, or there
 * is no folder. */
void meso_program_cache_find(const meso_device_info *info, const char *options,
                             const meso_text *source, meso_text *path);

/* The program, built for these devices; NULL: compile it. */
cl_program meso_program_cache_load(meso_device *device, const meso_text *path,
                                   const cl_device_id *ids, cl_uint n_ids, const char *options);

/* Keeps a program that was built for this device among others. */
void meso_program_cache_store(const meso_text *path, cl_program program, cl_device_id id);

#endif

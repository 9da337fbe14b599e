/* SPDX-License-Identifier: Apache-2.0
 *
 * The files *.icd by which OpenCL loaders find drivers.
 */
#ifndef MESO_TOOLS_DRIVER_FILES_H
#define MESO_TOOLS_DRIVER_FILES_H

#include "drivers.h"

/* Fills rows, n and folder as meso_drivers_find says. */
meso_status meso_driver_files_find(meso_drivers *drivers, meso_error *error);
void meso_driver_files_free(meso_drivers *drivers);

/* Why the library cannot be a driver, as a sentence; "" if it may be one. It is loaded: call this
 * in a child alone. */
void meso_driver_library_trouble(const char *library, char *text, size_t size);

#endif

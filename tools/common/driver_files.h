/* SPDX-License-Identifier: Apache-2.0
 *
 * The files *.icd by which OpenCL loaders find drivers.
 */
#ifndef MESO_TOOLS_DRIVER_FILES_H
#define MESO_TOOLS_DRIVER_FILES_H

#include "drivers.h"

/* Fills rows, n and folder as tool_drivers_find says. */
meso_status tool_driver_files_find(tool_drivers *drivers, meso_error *error);
void tool_driver_files_free(tool_drivers *drivers);

/* Why the library cannot be a driver, as a sentence; "" if it may be one. It is loaded: call this
 * in a child alone. */
void tool_driver_library_trouble(const char *library, char *text, size_t size);

#endif

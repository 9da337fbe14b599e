/* SPDX-License-Identifier: Apache-2.0
 *
 * The OpenCL drivers of this machine, each asked for its devices in a process of its own, so that
 * one that crashes, hangs or is no driver costs its own row. A driver is a file *.icd that names a
 * library; where there is but one, or the loader finds drivers in a way not known here, "all that
 * the loader finds" is one driver.
 *
 * Platforms are numbered over all drivers, as meso_device_list numbers them.
 *
 * drivers.c asks them, driver_files.c finds the files, driver_crash.c says which driver has crashed
 * this process.
 */
#ifndef MESO_TOOLS_DRIVERS_H
#define MESO_TOOLS_DRIVERS_H

#include "base/text.h"
#include "mesocl/device.h"

typedef struct tool_driver {
    char *file;       /* the .icd file; NULL: what the loader finds */
    char *library;    /* that it names; "" unknown */
    char *vendors;    /* the folder that holds this file alone, as OCL_ICD_VENDORS; NULL: all */
    size_t n_devices; /* 0: see error */
    meso_error error;
} tool_driver;

typedef struct tool_drivers {
    tool_driver *rows;
    size_t n;
    meso_device_info *devices; /* of all drivers */
    size_t *owners;            /* [n_devices]: the driver of each */
    size_t n_devices;
    size_t *matches; /* [n_matches] devices that the selector means: positions in devices */
    size_t n_matches;
    char *folder; /* of the vendors' folders; removed by tool_drivers_free */
} tool_drivers;

/* Finds the drivers; no driver is loaded by it. Errors: MEMORY. */
meso_status tool_drivers_find(tool_drivers *drivers, meso_error *error);

/* Asks each for its devices, side by side, for at most 5 seconds, and finds those that selector
 * means (see meso_device_match). quiet: what drivers say on stderr is not shown. Errors: MEMORY,
 * NO_DEVICE (none has a device; the text says why of each), those of meso_device_match. */
meso_status tool_drivers_ask(tool_drivers *drivers, const char *selector, int quiet,
                             meso_error *error);
void tool_drivers_free(tool_drivers *drivers);

/* The work "list" of a child: devices, as meso_device_info; argument: the driver's library. */
meso_status tool_child_list(const char *argument, meso_text *answer, meso_error *error);

/* "platform:device" of a device within a process that has its driver alone. */
void tool_drivers_local_name(const tool_drivers *drivers, size_t device, char name[32]);

/* From here on: kernels that take long to compile are said on stderr, once, where it is a terminal.
 */
void tool_say_compiling(void);

/* What opens the device to train a net on: the selector, or "train:NET" where it leaves the choice
 * to us. */
typedef char tool_selector[160];
const char *tool_training_selector(const char *selector, const char *net, tool_selector text);

/* meso_device_open for programs. With several drivers they are asked first, and the one that has
 * the device is the only one that this process loads. */
meso_status tool_open_device(const char *selector, meso_device **device, meso_error *error);

/* The same with the first of the devices that selector means, where several may be meant. */
meso_status tool_open_first(const char *selector, meso_device **device, meso_error *error);

/* A driver that runs inside this process may crash it, or call exit(). The program then ends with a
 * sentence and 70, without a core file, in place of a bare signal or the driver's own code. The
 * sentence names the driver, and what it was asked for last (meso_driver_asked); or this program,
 * where the thread that crashed was in no call of the driver. From here on; call it before the
 * first OpenCL call. library: the driver's; "": not known. */
void tool_driver_crash_catch(const char *library);

/* main() is about to return: an exit() from now on is the program's own. */
void tool_driver_crash_end(void);

/* The files *.icd by which OpenCL loaders find drivers. Fills rows, n and folder as
 * tool_drivers_find says. */
meso_status tool_driver_files_find(tool_drivers *drivers, meso_error *error);
void tool_driver_files_free(tool_drivers *drivers);

/* Why the library cannot be a driver, as a sentence; "" if it may be one. It is loaded: call this
 * in a child alone. */
void tool_driver_library_trouble(const char *library, char *text, size_t size);

#endif

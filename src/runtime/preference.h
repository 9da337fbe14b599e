/* SPDX-License-Identifier: Apache-2.0
 *
 * What this user prefers, in files of $XDG_CONFIG_HOME/mesocl (or ~/.config/mesocl). `device` is
 * the device that --device auto means: two lines, the platform's name and the device's. Behind them
 * stands how fast devices train, a line each: net, images a second, platform and device, with tabs
 * between them.
 */
#ifndef MESO_RUNTIME_PREFERENCE_H
#define MESO_RUNTIME_PREFERENCE_H

#include "base/text.h"
#include "mesocl/device.h"

enum { MESO_PREFERENCE_PATH_SIZE = 4096 };

/* The position of the preferred device in a list; n where there is no preference or no such device:
 * a preference is a wish, not an order, so that a device that has gone is no error. */
size_t meso_preference_find(const meso_device_info *list, size_t n);

/* How many images of this net a second the device trains; 0: that was not measured. */
double meso_preference_rate(const meso_device_info *device, const char *net);

/* Adds such a line. */
void meso_preference_add_rate(meso_text *rates, const char *net, double rate, const char *platform,
                              const char *device);

/* Writes the preference with these lines behind it, and its file's path. Errors: CREATE, IO. */
meso_status meso_preference_write(const char *platform, const char *device, const char *rates,
                                  char path[MESO_PREFERENCE_PATH_SIZE], meso_error *error);

/* Could files be written there? For before the work whose result they are. Errors: CREATE. */
meso_status meso_preference_check(meso_error *error);

/* The path of a file there; "" where the environment names no folder. */
void meso_preference_path(const char *name, char path[MESO_PREFERENCE_PATH_SIZE]);

/* Writes a file there, atomically, and its path. Errors: CREATE, IO. */
meso_status meso_preference_save(const char *name, const char *bytes, size_t n,
                                 char path[MESO_PREFERENCE_PATH_SIZE], meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of the tuner on one device: every family of kernels that it has, one after the other. What
 * was measured is kept beside the user's rows (tuning-part.json), so that a run that was cut short
 * goes on where it was; the rows are written at the end, all at once.
 */
#ifndef MESO_TOOLS_TUNE_H
#define MESO_TOOLS_TUNE_H

#include "drivers.h"

typedef struct tune_options {
    const char *net;
    size_t batch;
    double seconds;     /* of the search; the last comparisons come on top */
    double of_each;     /* seconds that two rows take turns at most */
    const char *family; /* this one alone; NULL: all */
} tune_options;

/* Says on stdout what it finds. Errors: CANCELLED (interrupted; what was measured is kept) besides
 * those of devices, nets and files. */
meso_status tune_device(const tool_drivers *drivers, size_t device, const tune_options *options,
                        meso_error *error);

/* Forgets the device's rows, and what a run that was cut short has measured. Errors: CREATE, IO,
 * MEMORY. */
meso_status tune_reset(const meso_device_info *device, meso_error *error);

#endif

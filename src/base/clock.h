/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BASE_CLOCK_H
#define MESO_BASE_CLOCK_H

#include <time.h>

/* Seconds of a clock that only goes forward; for differences. */
static inline double meso_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif

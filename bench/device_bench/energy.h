/* SPDX-License-Identifier: Apache-2.0
 *
 * Energy that a device takes, by the counter that the system has for it: powercap (RAPL) for the
 * packages of a CPU, hwmon for a GPU, else NVML. It is that of everything on the package or board,
 * idle or not.
 */
#ifndef MESO_BENCH_ENERGY_H
#define MESO_BENCH_ENERGY_H

#include <stddef.h>

#include "mesocl/device.h"

enum { BENCH_MOST_COUNTERS = 64 };

typedef struct bench_counter {
    char path[256];
    int is_power;  /* 1: watts of the moment; 0: energy so far */
    double unit;   /* in joules or watts */
    double range;  /* it begins anew there; NaN: never */
    double before; /* what it said at the start */
} bench_counter;

typedef struct bench_energy {
    const char *source; /* "powercap", "hwmon", "nvml", "none" */
    bench_counter counters[BENCH_MOST_COUNTERS];
    size_t n;           /* of files */
    void *nvml, *board; /* the library and its device; NULL: no NVML */
    int (*read_board)(void *board, unsigned long long *millijoules); /* 0: read */
    double board_before, started;
} bench_energy;

void bench_energy_open(const meso_device_info *device, bench_energy *energy);

/* The same with another /sys and another NVML. */
void bench_energy_open_at(const char *sysfs, const char *nvml, const meso_device_info *device,
                          bench_energy *energy);
void bench_energy_start(bench_energy *energy);

/* Joules since the start. NaN where there is no counter, or one of them cannot be read any more. */
double bench_energy_stop(bench_energy *energy);
void bench_energy_close(bench_energy *energy); /* a zeroed one is allowed */

#endif

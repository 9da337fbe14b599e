/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device can do at best, by kernels of their own (cl/peak.cl): float multiply-adds, copies
 * of memory, launches. Shares of the peak refer to it.
 */
#ifndef MESO_BENCH_PEAK_H
#define MESO_BENCH_PEAK_H

#include "runtime/device.h"

typedef struct bench_peak {
    meso_device *device;
    meso_buffer out;
    meso_buffer from, to; /* larger than the caches of a core, and of most processors */
    int form;             /* which kernel, a position in the table of peak.c */
    int width;            /* floats in a vector of that kernel */
    int n_groups;         /* work-groups of a launch */
    int rounds;           /* of the loop: a launch takes some milliseconds */
} bench_peak;

/* Tries every vector width and keeps the best. n_cores: on a CPU, how many may work. */
meso_status bench_peak_open(meso_device *device, unsigned n_cores, bench_peak *peak);

/* One measurement of each: 10⁹ operations a second, a multiply-add counted as two; 10⁹ bytes read
 * and written a second; microseconds of a launch among many in a queue. */
meso_status bench_peak_measure(bench_peak *peak, double *gflops, double *copy_gbs,
                               double *launch_us);
void bench_peak_close(bench_peak *peak); /* a zeroed one is allowed */

#endif

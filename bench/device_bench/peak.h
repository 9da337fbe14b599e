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
    int copy_floats;      /* in each of them */
    int form;             /* which kernel, a position in the table of peak.c */
    int width;            /* floats in a vector of that kernel */
    int n_groups;         /* work-groups of a launch */
    int rounds;           /* of the loop: a launch takes some milliseconds */
} bench_peak;

/* Tries every vector width and keeps the best. n_cores: on a CPU, how many may work. */
meso_status bench_peak_open(meso_device *device, unsigned n_cores, bench_peak *peak);

/* One measurement of each. */
typedef struct bench_peaks {
    double gflops;          /* 10⁹ operations a second, a multiply-add counted as two */
    double copy_gbs;        /* 10⁹ bytes read and written a second */
    double launch_us;       /* of a launch among many in a queue */
    double launch_alone_us; /* of one that is waited for */
} bench_peaks;

meso_status bench_peak_measure(bench_peak *peak, bench_peaks *peaks);
void bench_peak_close(bench_peak *peak); /* a zeroed one is allowed */

#endif

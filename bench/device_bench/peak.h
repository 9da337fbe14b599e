/* SPDX-License-Identifier: Apache-2.0
 *
 * The float multiply-add peak of a device, by a kernel of its own (cl/peak.cl): what shares of the
 * peak refer to.
 */
#ifndef MESO_BENCH_PEAK_H
#define MESO_BENCH_PEAK_H

#include "runtime/device.h"

typedef struct bench_peak {
    meso_device *device;
    meso_buffer out;
    int form;     /* which kernel, a position in the table of peak.c */
    int width;    /* floats in a vector of that kernel */
    int n_groups; /* work-groups of a launch */
    int rounds;   /* of the loop: a launch takes some milliseconds */
} bench_peak;

/* Tries every vector width and keeps the best. n_cores: on a CPU, how many may work. */
meso_status bench_peak_open(meso_device *device, unsigned n_cores, bench_peak *peak);

/* One launch, in 10⁹ operations a second, a multiply-add counted as two. */
meso_status bench_peak_measure(bench_peak *peak, double *gflops);
void bench_peak_close(bench_peak *peak); /* a zeroed one is allowed */

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures a whole net: 8-bit pictures in memory → probabilities, for several batch sizes in turns,
 * so that whatever else the machine does meets all of them, and the multiply-add peak beside them.
 */
#ifndef MESO_BENCH_NET_BENCH_H
#define MESO_BENCH_NET_BENCH_H

#include "mesocl/model.h"
#include "peak.h"
#include "samples.h"

enum { BENCH_MAX_CASES = 16, BENCH_SEED = 1 };

/* The timed path may differ from the plain one by as much as its goldens may (tests). */
#define BENCH_TOLERANCE 5e-6

typedef struct bench_case {
    size_t batch;               /* pictures in a call */
    size_t n_calls;             /* in a sample */
    bench_samples images_per_s; /* one value for each round */
} bench_case;

typedef struct bench_net {
    const char *name;   /* a built-in net, a .net file (seeded weights), or a .safetensors file */
    meso_path path;     /* what is timed */
    unsigned n_threads; /* cores of a CPU that may work */
    double seconds;     /* to measure each batch size */
    bench_case cases[BENCH_MAX_CASES];
    size_t n_cases;

    /* Found out by bench_net_run. */
    meso_model *model;
    meso_model_info info;
    double multiply_adds; /* of one picture */
    double difference;    /* largest |Δp| between the timed path and the plain one */
    size_t n_rounds;
    int peak_width;
    bench_samples peak_gflops; /* one value for each round */

    uint8_t *pixels; /* [n_pictures][height][width][3] */
    size_t n_pictures;
    size_t next; /* the picture with which the next call begins */
    meso_probability *p;
    bench_peak peak;
} bench_net;

/* Opens, checks, warms up, measures. Refuses with DEVICE to time a device that computes wrong.
 * `round` is called after each round with their number so far and in all. */
meso_status bench_net_run(bench_net *bench, meso_device *device,
                          void (*round)(void *user, size_t done, size_t total), void *user,
                          meso_error *error);
void bench_net_free(bench_net *bench); /* before its device is closed */

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures a net on a device in this process: several batch sizes in turns, so that whatever else
 * the machine does meets all of them, and the device's peaks beside them. What it found is JSON,
 * because it has to go to another process; measure.h says what is in it.
 */
#ifndef MESO_BENCH_NET_BENCH_H
#define MESO_BENCH_NET_BENCH_H

#include <jansson.h>

#include "measure/spec.h"

/* Opens, checks, warms up, measures. Errors: those of opening a device and a model; DEVICE, where
 * the device computes wrong. *found is the caller's. */
meso_status bench_net_run(const bench_spec *spec, json_t **found, meso_error *error);

/* How many steps that takes: what it tells by tool_child_step() meanwhile. */
size_t bench_net_n_steps(const bench_spec *spec);

#endif

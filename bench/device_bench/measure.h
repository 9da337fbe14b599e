/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures nets on devices, each time in a process of its own: a driver that crashes or hangs costs
 * its own row, and several processes of one work show how much processes differ (memory lies
 * elsewhere, threads start elsewhere), which the samples of one process cannot.
 *
 * The document, docs/schema/device_bench.schema.json: results, a row for each device, net,
 * direction and batch, with all samples, one list for each process; devices with their peaks;
 * failures, what could not be measured and why.
 */
#ifndef MESO_BENCH_MEASURE_H
#define MESO_BENCH_MEASURE_H

#include "drivers.h"
#include "measure/spec.h"
#include "progress.h"

/* Specs to be run; device: a position in the list of drivers->devices. */
typedef struct bench_job {
    bench_spec spec;
    size_t device;
} bench_job;

typedef struct bench_plan {
    const tool_drivers *drivers;
    bench_job *jobs;
    size_t n_jobs;
    size_t n_processes;      /* for each job; all jobs once, then all of them again */
    tool_progress *progress; /* of bench_plan_n_steps(); NULL: nobody asks */
} bench_plan;

/* How many steps all processes take: each net, each batch size, each round. */
size_t bench_plan_n_steps(const bench_plan *plan);

/* *document lacks "provenance". Errors: MEMORY. A job that fails is no error but a row of
 * "failures". */
meso_status bench_measure(const bench_plan *plan, json_t **document, meso_error *error);

/* The work of a child, for tool_child_offer_json(BENCH_CHILD, …). */
#define BENCH_CHILD "measure"
meso_status bench_measure_child(json_t *question, json_t **answer, meso_error *error);

/* The exit code of the first failure; 0 without one. */
int bench_failures_code(const json_t *document);

#endif

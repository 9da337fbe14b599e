/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures nets on devices, each time in a process of its own: a driver that crashes or hangs costs
 * its own row, and several processes of one work show how much processes differ (memory lies
 * elsewhere, threads start elsewhere), which the samples of one process cannot.
 *
 * The document, docs/schema/device_bench.schema.json: results, a row for each device, net,
 * direction and batch, with all samples, one list for each process; devices with their peaks;
 * failures, what could not be measured and why.
 *
 * measure.c runs the processes, net_bench.c measures in each, merge.c puts together what they
 * found, ports.c knows what a processor's ports allow, together.c lets all devices work at once.
 */
#ifndef MESO_BENCH_MEASURE_H
#define MESO_BENCH_MEASURE_H

#include <jansson.h>

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
meso_status bench_measure_plan(const bench_plan *plan, json_t **document, meso_error *error);

/* The work of a child, for tool_child_offer_json(BENCH_CHILD, …). */
#define BENCH_CHILD "measure"
meso_status bench_measure_child(json_t *question, json_t **answer, meso_error *error);

/* The exit code of the first failure; 0 without one. */
int bench_failures_code(const json_t *document);

/* Pictures a second that the ports of the processor allow what was measured, beside this peak; NaN
 * where nobody has counted its instructions. first: as for bench_merge. */
double bench_port_bound(const json_t *first, double peak_gflops);

/* A machine is noisy where the peak, which has no reason to change, spreads over more than this
 * part: then no share of it is said. */
#define BENCH_NOISY 0.1

/* What several processes found of one job → rows of the document. processes: what bench_net_run
 * found, once or more often, of the same job; device_id, which is taken over, is its device. peaks:
 * the peak samples of every process on that device, in the order they ran; one peak, the largest,
 * is what all its rows are a share of. Adds to document's "devices" and "results". */
void bench_merge(const json_t *processes, json_t *device_id, const json_t *peaks, json_t *document);

/* Measures a net on a device in this process: several batch sizes in turns, so that whatever else
 * the machine does meets all of them, and the device's peaks beside them. What it found is JSON,
 * because it has to go to another process. Errors: those of opening a device and a model; DEVICE,
 * where the device computes wrong. *found is the caller's. */
meso_status bench_net_run(const bench_spec *spec, json_t **found, meso_error *error);

/* How many steps that takes: what it tells by tool_child_step() meanwhile. */
size_t bench_net_n_steps(const bench_spec *spec);

/* One stream of batches over all devices at once, each with a share in proportion to its rate in
 * document's results, in the largest batch of the jobs, all of the same net. Sets "together" of the
 * document: {"images_per_s", "sum_of_parts", "efficiency" (their ratio), "batch", "shares": a
 * number for each job}. Errors: DATA (fewer than two jobs), those of the devices, MEMORY. */
meso_status bench_together(const bench_plan *plan, json_t *document, meso_error *error);

/* In a child: the spec's share of the stream; "begin" and "calls" of the question say when and how
 * much. */
meso_status bench_together_child(const bench_spec *spec, const json_t *question, json_t **answer,
                                 meso_error *error);

#endif

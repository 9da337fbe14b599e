/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BENCH_TOGETHER_H
#define MESO_BENCH_TOGETHER_H

#include "measure.h"

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

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BENCH_TOGETHER_H
#define MESO_BENCH_TOGETHER_H

#include "measure.h"

/* One stream of batches over all devices at once, each with a share in proportion to its rate in
 * document's results, in the largest batch of the jobs, all of the same net. Sets "together" of the
 * document: {"images_per_s", "sum_of_parts", "efficiency" (their ratio), "batch", "shares": a
 * number for each job}. Errors: DATA (fewer than two jobs), those of the devices, MEMORY. */
meso_status bench_together(const bench_plan *plan, json_t *document, meso_error *error);

/* The work of a child, for tool_child_offer. */
meso_status bench_together_child(const json_t *argument, meso_text *answer, meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Two documents of tuning rows against each other on a device, in a child process: a row that hangs
 * or crashes the driver costs itself.
 */
#ifndef MESO_TOOLS_TUNE_COMPARE_H
#define MESO_TOOLS_TUNE_COMPARE_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"

/* The work of the child: tool_child_offer_json(TUNE_CHILD, tune_child). */
#define TUNE_CHILD "tune"

/* Seconds without a step: a side opened, a round. Compilers need minutes for the first kernels of a
 * driver that is new to them; a large net's rounds on a busy machine, all together, need more. */
enum { TUNE_PATIENCE = 150 };

/* The question: {"device", "net", "batch", "train", "plain", "seconds", "rounds", "base",
 * "candidate"}; base and candidate: see runtime/tuning.h. The candidate's answers are first
 * compared with those of the plain kernels at their shipped sizes; where they differ nothing is
 * timed and the answer is {"reason": …}. Then both take turns, for at most so many seconds, or
 * until it is known which one is faster; with rounds > 0 exactly so often. The answer is {"ratio",
 * "low", "high", "rounds", "images_per_s"}: speed of the candidate against the base, the median of
 * the rounds with its 95 % interval.
 *
 * Without "candidate" the answer is the shipped row of each family that there is for this device
 * and net: {"fused": {"chunk": 2, …}, …}. */
meso_status tune_child(json_t *question, json_t **answer, meso_error *error);

#endif

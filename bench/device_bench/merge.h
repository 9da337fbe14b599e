/* SPDX-License-Identifier: Apache-2.0
 *
 * What several processes found of one job → rows of the document.
 */
#ifndef MESO_BENCH_MERGE_H
#define MESO_BENCH_MERGE_H

#include <jansson.h>

/* processes: what bench_net_run found, once or more often, of the same job; device_id, which is
 * taken over, is its device. peaks: the peak samples of every process on that device, in the order
 * they ran; one peak, the largest, is what all its rows are a share of. Adds to document's
 * "devices" and "results". */
void bench_merge(const json_t *processes, json_t *device_id, const json_t *peaks, json_t *document);

#endif

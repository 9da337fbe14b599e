/* SPDX-License-Identifier: Apache-2.0
 *
 * What `dataset_bench stats` says: stats_report.c, stats_json.c.
 */
#ifndef MESO_TOOLS_STATS_REPORT_H
#define MESO_TOOLS_STATS_REPORT_H

#include "dataset_output.h"
#include "study/result/study_facts.h"

typedef struct db_stats {
    const study_dataset *datasets; /* as the facts number them */
    study_facts facts;             /* as of study_facts_describe() */
} db_stats;

extern const db_told db_stats_told; /* of a db_stats */

/* dataset, class, property, n, mean, std: one line for each. */
void db_stats_csv(const void *stats, meso_text *out);

/* One line for each file: dataset, file, class, group, every property, refusal. */
void db_images_csv(const db_stats *stats, meso_text *out);

/* docs/schema/dataset_bench_stats.schema.json. NULL: out of memory. */
json_t *db_stats_json(const void *stats, const report_provenance *provenance);

#endif

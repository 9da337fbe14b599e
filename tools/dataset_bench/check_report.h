/* SPDX-License-Identifier: Apache-2.0
 *
 * What `dataset_bench check` found, and how it is told: check_report.c, check_json.c.
 */
#ifndef MESO_TOOLS_CHECK_REPORT_H
#define MESO_TOOLS_CHECK_REPORT_H

#include "dataset_output.h"
#include "study/result/study_findings.h"

typedef struct db_checked {
    const study_dataset *datasets; /* as the facts number them */
    study_facts facts;
    study_findings findings;
    size_t list;    /* rows of each list for people; programs get all */
    int thumbnails; /* pages show examples */
} db_checked;

extern const db_told db_check_told; /* of a db_checked */

/* docs/schema/dataset_bench_check.schema.json. NULL: out of memory. */
json_t *db_check_json(const void *checked, const report_provenance *provenance);

#endif

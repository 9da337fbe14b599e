/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_TOOLS_STUDY_JSON_H
#define MESO_TOOLS_STUDY_JSON_H

#include <jansson.h>

#include "report/report_provenance.h"
#include "study_results.h"

/* The whole result; NULL: out of memory. */
json_t *db_study_json(const db_results *results, const report_provenance *provenance);

#endif

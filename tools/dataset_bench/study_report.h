/* SPDX-License-Identifier: Apache-2.0
 *
 * A study's report: its tables (study_tables.c), charts (study_charts.c), what it got wrong
 * (study_mistakes.c), and all of it for programs (study_json.c).
 */
#ifndef MESO_TOOLS_STUDY_REPORT_H
#define MESO_TOOLS_STUDY_REPORT_H

#include <jansson.h>

#include "report/report_provenance.h"
#include "report/report_table.h"
#include "report/report_writer.h"
#include "study_results.h"

/* HTML only: the matrix of each variant as heat maps; curves; the worst mistakes. */
void db_study_heat_maps(report_html *page, const db_results *results);
void db_study_curves(report_html *page, const db_results *results);
void db_study_mistakes(report_html *page, const db_results *results);

/* The whole result; NULL: out of memory. */
json_t *db_study_json(const db_results *results, const report_provenance *provenance);

/* Tables; the caller frees them. */
report_table db_table_matrix(const db_results *r);    /* the CSV, too */
report_table db_table_published(const db_results *r); /* MSE, accuracy */
report_table db_table_comparisons(const db_results *r);
report_table db_table_baselines(const db_results *r);
report_table db_table_sets(const db_results *r);
report_table db_table_leaks(const db_results *r);
report_table db_table_distances(const db_results *r);
report_table db_table_links(const db_results *r, size_t test, size_t most);
report_table db_table_devices(const db_results *r);
report_table db_table_jobs(const db_results *r);

#endif

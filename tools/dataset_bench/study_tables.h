/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of a study's report; the caller frees them.
 */
#ifndef MESO_TOOLS_STUDY_TABLES_H
#define MESO_TOOLS_STUDY_TABLES_H

#include "report/report_table.h"
#include "study_results.h"

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

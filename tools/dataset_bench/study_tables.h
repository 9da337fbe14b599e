/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of a study's report; the caller frees them.
 */
#ifndef MESO_TOOLS_STUDY_TABLES_H
#define MESO_TOOLS_STUDY_TABLES_H

#include "report/report_table.h"
#include "study_results.h"

report_table bench_table_matrix(const bench_results *r);    /* the CSV, too */
report_table bench_table_published(const bench_results *r); /* MSE, accuracy */
report_table bench_table_comparisons(const bench_results *r);
report_table bench_table_baselines(const bench_results *r);
report_table bench_table_sets(const bench_results *r);
report_table bench_table_leaks(const bench_results *r);
report_table bench_table_distances(const bench_results *r);
report_table bench_table_links(const bench_results *r, size_t test, size_t most);
report_table bench_table_devices(const bench_results *r);
report_table bench_table_jobs(const bench_results *r);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a study has come to, from the files in its folder alone (study_results.c); and its report
 * (study_report.c): tables (study_tables.c), charts (study_charts.c), what it got wrong
 * (study_mistakes.c), and all of it for programs (study_json.c).
 */
#ifndef MESO_TOOLS_STUDY_RESULTS_H
#define MESO_TOOLS_STUDY_RESULTS_H

#include <jansson.h>

#include "report/report_provenance.h"
#include "report/report_table.h"
#include "report/report_writer.h"
#include "study/result/study_matrix.h"
#include "study/result/study_sentences.h"
#include "study_folder.h"

/* One device over all cells. */
typedef struct db_device_row {
    char device[512];
    double *accuracy; /* [n_cells], mean over seeds */
    double images_per_second;
    double largest_change; /* |Δp| against the first device */
} db_device_row;

typedef struct db_results {
    const db_study *study;
    study_outcome *outcomes;
    unsigned char *done;
    size_t n_jobs, n_done;
    study_exclusion **excluded; /* [n_train · n_test] */
    study_matrix matrix;
    study_findings findings;
    study_relations relations;
    study_sentences sentences;
    db_device_row *devices;
    size_t n_devices;
} db_results;

/* study: loaded. Errors: DATA, MEMORY; to be freed in any case. */
meso_status db_results_create(const db_study *study, db_results *results, meso_error *error);
void db_results_free(db_results *results);

/* Writes study_result.json, study_result.csv, study.md and study.html into the study's folder. */
meso_status db_results_write(const db_results *results, int thumbnails, meso_error *error);

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

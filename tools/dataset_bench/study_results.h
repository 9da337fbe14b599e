/* SPDX-License-Identifier: Apache-2.0
 *
 * What a study has come to, from the files in its folder alone; and the reports of it,
 * which study_report.c writes.
 */
#ifndef MESO_TOOLS_STUDY_RESULTS_H
#define MESO_TOOLS_STUDY_RESULTS_H

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

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What `dataset_bench check` found, and how it is told.
 */
#ifndef MESO_TOOLS_CHECK_REPORT_H
#define MESO_TOOLS_CHECK_REPORT_H

#include <jansson.h>

#include "report/report_writer.h"
#include "study/result/health.h"

/* Datasets a and b beside each other. */
typedef struct bench_crossing {
    size_t a, b;
    study_crossing found;
} bench_crossing;

typedef struct bench_findings {
    const study_dataset *datasets; /* [n] */
    size_t n;
    study_health *health; /* [n_checked]: the others are only compared with */
    size_t n_checked;
    bench_crossing *crossings; /* [n_crossings] */
    size_t n_crossings;
    size_t list;    /* rows of each list for people; programs get all */
    int thumbnails; /* pages show examples */
} bench_findings;

/* against: the last dataset is only compared with, and others only with it; else all with all.
 * Errors: MEMORY. */
meso_status bench_find(const study_dataset *datasets, size_t n, int against,
                       const study_health_options *options, bench_findings *findings,
                       meso_error *error);
void bench_findings_free(bench_findings *findings);

/* One thing to know, the worst first. */
typedef struct bench_warning {
    const char *kind;            /* "shortcut", "label_conflict", … */
    const char *dataset, *other; /* other: of leaks, else NULL */
    char text[200];              /* printable, without names */
} bench_warning;

/* *warnings is the caller's, to free(). Returns how many; 0 and NULL where memory ran out. */
size_t bench_warnings(const bench_findings *findings, bench_warning **warnings);

void bench_check_report(report_writer *writer, const bench_findings *findings);

/* docs/schema/dataset_bench_check.schema.json. NULL: out of memory. */
json_t *bench_check_json(const bench_findings *findings, const report_provenance *provenance);

/* One line for each pair. */
void bench_check_csv(const bench_findings *findings, meso_text *out);

#endif

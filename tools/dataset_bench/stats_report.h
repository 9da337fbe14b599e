/* SPDX-License-Identifier: Apache-2.0
 *
 * What `dataset_bench stats` says: the parts of its report, which check and later reports use, too.
 * stats_json.c writes it for programs.
 */
#ifndef MESO_TOOLS_STATS_REPORT_H
#define MESO_TOOLS_STATS_REPORT_H

#include <jansson.h>

#include "report/report_writer.h"
#include "study/scan/study_scan.h"
#include "study/scan/summary.h"

/* Moments of a property in a class; of no values where memory ran out. */
study_moments bench_moments(const study_dataset *dataset, int label, study_property property);

/* The difference between two classes, of one dataset or of two. */
study_effect bench_effect(const study_dataset *a, int label_a, const study_dataset *b, int label_b,
                          study_property property);

/* Tables of means and deviations, effects between classes and between datasets; in HTML also
 * histograms, spectra and mean pictures. */
void bench_stats_report(report_writer *writer, const study_dataset *datasets, size_t n);

/* dataset, class, property, n, mean, std: one line for each. */
void bench_stats_csv(const study_dataset *datasets, size_t n, meso_text *out);

/* One line for each file: dataset, file, class, group, every property, refusal. */
void bench_images_csv(const study_dataset *datasets, size_t n, meso_text *out);

/* docs/schema/dataset_bench_stats.schema.json. NULL: out of memory. */
json_t *bench_stats_json(const study_dataset *datasets, size_t n,
                         const report_provenance *provenance);

#endif

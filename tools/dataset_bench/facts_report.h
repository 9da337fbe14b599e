/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of datasets and what was found in them: as check and studies report them
 * (facts_report.c), as charts (stats_charts.c), and all that stats (stats_report.c, stats_json.c)
 * and check (check_report.c, check_json.c) say.
 */
#ifndef MESO_TOOLS_FACTS_REPORT_H
#define MESO_TOOLS_FACTS_REPORT_H

#include "base/json_builder.h"
#include "dataset_output.h"
#include "report/report_html.h"
#include "report/report_writer.h"
#include "study/result/study_facts.h"
#include "study/result/study_findings.h"

/* Means and deviations of the properties of each class: the published study's, or all. */
void db_tell_properties(report_writer *writer, const study_facts *facts, int published_only);

/* Images of each class, duplicates, label conflicts, recordings. */
void db_tell_counts(report_writer *writer, const study_facts *facts);

/* What lies in the folders and was not taken, by ending and folder. */
void db_tell_passed(report_writer *writer, const study_facts *facts);

/* Single properties, the strongest `most` of each set, and linear classifiers. */
void db_tell_shortcuts(report_writer *writer, const study_facts *facts, size_t most);

/* A table of pairs of images: the CSV of check, too. */
report_table db_pairs_table(void);

/* Up to `most` rows of each kind for it. a, b: whose images the pairs number. */
typedef struct db_side {
    const char *name;
    const meso_dataset *files;
} db_side;
void db_add_pairs(report_table *table, db_side a, db_side b, const study_pairs *pairs, size_t most);

/* "same_file": 2, … of the first n_kinds. NULL: out of memory. */
json_t *db_kinds_json(const size_t n[STUDY_N_PAIR_KINDS], size_t n_kinds);

/* The warnings of a document: kind, dataset, other, text. NULL: out of memory. */
json_t *db_findings_json(const study_facts *facts, const study_findings *findings);

/* Histograms of every property; mean spectra and mean pictures. */
void db_histograms(report_html *page, const study_facts *facts);
void db_stats_charts(report_html *page, const study_dataset *datasets, const study_facts *facts);

/* What `dataset_bench check` found. */
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

/* What `dataset_bench stats` tells. */
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * A study for people; with charts (study_charts.c) and what it got wrong (study_mistakes.c).
 */
#ifndef MESO_TOOLS_STUDY_REPORT_H
#define MESO_TOOLS_STUDY_REPORT_H

#include "report/report_writer.h"
#include "study_results.h"

/* HTML only: the matrix of each variant as heat maps; curves; the worst mistakes. */
void db_study_heat_maps(report_html *page, const db_results *results);
void db_study_curves(report_html *page, const db_results *results);
void db_study_mistakes(report_html *page, const db_results *results);

#endif

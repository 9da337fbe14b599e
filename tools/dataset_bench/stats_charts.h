/* SPDX-License-Identifier: Apache-2.0
 *
 * The charts of a report on datasets: histograms of every property, mean spectra, mean pictures.
 */
#ifndef MESO_TOOLS_STATS_CHARTS_H
#define MESO_TOOLS_STATS_CHARTS_H

#include "report/report_html.h"
#include "study/result/study_facts.h"

void db_histograms(report_html *page, const study_facts *facts);
void db_stats_charts(report_html *page, const study_dataset *datasets, const study_facts *facts);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of training as one HTML page (report_page.c), with its best weights (report_result.c).
 */
#ifndef MESO_TOOLS_REPORT_PAGE_H
#define MESO_TOOLS_REPORT_PAGE_H

#include "base/text.h"
#include "model/train/run_folder.h"
#include "report/report_writer.h"

/* out is the page, whose out_of_memory the caller checks. Errors: those of meso_metrics_*. */
meso_status tool_report_page(const char *run, const meso_run_folder *folder, meso_text *out,
                             meso_error *error);

/* The part about the best weights: figures, ROC, calibration, confusion. */
meso_status tool_report_result(report_writer *w, const meso_run_folder *folder, meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of a run's report about its best weights: figures, ROC, calibration, confusion.
 */
#ifndef MESO_TOOLS_REPORT_RESULT_H
#define MESO_TOOLS_REPORT_RESULT_H

#include "model/train/run_folder.h"
#include "report/report_writer.h"

/* Errors: those of meso_metrics_*. */
meso_status tool_report_result(report_writer *w, const meso_run_folder *folder, meso_error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of training as one HTML page.
 */
#ifndef MESO_TOOLS_REPORT_PAGE_H
#define MESO_TOOLS_REPORT_PAGE_H

#include "base/text.h"
#include "model/train/run_folder.h"

/* out is the page, whose out_of_memory the caller checks. Errors: those of meso_metrics_*.
 */
meso_status tool_report_page(const char *run, const meso_run_folder *folder, meso_text *out,
                             meso_error *error);

#endif

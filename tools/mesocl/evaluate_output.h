/* SPDX-License-Identifier: Apache-2.0
 *
 * What evaluate writes: a report for people, one JSON document, one CSV row per image, a ROC curve.
 * Each appends to out, whose out_of_memory the caller checks. They are evaluate_text.c,
 * evaluate_json.c and evaluate_files.c.
 */
#ifndef MESO_TOOLS_EVALUATE_OUTPUT_H
#define MESO_TOOLS_EVALUATE_OUTPUT_H

#include "base/text.h"
#include "evaluation.h"
#include "report/report_provenance.h"

void tool_evaluate_text(const tool_evaluation *evaluation, const report_provenance *provenance,
                        meso_text *out);
void tool_evaluate_json(const tool_evaluation *evaluation, const report_provenance *provenance,
                        meso_text *out);
void tool_evaluate_csv(const tool_evaluation *evaluation, meso_text *out);

/* Errors: DATA (scored images of one class only), MEMORY. */
meso_status tool_evaluate_roc(const tool_evaluation *evaluation, const char *title, meso_text *out,
                              meso_error *error);

#endif

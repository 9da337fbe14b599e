/* SPDX-License-Identifier: Apache-2.0
 *
 * What evaluate knows: the outcome of every file of a dataset, and what they come to
 * (evaluation.c); and what it writes (evaluate_text.c, evaluate_json.c, evaluate_files.c).
 */
#ifndef MESO_TOOLS_EVALUATION_H
#define MESO_TOOLS_EVALUATION_H

#include <stdint.h>

#include "base/text.h"
#include "common.h"
#include "data/list/group.h"
#include "mesocl/evaluate.h"
#include "mesocl/metrics.h"
#include "report/report_provenance.h"
#include "tally.h"

typedef struct tool_evaluated {
    meso_refusal refusal;
    char *detail; /* of a refusal */
    meso_probability p;
} tool_evaluated;

typedef struct tool_evaluation {
    const meso_dataset *dataset;
    const tool_scoring *scoring; /* the caller sets it: which device of several a file is of */
    tool_evaluated *files;       /* [dataset->n_items] */
    meso_groups names;           /* of the dataset's groups */
    tool_tally tally;

    /* Of the images that were scored, in the dataset's order. */
    double *p_real, *p_fake;
    unsigned char *real;
    size_t *group;

    /* Results. Without a scored image all is 0 or NaN. */
    double threshold;
    uint64_t seed;
    meso_metrics metrics;
    meso_metrics_intervals intervals;
    const tool_time *times; /* [TOOL_N_TIMES]; NULL without --timing */
    char trained_on[256];   /* what the model knows; "": not known */
    meso_metrics constant;  /* of the best predictor that never looks: the share of reals */
    meso_group_score *groups;
    size_t n_groups;
    meso_metrics group_metrics;
} tool_evaluation;

/* Room for the dataset, which must outlive the evaluation. Errors: MEMORY; free in any case. */
meso_status tool_evaluation_create(const meso_dataset *dataset, tool_evaluation *evaluation,
                                   meso_error *error);
void tool_evaluation_free(tool_evaluation *evaluation);

/* Takes the next file's outcome. Errors: MEMORY. */
meso_status tool_evaluation_add(tool_evaluation *evaluation, const meso_file_score *score);

/* Computes the results. Errors: those of meso_metrics_*. */
meso_status tool_evaluation_finish(tool_evaluation *evaluation, double threshold,
                                   size_t n_resamples, uint64_t seed, meso_error *error);

/* Whether the model is shown to be better than a coin: a sentence; nothing where there is one class
 * only. */
void tool_evaluation_say(const tool_evaluation *evaluation, meso_text *out);

/* The scores as metrics take them. */
meso_scores tool_evaluation_scores(const tool_evaluation *evaluation);

/* A report for people, one JSON document, one CSV row per image, a ROC curve. Each appends to out,
 * whose out_of_memory the caller checks. */
void tool_evaluate_text(const tool_evaluation *evaluation, const report_provenance *provenance,
                        meso_text *out);
void tool_evaluate_json(const tool_evaluation *evaluation, const report_provenance *provenance,
                        meso_text *out);
void tool_evaluate_csv(const tool_evaluation *evaluation, meso_text *out);

/* Errors: DATA (scored images of one class only), MEMORY. */
meso_status tool_evaluate_roc(const tool_evaluation *evaluation, const char *title, meso_text *out,
                              meso_error *error);

#endif

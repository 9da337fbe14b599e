/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that evaluate writes beside its report: one CSV row per image, the ROC curve.
 */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "data/list/labels.h"
#include "evaluation.h"
#include "report/report_roc.h"
#include "report/report_table.h"

void tool_evaluate_csv(const tool_evaluation *e, meso_text *out)
{
    REPORT_TABLE(table, COLUMN_TEXT("file", "file"), COLUMN_TEXT("label", "label"),
                 COLUMN_TEXT("group", "group"), COLUMN_NUMBER("p_fake", "P(fake)", 6),
                 COLUMN_NUMBER("p_real", "P(real)", 6),
                 COLUMN_NUMBER("correct", "correct", 0), /* empty where refused */
                 COLUMN_TEXT("error", "error"), COLUMN_TEXT("device", "device"));
    table.n_columns -= e->scoring->team == NULL; /* one device: no column for it */
    for (size_t i = 0; i < e->dataset->n_items; i++) {
        const meso_dataset_item *item = &e->dataset->items[i];
        const tool_evaluated *file = &e->files[i];
        int scored = file->refusal == MESO_IMAGE_OK;
        int correct = meso_is_real(file->p.real, e->threshold) == (item->label == MESO_REAL);
        REPORT_ROW(&table, item->path, meso_label_name(item->label), item->group,
                   scored ? file->p.fake : NAN, scored ? file->p.real : NAN, scored ? correct : NAN,
                   scored ? NULL : meso_refusal_name(file->refusal));
        if (e->scoring->team)
            REPORT_ROW(&table, tool_scoring_device_of(e->scoring, i));
    }
    report_table_csv(&table, out);
    report_table_free(&table);
}

meso_status tool_evaluate_roc(const tool_evaluation *e, const char *title, meso_text *out,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_scores scores = tool_evaluation_scores(e);
    meso_roc_point *points = NULL;
    report_roc_point *drawn = NULL;
    size_t n = 0;
    MESO_REQUIRE(isfinite(e->metrics.auc), error, MESO_ERROR_DATA,
                 "no ROC: it needs scored images of both classes");
    MESO_TRY(meso_metrics_roc(&scores, &points, sizeof *points, &n, error));
    drawn = calloc(n, sizeof *drawn);
    MESO_REQUIRE_MEMORY(drawn, error);
    for (size_t i = 0; i < n; i++)
        drawn[i] = (report_roc_point){points[i].false_positive_rate, points[i].true_positive_rate};
    const report_roc roc = {.title = title,
                            .points = drawn,
                            .n_points = n,
                            .auc = e->metrics.auc,
                            .auc_low = e->intervals.auc.low,
                            .auc_high = e->intervals.auc.high,
                            .eer = e->metrics.eer,
                            .eer_threshold = e->metrics.eer_threshold};
    report_roc_svg(&roc, out);
out:
    free(drawn);
    meso_free(points);
    return status;
}

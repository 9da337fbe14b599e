/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that evaluate writes beside its report: one CSV row per image, the ROC curve.
 */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "evaluate_output.h"
#include "report/report_roc.h"
#include "report/report_table.h"

void tool_evaluate_csv(const tool_evaluation *e, meso_text *out)
{
    static const report_column columns[] = {
        {"file", "file", REPORT_LEFT, REPORT_TEXT, 0},
        {"label", "label", REPORT_LEFT, REPORT_TEXT, 0},
        {"group", "group", REPORT_LEFT, REPORT_TEXT, 0},
        {"p_fake", "P(fake)", REPORT_RIGHT, REPORT_NUMBER, 6},
        {"p_real", "P(real)", REPORT_RIGHT, REPORT_NUMBER, 6},
        {"correct", "correct", REPORT_RIGHT, REPORT_NUMBER, 0}, /* empty where refused */
        {"error", "error", REPORT_LEFT, REPORT_TEXT, 0},
    };
    report_table table = {.columns = columns, .n_columns = sizeof columns / sizeof columns[0]};
    for (size_t i = 0; i < e->dataset->n_items; i++) {
        const meso_dataset_item *item = &e->dataset->items[i];
        const tool_evaluated *file = &e->files[i];
        int scored = file->refusal == MESO_IMAGE_OK;
        int correct = (file->p.real > e->threshold) == (item->label == MESO_REAL);
        report_table_add_text(&table, item->path);
        report_table_add_text(&table, item->label == MESO_REAL ? "real" : "fake");
        report_table_add_text(&table, item->group);
        report_table_add_number(&table, scored ? file->p.fake : NAN);
        report_table_add_number(&table, scored ? file->p.real : NAN);
        report_table_add_number(&table, scored ? correct : NAN);
        report_table_add_text(&table, scored ? NULL : meso_refusal_name(file->refusal));
    }
    out->out_of_memory |= table.out_of_memory;
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
    MESO_TRY(meso_metrics_roc(&scores, &points, &n, error));
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
    free(points);
    return status;
}

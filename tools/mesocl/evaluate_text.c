/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluate's report for people.
 */
#include "evaluate_metrics.h"
#include "evaluation.h"
#include "report/report_classification.h"
#include "report/report_number.h"
#include "report/report_writer.h"

static const char *const class_names[2] = {"fake", "real"};

static void add_metrics(const tool_evaluation *e, report_writer *writer)
{
    REPORT_TABLE(table, COLUMN_TEXT("metric", ""), COLUMN_NUMBER("value", "value", 4),
                 COLUMN_NUMBER("low", "95 % from", 4), COLUMN_NUMBER("high", "to", 4),
                 COLUMN_NUMBER("constant", "baseline", 4));
    char share[REPORT_NUMBER_SIZE], eer[REPORT_NUMBER_SIZE];
    meso_text verdict = {0};
    report_fixed((double)e->metrics.per_class[1].support / (double)e->metrics.n, 4, share);
    for (size_t i = 0; i < meso_n_metric_rows; i++) {
        const tool_metric_row *row = &meso_metric_rows[i];
        meso_interval interval = meso_metric_interval(row, &e->intervals);
        REPORT_ROW(&table, row->title, meso_metric_value(row, &e->metrics), interval.low,
                   interval.high, meso_metric_value(row, &e->constant));
    }
    report_writer_table(writer, NULL, &table);
    tool_evaluation_say(e, &verdict);
    if (verdict.length > 0)
        report_writer_paragraph(writer, "verdict: %s", verdict.bytes);
    meso_text_free(&verdict);
    report_writer_paragraph(writer,
                            "intervals: percentile bootstrap, %zu resamples of %zu %s, seed %llu\n"
                            "baseline: the majority class, P(real) = %s for every image\n"
                            "EER lies at P(real) = %s\n",
                            e->intervals.n_resamples, e->intervals.n_units,
                            e->group ? "groups" : "images", (unsigned long long)e->seed, share,
                            report_fixed(e->metrics.eer_threshold, 4, eer));
}

static report_class class_row(const char *name, const meso_class_metrics *m)
{
    return (report_class){name, m->precision, m->recall, m->f1, m->support};
}

static void add_classification(const meso_metrics *m, meso_text *out)
{
    const report_class classes[] = {class_row(class_names[0], &m->per_class[0]),
                                    class_row(class_names[1], &m->per_class[1])};
    const report_class averages[] = {class_row("macro avg", &m->macro_average),
                                     class_row("weighted avg", &m->weighted_average)};
    report_classification(classes, 2, m->accuracy, averages, 2, out);
    meso_text_add(out, "\n");
}

static void add_confusion(const meso_metrics *m, report_writer *writer)
{
    REPORT_TABLE(table, COLUMN_TEXT("truth", ""), COLUMN_COUNT("fake", "called fake"),
                 COLUMN_COUNT("real", "called real"));
    for (size_t truth = 0; truth < 2; truth++)
        REPORT_ROW(&table, class_names[truth], m->confusion[truth][0], m->confusion[truth][1]);
    report_writer_table(writer, NULL, &table);
    report_writer_paragraph(writer, "%s", "");
}

static void add_groups(const tool_evaluation *e, report_writer *writer)
{
    REPORT_TABLE(table, COLUMN_TEXT("label", "label"), COLUMN_TEXT("group", "group"),
                 COLUMN_COUNT("n", "images"), COLUMN_NUMBER("p_fake", "P(fake)", 4),
                 COLUMN_NUMBER("p_real", "P(real)", 4), COLUMN_TEXT("called", "called"));
    const meso_metrics *m = &e->group_metrics;
    char a[REPORT_NUMBER_SIZE], b[REPORT_NUMBER_SIZE];
    report_writer_paragraph(
        writer, "groups, each by the mean of its images: %zu of %zu correct, accuracy %s, AUC %s",
        m->correct, m->n, report_fixed(m->accuracy, 4, a), report_fixed(m->auc, 4, b));
    for (size_t i = 0; i < e->n_groups; i++) {
        const meso_group_score *group = &e->groups[i];
        REPORT_ROW(&table, class_names[group->real], e->names.groups[group->group].name,
                   group->n_images, group->p_fake, group->p_real,
                   class_names[meso_is_real(group->p_real, e->threshold)]);
    }
    report_writer_table(writer, NULL, &table);
    report_writer_paragraph(writer, "%s", "");
}

void tool_evaluate_text(const tool_evaluation *e, const report_provenance *provenance,
                        meso_text *out)
{
    report_writer writer = {.form = REPORT_AS_TEXT};
    if (e->metrics.n > 0) {
        report_writer_paragraph(&writer, "%zu of %zu images correct\n", e->metrics.correct,
                                e->metrics.n);
        add_metrics(e, &writer);
        add_classification(&e->metrics, &writer.out);
        add_confusion(&e->metrics, &writer);
        if (e->group)
            add_groups(e, &writer);
    }
    report_writer_paragraph(&writer, "provenance");
    report_provenance_text(provenance, &writer.out);
    *out = writer.out;
}

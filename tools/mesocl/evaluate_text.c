/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluate's report for people.
 */
#include "evaluate_metrics.h"
#include "evaluate_output.h"
#include "report/report_classification.h"
#include "report/report_number.h"
#include "report/report_table.h"

static const char *const class_names[2] = {"fake", "real"};

/* Appends the table and frees it. */
static void add_table(report_table *table, meso_text *out)
{
    out->out_of_memory |= table->out_of_memory;
    report_table_text(table, out);
    report_table_free(table);
}

static void add_metrics(const tool_evaluation *e, meso_text *out)
{
    static const report_column columns[] = {
        {"metric", "", REPORT_LEFT, REPORT_TEXT, 0},
        {"value", "value", REPORT_RIGHT, REPORT_NUMBER, 4},
        {"low", "95 % from", REPORT_RIGHT, REPORT_NUMBER, 4},
        {"high", "to", REPORT_RIGHT, REPORT_NUMBER, 4},
        {"constant", "baseline", REPORT_RIGHT, REPORT_NUMBER, 4},
    };
    report_table table = {.columns = columns, .n_columns = sizeof columns / sizeof columns[0]};
    for (size_t i = 0; i < meso_n_metric_rows; i++) {
        const tool_metric_row *row = &meso_metric_rows[i];
        meso_interval interval = meso_metric_interval(row, &e->intervals);
        report_table_add_text(&table, row->title);
        report_table_add_number(&table, meso_metric_value(row, &e->metrics));
        report_table_add_number(&table, interval.low);
        report_table_add_number(&table, interval.high);
        report_table_add_number(&table, meso_metric_value(row, &e->constant));
    }
    add_table(&table, out);
    meso_text_format(out,
                     "intervals: percentile bootstrap, %zu resamples of %zu %s, seed %llu\n"
                     "baseline: the majority class, P(real) = ",
                     e->intervals.n_resamples, e->intervals.n_units, e->group ? "groups" : "images",
                     (unsigned long long)e->seed);
    char number[REPORT_NUMBER_SIZE];
    double share = (double)e->metrics.per_class[1].support / (double)e->metrics.n;
    meso_text_format(out, "%s for every image\n", report_fixed(share, 4, number));
    meso_text_format(out, "EER lies at P(real) = %s\n\n",
                     report_fixed(e->metrics.eer_threshold, 4, number));
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

static void add_confusion(const meso_metrics *m, meso_text *out)
{
    static const report_column columns[] = {
        {"truth", "", REPORT_LEFT, REPORT_TEXT, 0},
        {"fake", "called fake", REPORT_RIGHT, REPORT_COUNT, 0},
        {"real", "called real", REPORT_RIGHT, REPORT_COUNT, 0},
    };
    report_table table = {.columns = columns, .n_columns = sizeof columns / sizeof columns[0]};
    for (size_t truth = 0; truth < 2; truth++) {
        report_table_add_text(&table, class_names[truth]);
        report_table_add_count(&table, m->confusion[truth][0]);
        report_table_add_count(&table, m->confusion[truth][1]);
    }
    add_table(&table, out);
    meso_text_add(out, "\n");
}

static void add_groups(const tool_evaluation *e, meso_text *out)
{
    static const report_column columns[] = {
        {"label", "label", REPORT_LEFT, REPORT_TEXT, 0},
        {"group", "group", REPORT_LEFT, REPORT_TEXT, 0},
        {"n", "images", REPORT_RIGHT, REPORT_COUNT, 0},
        {"p_fake", "P(fake)", REPORT_RIGHT, REPORT_NUMBER, 4},
        {"p_real", "P(real)", REPORT_RIGHT, REPORT_NUMBER, 4},
        {"called", "called", REPORT_LEFT, REPORT_TEXT, 0},
    };
    report_table table = {.columns = columns, .n_columns = sizeof columns / sizeof columns[0]};
    const meso_metrics *m = &e->group_metrics;
    char a[REPORT_NUMBER_SIZE], b[REPORT_NUMBER_SIZE];
    meso_text_format(out,
                     "groups, each by the mean of its images: %zu of %zu correct, accuracy %s, "
                     "AUC %s\n",
                     m->correct, m->n, report_fixed(m->accuracy, 4, a), report_fixed(m->auc, 4, b));
    for (size_t i = 0; i < e->n_groups; i++) {
        const meso_group_score *group = &e->groups[i];
        report_table_add_text(&table, class_names[group->real]);
        report_table_add_text(&table, e->names.groups[group->group].name);
        report_table_add_count(&table, group->n_images);
        report_table_add_number(&table, group->p_fake);
        report_table_add_number(&table, group->p_real);
        report_table_add_text(&table, class_names[group->p_real > e->threshold]);
    }
    add_table(&table, out);
    meso_text_add(out, "\n");
}

void tool_evaluate_text(const tool_evaluation *e, const report_provenance *provenance,
                        meso_text *out)
{
    if (e->metrics.n > 0) {
        meso_text_format(out, "%zu of %zu images correct\n\n", e->metrics.correct, e->metrics.n);
        add_metrics(e, out);
        add_classification(&e->metrics, out);
        add_confusion(&e->metrics, out);
        if (e->group)
            add_groups(e, out);
    }
    meso_text_add(out, "provenance\n");
    report_provenance_text(provenance, out);
}

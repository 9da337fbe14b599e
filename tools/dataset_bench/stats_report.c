/* SPDX-License-Identifier: Apache-2.0 */

#include <math.h>
#include <stdlib.h>

#include "data/list/labels.h"
#include "facts_report.h"

enum { most_apart = 5 };

typedef struct apart {
    study_property property;
    study_effect effect;
} apart;

static int compare_apart(const void *left, const void *right)
{
    double a = ((const apart *)left)->effect.ks, b = ((const apart *)right)->effect.ks;
    a = isnan(a) ? -1 : a;
    b = isnan(b) ? -1 : b;
    return a > b ? -1 : a < b;
}

/* The properties by which two classes lie furthest apart. */
static void add_apart(report_table *table, const db_stats *stats, size_t set_a, int label_a,
                      size_t set_b, int label_b)
{
    const study_set_facts *a = &stats->facts.sets[set_a], *b = &stats->facts.sets[set_b];
    apart rows[STUDY_N_PROPERTIES];
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        rows[p] = (apart){(study_property)p, study_effect_between(&stats->datasets[set_a], label_a,
                                                                  &stats->datasets[set_b], label_b,
                                                                  (study_property)p)};
    qsort(rows, STUDY_N_PROPERTIES, sizeof *rows, compare_apart);
    for (int i = 0; i < most_apart && !isnan(rows[i].effect.ks); i++) {
        study_property p = rows[i].property;
        REPORT_ROW(table, a->name, set_a == set_b ? meso_label_name(label_a) : b->name,
                   meso_label_name(label_b), study_properties[p].title, a->mean[label_a][p],
                   b->mean[label_b][p], rows[i].effect.d, rows[i].effect.ks);
    }
}

#define EFFECT_COLUMNS                                                                     \
    COLUMN_TEXT("property", "property"), COLUMN_NUMBER("mean_a", "mean of a", 3),          \
        COLUMN_NUMBER("mean_b", "mean of b", 3), COLUMN_NUMBER("cohen_d", "Cohen's d", 3), \
        COLUMN_NUMBER("ks", "Kolmogorov–Smirnov", 3)

static void effects(report_writer *writer, const db_stats *stats)
{
    REPORT_TABLE(classes, COLUMN_TEXT("dataset", "dataset"), COLUMN_TEXT("a", "a"),
                 COLUMN_TEXT("b", "b"), EFFECT_COLUMNS);
    REPORT_TABLE(pairs, COLUMN_TEXT("a", "a"), COLUMN_TEXT("b", "b"), COLUMN_TEXT("class", "class"),
                 EFFECT_COLUMNS);
    size_t n = stats->facts.n_sets;
    report_writer_section(writer, "Largest differences");
    report_writer_paragraph(writer,
                            "The %d properties of largest Kolmogorov–Smirnov distance. Cohen's d "
                            "is the difference of means, a − b, in pooled standard deviations.",
                            most_apart);
    for (size_t d = 0; d < n; d++)
        add_apart(&classes, stats, d, MESO_FAKE, d, MESO_REAL);
    report_writer_table(writer, "Between the classes of a dataset", &classes);
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            for (int label = 0; label < 2; label++)
                add_apart(&pairs, stats, a, label, b, label);
    report_writer_table(writer, "Between datasets", &pairs);
}

static void report(report_writer *writer, const void *found)
{
    const db_stats *stats = found;
    int published_only = stats->datasets[0].published_only;
    report_writer_section(writer, "Properties");
    db_tell_properties(writer, &stats->facts, published_only);
    if (published_only)
        return;
    effects(writer, stats);
    if (writer->form == REPORT_AS_HTML)
        db_stats_charts(&writer->page, stats->datasets, &stats->facts);
}

const db_told db_stats_told = {"Datasets: statistics", report, db_stats_json, db_stats_csv};

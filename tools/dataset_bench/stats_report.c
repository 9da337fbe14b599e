/* SPDX-License-Identifier: Apache-2.0 */
#include "stats_report.h"
#include "dataset_class.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats_charts.h"

enum { max_columns = 4 + STUDY_N_PROPERTIES, most_apart = 5 };

/* Values of a class, malloc'ed; NULL where memory ran out. */
static double *values_of(const study_dataset *dataset, int label, study_property property,
                         size_t *n)
{
    double *values = malloc((dataset->files.n_class[label] + 1) * sizeof *values);
    *n = values ? study_values(dataset, (meso_label)label, property, values) : 0;
    return values;
}

study_moments bench_moments(const study_dataset *dataset, int label, study_property property)
{
    size_t n;
    double *values = values_of(dataset, label, property, &n);
    study_moments moments = study_moments_of(values, n);
    free(values);
    return moments;
}

study_effect bench_effect(const study_dataset *a, int label_a, const study_dataset *b, int label_b,
                          study_property property)
{
    size_t n_a, n_b;
    double *of_a = values_of(a, label_a, property, &n_a);
    double *of_b = values_of(b, label_b, property, &n_b);
    study_effect effect = study_effect_of(of_a, n_a, of_b, n_b);
    free(of_a);
    free(of_b);
    return effect;
}

/* Means or deviations of the properties first … end − 1. */
static void moments_table(report_writer *writer, const char *caption, const study_dataset *datasets,
                          size_t n, int first, int end, int std)
{
    report_column columns[max_columns] = {COLUMN_TEXT("dataset", "dataset"),
                                          COLUMN_TEXT("class", "class"),
                                          COLUMN_COUNT("images", "images")};
    size_t n_columns = 3;
    for (int p = first; p < end; p++)
        columns[n_columns++] = (report_column)COLUMN_NUMBER(
            study_properties[p].key, study_properties[p].title, study_properties[p].digits);
    report_table table = {.columns = columns, .n_columns = n_columns};
    BENCH_FOR_CLASSES (d, label, n) {
        REPORT_ROW(&table, CELL_TEXT(datasets[d].name), CELL_TEXT(meso_label_name(label)),
                   CELL_COUNT(datasets[d].n_usable[label]));
        for (int p = first; p < end; p++) {
            study_moments m = bench_moments(&datasets[d], label, (study_property)p);
            REPORT_ROW(&table, CELL_NUMBER(std ? m.std : m.mean));
        }
    }
    report_writer_table(writer, caption, &table);
}

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
static void add_apart(report_table *table, const study_dataset *a, int label_a,
                      const study_dataset *b, int label_b, int between_datasets)
{
    apart rows[STUDY_N_PROPERTIES];
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        rows[p] =
            (apart){(study_property)p, bench_effect(a, label_a, b, label_b, (study_property)p)};
    qsort(rows, STUDY_N_PROPERTIES, sizeof *rows, compare_apart);
    for (int i = 0; i < most_apart && !isnan(rows[i].effect.ks); i++) {
        study_property p = rows[i].property;
        REPORT_ROW(table, CELL_TEXT(a->name),
                   CELL_TEXT(between_datasets ? b->name : meso_label_name(label_a)),
                   CELL_TEXT(meso_label_name(label_b)), CELL_TEXT(study_properties[p].title),
                   CELL_NUMBER(bench_moments(a, label_a, p).mean),
                   CELL_NUMBER(bench_moments(b, label_b, p).mean), CELL_NUMBER(rows[i].effect.d),
                   CELL_NUMBER(rows[i].effect.ks));
    }
}

/* clang-format off */
#define EFFECTS \
    COLUMN_TEXT("property", "property"), \
    COLUMN_NUMBER("mean_a", "mean of a", 3), COLUMN_NUMBER("mean_b", "mean of b", 3), \
    COLUMN_NUMBER("cohen_d", "Cohen's d", 3), COLUMN_NUMBER("ks", "Kolmogorov–Smirnov", 3)
/* clang-format on */

static void effects(report_writer *writer, const study_dataset *datasets, size_t n)
{
    REPORT_TABLE(classes, COLUMN_TEXT("dataset", "dataset"), COLUMN_TEXT("a", "a"),
                 COLUMN_TEXT("b", "b"), EFFECTS);
    REPORT_TABLE(pairs, COLUMN_TEXT("a", "a"), COLUMN_TEXT("b", "b"), COLUMN_TEXT("class", "class"),
                 EFFECTS);
    report_writer_section(writer, "What differs most");
    report_writer_paragraph(
        writer,
        "The %d properties of largest Kolmogorov–Smirnov distance. Cohen's d is the "
        "difference of means, a − b, in pooled standard deviations.",
        most_apart);
    for (size_t d = 0; d < n; d++)
        add_apart(&classes, &datasets[d], MESO_FAKE, &datasets[d], MESO_REAL, 0);
    report_writer_table(writer, "Between the classes of a dataset", &classes);
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            for (int label = 0; label < 2; label++)
                add_apart(&pairs, &datasets[a], label, &datasets[b], label, 1);
    report_writer_table(writer, "Between datasets", &pairs);
}

void bench_stats_report(report_writer *writer, const study_dataset *datasets, size_t n)
{
    report_writer_section(writer, "The study's statistics");
    report_writer_paragraph(
        writer, "Of each picture at its own size, then over the pictures: mean red, green and blue "
                "(0 to 255), local contrast in 5×5 of CIE L (percent), brightness (0 to 255), "
                "entropy of all values (bits).");
    moments_table(writer, "Means", datasets, n, 0, STUDY_N_PUBLISHED, 0);
    moments_table(writer, "Standard deviations", datasets, n, 0, STUDY_N_PUBLISHED, 1);
    if (datasets[0].published_only)
        return;
    report_writer_section(writer, "More of the pixels, and of the files");
    moments_table(writer, "Means, pixels", datasets, n, STUDY_N_PUBLISHED, STUDY_WIDTH, 0);
    moments_table(writer, "Standard deviations, pixels", datasets, n, STUDY_N_PUBLISHED,
                  STUDY_WIDTH, 1);
    moments_table(writer, "Means, files", datasets, n, STUDY_WIDTH, STUDY_N_PROPERTIES, 0);
    moments_table(writer, "Standard deviations, files", datasets, n, STUDY_WIDTH,
                  STUDY_N_PROPERTIES, 1);
    effects(writer, datasets, n);
    if (writer->form == REPORT_AS_HTML)
        bench_stats_charts(&writer->page, datasets, n);
}

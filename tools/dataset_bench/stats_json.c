/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset_class.h"
#include "report/report_json.h"
#include "stats_report.h"

#define SCHEMA "mesocl.dataset_bench_stats/1"

static int n_properties(const study_dataset *dataset)
{
    return dataset->published_only ? STUDY_N_PUBLISHED : STUDY_N_PROPERTIES;
}

static json_t *mean_spectrum(const study_dataset *dataset, int label)
{
    meso_builder bins = meso_build_list();
    for (int k = 0; k < STUDY_SPECTRUM_BINS; k++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < dataset->files.n_items; i++) {
            float value = dataset->images[i].spectrum[k];
            if (study_usable(dataset, i) && dataset->files.items[i].label == (meso_label)label &&
                value == value) {
                sum += value;
                n++;
            }
        }
        meso_build_add(&bins, meso_json_number(sum / n)); /* 0/0: null */
    }
    return meso_build_end(&bins);
}

static json_t *json_of_class(const study_dataset *dataset, int label)
{
    meso_builder object = meso_build_object();
    meso_builder mean = meso_build_object(), std = meso_build_object();
    for (int p = 0; p < n_properties(dataset); p++) {
        study_moments m = bench_moments(dataset, label, (study_property)p);
        meso_build_number(&mean, study_properties[p].key, m.mean);
        meso_build_number(&std, study_properties[p].key, m.std);
    }
    meso_build_count(&object, "n", dataset->n_usable[label]);
    meso_build_count(&object, "n_refused",
                     dataset->files.n_class[label] - dataset->n_usable[label]);
    meso_build_set(&object, "mean", meso_build_end(&mean));
    meso_build_set(&object, "std", meso_build_end(&std));
    if (!dataset->published_only)
        meso_build_set(&object, "spectrum", mean_spectrum(dataset, label));
    return meso_build_end(&object);
}

static json_t *json_of_effects(const study_dataset *a, int label_a, const study_dataset *b,
                               int label_b)
{
    meso_builder object = meso_build_object();
    for (int p = 0; p < n_properties(a); p++) {
        study_effect effect = bench_effect(a, label_a, b, label_b, (study_property)p);
        meso_builder row = meso_build_object();
        meso_build_number(&row, "cohen_d", effect.d);
        meso_build_number(&row, "ks", effect.ks);
        meso_build_set(&object, study_properties[p].key, meso_build_end(&row));
    }
    return meso_build_end(&object);
}

static json_t *json_of_dataset(const study_dataset *dataset)
{
    meso_builder object = meso_build_object(), classes = meso_build_object();
    meso_build_text(&object, "name", dataset->name);
    meso_build_text(&object, "path", dataset->path);
    for (int label = 0; label < 2; label++)
        meso_build_set(&classes, meso_label_name(label), json_of_class(dataset, label));
    meso_build_set(&object, "classes", meso_build_end(&classes));
    meso_build_set(&object, "fake_minus_real",
                   json_of_effects(dataset, MESO_FAKE, dataset, MESO_REAL));
    return meso_build_end(&object);
}

static json_t *json_of_pair(const study_dataset *a, const study_dataset *b)
{
    meso_builder object = meso_build_object();
    meso_build_text(&object, "a", a->name);
    meso_build_text(&object, "b", b->name);
    for (int label = 0; label < 2; label++)
        meso_build_set(&object, meso_label_name(label), json_of_effects(a, label, b, label));
    return meso_build_end(&object);
}

json_t *bench_stats_json(const study_dataset *datasets, size_t n,
                         const report_provenance *provenance)
{
    meso_builder document = meso_build_object();
    meso_builder list = meso_build_list(), pairs = meso_build_list();
    for (size_t d = 0; d < n; d++)
        meso_build_add(&list, json_of_dataset(&datasets[d]));
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            meso_build_add(&pairs, json_of_pair(&datasets[a], &datasets[b]));
    meso_build_text(&document, "schema", SCHEMA);
    meso_build_set(&document, "provenance", report_provenance_json(provenance));
    meso_build_set(&document, "datasets", meso_build_end(&list));
    meso_build_set(&document, "between", meso_build_end(&pairs));
    return meso_build_end(&document);
}

void bench_stats_csv(const study_dataset *datasets, size_t n, meso_text *out)
{
    REPORT_TABLE(table, COLUMN_TEXT("dataset", ""), COLUMN_TEXT("class", ""),
                 COLUMN_TEXT("property", ""), COLUMN_COUNT("n", ""), COLUMN_NUMBER("mean", "", 0),
                 COLUMN_NUMBER("std", "", 0));
    BENCH_FOR_CLASSES (d, label, n)
        for (int p = 0; p < n_properties(&datasets[d]); p++) {
            study_moments m = bench_moments(&datasets[d], label, (study_property)p);
            REPORT_ROW(&table, CELL_TEXT(datasets[d].name), CELL_TEXT(meso_label_name(label)),
                       CELL_TEXT(study_properties[p].key), CELL_COUNT(m.n), CELL_NUMBER(m.mean),
                       CELL_NUMBER(m.std));
        }
    report_table_csv(&table, out);
    report_table_free(&table);
}

void bench_images_csv(const study_dataset *datasets, size_t n, meso_text *out)
{
    enum { n_texts = 5 };
    report_column columns[n_texts + STUDY_N_PROPERTIES] = {
        COLUMN_TEXT("dataset", ""), COLUMN_TEXT("file", ""), COLUMN_TEXT("class", ""),
        COLUMN_TEXT("group", ""), COLUMN_TEXT("refused", "")};
    report_table table = REPORT_TABLE_OF(columns);
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        columns[n_texts + p] = (report_column)COLUMN_NUMBER(study_properties[p].key, "", 0);
    for (size_t d = 0; d < n; d++)
        for (size_t i = 0; i < datasets[d].files.n_items; i++) {
            const meso_dataset_item *item = &datasets[d].files.items[i];
            const study_image *image = &datasets[d].images[i];
            meso_refusal refusal = (meso_refusal)image->refusal;
            REPORT_ROW(&table, CELL_TEXT(datasets[d].name), CELL_TEXT(item->path),
                       CELL_TEXT(meso_label_name(item->label)), CELL_TEXT(item->group),
                       CELL_TEXT(refusal ? meso_refusal_name(refusal) : NULL));
            for (int p = 0; p < STUDY_N_PROPERTIES; p++)
                REPORT_ROW(&table, CELL_NUMBER(image->property[p]));
        }
    report_table_csv(&table, out);
    report_table_free(&table);
}

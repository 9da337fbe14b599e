/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/labels.h"
#include "data/list/passed.h"
#include "facts_report.h"
#include "report/report_json.h"

#define SCHEMA "mesocl.dataset_bench_stats/1"

static int n_properties(const db_stats *stats)
{
    return stats->datasets[0].published_only ? STUDY_N_PUBLISHED : STUDY_N_PROPERTIES;
}

static json_t *json_of_class(const db_stats *stats, size_t d, int label)
{
    const study_dataset *dataset = &stats->datasets[d];
    const study_set_facts *set = &stats->facts.sets[d];
    meso_builder object = meso_build_object(), mean = meso_build_object();
    meso_builder std = meso_build_object(), spectrum = meso_build_list();
    double bins[STUDY_SPECTRUM_BINS];
    for (int p = 0; p < n_properties(stats); p++) {
        meso_build_number(&mean, study_properties[p].key, set->mean[label][p]);
        meso_build_number(&std, study_properties[p].key, set->deviation[label][p]);
    }
    meso_build_count(&object, "n", set->n_usable[label]);
    meso_build_count(&object, "n_refused", dataset->files.n_class[label] - set->n_usable[label]);
    meso_build_set(&object, "mean", meso_build_end(&mean));
    meso_build_set(&object, "std", meso_build_end(&std));
    study_mean_spectrum(dataset, (meso_label)label, bins);
    for (int k = 0; k < STUDY_SPECTRUM_BINS; k++)
        meso_build_add(&spectrum, meso_json_number(bins[k]));
    json_t *list = meso_build_end(&spectrum);
    if (dataset->published_only)
        json_decref(list);
    else
        meso_build_set(&object, "spectrum", list);
    return meso_build_end(&object);
}

static json_t *json_of_effects(const db_stats *stats, size_t a, int label_a, size_t b, int label_b)
{
    meso_builder object = meso_build_object();
    for (int p = 0; p < n_properties(stats); p++) {
        study_effect effect = study_effect_between(&stats->datasets[a], label_a,
                                                   &stats->datasets[b], label_b, (study_property)p);
        meso_builder row = meso_build_object();
        meso_build_number(&row, "cohen_d", effect.d);
        meso_build_number(&row, "ks", effect.ks);
        meso_build_set(&object, study_properties[p].key, meso_build_end(&row));
    }
    return meso_build_end(&object);
}

static json_t *json_of_dataset(const db_stats *stats, size_t d)
{
    meso_builder object = meso_build_object(), classes = meso_build_object();
    for (int label = 0; label < 2; label++)
        meso_build_set(&classes, meso_label_name(label), json_of_class(stats, d, label));
    meso_build_text(&object, "name", stats->datasets[d].name);
    meso_build_text(&object, "path", stats->datasets[d].path);
    meso_build_set(&object, "classes", meso_build_end(&classes));
    meso_build_set(&object, "passed_over", meso_passed_json(&stats->datasets[d].files));
    meso_build_set(&object, "fake_minus_real", json_of_effects(stats, d, MESO_FAKE, d, MESO_REAL));
    return meso_build_end(&object);
}

static json_t *json_of_pair(const db_stats *stats, size_t a, size_t b)
{
    meso_builder object = meso_build_object();
    meso_build_text(&object, "a", stats->datasets[a].name);
    meso_build_text(&object, "b", stats->datasets[b].name);
    for (int label = 0; label < 2; label++)
        meso_build_set(&object, meso_label_name(label), json_of_effects(stats, a, label, b, label));
    return meso_build_end(&object);
}

json_t *db_stats_json(const void *found, const report_provenance *provenance)
{
    const db_stats *stats = found;
    meso_builder document = meso_build_object();
    meso_builder list = meso_build_list(), pairs = meso_build_list();
    for (size_t d = 0; d < stats->facts.n_sets; d++)
        meso_build_add(&list, json_of_dataset(stats, d));
    for (size_t a = 0; a < stats->facts.n_sets; a++)
        for (size_t b = a + 1; b < stats->facts.n_sets; b++)
            meso_build_add(&pairs, json_of_pair(stats, a, b));
    meso_build_text(&document, "schema", SCHEMA);
    meso_build_set(&document, "provenance", report_provenance_json(provenance));
    meso_build_set(&document, "datasets", meso_build_end(&list));
    meso_build_set(&document, "between", meso_build_end(&pairs));
    return meso_build_end(&document);
}

void db_stats_csv(const void *found, meso_text *out)
{
    REPORT_TABLE(table, COLUMN_TEXT("dataset", ""), COLUMN_TEXT("class", ""),
                 COLUMN_TEXT("property", ""), COLUMN_COUNT("n", ""), COLUMN_NUMBER("mean", "", 0),
                 COLUMN_NUMBER("std", "", 0));
    const db_stats *stats = found;
    for (size_t i = 0; i < 2 * stats->facts.n_sets; i++) {
        const study_set_facts *set = &stats->facts.sets[i / 2];
        for (int p = 0; p < n_properties(stats); p++)
            REPORT_ROW(&table, set->name, meso_label_name(i % 2), study_properties[p].key,
                       set->n_values[i % 2][p], set->mean[i % 2][p], set->deviation[i % 2][p]);
    }
    report_table_csv(&table, out);
    report_table_free(&table);
}

void db_images_csv(const db_stats *stats, meso_text *out)
{
    enum { n_texts = 5 };
    report_column columns[n_texts + STUDY_N_PROPERTIES] = {
        COLUMN_TEXT("dataset", ""), COLUMN_TEXT("file", ""), COLUMN_TEXT("class", ""),
        COLUMN_TEXT("group", ""), COLUMN_TEXT("refused", "")};
    report_table table = REPORT_TABLE_OF(columns);
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        columns[n_texts + p] = (report_column)COLUMN_NUMBER(study_properties[p].key, "", 0);
    for (size_t d = 0; d < stats->facts.n_sets; d++)
        for (size_t i = 0; i < stats->datasets[d].files.n_items; i++) {
            const meso_dataset_item *item = &stats->datasets[d].files.items[i];
            const study_image *image = &stats->datasets[d].images[i];
            meso_refusal refusal = (meso_refusal)image->refusal;
            REPORT_ROW(&table, stats->datasets[d].name, item->path, meso_label_name(item->label),
                       item->group, refusal ? meso_refusal_name(refusal) : NULL);
            for (int p = 0; p < STUDY_N_PROPERTIES; p++)
                REPORT_ROW(&table, image->property[p]);
        }
    report_table_csv(&table, out);
    report_table_free(&table);
}

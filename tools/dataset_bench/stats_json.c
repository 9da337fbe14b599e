/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset_class.h"
#include "report/report_csv.h"
#include "report/report_json.h"
#include "report/report_number.h"
#include "stats_report.h"

#define SCHEMA "mesocl.dataset_bench_stats/1"

/* Adds a value that may be NULL (out of memory) to an object. */
static int set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static int n_properties(const study_dataset *dataset)
{
    return dataset->published_only ? STUDY_N_PUBLISHED : STUDY_N_PROPERTIES;
}

static json_t *mean_spectrum(const study_dataset *dataset, int label)
{
    json_t *bins = json_array();
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
        json_array_append_new(bins, meso_json_number(sum / n)); /* 0/0: null */
    }
    return bins;
}

static json_t *json_of_class(const study_dataset *dataset, int label)
{
    json_t *object = json_object(), *mean = json_object(), *std = json_object();
    for (int p = 0; p < n_properties(dataset); p++) {
        study_moments m = bench_moments(dataset, label, (study_property)p);
        set(mean, study_properties[p].key, meso_json_number(m.mean));
        set(std, study_properties[p].key, meso_json_number(m.std));
    }
    int ok = set(object, "n", json_integer((json_int_t)dataset->n_usable[label]));
    ok &= set(object, "n_refused",
              json_integer((json_int_t)(dataset->files.n_class[label] - dataset->n_usable[label])));
    ok &= set(object, "mean", mean);
    ok &= set(object, "std", std);
    if (!dataset->published_only)
        ok &= set(object, "spectrum", mean_spectrum(dataset, label));
    return ok ? object : NULL;
}

static json_t *json_of_effects(const study_dataset *a, int label_a, const study_dataset *b,
                               int label_b)
{
    json_t *object = json_object();
    for (int p = 0; p < n_properties(a); p++) {
        study_effect effect = bench_effect(a, label_a, b, label_b, (study_property)p);
        json_t *row = json_object();
        set(row, "cohen_d", meso_json_number(effect.d));
        set(row, "ks", meso_json_number(effect.ks));
        set(object, study_properties[p].key, row);
    }
    return object;
}

static json_t *json_of_dataset(const study_dataset *dataset)
{
    json_t *object = json_object(), *classes = json_object();
    int ok = set(object, "name", meso_json_text(dataset->name));
    ok &= set(object, "path", meso_json_text(dataset->path));
    for (int label = 0; label < 2; label++)
        ok &= set(classes, meso_label_name(label), json_of_class(dataset, label));
    ok &= set(object, "classes", classes);
    ok &= set(object, "fake_minus_real", json_of_effects(dataset, MESO_FAKE, dataset, MESO_REAL));
    return ok ? object : NULL;
}

static json_t *json_of_pair(const study_dataset *a, const study_dataset *b)
{
    json_t *object = json_object();
    int ok = set(object, "a", meso_json_text(a->name));
    ok &= set(object, "b", meso_json_text(b->name));
    for (int label = 0; label < 2; label++)
        ok &= set(object, meso_label_name(label), json_of_effects(a, label, b, label));
    return ok ? object : NULL;
}

json_t *bench_stats_json(const study_dataset *datasets, size_t n,
                         const report_provenance *provenance)
{
    json_t *document = json_object(), *list = json_array(), *pairs = json_array();
    int ok = set(document, "schema", json_string(SCHEMA));
    ok &= set(document, "provenance", report_provenance_json(provenance));
    for (size_t d = 0; d < n; d++)
        ok &= json_array_append_new(list, json_of_dataset(&datasets[d])) == 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            ok &= json_array_append_new(pairs, json_of_pair(&datasets[a], &datasets[b])) == 0;
    ok &= set(document, "datasets", list);
    ok &= set(document, "between", pairs);
    if (ok)
        return document;
    json_decref(document);
    return NULL;
}

void bench_stats_csv(const study_dataset *datasets, size_t n, meso_text *out)
{
    static const report_column columns[] = {
        {"dataset", "", REPORT_LEFT, REPORT_TEXT, 0},  {"class", "", REPORT_LEFT, REPORT_TEXT, 0},
        {"property", "", REPORT_LEFT, REPORT_TEXT, 0}, {"n", "", REPORT_LEFT, REPORT_COUNT, 0},
        {"mean", "", REPORT_LEFT, REPORT_NUMBER, 0},   {"std", "", REPORT_LEFT, REPORT_NUMBER, 0}};
    report_table table = {.columns = columns, .n_columns = sizeof columns / sizeof *columns};
    BENCH_FOR_CLASSES(d, label, n)
    for (int p = 0; p < n_properties(&datasets[d]); p++) {
        study_moments m = bench_moments(&datasets[d], label, (study_property)p);
        report_table_add_text(&table, datasets[d].name);
        report_table_add_text(&table, meso_label_name(label));
        report_table_add_text(&table, study_properties[p].key);
        report_table_add_count(&table, m.n);
        report_table_add_number(&table, m.mean);
        report_table_add_number(&table, m.std);
    }
    out->out_of_memory |= table.out_of_memory;
    report_table_csv(&table, out);
    report_table_free(&table);
}

static void add_image(const study_dataset *dataset, size_t i, meso_text *out)
{
    const meso_dataset_item *item = &dataset->files.items[i];
    const study_image *image = &dataset->images[i];
    const char *texts[] = {dataset->name, item->path, meso_label_name(item->label),
                           item->group ? item->group : "",
                           image->refusal ? meso_refusal_name((meso_refusal)image->refusal) : ""};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        meso_text_add(out, k ? "," : "");
        report_csv_text(texts[k], out);
    }
    for (int p = 0; p < STUDY_N_PROPERTIES; p++) {
        char number[REPORT_NUMBER_SIZE];
        meso_text_format(out, ",%s", report_exact(image->property[p], number));
    }
    meso_text_add(out, REPORT_CSV_END);
}

void bench_images_csv(const study_dataset *datasets, size_t n, meso_text *out)
{
    meso_text_add(out, "dataset,file,class,group,refused");
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        meso_text_format(out, ",%s", study_properties[p].key);
    meso_text_add(out, REPORT_CSV_END);
    for (size_t d = 0; d < n; d++)
        for (size_t i = 0; i < datasets[d].files.n_items; i++)
            add_image(&datasets[d], i, out);
}

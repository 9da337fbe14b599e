/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "check_report.h"
#include "data/list/labels.h"
#include "report/report_csv.h"
#include "report/report_json.h"
#include "report/report_number.h"
#include "stats_report.h"

#define SCHEMA "mesocl.dataset_bench_check/1"

static int set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *json_of_interval(double auc, meso_interval interval)
{
    json_t *object = json_object();
    set(object, "auc", meso_json_number(auc));
    set(object, "low", meso_json_number(interval.low));
    set(object, "high", meso_json_number(interval.high));
    return object;
}

static json_t *json_of_file(const study_dataset *dataset, size_t i)
{
    json_t *object = json_object();
    report_json_set_file(object, dataset->files.items[i].path);
    set(object, "class", json_string(meso_label_name(dataset->files.items[i].label)));
    return object;
}

static json_t *json_of_pairs(const study_dataset *a, const study_dataset *b,
                             const study_pairs *pairs)
{
    json_t *list = json_array();
    for (size_t i = 0; i < pairs->n; i++) {
        const study_pair *p = &pairs->pairs[i];
        json_t *object = json_object();
        set(object, "kind", json_string(study_pair_kind_name(p->kind)));
        set(object, "a", json_of_file(a, p->a));
        set(object, "b", json_of_file(b, p->b));
        if (p->kind == STUDY_NEAR) {
            set(object, "mirrored", json_boolean(p->mirrored));
            set(object, "distance", meso_json_number(p->distance));
        }
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *json_of_counts(const size_t n_by_kind[STUDY_N_PAIR_KINDS], size_t n_kinds)
{
    json_t *object = json_object();
    for (size_t k = 0; k < n_kinds; k++)
        set(object, study_pair_kind_name((study_pair_kind)k),
            json_integer((json_int_t)n_by_kind[k]));
    return object;
}

static json_t *json_of_shortcuts(const study_health *h)
{
    json_t *list = json_array();
    for (size_t i = 0; i < h->n_shortcuts; i++) {
        const study_shortcut *s = &h->shortcuts[i];
        json_t *object = json_of_interval(s->auc, s->interval);
        set(object, "property", json_string(study_properties[s->property].key));
        set(object, "higher_in", json_string(meso_label_name(s->real_is_higher)));
        set(object, "warning", json_boolean(s->warn));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *json_of_groups(const study_groups *groups)
{
    json_t *object = json_object(), *list = json_array();
    for (size_t i = 0; i < groups->n; i++)
        if (groups->groups[i].n_class[0] > 0 && groups->groups[i].n_class[1] > 0)
            json_array_append_new(list, meso_json_text(groups->groups[i].name));
    set(object, "n", json_integer((json_int_t)groups->n));
    set(object, "in_both_classes", list);
    return object;
}

static json_t *json_of_refused(const study_dataset *dataset)
{
    json_t *list = json_array();
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        const study_image *image = &dataset->images[i];
        if (study_usable(dataset, i))
            continue;
        json_t *object = json_of_file(dataset, i);
        set(object, "reason", json_string(meso_refusal_name((meso_refusal)image->refusal)));
        set(object, "detail", meso_json_text(image->detail));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *json_of_health(const study_dataset *dataset, const study_health *h)
{
    json_t *object = json_object(), *views = json_object(), *n = json_object();
    int ok = set(object, "name", meso_json_text(dataset->name));
    ok &= set(object, "path", meso_json_text(dataset->path));
    for (int label = 0; label < 2; label++)
        ok &= set(n, meso_label_name(label), json_integer((json_int_t)dataset->n_usable[label]));
    ok &= set(object, "n", n);
    ok &= set(object, "largest_share", meso_json_number(h->largest_share));
    ok &= set(object, "counts", json_of_counts(h->n_by_kind, STUDY_SAME_RECORDING));
    ok &= set(object, "label_conflicts", json_integer((json_int_t)h->n_conflicts));
    ok &= set(object, "near_label_conflicts", json_integer((json_int_t)h->n_near_conflicts));
    ok &= set(object, "recordings", json_of_groups(&h->groups));
    ok &= set(object, "shortcuts", json_of_shortcuts(h));
    for (int v = 0; v < STUDY_N_VIEWS; v++)
        ok &= set(views, study_view_name((study_view)v),
                  json_of_interval(h->view_auc[v], h->view_interval[v]));
    ok &= set(object, "linear_classifiers", views);
    ok &= set(object, "duplicates", json_of_pairs(dataset, dataset, &h->duplicates));
    ok &= set(object, "refused", json_of_refused(dataset));
    return ok ? object : NULL;
}

static json_t *json_of_crossing(const bench_findings *f, const bench_crossing *c)
{
    const study_dataset *a = &f->datasets[c->a], *b = &f->datasets[c->b];
    json_t *object = json_object();
    int ok = set(object, "a", meso_json_text(a->name));
    ok &= set(object, "b", meso_json_text(b->name));
    ok &= set(object, "counts", json_of_counts(c->found.n_by_kind, STUDY_N_PAIR_KINDS));
    ok &= set(object, "label_conflicts", json_integer((json_int_t)c->found.n_conflicts));
    ok &= set(object, "shared_recordings", json_integer((json_int_t)c->found.n_shared_groups));
    ok &= set(object, "pairs", json_of_pairs(a, b, &c->found.pairs));
    return ok ? object : NULL;
}

static json_t *json_of_warnings(const bench_findings *f)
{
    bench_warning *warnings;
    json_t *list = json_array();
    size_t n = bench_warnings(f, &warnings);
    for (size_t i = 0; i < n; i++) {
        json_t *object = json_object();
        set(object, "kind", json_string(warnings[i].kind));
        set(object, "dataset", meso_json_text(warnings[i].dataset));
        if (warnings[i].other)
            set(object, "other", meso_json_text(warnings[i].other));
        set(object, "text", json_string(warnings[i].text));
        json_array_append_new(list, object);
    }
    free(warnings);
    return list;
}

json_t *bench_check_json(const bench_findings *f, const report_provenance *provenance)
{
    json_t *document = json_object(), *datasets = json_array(), *leaks = json_array();
    int ok = set(document, "schema", json_string(SCHEMA));
    ok &= set(document, "provenance", report_provenance_json(provenance));
    ok &= set(document, "warnings", json_of_warnings(f));
    for (size_t d = 0; d < f->n_checked; d++)
        ok &= json_array_append_new(datasets, json_of_health(&f->datasets[d], &f->health[d])) == 0;
    for (size_t i = 0; i < f->n_crossings; i++)
        ok &= json_array_append_new(leaks, json_of_crossing(f, &f->crossings[i])) == 0;
    ok &= set(document, "datasets", datasets);
    ok &= set(document, "leaks", leaks);
    if (ok)
        return document;
    json_decref(document);
    return NULL;
}

static void add_lines(const study_dataset *a, const study_dataset *b, const study_pairs *pairs,
                      meso_text *out)
{
    for (size_t i = 0; i < pairs->n; i++) {
        const study_pair *p = &pairs->pairs[i];
        const meso_dataset_item *x = &a->files.items[p->a], *y = &b->files.items[p->b];
        const char *const cells[] = {study_pair_kind_name(p->kind),
                                     a->name,
                                     x->path,
                                     meso_label_name(x->label),
                                     b->name,
                                     y->path,
                                     meso_label_name(y->label),
                                     p->mirrored ? "1" : "0"};
        char number[REPORT_NUMBER_SIZE];
        for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
            report_csv_text(cells[k], out);
            meso_text_add(out, ",");
        }
        meso_text_format(out, "%s" REPORT_CSV_END, report_exact(p->distance, number));
    }
}

void bench_check_csv(const bench_findings *f, meso_text *out)
{
    meso_text_add(
        out,
        "kind,dataset_a,file_a,class_a,dataset_b,file_b,class_b,mirrored,distance" REPORT_CSV_END);
    for (size_t d = 0; d < f->n_checked; d++)
        add_lines(&f->datasets[d], &f->datasets[d], &f->health[d].duplicates, out);
    for (size_t i = 0; i < f->n_crossings; i++)
        add_lines(&f->datasets[f->crossings[i].a], &f->datasets[f->crossings[i].b],
                  &f->crossings[i].found.pairs, out);
}

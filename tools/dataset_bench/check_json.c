/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/labels.h"
#include "data/list/passed.h"
#include "facts_report.h"
#include "report/report_json.h"

#define SCHEMA "mesocl.dataset_bench_check/1"

static meso_builder build_interval(double auc, meso_interval interval)
{
    meso_builder object = meso_build_object();
    meso_build_number(&object, "auc", auc);
    meso_build_number(&object, "low", interval.low);
    meso_build_number(&object, "high", interval.high);
    return object;
}

static meso_builder build_file(const study_dataset *dataset, size_t i)
{
    meso_builder object = meso_build_object();
    report_build_file(&object, dataset->files.items[i].path);
    meso_build_text(&object, "class", meso_label_name(dataset->files.items[i].label));
    return object;
}

static json_t *json_of_pairs(const study_dataset *a, const study_dataset *b,
                             const study_pairs *pairs)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < pairs->n; i++) {
        const study_pair *p = &pairs->pairs[i];
        meso_builder object = meso_build_object();
        meso_builder file_a = build_file(a, p->a), file_b = build_file(b, p->b);
        meso_build_text(&object, "kind", study_pair_kind_name(p->kind));
        meso_build_set(&object, "a", meso_build_end(&file_a));
        meso_build_set(&object, "b", meso_build_end(&file_b));
        if (p->kind == STUDY_NEAR) {
            meso_build_flag(&object, "mirrored", p->mirrored);
            meso_build_number(&object, "distance", p->distance);
        }
        meso_build_add(&list, meso_build_end(&object));
    }
    return meso_build_end(&list);
}

static json_t *json_of_shortcuts(const study_set_facts *set)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < set->n_shortcuts; i++) {
        const study_shortcut *s = &set->shortcuts[i];
        meso_builder object = build_interval(s->auc, s->interval);
        meso_build_text(&object, "property", study_properties[s->property].key);
        meso_build_text(&object, "higher_in", meso_label_name(s->real_is_higher));
        meso_build_flag(&object, "warning", s->warn);
        meso_build_add(&list, meso_build_end(&object));
    }
    return meso_build_end(&list);
}

static json_t *json_of_views(const study_set_facts *set)
{
    meso_builder object = meso_build_object();
    for (int v = 0; v < STUDY_N_VIEWS; v++) {
        meso_builder interval = build_interval(set->view_auc[v], set->view_interval[v]);
        meso_build_set(&object, study_views[v].key, meso_build_end(&interval));
    }
    return meso_build_end(&object);
}

static json_t *json_of_recordings(const meso_groups *groups)
{
    meso_builder object = meso_build_object(), list = meso_build_list();
    for (size_t i = 0; i < groups->n; i++)
        if (groups->groups[i].n_class[0] > 0 && groups->groups[i].n_class[1] > 0)
            meso_build_add(&list, meso_json_text(groups->groups[i].name));
    meso_build_count(&object, "n", groups->n);
    meso_build_set(&object, "in_both_classes", meso_build_end(&list));
    return meso_build_end(&object);
}

static json_t *json_of_refused(const study_dataset *dataset)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        const study_image *image = &dataset->images[i];
        if (study_usable(dataset, i))
            continue;
        meso_builder object = build_file(dataset, i);
        meso_build_text(&object, "reason", meso_refusal_name((meso_refusal)image->refusal));
        meso_build_text(&object, "detail", image->detail);
        meso_build_add(&list, meso_build_end(&object));
    }
    return meso_build_end(&list);
}

static json_t *json_of_set(const study_dataset *dataset, const study_set_facts *set)
{
    meso_builder object = meso_build_object(), n = meso_build_object();
    meso_build_text(&object, "name", set->name);
    meso_build_text(&object, "path", dataset->path);
    for (int label = 0; label < 2; label++)
        meso_build_count(&n, meso_label_name(label), set->n_usable[label]);
    meso_build_set(&object, "n", meso_build_end(&n));
    meso_build_number(&object, "largest_share", study_largest_share(set));
    meso_build_set(&object, "counts", db_kinds_json(set->n_duplicates, STUDY_SAME_RECORDING));
    meso_build_count(&object, "label_conflicts", set->n_conflicts);
    meso_build_count(&object, "near_label_conflicts", set->n_near_conflicts);
    meso_build_set(&object, "recordings", json_of_recordings(&set->recordings));
    meso_build_set(&object, "shortcuts", json_of_shortcuts(set));
    meso_build_set(&object, "linear_classifiers", json_of_views(set));
    meso_build_set(&object, "duplicates", json_of_pairs(dataset, dataset, &set->duplicates));
    meso_build_set(&object, "refused", json_of_refused(dataset));
    meso_build_set(&object, "passed_over", meso_passed_json(&dataset->files));
    return meso_build_end(&object);
}

static json_t *json_of_leaks(const db_checked *c, const study_pair_facts *pair)
{
    const study_dataset *a = &c->datasets[pair->a], *b = &c->datasets[pair->b];
    meso_builder object = meso_build_object();
    meso_build_text(&object, "a", a->name);
    meso_build_text(&object, "b", b->name);
    meso_build_set(&object, "counts", db_kinds_json(pair->n_leaks, STUDY_N_PAIR_KINDS));
    meso_build_count(&object, "label_conflicts", pair->n_conflicts);
    meso_build_count(&object, "shared_recordings", pair->n_shared_recordings);
    meso_build_set(&object, "pairs", json_of_pairs(a, b, &pair->leaks));
    return meso_build_end(&object);
}

json_t *db_check_json(const void *checked, const report_provenance *provenance)
{
    const db_checked *c = checked;
    meso_builder document = meso_build_object();
    meso_builder datasets = meso_build_list(), leaks = meso_build_list();
    for (size_t d = 0; d < c->facts.n_checked; d++)
        meso_build_add(&datasets, json_of_set(&c->datasets[d], &c->facts.sets[d]));
    for (size_t i = 0; i < c->facts.n_pairs; i++)
        meso_build_add(&leaks, json_of_leaks(c, &c->facts.pairs[i]));
    meso_build_text(&document, "schema", SCHEMA);
    meso_build_set(&document, "provenance", report_provenance_json(provenance));
    meso_build_set(&document, "warnings", db_findings_json(&c->facts, &c->findings));
    meso_build_set(&document, "datasets", meso_build_end(&datasets));
    meso_build_set(&document, "leaks", meso_build_end(&leaks));
    return meso_build_end(&document);
}

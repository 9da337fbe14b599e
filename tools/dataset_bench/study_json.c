/* SPDX-License-Identifier: Apache-2.0
 *
 * study_result.json: everything a study has come to. Its schema:
 * docs/schema/study_result.schema.json.
 */
#include "study_results.h"

#include "facts_report.h"
#include "report/report_json.h"

#define RESULT_SCHEMA "mesocl.study_result/1"

static json_t *count(size_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *interval(double mean, double low, double high)
{
    return json_pack("{s:o, s:o, s:o}", "mean", meso_json_number(mean), "low",
                     meso_json_number(low), "high", meso_json_number(high));
}

static json_t *estimate(const study_estimate *e)
{
    return interval(e->mean, e->low, e->high);
}

/* ---- datasets ---- */

static json_t *class_json(const study_set_facts *set_facts, int of)
{
    meso_builder object = meso_build_object();
    meso_builder mean = meso_build_object(), std = meso_build_object();
    for (int p = 0; p < STUDY_N_PROPERTIES; p++) {
        meso_build_number(&mean, study_properties[p].key, set_facts->mean[of][p]);
        meso_build_number(&std, study_properties[p].key, set_facts->deviation[of][p]);
    }
    meso_build_set(&object, "mean", meso_build_end(&mean));
    meso_build_set(&object, "std", meso_build_end(&std));
    if (of < STUDY_BOTH) {
        meso_build_count(&object, "n", set_facts->n_usable[of]);
        meso_build_count(&object, "n_used", set_facts->n_used[of]);
    }
    return meso_build_end(&object);
}

static json_t *shortcuts_json(const study_set_facts *facts)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < facts->n_shortcuts; i++) {
        const study_shortcut *s = &facts->shortcuts[i];
        meso_build_add(&list,
                       json_pack("{s:s, s:o, s:b}", "property", study_properties[s->property].key,
                                 "auc", interval(s->auc, s->interval.low, s->interval.high), "warn",
                                 s->warn));
    }
    return meso_build_end(&list);
}

static json_t *view_json(const study_set_facts *facts, study_view view)
{
    return interval(facts->view_auc[view], facts->view_interval[view].low,
                    facts->view_interval[view].high);
}

static json_t *dataset_json(const db_study *study, size_t s)
{
    const study_set_facts *facts = &study->facts.sets[s];
    json_t *classes = json_pack("{s:o, s:o, s:o}", "fake", class_json(facts, 0), "real",
                                class_json(facts, 1), "both", class_json(facts, STUDY_BOTH));
    json_t *passed_over = facts->passed_over ? json_incref(facts->passed_over) : json_array();
    return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                     facts->name, "role", s < study->plan.n_train ? "train" : "test", "path",
                     meso_json_text(study_plan_source(&study->plan, s)->path), "content_hash",
                     study->lists[s].content_hash, "n_files", count(facts->n_files), "n_unusable",
                     count(facts->n_unusable), "passed_over", passed_over, "n_groups",
                     count(facts->n_groups), "classes", classes, "duplicates",
                     db_kinds_json(facts->n_duplicates, STUDY_N_PAIR_KINDS), "shortcuts",
                     shortcuts_json(facts), "properties_auc",
                     view_json(facts, STUDY_VIEW_PROPERTIES), "framing_auc",
                     view_json(facts, STUDY_VIEW_FRAMING));
}

static json_t *leak_json(const db_study *study, const study_pair_facts *pair,
                         const study_pair *leak)
{
    meso_builder object = meso_build_object(), also = meso_build_object();
    meso_build_text(&object, "train", study->facts.sets[pair->a].name);
    meso_build_text(&object, "test", study->facts.sets[pair->b].name);
    meso_build_text(&object, "kind", study_pair_kind_name(leak->kind));
    report_build_file(&object, study->lists[pair->b].files.items[leak->b].path);
    report_build_file(&also, study->lists[pair->a].files.items[leak->a].path);
    meso_build_set(&object, "also", meso_build_end(&also));
    return meso_build_end(&object);
}

/* ---- the matrix ---- */

static json_t *cell_json(const db_results *r, const study_cell *cell)
{
    const study_plan *plan = &r->study->plan;
    meso_builder seeds = meso_build_list(), object = meso_build_object();
    size_t k = 0;
    meso_build_text(&object, "train", plan->train[cell->train].name);
    meso_build_text(&object, "variant", plan->variants[cell->variant].name);
    meso_build_text(&object, "test", plan->test[cell->test].name);
    meso_build_count(&object, "n", cell->n);
    meso_build_count(&object, "n_excluded", cell->n_excluded);
    for (int q = 0; q < STUDY_N_QUANTITIES; q++)
        meso_build_set(&object, study_quantity_key((study_quantity)q),
                       estimate(&cell->quantity[q]));
    for (size_t s = 0; s < plan->n_seeds; s++) {
        if (!r->done[study_job_index(plan, cell->train, cell->variant, s)])
            continue;
        meso_builder seed = meso_build_object();
        meso_build_count(&seed, "seed", plan->seeds[s]);
        for (int q = 0; q < STUDY_N_QUANTITIES; q++)
            meso_build_number(&seed, study_quantity_key((study_quantity)q),
                              cell->seeds[k * STUDY_N_QUANTITIES + (size_t)q]);
        meso_build_add(&seeds, meso_build_end(&seed));
        k++;
    }
    meso_build_set(&object, "seeds", meso_build_end(&seeds));
    if (cell->n_groups)
        meso_build_set(&object, "groups",
                       json_pack("{s:o, s:o, s:o}", "n", count(cell->n_groups), "accuracy",
                                 estimate(&cell->group_accuracy), "auc",
                                 estimate(&cell->group_auc)));
    return meso_build_end(&object);
}

static json_t *side_json(const study_plan *plan, const study_cell *cell)
{
    return json_pack("{s:s, s:s}", "train", plan->train[cell->train].name, "variant",
                     plan->variants[cell->variant].name);
}

static json_t *comparison_json(const db_results *r, const study_comparison *c)
{
    const study_cell *a = &r->matrix.cells[c->a], *b = &r->matrix.cells[c->b];
    const study_plan *plan = &r->study->plan;
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "between",
        c->between == STUDY_BETWEEN_TRAIN ? "train" : "variants", "test", plan->test[a->test].name,
        "a", side_json(plan, a), "b", side_json(plan, b), "n", count(c->n), "accuracy",
        interval(c->difference.mean, c->difference.low, c->difference.high), "accuracy_holm",
        interval(c->corrected.mean, c->corrected.low, c->corrected.high), "p",
        meso_json_number(c->difference.p), "p_holm", meso_json_number(c->p_holm), "differs",
        c->differs);
}

static json_t *baselines_json(const db_results *r)
{
    const study_plan *plan = &r->study->plan;
    meso_builder list = meso_build_list();
    for (size_t t = 0; t < plan->n_test; t++)
        meso_build_add(&list, json_pack("{s:s, s:n, s:s, s:o, s:o}", "predictor", "constant",
                                        "train", "test", plan->test[t].name, "accuracy",
                                        meso_json_number(r->matrix.constant[t]), "mse",
                                        meso_json_number(r->matrix.constant_mse[t])));
    for (size_t i = 0; i < plan->n_train * plan->n_test * STUDY_N_VIEWS; i++) {
        size_t pair = i / STUDY_N_VIEWS, view = i % STUDY_N_VIEWS;
        const study_pair_facts *facts = &r->study->facts.pairs[pair];
        meso_build_add(&list,
                       json_pack("{s:s, s:s, s:s, s:o, s:o}", "predictor", study_views[view].key,
                                 "train", plan->train[pair / plan->n_test].name, "test",
                                 plan->test[pair % plan->n_test].name, "accuracy",
                                 meso_json_number(facts->accuracy[view]), "auc",
                                 meso_json_number(facts->auc[view])));
    }
    return meso_build_end(&list);
}

/* ---- why, how ---- */

static json_t *link_json(const db_results *r, const study_link *link)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "test", r->study->plan.test[link->test].name,
                     "property", study_properties[link->property].key, "aspect",
                     study_aspect_name(link->aspect), "rho",
                     interval(link->correlation.rho, link->correlation.low, link->correlation.high),
                     "p", meso_json_number(link->correlation.p), "least_p",
                     meso_json_number(link->correlation.least_p));
}

static json_t *distance_json(const db_results *r, const study_distance *d)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "a", r->study->facts.sets[d->a].name, "b",
                     r->study->facts.sets[d->b].name, "properties", meso_json_number(d->property),
                     "features", meso_json_number(d->features), "n_nets", count(d->n_nets),
                     "n_images", count(d->n_images));
}

static json_t *device_json(const db_results *r, const db_device_row *row)
{
    const study_plan *plan = &r->study->plan;
    meso_builder cells = meso_build_list();
    for (size_t i = 0; i < r->matrix.n_cells; i++) {
        const study_cell *cell = &r->matrix.cells[i];
        meso_build_add(&cells,
                       json_pack("{s:s, s:s, s:s, s:o}", "train", plan->train[cell->train].name,
                                 "variant", plan->variants[cell->variant].name, "test",
                                 plan->test[cell->test].name, "accuracy",
                                 meso_json_number(row->accuracy[i])));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "device", meso_json_text(row->device),
                     "images_per_second", meso_json_number(row->images_per_second),
                     "largest_change", meso_json_number(row->largest_change), "cells",
                     meso_build_end(&cells));
}

static json_t *job_json(const db_results *r, size_t job)
{
    const study_plan *plan = &r->study->plan;
    const study_job what = study_plan_job(plan, job);
    const study_outcome *o = &r->outcomes[job];
    meso_builder epochs = meso_build_list();
    for (size_t e = 0; e < o->n_epochs; e++)
        meso_build_add(&epochs, json_pack("{s:o, s:o}", "loss", meso_json_number(o->epochs[e].loss),
                                          "accuracy", meso_json_number(o->epochs[e].accuracy)));
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:s, s:s, s:I, s:I, s:o, s:o}", "train",
                     plan->train[what.train].name, "variant", plan->variants[what.variant].name,
                     "seed", (json_int_t)plan->seeds[what.seed], "device",
                     meso_json_text(o->device), "driver", meso_json_text(o->driver), "path",
                     o->path, "model_hash", o->model_hash, "n_images", (json_int_t)o->n_images,
                     "n_steps", (json_int_t)o->n_steps, "epochs", meso_build_end(&epochs),
                     "seconds", meso_json_number(o->seconds));
}

/* ---- the document ---- */

static void set_lists(meso_builder *root, const db_results *r)
{
    meso_builder datasets = meso_build_list(), leaks = meso_build_list();
    meso_builder matrix = meso_build_list(), comparisons = meso_build_list();
    meso_builder links = meso_build_list(), distances = meso_build_list();
    meso_builder devices = meso_build_list(), jobs = meso_build_list();
    meso_builder findings = meso_build_list();
    const db_study *study = r->study;
    for (size_t i = 0; i < study->plan.n_train + study->plan.n_test; i++)
        meso_build_add(&datasets, dataset_json(study, i));
    for (size_t i = 0; i < study->facts.n_pairs; i++)
        for (size_t k = 0; k < study->facts.pairs[i].leaks.n; k++)
            meso_build_add(&leaks, leak_json(study, &study->facts.pairs[i],
                                             &study->facts.pairs[i].leaks.pairs[k]));
    for (size_t i = 0; i < r->matrix.n_cells; i++)
        if (r->matrix.cells[i].n_seeds)
            meso_build_add(&matrix, cell_json(r, &r->matrix.cells[i]));
    for (size_t i = 0; i < r->matrix.n_comparisons; i++)
        meso_build_add(&comparisons, comparison_json(r, &r->matrix.comparisons[i]));
    for (size_t i = 0; i < r->relations.n_links; i++)
        meso_build_add(&links, link_json(r, &r->relations.links[i]));
    for (size_t i = 0; i < r->relations.n_distances; i++)
        meso_build_add(&distances, distance_json(r, &r->relations.distances[i]));
    for (size_t i = 0; i < r->n_devices; i++)
        meso_build_add(&devices, device_json(r, &r->devices[i]));
    for (size_t i = 0; i < r->n_jobs; i++)
        if (r->done[i])
            meso_build_add(&jobs, job_json(r, i));
    for (size_t i = 0; i < r->sentences.n; i++)
        meso_build_add(&findings, json_string(r->sentences.lines[i]));
    meso_build_set(root, "datasets", meso_build_end(&datasets));
    meso_build_set(root, "leaks", meso_build_end(&leaks));
    meso_build_set(root, "matrix", meso_build_end(&matrix));
    meso_build_set(root, "comparisons", meso_build_end(&comparisons));
    meso_build_set(root, "links", meso_build_end(&links));
    meso_build_set(root, "distances", meso_build_end(&distances));
    meso_build_set(root, "devices", meso_build_end(&devices));
    meso_build_set(root, "jobs", meso_build_end(&jobs));
    meso_build_set(root, "findings", meso_build_end(&findings));
}

json_t *db_study_json(const db_results *r, const report_provenance *provenance)
{
    meso_builder root = meso_build_object();
    meso_build_text(&root, "schema", RESULT_SCHEMA);
    meso_build_set(&root, "provenance", report_provenance_json(provenance));
    meso_build_set(&root, "plan", json_deep_copy(r->study->plan.document));
    meso_build_count(&root, "n_jobs", r->n_jobs);
    meso_build_count(&root, "n_done", r->n_done);
    meso_build_count(&root, "n_tested", r->matrix.n_tested);
    meso_build_set(&root, "baselines", baselines_json(r));
    meso_build_set(&root, "warnings", db_findings_json(&r->study->facts, &r->findings));
    set_lists(&root, r);
    return meso_build_end(&root);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "study_results.h"

#include <math.h>
#include <stdio.h>

#define CELLS_ESTIMATE(e) (e).mean, (e).low, (e).high

/* ---- the matrix ---- */

report_table db_table_matrix(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("train", "trained on"), COLUMN_TEXT("variant", "variant"),
                 COLUMN_TEXT("test", "tested on"), COLUMN_COUNT("n", "images"),
                 COLUMN_COUNT("n_excluded", "left out"), COLUMN_COUNT("n_seeds", "seeds"),
                 COLUMN_NUMBER("accuracy", "accuracy", 3), COLUMN_NUMBER("accuracy_low", "from", 3),
                 COLUMN_NUMBER("accuracy_high", "to", 3), COLUMN_NUMBER("mse", "MSE", 3),
                 COLUMN_NUMBER("mse_low", "from", 3), COLUMN_NUMBER("mse_high", "to", 3),
                 COLUMN_NUMBER("auc", "AUC", 3), COLUMN_NUMBER("auc_low", "from", 3),
                 COLUMN_NUMBER("auc_high", "to", 3), COLUMN_NUMBER("eer", "EER", 3),
                 COLUMN_NUMBER("recall_fake", "recall of fakes", 3),
                 COLUMN_NUMBER("recall_real", "of reals", 3),
                 COLUMN_COUNT("n_groups", "recordings"),
                 COLUMN_NUMBER("group_accuracy", "their accuracy", 3));
    for (size_t i = 0; i < r->matrix.n_cells; i++) {
        const study_cell *c = &r->matrix.cells[i];
        if (c->n_seeds == 0)
            continue;
        REPORT_ROW(&table, r->study->plan.train[c->train].name,
                   r->study->plan.variants[c->variant].name, r->study->plan.test[c->test].name,
                   c->n, c->n_excluded, c->n_seeds, CELLS_ESTIMATE(c->quantity[STUDY_ACCURACY]),
                   CELLS_ESTIMATE(c->quantity[STUDY_MSE]), CELLS_ESTIMATE(c->quantity[STUDY_AUC]),
                   c->quantity[STUDY_EER].mean, c->quantity[STUDY_RECALL_FAKE].mean,
                   c->quantity[STUDY_RECALL_REAL].mean, c->n_groups,
                   c->n_groups ? c->group_accuracy.mean : NAN);
    }
    return table;
}

report_table db_table_published(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("train", "Dataset"), COLUMN_TEXT("test", "tested on"),
                 COLUMN_TEXT("scores", "[MSE, accuracy]"));
    for (size_t i = 0; i < r->matrix.n_cells; i++) {
        const study_cell *c = &r->matrix.cells[i];
        char scores[64];
        if (c->n_seeds == 0 || c->variant != 0)
            continue;
        snprintf(scores, sizeof scores, "[%.3f, %.3f]", c->quantity[STUDY_MSE].mean,
                 c->quantity[STUDY_ACCURACY].mean);
        REPORT_ROW(&table, r->study->plan.train[c->train].name, r->study->plan.test[c->test].name,
                   scores);
    }
    return table;
}

report_table db_table_comparisons(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("test", "tested on"), COLUMN_TEXT("a", "a"),
                 COLUMN_TEXT("b", "b"), COLUMN_COUNT("n", "images"),
                 COLUMN_NUMBER("difference", "a − b", 3), COLUMN_NUMBER("low", "95 % from", 3),
                 COLUMN_NUMBER("high", "to", 3), COLUMN_NUMBER("p", "p", 4),
                 COLUMN_NUMBER("holm_low", "corrected: from", 3),
                 COLUMN_NUMBER("holm_high", "to", 3), COLUMN_NUMBER("p_holm", "p", 4),
                 COLUMN_TEXT("verdict", "verdict"));
    const study_plan *plan = &r->study->plan;
    for (size_t i = 0; i < r->matrix.n_comparisons; i++) {
        const study_comparison *c = &r->matrix.comparisons[i];
        const study_cell *a = &r->matrix.cells[c->a], *b = &r->matrix.cells[c->b];
        char name_a[STUDY_CELL_NAME_SIZE], name_b[STUDY_CELL_NAME_SIZE];
        if (isnan(c->difference.mean))
            continue;
        REPORT_ROW(&table, plan->test[a->test].name,
                   study_cell_name(plan, a->train, a->variant, name_a),
                   study_cell_name(plan, b->train, b->variant, name_b), c->n,
                   CELLS_ESTIMATE(c->difference), c->difference.p, c->corrected.low,
                   c->corrected.high, c->p_holm,
                   isnan(c->p_holm) ? "not tested: one seed"
                   : c->differs     ? "differ"
                                    : "no difference shown");
    }
    return table;
}

report_table db_table_baselines(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("test", "tested on"), COLUMN_TEXT("predictor", "baseline"),
                 COLUMN_TEXT("train", "fitted to"), COLUMN_NUMBER("accuracy", "accuracy", 3),
                 COLUMN_NUMBER("auc", "AUC", 3));
    const study_plan *plan = &r->study->plan;
    for (size_t t = 0; t < plan->n_test; t++) {
        REPORT_ROW(&table, plan->test[t].name, "majority class", NULL, r->matrix.constant[t], 0.5);
        for (size_t i = 0; i < plan->n_train * STUDY_N_VIEWS; i++) {
            const study_pair_facts *pair =
                &r->study->facts.pairs[i / STUDY_N_VIEWS * plan->n_test + t];
            REPORT_ROW(&table, plan->test[t].name, study_views[i % STUDY_N_VIEWS].title,
                       plan->train[i / STUDY_N_VIEWS].name, pair->accuracy[i % STUDY_N_VIEWS],
                       pair->auc[i % STUDY_N_VIEWS]);
        }
    }
    return table;
}

/* ---- datasets ---- */

report_table db_table_sets(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("set", "dataset"), COLUMN_TEXT("role", "role"),
                 COLUMN_COUNT("used", "used"), COLUMN_TEXT("path", "path"));
    const study_facts *facts = &r->study->facts;
    for (size_t s = 0; s < facts->n_sets; s++)
        REPORT_ROW(&table, facts->sets[s].name, s < r->study->plan.n_train ? "train" : "test",
                   facts->sets[s].n_used[0] + facts->sets[s].n_used[1],
                   study_plan_source(&r->study->plan, s)->path);
    return table;
}

report_table db_table_leaks(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("a", "training set"), COLUMN_TEXT("b", "test set"),
                 COLUMN_COUNT("same_file", "same file"), COLUMN_COUNT("same_pixels", "same pixels"),
                 COLUMN_COUNT("near", "near"), COLUMN_COUNT("same_recording", "same recording"),
                 COLUMN_COUNT("conflicts", "label conflicts"),
                 COLUMN_COUNT("shared_recordings", "shared recordings"));
    const study_facts *facts = &r->study->facts;
    for (size_t i = 0; i < facts->n_pairs; i++) {
        const study_pair_facts *pair = &facts->pairs[i];
        REPORT_ROW(&table, facts->sets[pair->a].name, facts->sets[pair->b].name);
        for (int k = 0; k < STUDY_N_PAIR_KINDS; k++)
            REPORT_ROW(&table, pair->n_leaks[k]);
        REPORT_ROW(&table, pair->n_conflicts, pair->n_shared_recordings);
    }
    return table;
}

/* ---- why, how ---- */

report_table db_table_distances(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("a", "set"), COLUMN_TEXT("b", "and"),
                 COLUMN_NUMBER("properties", "in properties", 3),
                 COLUMN_NUMBER("features", "in features (Fréchet)", 4),
                 COLUMN_COUNT("n_nets", "nets"), COLUMN_COUNT("n_images", "images"));
    for (size_t i = 0; i < r->relations.n_distances; i++) {
        const study_distance *d = &r->relations.distances[i];
        REPORT_ROW(&table, r->study->facts.sets[d->a].name, r->study->facts.sets[d->b].name,
                   d->property, d->features, d->n_nets, d->n_images);
    }
    return table;
}

report_table db_table_links(const db_results *r, size_t test, size_t most)
{
    REPORT_TABLE(table, COLUMN_TEXT("property", "property"), COLUMN_TEXT("aspect", "of it"),
                 COLUMN_NUMBER("rho", "rho", 2), COLUMN_NUMBER("low", "95 % from", 2),
                 COLUMN_NUMBER("high", "to", 2), COLUMN_NUMBER("p", "p", 3));
    size_t n = 0;
    for (size_t i = 0; i < r->relations.n_links && n < most; i++) {
        const study_link *link = &r->relations.links[i];
        if (link->test != test)
            continue;
        n++;
        REPORT_ROW(&table, study_properties[link->property].title, study_aspect_name(link->aspect),
                   link->correlation.rho, link->correlation.low, link->correlation.high,
                   link->correlation.p);
    }
    return table;
}

report_table db_table_devices(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("device", "device"), COLUMN_TEXT("train", "trained on"),
                 COLUMN_TEXT("variant", "variant"), COLUMN_TEXT("test", "tested on"),
                 COLUMN_NUMBER("accuracy", "accuracy", 4),
                 COLUMN_NUMBER("images_per_second", "images/s", 0),
                 COLUMN_NUMBER("largest_change", "largest |Δp|", 9));
    const study_plan *plan = &r->study->plan;
    for (size_t d = 0; d < r->n_devices; d++)
        for (size_t i = 0; i < r->matrix.n_cells; i++) {
            const study_cell *cell = &r->matrix.cells[i];
            if (cell->n_seeds == 0)
                continue;
            REPORT_ROW(&table, r->devices[d].device, plan->train[cell->train].name,
                       plan->variants[cell->variant].name, plan->test[cell->test].name,
                       r->devices[d].accuracy[i], r->devices[d].images_per_second,
                       r->devices[d].largest_change);
        }
    return table;
}

report_table db_table_jobs(const db_results *r)
{
    REPORT_TABLE(table, COLUMN_TEXT("job", "job"), COLUMN_TEXT("device", "device"),
                 COLUMN_TEXT("path", "path"), COLUMN_COUNT("steps", "steps"),
                 COLUMN_COUNT("images", "images"), COLUMN_NUMBER("seconds", "seconds", 1),
                 COLUMN_NUMBER("loss", "last loss", 4), COLUMN_TEXT("model", "model (XXH3-128)"));
    for (size_t job = 0; job < r->n_jobs; job++) {
        const study_outcome *o = &r->outcomes[job];
        char name[STUDY_JOB_NAME_SIZE];
        if (!r->done[job])
            continue;
        study_job_name(&r->study->plan, study_plan_job(&r->study->plan, job), name);
        REPORT_ROW(&table, name, o->device, o->path, o->n_steps, o->n_images, o->seconds,
                   o->n_epochs ? o->epochs[o->n_epochs - 1].loss : NAN, o->model_hash);
    }
    return table;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of a study as a document, and back. Version 1 knew nothing of label conflicts and
 * recordings; its documents are made anew from the scans.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_builder.h"
#include "study/result/study_facts.h"

#define FACTS_SCHEMA "mesocl.study_facts/2"
#define N_HISTOGRAM (2 * STUDY_N_PROPERTIES * STUDY_HISTOGRAM_BINS)

/* ---- lists of numbers --------------------------------------------------------------------------
 */

static json_t *counts(const size_t *values, size_t n)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < n; i++)
        meso_build_add(&list, json_integer((json_int_t)values[i]));
    return meso_build_end(&list);
}

/* 1 where the list is there and as long as it must be. */
static int read_numbers(const json_t *object, const char *key, double *values, size_t n)
{
    const json_t *list = json_object_get(object, key);
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);
        values[i] = json_is_number(value) ? json_number_value(value) : NAN;
    }
    return json_array_size(list) == n;
}

static int read_counts(const json_t *object, const char *key, size_t *values, size_t n)
{
    const json_t *list = json_object_get(object, key);
    for (size_t i = 0; i < n; i++)
        values[i] = (size_t)json_integer_value(json_array_get(list, i));
    return json_array_size(list) == n;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static json_t *shortcuts_json(const study_set_facts *set)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < set->n_shortcuts; i++) {
        const study_shortcut *s = &set->shortcuts[i];
        const double values[] = {(double)s->property, s->auc, s->interval.low, s->interval.high,
                                 s->real_is_higher,   s->warn};
        meso_build_add(&list, meso_json_numbers(values, sizeof values / sizeof *values));
    }
    return meso_build_end(&list);
}

static json_t *set_json(const study_set_facts *set)
{
    const size_t n[] = {set->n_files,     set->n_unusable, set->n_groups, set->n_usable[0],
                        set->n_usable[1], set->n_used[0],  set->n_used[1]};
    const double views[] = {set->view_auc[0],           set->view_interval[0].low,
                            set->view_interval[0].high, set->view_auc[1],
                            set->view_interval[1].low,  set->view_interval[1].high};
    const size_t conflicts[] = {set->n_conflicts, set->n_near_conflicts};
    const size_t recordings[] = {set->recordings.n, set->recordings.n_in_both};
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", set->name, "n",
        counts(n, sizeof n / sizeof *n), "conflicts", counts(conflicts, 2), "recordings",
        counts(recordings, 2), "duplicates", counts(set->n_duplicates, STUDY_N_PAIR_KINDS), "mean",
        meso_json_numbers(&set->mean[0][0], 3 * STUDY_N_PROPERTIES), "deviation",
        meso_json_numbers(&set->deviation[0][0], 3 * STUDY_N_PROPERTIES), "histogram",
        meso_json_numbers(&set->histogram[0][0][0], N_HISTOGRAM), "shortcuts", shortcuts_json(set),
        "views", meso_json_numbers(views, sizeof views / sizeof *views));
}

static json_t *pair_json(const study_pair_facts *pair)
{
    return json_pack("{s:o, s:I, s:I, s:o, s:o}", "leaks",
                     counts(pair->n_leaks, STUDY_N_PAIR_KINDS), "conflicts",
                     (json_int_t)pair->n_conflicts, "shared_recordings",
                     (json_int_t)pair->n_shared_recordings, "accuracy",
                     meso_json_numbers(pair->accuracy, STUDY_N_VIEWS), "auc",
                     meso_json_numbers(pair->auc, STUDY_N_VIEWS));
}

/* Place of an image in the list of usable ones. */
static double place(const study_dataset *dataset, size_t image)
{
    size_t n = 0;
    for (size_t i = 0; i < image; i++)
        n += study_usable(dataset, i);
    return (double)n;
}

/* Training set, test set, kind, image of the test set, image of the training set, … */
static json_t *leaks_json(const study_facts *facts, const study_plan *plan,
                          const study_dataset *datasets)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < facts->n_pairs; i++)
        for (size_t k = 0; k < facts->pairs[i].leaks.n; k++) {
            size_t a = facts->pairs[i].a, b = facts->pairs[i].b;
            const study_pair *leak = &facts->pairs[i].leaks.pairs[k];
            const double row[] = {(double)a,
                                  (double)(b - plan->n_train),
                                  (double)leak->kind,
                                  place(&datasets[b], leak->b),
                                  place(&datasets[a], leak->a),
                                  (double)leak->mirrored,
                                  leak->distance};
            meso_build_add(&list, meso_json_numbers(row, sizeof row / sizeof *row));
        }
    return meso_build_end(&list);
}

json_t *study_facts_json(const study_facts *facts, const study_plan *plan,
                         const study_dataset *datasets)
{
    meso_builder sets = meso_build_list(), pairs = meso_build_list();
    for (size_t i = 0; i < facts->n_sets; i++)
        meso_build_add(&sets, set_json(&facts->sets[i]));
    for (size_t i = 0; i < facts->n_pairs; i++)
        meso_build_add(&pairs, pair_json(&facts->pairs[i]));
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "schema", FACTS_SCHEMA, "sets",
                     meso_build_end(&sets), "pairs", meso_build_end(&pairs), "leaks",
                     leaks_json(facts, plan, datasets), "low",
                     meso_json_numbers(facts->low, STUDY_N_PROPERTIES), "high",
                     meso_json_numbers(facts->high, STUDY_N_PROPERTIES));
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static int read_shortcuts(const json_t *list, study_set_facts *set)
{
    set->n_shortcuts = json_array_size(list);
    if (set->n_shortcuts > STUDY_N_PROPERTIES)
        return 0;
    for (size_t i = 0; i < set->n_shortcuts; i++) {
        double v[6];
        for (size_t k = 0; k < 6; k++)
            v[k] = json_number_value(json_array_get(json_array_get(list, i), k));
        if (!(v[0] >= 0 && v[0] < STUDY_N_PROPERTIES))
            return 0;
        set->shortcuts[i] =
            (study_shortcut){(study_property)v[0], v[1], {v[2], v[3]}, v[4] != 0, v[5] != 0};
    }
    return 1;
}

static int read_set(const json_t *object, study_set_facts *set)
{
    size_t n[7], conflicts[2], recordings[2];
    double views[6];
    const char *name = json_string_value(json_object_get(object, "name"));
    if (!name || !read_counts(object, "n", n, 7) || !read_numbers(object, "views", views, 6) ||
        !read_numbers(object, "histogram", &set->histogram[0][0][0], N_HISTOGRAM) ||
        !read_counts(object, "conflicts", conflicts, 2) ||
        !read_counts(object, "recordings", recordings, 2))
        return 0;
    set->name = strdup(name);
    set->n_conflicts = conflicts[0], set->n_near_conflicts = conflicts[1];
    set->recordings.n = recordings[0], set->recordings.n_in_both = recordings[1];
    set->n_files = n[0], set->n_unusable = n[1], set->n_groups = n[2];
    for (int c = 0; c < 2; c++)
        set->n_usable[c] = n[3 + c], set->n_used[c] = n[5 + c];
    for (int v = 0; v < STUDY_N_VIEWS; v++) {
        set->view_auc[v] = views[3 * v];
        set->view_interval[v] = (meso_interval){views[3 * v + 1], views[3 * v + 2]};
    }
    return set->name && read_counts(object, "duplicates", set->n_duplicates, STUDY_N_PAIR_KINDS) &&
           read_numbers(object, "mean", &set->mean[0][0], 3 * STUDY_N_PROPERTIES) &&
           read_numbers(object, "deviation", &set->deviation[0][0], 3 * STUDY_N_PROPERTIES) &&
           read_shortcuts(json_object_get(object, "shortcuts"), set);
}

static int read_pair(const json_t *object, study_pair_facts *pair)
{
    pair->n_conflicts = (size_t)json_integer_value(json_object_get(object, "conflicts"));
    pair->n_shared_recordings =
        (size_t)json_integer_value(json_object_get(object, "shared_recordings"));
    return read_counts(object, "leaks", pair->n_leaks, STUDY_N_PAIR_KINDS) &&
           read_numbers(object, "accuracy", pair->accuracy, STUDY_N_VIEWS) &&
           read_numbers(object, "auc", pair->auc, STUDY_N_VIEWS);
}

static int read_leaks(const json_t *list, const study_plan *plan, study_facts *facts)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        double v[7];
        for (size_t k = 0; k < 7; k++)
            v[k] = json_number_value(json_array_get(json_array_get(list, i), k));
        if (!(v[0] >= 0 && v[0] < (double)plan->n_train && v[1] >= 0 &&
              v[1] < (double)plan->n_test && v[2] >= 0 && v[2] < STUDY_N_PAIR_KINDS && v[3] >= 0 &&
              v[4] >= 0))
            return 0;
        study_pair_facts *pair = &facts->pairs[(size_t)v[0] * plan->n_test + (size_t)v[1]];
        const study_pair leak = {(size_t)v[4], (size_t)v[3], (study_pair_kind)v[2], v[5] != 0,
                                 v[6]};
        if (study_pairs_add(&pair->leaks, leak, NULL) != MESO_OK)
            return 0;
    }
    return 1;
}

static int read_facts(const json_t *document, const study_plan *plan, study_facts *facts)
{
    const json_t *sets = json_object_get(document, "sets");
    const json_t *pairs = json_object_get(document, "pairs");
    int ok = json_array_size(sets) == facts->n_sets && json_array_size(pairs) == facts->n_pairs;
    for (size_t i = 0; ok && i < facts->n_sets; i++)
        ok = read_set(json_array_get(sets, i), &facts->sets[i]);
    for (size_t i = 0; ok && i < facts->n_pairs; i++) {
        facts->pairs[i].a = i / plan->n_test;
        facts->pairs[i].b = plan->n_train + i % plan->n_test;
        ok = read_pair(json_array_get(pairs, i), &facts->pairs[i]);
    }
    return ok && read_leaks(json_object_get(document, "leaks"), plan, facts) &&
           read_numbers(document, "low", facts->low, STUDY_N_PROPERTIES) &&
           read_numbers(document, "high", facts->high, STUDY_N_PROPERTIES);
}

meso_status study_facts_read(const json_t *document, const study_plan *plan, study_facts *facts,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    const char *schema = json_string_value(json_object_get(document, "schema"));
    *facts = (study_facts){.n_sets = plan->n_train + plan->n_test,
                           .n_checked = plan->n_train + plan->n_test,
                           .n_pairs = plan->n_train * plan->n_test};
    facts->sets = calloc(facts->n_sets, sizeof *facts->sets);
    facts->pairs = calloc(facts->n_pairs, sizeof *facts->pairs);
    MESO_REQUIRE(facts->sets && facts->pairs, error, MESO_ERROR_MEMORY, "out of memory");
    MESO_REQUIRE(schema && strcmp(schema, FACTS_SCHEMA) == 0 && read_facts(document, plan, facts),
                 error, MESO_ERROR_DATA,
                 "facts.json is of another version of MesoCL or another study, or is damaged: "
                 "dataset_bench run --resume rebuilds it");
out:
    if (status != MESO_OK)
        study_facts_free(facts);
    return status;
}

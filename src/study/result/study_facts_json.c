/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of a study as a document, and back: tables of their arrays of numbers. Version 1 knew
 * nothing of label conflicts and recordings; its documents are made anew from the scans.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fields.h"
#include "base/json_builder.h"
#include "study/result/study_facts.h"

#define FACTS_SCHEMA "mesocl.study_facts/2"

#define COUNTS(type, key, member) MESO_FIELD_ARRAY(type, key, WHOLE, member, size_t)
#define NUMBERS(type, key, member) MESO_FIELD_ARRAY(type, key, REAL, member, double)

static const meso_field of_set[] = {
    COUNTS(study_set_facts, "files", n_files),
    COUNTS(study_set_facts, "unusable", n_unusable),
    COUNTS(study_set_facts, "groups", n_groups),
    COUNTS(study_set_facts, "usable", n_usable),
    COUNTS(study_set_facts, "used", n_used),
    COUNTS(study_set_facts, "duplicates", n_duplicates),
    COUNTS(study_set_facts, "conflicts", n_conflicts),
    COUNTS(study_set_facts, "near_conflicts", n_near_conflicts),
    COUNTS(study_set_facts, "recordings", recordings.n),
    COUNTS(study_set_facts, "in_both_classes", recordings.n_in_both),
    NUMBERS(study_set_facts, "mean", mean),
    NUMBERS(study_set_facts, "deviation", deviation),
    NUMBERS(study_set_facts, "histogram", histogram),
    NUMBERS(study_set_facts, "view_auc", view_auc),
    NUMBERS(study_set_facts, "view_interval", view_interval)};

static const meso_field of_pair[] = {
    COUNTS(study_pair_facts, "leaks", n_leaks), COUNTS(study_pair_facts, "conflicts", n_conflicts),
    COUNTS(study_pair_facts, "shared_recordings", n_shared_recordings),
    NUMBERS(study_pair_facts, "accuracy", accuracy), NUMBERS(study_pair_facts, "auc", auc)};

static const meso_field of_all[] = {NUMBERS(study_facts, "low", low),
                                    NUMBERS(study_facts, "high", high)};

#define N(table) (sizeof(table) / sizeof *(table))

/* ---- writing ---- */

static json_t *set_json(const study_set_facts *set)
{
    meso_builder object = meso_build_object(), list = meso_build_list();
    for (size_t i = 0; i < set->n_shortcuts; i++) {
        const study_shortcut *s = &set->shortcuts[i];
        const double row[] = {(double)s->property, s->auc, s->interval.low, s->interval.high,
                              s->real_is_higher,   s->warn};
        meso_build_add(&list, meso_json_numbers(row, N(row)));
    }
    meso_build_text(&object, "name", set->name);
    meso_build_set(&object, "shortcuts", meso_build_end(&list));
    meso_build_set(&object, "passed_over", json_incref(set->passed_over));
    object.failed |= !meso_fields_add(of_set, N(of_set), set, object.json);
    return meso_build_end(&object);
}

/* Place of an image in the list of usable ones. */
static double place(const study_dataset *dataset, size_t image)
{
    size_t n = 0;
    for (size_t i = 0; i < image; i++)
        n += study_usable(dataset, i);
    return (double)n;
}

static json_t *pair_json(const study_pair_facts *pair, const study_dataset *datasets)
{
    meso_builder object = meso_build_object(), list = meso_build_list();
    for (size_t i = 0; i < pair->leaks.n; i++) {
        const study_pair *leak = &pair->leaks.pairs[i];
        const double row[] = {place(&datasets[pair->a], leak->a),
                              place(&datasets[pair->b], leak->b), (double)leak->kind,
                              (double)leak->mirrored, leak->distance};
        meso_build_add(&list, meso_json_numbers(row, N(row)));
    }
    meso_build_set(&object, "images", meso_build_end(&list));
    object.failed |= !meso_fields_add(of_pair, N(of_pair), pair, object.json);
    return meso_build_end(&object);
}

json_t *study_facts_json(const study_facts *facts, const study_dataset *datasets)
{
    meso_builder document = meso_build_object();
    meso_builder sets = meso_build_list(), pairs = meso_build_list();
    for (size_t i = 0; i < facts->n_sets; i++)
        meso_build_add(&sets, set_json(&facts->sets[i]));
    for (size_t i = 0; i < facts->n_pairs; i++)
        meso_build_add(&pairs, pair_json(&facts->pairs[i], datasets));
    meso_build_text(&document, "schema", FACTS_SCHEMA);
    meso_build_set(&document, "sets", meso_build_end(&sets));
    meso_build_set(&document, "pairs", meso_build_end(&pairs));
    document.failed |= !meso_fields_add(of_all, N(of_all), facts, document.json);
    return meso_build_end(&document);
}

/* ---- reading ---- */

/* A row of a list; what is missing is 0. */
static void read_row(const json_t *list, size_t i, double *row, size_t n)
{
    for (size_t k = 0; k < n; k++)
        row[k] = json_number_value(json_array_get(json_array_get(list, i), k));
}

static int read_set(const json_t *object, study_set_facts *set)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const json_t *list = json_object_get(object, "shortcuts");
    double v[6];
    set->name = name ? strdup(name) : NULL;
    set->passed_over = json_incref(json_object_get(object, "passed_over"));
    set->n_shortcuts = json_array_size(list);
    if (set->n_shortcuts > STUDY_N_PROPERTIES)
        return 0;
    for (size_t i = 0; i < set->n_shortcuts; i++) {
        read_row(list, i, v, N(v));
        if (!(v[0] >= 0 && v[0] < STUDY_N_PROPERTIES))
            return 0;
        set->shortcuts[i] =
            (study_shortcut){(study_property)v[0], v[1], {v[2], v[3]}, v[4] != 0, v[5] != 0};
    }
    return set->name && meso_fields_from_json(of_set, N(of_set), object, set, NULL) == MESO_OK;
}

static int read_pair(const json_t *object, study_pair_facts *pair)
{
    const json_t *list = json_object_get(object, "images");
    double v[5];
    for (size_t i = 0; i < json_array_size(list); i++) {
        read_row(list, i, v, N(v));
        if (!(v[0] >= 0 && v[1] >= 0 && v[2] >= 0 && v[2] < STUDY_N_PAIR_KINDS))
            return 0;
        const study_pair leak = {(size_t)v[0], (size_t)v[1], (study_pair_kind)v[2], v[3] != 0,
                                 v[4]};
        if (study_pairs_add(&pair->leaks, leak, NULL) != MESO_OK)
            return 0;
    }
    return meso_fields_from_json(of_pair, N(of_pair), object, pair, NULL) == MESO_OK;
}

static int read_facts(const json_t *document, const study_plan *plan, study_facts *facts)
{
    const char *schema = json_string_value(json_object_get(document, "schema"));
    const json_t *sets = json_object_get(document, "sets");
    const json_t *pairs = json_object_get(document, "pairs");
    int ok = schema && strcmp(schema, FACTS_SCHEMA) == 0 &&
             json_array_size(sets) == facts->n_sets && json_array_size(pairs) == facts->n_pairs;
    for (size_t i = 0; ok && i < facts->n_sets; i++)
        ok = read_set(json_array_get(sets, i), &facts->sets[i]);
    for (size_t i = 0; ok && i < facts->n_pairs; i++) {
        facts->pairs[i].a = i / plan->n_test;
        facts->pairs[i].b = plan->n_train + i % plan->n_test;
        ok = read_pair(json_array_get(pairs, i), &facts->pairs[i]);
    }
    return ok && meso_fields_from_json(of_all, N(of_all), document, facts, NULL) == MESO_OK;
}

meso_status study_facts_read(const json_t *document, const study_plan *plan, study_facts *facts,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    *facts = (study_facts){.n_sets = plan->n_train + plan->n_test,
                           .n_checked = plan->n_train + plan->n_test,
                           .n_pairs = plan->n_train * plan->n_test};
    facts->sets = calloc(facts->n_sets, sizeof *facts->sets);
    facts->pairs = calloc(facts->n_pairs, sizeof *facts->pairs);
    MESO_REQUIRE_MEMORY(facts->sets && facts->pairs, error);
    MESO_REQUIRE(read_facts(document, plan, facts), error, MESO_ERROR_DATA,
                 "facts.json is of another version of MesoCL or another study, or is damaged: "
                 "dataset_bench run --resume rebuilds it");
out:
    if (status != MESO_OK)
        study_facts_free(facts);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/list/passed.h"
#include "mesocl/metrics.h"
#include "study/check/pairs.h"

/* ---- properties ---- */

/* Moments and histograms of one property: of fakes, reals, both. values: room for all files. */
static void describe_property(const study_dataset *scan, study_property p, const study_facts *facts,
                              double *values, study_set_facts *set)
{
    size_t n_fake = study_values(scan, MESO_FAKE, p, values);
    size_t n_real = study_values(scan, MESO_REAL, p, values + n_fake);
    const study_moments moments[3] = {study_moments_of(values, n_fake),
                                      study_moments_of(values + n_fake, n_real),
                                      study_moments_of(values, n_fake + n_real)};
    set->n_values[0][p] = n_fake;
    set->n_values[1][p] = n_real;
    for (int of = 0; of <= STUDY_BOTH; of++) {
        set->mean[of][p] = moments[of].mean;
        set->deviation[of][p] = moments[of].std;
    }
    study_histogram(values, n_fake, facts->low[p], facts->high[p], set->histogram[0][p]);
    study_histogram(values + n_fake, n_real, facts->low[p], facts->high[p], set->histogram[1][p]);
}

static meso_status describe_set(const study_dataset *dataset, const study_facts *facts,
                                study_set_facts *set, meso_error *error)
{
    meso_status status = MESO_OK;
    double *values = malloc((dataset->files.n_items + 1) * sizeof *values);
    set->name = strdup(dataset->name);
    set->passed_over = meso_passed_json(&dataset->files);
    MESO_REQUIRE_MEMORY(values && set->name && set->passed_over, error);
    set->n_files = dataset->files.n_items;
    set->n_groups = dataset->files.n_groups;
    for (int c = 0; c < 2; c++)
        set->n_used[c] = set->n_usable[c] = dataset->n_usable[c];
    set->n_unusable = set->n_files - set->n_usable[0] - set->n_usable[1];
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        describe_property(dataset, (study_property)p, facts, values, set);
out:
    free(values);
    return status;
}

meso_status study_facts_describe(const study_dataset *datasets, size_t n, study_facts *facts,
                                 meso_error *error)
{
    meso_status status = MESO_OK;
    *facts = (study_facts){.n_sets = n, .n_checked = n};
    facts->sets = calloc(n + 1, sizeof *facts->sets);
    MESO_REQUIRE_MEMORY(facts->sets, error);
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        if (!study_bounds(datasets, n, (study_property)p, &facts->low[p], &facts->high[p]))
            facts->low[p] = facts->high[p] = NAN;
    for (size_t s = 0; s < n; s++)
        MESO_TRY(describe_set(&datasets[s], facts, &facts->sets[s], error));
out:
    if (status != MESO_OK)
        study_facts_free(facts);
    return status;
}

double study_property_distance(const study_set_facts *a, const study_set_facts *b)
{
    double sum = 0, n = 0;
    for (size_t p = 0; p < STUDY_N_PROPERTIES; p++) {
        double va = a->deviation[STUDY_BOTH][p], vb = b->deviation[STUDY_BOTH][p];
        double pooled = sqrt((va * va + vb * vb) / 2);
        double d = (a->mean[STUDY_BOTH][p] - b->mean[STUDY_BOTH][p]) / pooled;
        if (study_properties[p].of_file || !isfinite(d))
            continue;
        sum += d * d;
        n++;
    }
    return n > 0 ? sqrt(sum / n) : NAN;
}

/* ---- one set ---- */

static void count_duplicates(const study_dataset *dataset, study_set_facts *set)
{
    const meso_dataset_item *items = dataset->files.items;
    for (size_t i = 0; i < set->duplicates.n; i++) {
        const study_pair *pair = &set->duplicates.pairs[i];
        size_t conflict = items[pair->a].label != items[pair->b].label;
        set->n_duplicates[pair->kind]++;
        *(pair->kind == STUDY_NEAR ? &set->n_near_conflicts : &set->n_conflicts) += conflict;
    }
}

/* The intervals of many images are narrow, and resamples of them take long. */
static size_t resamples_for(size_t n_images)
{
    const size_t usual = 1000, least = 100, draws = 20000000;
    size_t affordable = draws / n_images;
    return affordable > usual ? usual : affordable < least ? least : affordable;
}

static meso_status find_shortcuts(const study_dataset *dataset, const study_facts_options *options,
                                  study_steps *steps, study_set_facts *set, meso_error *error)
{
    size_t n = options->n_resamples ? options->n_resamples
                                    : resamples_for(set->n_usable[0] + set->n_usable[1]);
    MESO_CHECK(study_shortcuts(dataset, n, options->seed, steps, set->shortcuts, &set->n_shortcuts,
                               error));
    for (int v = 0; v < STUDY_N_VIEWS; v++) {
        set->view_auc[v] = NAN;
        set->view_interval[v] = (meso_interval){NAN, NAN};
        if (set->n_usable[0] > 0 && set->n_usable[1] > 0)
            MESO_CHECK(study_linear_validate(dataset, (study_view)v, n, options->seed,
                                             &set->view_auc[v], &set->view_interval[v], error));
        MESO_CHECK(study_step(steps, error));
    }
    return MESO_OK;
}

enum { steps_of_set = 1 + STUDY_N_PROPERTIES + STUDY_N_VIEWS };

static meso_status check_set(const study_dataset *dataset, const study_facts_options *options,
                             study_steps *steps, study_set_facts *set, meso_error *error)
{
    MESO_CHECK(study_duplicates(dataset, &set->duplicates, error));
    MESO_CHECK(study_step(steps, error));
    count_duplicates(dataset, set);
    MESO_CHECK(meso_groups_create(&dataset->files, 0, &set->recordings, error));
    return find_shortcuts(dataset, options, steps, set, error);
}

/* ---- two sets ---- */

static meso_status count_shared(const study_dataset *a, const study_dataset *b, size_t *n_shared,
                                meso_error *error)
{
    const size_t n = a->files.n_items, counted = SIZE_MAX;
    meso_groups groups;
    MESO_CHECK(meso_groups_of_two(&a->files, &b->files, &groups, error));
    for (size_t i = 0; groups.n > 0 && i < b->files.n_items; i++) {
        meso_group *group = &groups.groups[groups.of_item[n + i]];
        *n_shared += group->first < n;
        group->first = counted;
    }
    meso_groups_free(&groups);
    return MESO_OK;
}

static meso_status compare_sets(const study_dataset *a, const study_dataset *b,
                                study_pair_facts *pair, meso_error *error)
{
    for (int v = 0; v < STUDY_N_VIEWS; v++)
        pair->accuracy[v] = pair->auc[v] = NAN;
    MESO_CHECK(study_leaks(a, b, &pair->leaks, error));
    MESO_CHECK(count_shared(a, b, &pair->n_shared_recordings, error));
    for (size_t i = 0; i < pair->leaks.n; i++) {
        const study_pair *leak = &pair->leaks.pairs[i];
        pair->n_leaks[leak->kind]++;
        pair->n_conflicts += leak->kind != STUDY_SAME_RECORDING &&
                             a->files.items[leak->a].label != b->files.items[leak->b].label;
    }
    return MESO_OK;
}

/* How well the training set's view separates the test set. */
static meso_status judge_view(const study_dataset *train, const study_dataset *test,
                              study_view view, study_pair_facts *pair, meso_error *error)
{
    meso_status status = MESO_OK;
    study_linear *linear = NULL;
    meso_metrics metrics = MESO_INIT(meso_metrics);
    size_t n = 0, n_items = test->files.n_items;
    double *p = calloc(2 * n_items + 1, sizeof *p);
    unsigned char *real = calloc(n_items + 1, 1);
    MESO_REQUIRE_MEMORY(p && real, error);
    MESO_TRY(study_linear_fit(train, view, &linear, error));
    for (size_t i = 0; i < n_items; i++) {
        if (!study_usable(test, i))
            continue;
        p[n] = study_linear_score(linear, &test->images[i]);
        p[n_items + n] = 1 - p[n];
        real[n++] = test->files.items[i].label == MESO_REAL;
    }
    const meso_scores scores = {p, p + n_items, real, NULL, n};
    MESO_TRY(meso_metrics_compute(&scores, 0.5, &metrics, error));
    pair->accuracy[view] = metrics.accuracy;
    pair->auc[view] = metrics.auc;
out:
    study_linear_free(linear);
    free(real);
    free(p);
    return status;
}

meso_status study_facts_transfer(const study_dataset *datasets, study_facts *facts,
                                 meso_error *error)
{
    for (size_t i = 0; i < facts->n_pairs; i++)
        for (int view = 0; view < STUDY_N_VIEWS; view++)
            MESO_CHECK(judge_view(&datasets[facts->pairs[i].a], &datasets[facts->pairs[i].b],
                                  (study_view)view, &facts->pairs[i], error));
    return MESO_OK;
}

/* ---- all of them ---- */

meso_status study_facts_create(const study_dataset *datasets, size_t n,
                               const study_facts_options *options, study_facts *facts,
                               meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n_train = options->n_train ? options->n_train : n;
    MESO_TRY(study_facts_describe(datasets, n, facts, error));
    facts->n_checked = options->train_alone ? n_train : n;
    facts->pairs = calloc(n * n + 1, sizeof *facts->pairs);
    MESO_REQUIRE_MEMORY(facts->pairs, error);
    study_steps steps = {options->progress, options->user, 0,
                         facts->n_checked * steps_of_set +
                             (options->n_train ? n_train * (n - n_train) : n * (n - 1) / 2)};
    for (size_t s = 0; s < facts->n_checked; s++)
        MESO_TRY(check_set(&datasets[s], options, &steps, &facts->sets[s], error));
    for (size_t a = 0; a < n_train; a++)
        for (size_t b = options->n_train ? n_train : a + 1; b < n; b++) {
            study_pair_facts *pair = &facts->pairs[facts->n_pairs++];
            pair->a = a;
            pair->b = b;
            MESO_TRY(compare_sets(&datasets[a], &datasets[b], pair, error));
            MESO_TRY(study_step(&steps, error));
        }
out:
    if (status != MESO_OK)
        study_facts_free(facts);
    return status;
}

void study_facts_free(study_facts *facts)
{
    for (size_t s = 0; facts->sets && s < facts->n_sets; s++) {
        free(facts->sets[s].name);
        json_decref(facts->sets[s].passed_over);
        study_pairs_free(&facts->sets[s].duplicates);
        meso_groups_free(&facts->sets[s].recordings);
    }
    for (size_t i = 0; facts->pairs && i < facts->n_pairs; i++)
        study_pairs_free(&facts->pairs[i].leaks);
    free(facts->sets);
    free(facts->pairs);
    *facts = (study_facts){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "mesocl/metrics.h"
#include "study/check/duplicates.h"

enum { n_resamples = 500 };

/* ---- properties --------------------------------------------------------------------------------
 */

/* Moments and histograms of one property: of fakes, reals, both. values: room for all files. */
static void describe_property(const study_dataset *scan, study_property p, const study_facts *facts,
                              double *values, study_set_facts *set)
{
    size_t n_fake = study_values(scan, MESO_FAKE, p, values);
    size_t n_real = study_values(scan, MESO_REAL, p, values + n_fake);
    const study_moments moments[3] = {study_moments_of(values, n_fake),
                                      study_moments_of(values + n_fake, n_real),
                                      study_moments_of(values, n_fake + n_real)};
    for (int of = 0; of <= STUDY_BOTH; of++) {
        set->mean[of][p] = moments[of].mean;
        set->deviation[of][p] = moments[of].std;
    }
    study_histogram(values, n_fake, facts->low[p], facts->high[p], set->histogram[0][p]);
    study_histogram(values + n_fake, n_real, facts->low[p], facts->high[p], set->histogram[1][p]);
}

static meso_status describe_set(const study_dataset *scan, const char *name,
                                const study_facts *facts, study_set_facts *set, meso_error *error)
{
    meso_status status = MESO_OK;
    study_pairs duplicates = {0};
    double *values = NULL;
    snprintf(set->name, sizeof set->name, "%s", name);
    set->n_files = scan->files.n_items;
    set->n_groups = scan->files.n_groups;
    for (int c = 0; c < 2; c++)
        set->n_used[c] = set->n_usable[c] = scan->n_usable[c];
    set->n_unusable = set->n_files - set->n_usable[0] - set->n_usable[1];
    values = malloc((set->n_files + 1) * sizeof *values);
    MESO_REQUIRE_MEMORY(values, error);
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        describe_property(scan, (study_property)p, facts, values, set);
    MESO_TRY(study_duplicates(scan, &duplicates, error));
    for (size_t i = 0; i < duplicates.n; i++)
        set->n_duplicates[duplicates.pairs[i].kind]++;
    MESO_TRY(study_shortcuts(scan, n_resamples, 1, set->shortcuts, &set->n_shortcuts, error));
    for (int view = 0; view < STUDY_N_VIEWS; view++)
        MESO_TRY(study_linear_validate(scan, (study_view)view, n_resamples, 1, &set->view_auc[view],
                                       &set->view_interval[view], error));
out:
    free(values);
    study_pairs_free(&duplicates);
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

/* ---- between sets ------------------------------------------------------------------------------
 */

/* How well the training set's view separates the test set. */
static meso_status judge_view(const study_dataset *train, const study_dataset *test,
                              study_view view, study_pair_facts *pair, meso_error *error)
{
    meso_status status = MESO_OK;
    study_linear *linear = NULL;
    meso_metrics metrics;
    size_t n = 0, n_items = test->files.n_items;
    double *p = calloc(2 * n_items + 1, sizeof *p);
    unsigned char *real = calloc(n_items + 1, 1);
    MESO_REQUIRE(p && real, error, MESO_ERROR_MEMORY, "out of memory");
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

static meso_status add_leak(study_facts *facts, study_leak leak, meso_error *error)
{
    size_t n = facts->n_leaks;
    if ((n & (n + 1)) == 0) {
        study_leak *leaks = realloc(facts->leaks, (2 * n + 1) * sizeof *leaks);
        if (!leaks)
            return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
        facts->leaks = leaks;
    }
    facts->leaks[facts->n_leaks++] = leak;
    return MESO_OK;
}

/* Position of an image in the list of usable ones. */
static size_t list_position(const study_dataset *scan, size_t image)
{
    size_t position = 0;
    for (size_t i = 0; i < image; i++)
        position += study_usable(scan, i);
    return position;
}

static meso_status find_leaks(const study_dataset *scans, size_t train, size_t test,
                              study_facts *facts, meso_error *error)
{
    meso_status status = MESO_OK;
    const study_dataset *a = &scans[train], *b = &scans[facts->n_train + test];
    study_pairs pairs = {0};
    MESO_TRY(study_leaks(a, b, &pairs, error));
    for (size_t i = 0; i < pairs.n; i++) {
        const study_pair *pair = &pairs.pairs[i];
        const study_leak leak = {train, test, pair->kind, list_position(b, pair->b),
                                 list_position(a, pair->a)};
        facts->pairs[train * facts->n_test + test].n_leaks[pair->kind]++;
        MESO_TRY(add_leak(facts, leak, error));
    }
out:
    study_pairs_free(&pairs);
    return status;
}

meso_status study_facts_create(const study_plan *plan, const study_dataset *scans,
                               study_facts *facts, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n_sets = plan->n_train + plan->n_test;
    *facts = (study_facts){.n_train = plan->n_train, .n_test = plan->n_test};
    facts->sets = calloc(n_sets + 1, sizeof *facts->sets);
    facts->pairs = calloc(plan->n_train * plan->n_test + 1, sizeof *facts->pairs);
    MESO_REQUIRE_MEMORY(facts->sets, error);
    MESO_REQUIRE_MEMORY(facts->pairs, error);
    for (int p = 0; p < STUDY_N_PROPERTIES; p++)
        if (!study_bounds(scans, n_sets, (study_property)p, &facts->low[p], &facts->high[p]))
            facts->low[p] = facts->high[p] = NAN;
    for (size_t s = 0; s < n_sets; s++) {
        const char *name =
            s < plan->n_train ? plan->train[s].name : plan->test[s - plan->n_train].name;
        MESO_TRY(describe_set(&scans[s], name, facts, &facts->sets[s], error));
    }
    for (size_t i = 0; i < plan->n_train * plan->n_test; i++) {
        size_t train = i / plan->n_test, test = i % plan->n_test;
        MESO_TRY(find_leaks(scans, train, test, facts, error));
        for (int view = 0; view < STUDY_N_VIEWS; view++)
            MESO_TRY(judge_view(&scans[train], &scans[plan->n_train + test], (study_view)view,
                                &facts->pairs[i], error));
    }
out:
    if (status != MESO_OK)
        study_facts_free(facts);
    return status;
}

void study_facts_free(study_facts *facts)
{
    free(facts->leaks);
    free(facts->sets);
    free(facts->pairs);
    *facts = (study_facts){0};
}

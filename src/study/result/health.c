/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/health.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "study/check/duplicates.h"

static const double imbalanced_above = 0.6, warn_above = 0.6;

const char *study_view_name(study_view view)
{
    return view == STUDY_VIEW_FRAMING ? "framing" : "properties";
}

static void count_duplicates(const study_dataset *dataset, study_health *health)
{
    const meso_dataset_item *items = dataset->files.items;
    for (size_t i = 0; i < health->duplicates.n; i++) {
        const study_pair *pair = &health->duplicates.pairs[i];
        int conflict = items[pair->a].label != items[pair->b].label;
        health->n_by_kind[pair->kind]++;
        if (pair->kind == STUDY_NEAR)
            health->n_near_conflicts += (size_t)conflict;
        else
            health->n_conflicts += (size_t)conflict;
    }
}

/* The intervals of many images are narrow, and resamples of them take long. */
static size_t resamples_for(size_t n_images)
{
    const size_t usual = 1000, least = 100, draws = 20000000;
    size_t affordable = draws / n_images;
    return affordable > usual ? usual : affordable < least ? least : affordable;
}

static meso_status check_views(const study_dataset *dataset, const study_health_options *options,
                               study_health *health, meso_error *error)
{
    meso_status status = MESO_OK;
    for (int v = 0; v < STUDY_N_VIEWS; v++) {
        health->view_auc[v] = NAN;
        health->view_interval[v] = (meso_interval){NAN, NAN};
        if (dataset->n_usable[0] == 0 || dataset->n_usable[1] == 0)
            continue;
        MESO_TRY(study_linear_validate(dataset, (study_view)v, options->n_resamples, options->seed,
                                       &health->view_auc[v], &health->view_interval[v], error));
        health->view_warn[v] = health->view_interval[v].low > warn_above;
    }
out:
    return status;
}

meso_status study_health_check(const study_dataset *dataset, const study_health_options *given,
                               study_health *health, meso_error *error)
{
    meso_status status = MESO_OK;
    study_health_options options = *given;
    size_t n = dataset->n_usable[0] + dataset->n_usable[1];
    size_t larger = dataset->n_usable[0] > n / 2 ? dataset->n_usable[0] : n - dataset->n_usable[0];
    if (options.n_resamples == 0)
        options.n_resamples = resamples_for(n);
    memset(health, 0, sizeof *health);
    health->n_refused = dataset->files.n_items - n;
    health->largest_share = (double)larger / (double)n;
    health->imbalanced = health->largest_share > imbalanced_above;
    MESO_TRY(study_duplicates(dataset, &health->duplicates, error));
    count_duplicates(dataset, health);
    MESO_TRY(study_groups_create(&dataset->files, &health->groups, error));
    MESO_TRY(study_shortcuts(dataset, options.n_resamples, options.seed, health->shortcuts,
                             &health->n_shortcuts, error));
    MESO_TRY(check_views(dataset, &options, health, error));
out:
    if (status != MESO_OK)
        study_health_free(health);
    return status;
}

void study_health_free(study_health *health)
{
    study_pairs_free(&health->duplicates);
    study_groups_free(&health->groups);
}

static meso_status count_shared(const study_dataset *a, const study_dataset *b, size_t *n_shared,
                                meso_error *error)
{
    meso_status status = MESO_OK;
    study_groups of_a = {0}, of_b = {0};
    *n_shared = 0;
    MESO_TRY(study_groups_create(&a->files, &of_a, error));
    MESO_TRY(study_groups_create(&b->files, &of_b, error));
    for (size_t i = 0, k = 0; i < of_a.n && k < of_b.n;) { /* both are sorted by name */
        int order = strcmp(of_a.groups[i].name, of_b.groups[k].name);
        *n_shared += order == 0;
        i += order <= 0;
        k += order >= 0;
    }
out:
    study_groups_free(&of_a);
    study_groups_free(&of_b);
    return status;
}

meso_status study_crossing_check(const study_dataset *a, const study_dataset *b,
                                 study_crossing *crossing, meso_error *error)
{
    meso_status status = MESO_OK;
    memset(crossing, 0, sizeof *crossing);
    MESO_TRY(study_leaks(a, b, &crossing->pairs, error));
    MESO_TRY(count_shared(a, b, &crossing->n_shared_groups, error));
    for (size_t i = 0; i < crossing->pairs.n; i++) {
        const study_pair *pair = &crossing->pairs.pairs[i];
        crossing->n_by_kind[pair->kind]++;
        crossing->n_conflicts += pair->kind != STUDY_SAME_RECORDING &&
                                 a->files.items[pair->a].label != b->files.items[pair->b].label;
    }
out:
    if (status != MESO_OK)
        study_crossing_free(crossing);
    return status;
}

void study_crossing_free(study_crossing *crossing)
{
    study_pairs_free(&crossing->pairs);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Single properties as classifiers.
 */
#include "study/check/shortcut.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"

meso_status study_auc_create(const study_dataset *dataset, study_auc *auc, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = dataset->files.n_items;
    *auc = (study_auc){0};
    auc->value = malloc((n + 1) * sizeof *auc->value);
    auc->p_real = malloc((n + 1) * sizeof *auc->p_real);
    auc->p_fake = malloc((n + 1) * sizeof *auc->p_fake);
    auc->real = malloc(n + 1);
    auc->group = malloc((n + 1) * sizeof *auc->group);
    MESO_REQUIRE_MEMORY(auc->value, error);
    MESO_REQUIRE_MEMORY(auc->p_real, error);
    MESO_REQUIRE_MEMORY(auc->p_fake, error);
    MESO_REQUIRE_MEMORY(auc->real, error);
    MESO_REQUIRE_MEMORY(auc->group, error);
    MESO_TRY(meso_groups_create(&dataset->files, 0, &auc->groups, error));
out:
    if (status != MESO_OK)
        study_auc_free(auc);
    return status;
}

void study_auc_free(study_auc *auc)
{
    free(auc->value);
    free(auc->p_real);
    free(auc->p_fake);
    free(auc->real);
    free(auc->group);
    meso_groups_free(&auc->groups);
    *auc = (study_auc){0};
}

void study_auc_add(study_auc *auc, const study_dataset *dataset, size_t item, double value)
{
    auc->value[auc->n] = value;
    auc->real[auc->n] = dataset->files.items[item].label == MESO_REAL;
    if (auc->groups.of_item)
        auc->group[auc->n] = auc->groups.of_item[item];
    auc->n++;
}

/* Any values → 0 … 1 in the same order, as the metrics want them. 0 where they do not vary, or a
 * class is missing. */
static int scale(study_auc *auc)
{
    double low = INFINITY, high = -INFINITY;
    size_t n_real = 0;
    for (size_t i = 0; i < auc->n; i++) {
        low = auc->value[i] < low ? auc->value[i] : low;
        high = auc->value[i] > high ? auc->value[i] : high;
        n_real += auc->real[i];
    }
    if (!(high > low) || n_real == 0 || n_real == auc->n)
        return 0;
    for (size_t i = 0; i < auc->n; i++) {
        auc->p_real[i] = (auc->value[i] - low) / (high - low);
        auc->p_fake[i] = 1 - auc->p_real[i];
    }
    return 1;
}

meso_status study_auc_measure(study_auc *auc, size_t n_resamples, uint64_t seed, double *value,
                              meso_interval *interval, meso_error *error)
{
    meso_metrics metrics = MESO_INIT(meso_metrics);
    meso_metrics_intervals intervals = MESO_INIT(meso_metrics_intervals);
    *value = NAN;
    *interval = (meso_interval){NAN, NAN};
    if (!scale(auc))
        return MESO_OK;
    const meso_scores scores = {auc->p_real, auc->p_fake, auc->real,
                                auc->groups.of_item ? auc->group : NULL, auc->n};
    MESO_CHECK(meso_metrics_compute(&scores, 0.5, &metrics, error));
    MESO_CHECK(meso_metrics_bootstrap(&scores, 0.5, n_resamples, seed, &intervals, error));
    *value = metrics.auc;
    *interval = intervals.auc;
    return MESO_OK;
}

/* A warning before what is none, then the stronger; of equals what a file's making gives away. */
static int compare_shortcuts(const void *left, const void *right)
{
    const study_shortcut *a = left, *b = right;
    if (a->warn != b->warn)
        return b->warn - a->warn;
    if (a->auc != b->auc)
        return a->auc > b->auc ? -1 : 1;
    if (study_properties[a->property].of_file != study_properties[b->property].of_file)
        return study_properties[b->property].of_file - study_properties[a->property].of_file;
    return (int)a->property - (int)b->property;
}

static study_shortcut shortcut_of(study_property property, double auc, meso_interval interval)
{
    int higher = auc >= 0.5;
    study_shortcut s = {property, higher ? auc : 1 - auc, interval, higher, 0};
    if (!higher)
        s.interval = (meso_interval){1 - interval.high, 1 - interval.low};
    s.warn = study_is_shortcut(s.interval);
    return s;
}

meso_status study_shortcuts(const study_dataset *dataset, size_t n_resamples, uint64_t seed,
                            study_steps *steps, study_shortcut *shortcuts, size_t *n,
                            meso_error *error)
{
    meso_status status = MESO_OK;
    study_auc auc;
    *n = 0;
    MESO_TRY(study_auc_create(dataset, &auc, error));
    for (int p = 0; p < STUDY_N_PROPERTIES; p++) {
        double value;
        meso_interval interval;
        auc.n = 0;
        for (size_t i = 0; i < dataset->files.n_items; i++)
            if (study_usable(dataset, i) && !isnan(dataset->images[i].property[p]))
                study_auc_add(&auc, dataset, i, dataset->images[i].property[p]);
        MESO_TRY(study_auc_measure(&auc, n_resamples, seed, &value, &interval, error));
        if (!isnan(value))
            shortcuts[(*n)++] = shortcut_of((study_property)p, value, interval);
        MESO_TRY(study_step(steps, error));
    }
    qsort(shortcuts, *n, sizeof *shortcuts, compare_shortcuts);
out:
    study_auc_free(&auc);
    return status;
}

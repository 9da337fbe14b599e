/* SPDX-License-Identifier: Apache-2.0 */
#include "study/check/dataset_split.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/forest.h"
#include "base/random.h"
#include "base/text.h"
#include "data/list/group.h"
#include "study/check/pairs.h"

static meso_status join_groups(const study_dataset *dataset, const meso_forest *f,
                               meso_error *error)
{
    meso_groups groups = {0};
    meso_status status = meso_groups_create(&dataset->files, 0, &groups, error);
    for (size_t i = 0; groups.n > 0 && i < dataset->files.n_items; i++)
        meso_forest_join(f, groups.groups[groups.of_item[i]].first, i);
    meso_groups_free(&groups);
    return status;
}

static meso_status join_duplicates(const study_dataset *dataset, const meso_forest *f,
                                   size_t *n_joined, meso_error *error)
{
    study_pairs pairs;
    MESO_CHECK(study_duplicates(dataset, &pairs, error));
    *n_joined = 0;
    for (size_t i = 0; i < pairs.n; i++)
        *n_joined += (size_t)meso_forest_join(f, pairs.pairs[i].a, pairs.pairs[i].b);
    study_pairs_free(&pairs);
    return MESO_OK;
}

/* Images of each class in a unit; of those that are usable. */
typedef struct unit {
    size_t root, n_class[2];
} unit;

static size_t list_units(const study_dataset *dataset, const meso_forest *f, unit *units,
                         size_t *unit_of)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        size_t root = meso_forest_root(f, i); /* roots come first: they have the smallest number */
        if (root == i) {
            unit_of[i] = n;
            units[n++] = (unit){i, {0, 0}};
        }
        if (study_usable(dataset, i))
            units[unit_of[root]].n_class[dataset->files.items[i].label]++;
    }
    return n;
}

static void shuffle(unit *units, size_t n, uint64_t seed)
{
    meso_random random = {seed};
    for (size_t i = n; i > 1; i--) {
        size_t k = meso_random_below(&random, i);
        unit kept = units[i - 1];
        units[i - 1] = units[k];
        units[k] = kept;
    }
}

/* Units in drawn order go to the test as long as they fit both classes. */
static void deal(const study_dataset *dataset, double fraction, unit *units, size_t n,
                 unsigned char *root_is_test, study_split *split)
{
    size_t wanted[2];
    for (int label = 0; label < 2; label++)
        wanted[label] = (size_t)(fraction * (double)dataset->n_usable[label]);
    for (size_t u = 0; u < n; u++) {
        const size_t *has = units[u].n_class;
        size_t *so_far = split->n_class[1];
        if (has[0] + has[1] == 0)
            continue;
        int fits = so_far[0] + has[0] <= wanted[0] && so_far[1] + has[1] <= wanted[1];
        root_is_test[units[u].root] = (unsigned char)fits;
        split->n_units[fits]++;
        for (int label = 0; label < 2; label++)
            split->n_class[fits][label] += has[label];
    }
}

static meso_status check_parts(const study_dataset *dataset, const unit *units, size_t n,
                               const study_split *split, meso_error *error)
{
    static const char *const parts[2] = {"train on", "test with"};
    static const char *const classes[2] = {"fake", "real"};
    const unit *largest = &units[0];
    for (size_t u = 1; u < n; u++)
        if (units[u].n_class[0] + units[u].n_class[1] > largest->n_class[0] + largest->n_class[1])
            largest = &units[u];
    const meso_dataset_item *item = &dataset->files.items[largest->root];
    for (int part = 0; part < 2; part++)
        for (int label = 0; label < 2; label++)
            MESO_DEMAND(split->n_class[part][label] > 0, error, MESO_ERROR_DATA,
                        "%s cannot be split that way: no %s image would be left to %s. Images "
                        "that belong together stay together, and %zu of its images belong to "
                        "%s; choose another fraction or another group pattern",
                        MESO_PRINTABLE(dataset->path), classes[label], parts[part],
                        largest->n_class[0] + largest->n_class[1],
                        MESO_PRINTABLE(item->group ? item->group : item->path));
    return MESO_OK;
}

meso_status study_split_make(const study_dataset *dataset, double fraction, uint64_t seed,
                             study_split *split, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = dataset->files.n_items;
    meso_forest f = meso_forest_create(n);
    unit *units = malloc(n * sizeof *units);
    size_t *unit_of = malloc(n * sizeof *unit_of);
    *split = (study_split){.test = calloc(n, 1)};
    MESO_REQUIRE_MEMORY(f.parent, error);
    MESO_REQUIRE_MEMORY(units, error);
    MESO_REQUIRE_MEMORY(unit_of, error);
    MESO_REQUIRE_MEMORY(split->test, error);
    MESO_TRY(join_groups(dataset, &f, error));
    MESO_TRY(join_duplicates(dataset, &f, &split->n_kept_together, error));
    size_t n_units = list_units(dataset, &f, units, unit_of);
    shuffle(units, n_units, seed);
    deal(dataset, fraction, units, n_units, split->test, split);
    MESO_TRY(check_parts(dataset, units, n_units, split, error));
    for (size_t i = 0; i < n; i++)
        split->test[i] = split->test[meso_forest_root(&f, i)];
out:
    free(unit_of);
    free(units);
    free(f.parent);
    if (status != MESO_OK)
        study_split_free(split);
    return status;
}

void study_split_free(study_split *split)
{
    free(split->test);
    *split = (study_split){0};
}

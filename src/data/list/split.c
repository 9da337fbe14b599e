/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/list/group.h"
#include "data/list/labels.h"

static const uint64_t stream = 0x73706c6974; /* "split": numbers apart from those of other uses */

/* As they are typed. */
static const char *const kind_names[MESO_SPLIT_N_KINDS] = {"block", "last", "random", "group"};

/* A split while it is made: for each item whether it validates. */
typedef struct making {
    const meso_dataset *dataset;
    unsigned char *validates; /* [n_items] */
    size_t wanted[2];         /* of each class, for validation */
    uint64_t seed;
} making;

/* Items are fakes first, then reals: a class is a run of positions. */
static size_t class_begin(const meso_dataset *dataset, int label)
{
    return label == MESO_FAKE ? 0 : dataset->n_class[MESO_FAKE];
}

static void take_block(const making *m, int label, int from_end)
{
    const size_t n = m->dataset->n_class[label], wanted = m->wanted[label];
    memset(m->validates + class_begin(m->dataset, label) + (from_end ? n - wanted : 0), 1, wanted);
}

static meso_status take_random(const making *m, int label, meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t n = m->dataset->n_class[label], begin = class_begin(m->dataset, label);
    meso_random random = meso_random_for(m->seed ^ stream, (uint64_t)label, 0);
    size_t *order = malloc((n + 1) * sizeof *order);
    MESO_REQUIRE_MEMORY(order, error);
    for (size_t i = 0; i < n; i++)
        order[i] = begin + i;
    meso_random_shuffle(&random, order, n);
    for (size_t i = 0; i < m->wanted[label]; i++)
        m->validates[order[i]] = 1;
out:
    free(order);
    return status;
}

/* How far counts of both classes are from what is wanted. */
static double distance(const making *m, const size_t count[2])
{
    double sum = 0;
    for (int label = 0; label < 2; label++) {
        double off = (double)m->wanted[label] - (double)count[label];
        sum += off * off;
    }
    return sum;
}

static meso_status take_groups(const making *m, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_random random = meso_random_for(m->seed ^ stream, 2, 0);
    meso_groups groups = {0};
    size_t count[2] = {0, 0}, *order = NULL;
    unsigned char *chosen = NULL;
    MESO_TRY(meso_groups_create(m->dataset, 0, &groups, error));
    MESO_REQUIRE(groups.n > 0, error, MESO_ERROR_DATA,
                 "to split by group, images need groups: give a group pattern, or a manifest with "
                 "the column group");
    order = malloc(groups.n * sizeof *order);
    chosen = calloc(groups.n, 1);
    MESO_REQUIRE_MEMORY(order && chosen, error);
    for (size_t g = 0; g < groups.n; g++)
        order[g] = g;
    meso_random_shuffle(&random, order, groups.n);
    for (size_t k = 0; k < groups.n; k++) { /* it validates if that brings the counts nearer */
        const size_t *n_class = groups.groups[order[k]].n_class;
        const size_t with[2] = {count[0] + n_class[0], count[1] + n_class[1]};
        if (!(distance(m, with) < distance(m, count)))
            continue;
        chosen[order[k]] = 1;
        memcpy(count, with, sizeof with);
    }
    for (size_t i = 0; i < m->dataset->n_items; i++)
        m->validates[i] = chosen[groups.of_item[i]];
out:
    free(order);
    free(chosen);
    meso_groups_free(&groups);
    return status;
}

static meso_status choose(const making *m, meso_split_kind kind, meso_error *error)
{
    meso_status status = MESO_OK;
    if (kind == MESO_SPLIT_GROUP)
        return take_groups(m, error);
    for (int label = 0; label < 2 && status == MESO_OK; label++)
        if (kind == MESO_SPLIT_RANDOM)
            status = take_random(m, label, error);
        else
            take_block(m, label, kind == MESO_SPLIT_LAST);
    return status;
}

/* Nothing can be learnt, or judged, without both classes. */
static meso_status check_sides(const making *m, meso_split_kind kind, double fraction,
                               meso_error *error)
{
    for (int label = 0; label < 2; label++) {
        const size_t n = m->dataset->n_class[label], begin = class_begin(m->dataset, label);
        size_t taken = 0;
        for (size_t i = begin; i < begin + n; i++)
            taken += m->validates[i];
        MESO_DEMAND(taken > 0 && taken < n, error, MESO_ERROR_DATA,
                    "a split of %g (%s) leaves none of the %zu images of the class %s for %s",
                    fraction, kind_names[kind], n, meso_label_name((meso_label)label),
                    taken == 0 ? "validation" : "training");
    }
    return MESO_OK;
}

static meso_status check_arguments(const meso_dataset *dataset, double fraction, meso_error *error)
{
    MESO_DEMAND(fraction >= 0 && fraction < 1, error, MESO_ERROR_ARGUMENT,
                "a split of %g: the part for validation must be at least 0 and below 1", fraction);
    for (int label = 0; label < 2; label++)
        MESO_DEMAND(dataset->n_class[label] > 0, error, MESO_ERROR_DATA,
                    "no images of the class %s: training needs both classes",
                    meso_label_name((meso_label)label));
    return MESO_OK;
}

/* validates → two lists of positions. */
static meso_status make_lists(const making *m, meso_split *split, meso_error *error)
{
    const size_t n = m->dataset->n_class[0] + m->dataset->n_class[1];
    split->train = malloc((n + 1) * sizeof *split->train);
    split->validation = malloc((n + 1) * sizeof *split->validation);
    MESO_DEMAND_MEMORY(split->train, error);
    MESO_DEMAND_MEMORY(split->validation, error);
    for (size_t i = 0; i < n; i++)
        if (m->validates[i])
            split->validation[split->n_validation++] = i;
        else
            split->train[split->n_train++] = i;
    return MESO_OK;
}

meso_status meso_split_make(const meso_dataset *dataset, meso_split_kind kind, double fraction,
                            uint64_t seed, meso_split *split, meso_error *error)
{
    meso_status status = MESO_OK;
    making m = {.dataset = dataset, .seed = seed};
    *split = (meso_split){0};
    MESO_TRY(check_arguments(dataset, fraction, error));
    m.validates = calloc(dataset->n_items + 1, 1);
    MESO_REQUIRE_MEMORY(m.validates, error);
    for (int label = 0; label < 2; label++)
        m.wanted[label] = (size_t)(fraction * (double)dataset->n_class[label]); /* Python's int() */
    if (fraction > 0) {
        MESO_TRY(choose(&m, kind, error));
        MESO_TRY(check_sides(&m, kind, fraction, error));
    }
    MESO_TRY(make_lists(&m, split, error));
out:
    free(m.validates);
    if (status != MESO_OK)
        meso_split_free(split);
    return status;
}

void meso_split_free(meso_split *split)
{
    free(split->train);
    free(split->validation);
    *split = (meso_split){0};
}

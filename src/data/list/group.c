/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/forest.h"

meso_status meso_group_compile(const char *expression, regex_t *pattern, meso_error *error)
{
    char reason[128];
    int code = regcomp(pattern, expression, REG_EXTENDED);
    if (code == REG_ESPACE)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    if (code != 0) {
        regerror(code, pattern, reason, sizeof reason);
        return meso_fail(error, MESO_ERROR_ARGUMENT, "the group pattern \"%s\" is wrong: %s",
                         MESO_PRINTABLE(expression), reason);
    }
    if (pattern->re_nsub == 0) {
        regfree(pattern);
        return meso_fail(error, MESO_ERROR_ARGUMENT,
                         "the group pattern \"%s\" has no parenthesis that says which part is the "
                         "group",
                         MESO_PRINTABLE(expression));
    }
    return MESO_OK;
}

void meso_group_join(meso_text *group, const char *identity, size_t n)
{
    if (n > 0 && group->length > 0)
        meso_text_add(group, "|");
    meso_text_add_n(group, identity, n);
}

/* The next identity of a group; NULL behind the last. */
static const char *next_identity(const char **rest, size_t *n)
{
    const char *start = *rest + strspn(*rest, "|");
    *n = strcspn(start, "|");
    *rest = start + *n;
    return *n ? start : NULL;
}

meso_status meso_group_find(const regex_t *pattern, const char *name, meso_text *group,
                            meso_error *error)
{
    regmatch_t matches[1 + meso_group_most_identities];
    const size_t n = pattern->re_nsub < meso_group_most_identities ? pattern->re_nsub
                                                                   : meso_group_most_identities;
    int code = regexec(pattern, name, n + 1, matches, 0);
    if (code == REG_ESPACE)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    group->length = 0;
    for (size_t i = 1; code == 0 && i <= n; i++)
        if (matches[i].rm_eo > matches[i].rm_so)
            meso_group_join(group, name + matches[i].rm_so,
                            (size_t)(matches[i].rm_eo - matches[i].rm_so));
    MESO_DEMAND_MEMORY(!group->out_of_memory, error);
    MESO_DEMAND(group->length > 0, error, MESO_ERROR_DATA,
                "%s: the group pattern finds no group in this file's name", MESO_PRINTABLE(name));
    return MESO_OK;
}

meso_status meso_group_items(const regex_t *pattern, size_t first, size_t prefix_length,
                             meso_list_builder *builder, meso_error *error)
{
    meso_dataset *dataset = builder->dataset;
    meso_text group = {0};
    meso_status status = MESO_OK;
    for (size_t i = first; i < dataset->n_items; i++) {
        meso_dataset_item *item = &dataset->items[i];
        MESO_TRY(meso_group_find(pattern, item->path + prefix_length, &group, error));
        MESO_TRY(meso_list_copy(builder, group.bytes, group.length, &item->group, error));
    }
out:
    meso_text_free(&group);
    return status;
}

/* An identity of an item, or the name of its group. */
typedef struct member {
    const char *name;
    size_t n;     /* bytes of the name */
    size_t class; /* 0 where classes are not told apart */
    size_t item;
} member;

static int compare_names(const member *a, const member *b)
{
    if (a->class != b->class)
        return a->class > b->class ? 1 : -1;
    int order = memcmp(a->name, b->name, a->n < b->n ? a->n : b->n);
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

static int compare_members(const void *left, const void *right)
{
    const member *a = left, *b = right;
    int order = compare_names(a, b);
    return order ? order : (a->item > b->item) - (a->item < b->item);
}

/* Joins items that share an identity. */
static meso_status join_items(const meso_dataset *dataset, int classes_apart,
                              const meso_forest *forest, meso_error *error)
{
    size_t n = 0, length, capacity = 0;
    member *members = NULL;
    meso_status status = MESO_OK;
    for (size_t i = 0; i < dataset->n_items; i++) {
        const meso_dataset_item *item = &dataset->items[i];
        const char *rest = item->group, *name;
        while ((name = next_identity(&rest, &length))) {
            member *grown = meso_grow(members, n, &capacity, sizeof *members);
            MESO_REQUIRE_MEMORY(grown, error);
            members = grown;
            members[n++] = (member){name, length, classes_apart ? item->label : 0, i};
        }
    }
    if (n > 0)
        qsort(members, n, sizeof *members, compare_members);
    for (size_t k = 1; k < n; k++)
        if (compare_names(&members[k - 1], &members[k]) == 0)
            meso_forest_join(forest, members[k - 1].item, members[k].item);
out:
    free(members);
    return status;
}

static void fill(const meso_dataset *dataset, const member *members, meso_groups *groups)
{
    for (size_t k = 0; k < dataset->n_items; k++) {
        const member *m = &members[k];
        if (k == 0 || compare_names(m - 1, m) != 0)
            groups->groups[groups->n++] = (meso_group){m->name, m->item, {0, 0}};
        groups->of_item[m->item] = groups->n - 1;
        groups->groups[groups->n - 1].n_class[dataset->items[m->item].label]++;
    }
    for (size_t i = 0; i < groups->n; i++)
        groups->n_in_both += groups->groups[i].n_class[0] > 0 && groups->groups[i].n_class[1] > 0;
}

/* Each item with the name of its group: of all that its items bear the first in byte order. */
static void name_groups(const meso_dataset *dataset, int classes_apart, const meso_forest *forest,
                        member *members)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < dataset->n_items; i++) {
            const meso_dataset_item *item = &dataset->items[i];
            const member own = {item->group, strlen(item->group), classes_apart ? item->label : 0,
                                i};
            const size_t root = meso_forest_root(forest, i);
            if (pass == 0 && (root == i || compare_names(&own, &members[root]) < 0))
                members[root] = own;
            else if (pass == 1)
                members[i] = (member){members[root].name, members[root].n, own.class, i};
        }
}

meso_status meso_groups_create(const meso_dataset *dataset, int classes_apart, meso_groups *groups,
                               meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t n = dataset->n_items;
    meso_forest forest = meso_forest_create(n);
    member *members = malloc((n + 1) * sizeof *members);
    *groups = (meso_groups){0};
    MESO_REQUIRE_MEMORY(members && forest.parent, error);
    for (size_t i = 0; i < n; i++)
        if (!dataset->items[i].group)
            goto out;
    groups->groups = calloc(n + 1, sizeof *groups->groups);
    groups->of_item = calloc(n + 1, sizeof *groups->of_item);
    MESO_REQUIRE_MEMORY(groups->groups && groups->of_item, error);
    MESO_TRY(join_items(dataset, classes_apart, &forest, error));
    name_groups(dataset, classes_apart, &forest, members);
    qsort(members, n, sizeof *members, compare_members);
    fill(dataset, members, groups);
out:
    free(members);
    free(forest.parent);
    if (status != MESO_OK)
        meso_groups_free(groups);
    return status;
}

meso_status meso_groups_of_two(const meso_dataset *a, const meso_dataset *b, meso_groups *groups,
                               meso_error *error)
{
    meso_dataset both = {.n_items = a->n_items + b->n_items};
    *groups = (meso_groups){0};
    both.items = malloc((both.n_items + 1) * sizeof *both.items);
    MESO_DEMAND_MEMORY(both.items, error);
    memcpy(both.items, a->items, a->n_items * sizeof *both.items);
    memcpy(both.items + a->n_items, b->items, b->n_items * sizeof *both.items);
    meso_status status = meso_groups_create(&both, 0, groups, error);
    free(both.items);
    return status;
}

void meso_groups_free(meso_groups *groups)
{
    free(groups->groups);
    free(groups->of_item);
    *groups = (meso_groups){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/group.h"

#include <stdlib.h>
#include <string.h>

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

meso_status meso_group_find(const regex_t *pattern, const char *name, meso_text *group,
                            meso_error *error)
{
    regmatch_t matches[2];
    int code = regexec(pattern, name, 2, matches, 0);
    if (code == REG_ESPACE)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    if (code != 0 || matches[1].rm_eo <= matches[1].rm_so)
        return meso_fail(error, MESO_ERROR_DATA,
                         "%s: the group pattern finds no group in this file's name",
                         MESO_PRINTABLE(name));
    group->length = 0;
    meso_text_add_n(group, name + matches[1].rm_so, (size_t)(matches[1].rm_eo - matches[1].rm_so));
    return group->out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
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

typedef struct member {
    const char *name;
    size_t class; /* 0 where classes are not told apart */
    size_t item;
} member;

static int compare_members(const void *left, const void *right)
{
    const member *a = left, *b = right;
    int order = a->class != b->class ? (a->class > b->class ? 1 : -1) : strcmp(a->name, b->name);
    return order ? order : (a->item > b->item) - (a->item < b->item);
}

static void fill(const meso_dataset *dataset, const member *members, meso_groups *groups)
{
    for (size_t k = 0; k < dataset->n_items; k++) {
        const member *m = &members[k];
        if (k == 0 || m->class != m[-1].class || strcmp(m->name, m[-1].name) != 0)
            groups->groups[groups->n++] = (meso_group){m->name, m->item, {0, 0}};
        groups->of_item[m->item] = groups->n - 1;
        groups->groups[groups->n - 1].n_class[dataset->items[m->item].label]++;
    }
    for (size_t i = 0; i < groups->n; i++)
        groups->n_in_both += groups->groups[i].n_class[0] > 0 && groups->groups[i].n_class[1] > 0;
}

meso_status meso_groups_create(const meso_dataset *dataset, int classes_apart, meso_groups *groups,
                               meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t n = dataset->n_items;
    *groups = (meso_groups){0};
    member *members = malloc((n + 1) * sizeof *members);
    MESO_REQUIRE_MEMORY(members, error);
    for (size_t i = 0; i < n; i++) {
        const meso_dataset_item *item = &dataset->items[i];
        if (!item->group)
            goto out;
        members[i] = (member){item->group, classes_apart ? item->label : 0, i};
    }
    groups->groups = calloc(n + 1, sizeof *groups->groups);
    groups->of_item = calloc(n + 1, sizeof *groups->of_item);
    MESO_REQUIRE_MEMORY(groups->groups && groups->of_item, error);
    qsort(members, n, sizeof *members, compare_members);
    fill(dataset, members, groups);
out:
    free(members);
    if (status != MESO_OK)
        meso_groups_free(groups);
    return status;
}

void meso_groups_free(meso_groups *groups)
{
    free(groups->groups);
    free(groups->of_item);
    *groups = (meso_groups){0};
}

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
                             meso_builder *builder, meso_error *error)
{
    meso_dataset *dataset = builder->dataset;
    meso_text group = {0};
    meso_status status = MESO_OK;
    for (size_t i = first; i < dataset->n_items; i++) {
        meso_dataset_item *item = &dataset->items[i];
        MESO_TRY(meso_group_find(pattern, item->path + prefix_length, &group, error));
        MESO_TRY(meso_builder_copy(builder, group.bytes, group.length, &item->group, error));
    }
out:
    meso_text_free(&group);
    return status;
}

static int compare_groups(const void *left, const void *right)
{
    const meso_dataset_item *a = left, *b = right;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    return strcmp(a->group, b->group);
}

meso_status meso_group_count(meso_dataset *dataset, meso_error *error)
{
    size_t n = dataset->n_items;
    dataset->n_groups = 0;
    if (n == 0 || !dataset->items[0].group)
        return MESO_OK;
    meso_dataset_item *sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    memcpy(sorted, dataset->items, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_groups);
    dataset->n_groups = 1;
    for (size_t i = 1; i < n; i++)
        dataset->n_groups += compare_groups(&sorted[i - 1], &sorted[i]) != 0;
    free(sorted);
    return MESO_OK;
}

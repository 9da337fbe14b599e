/* SPDX-License-Identifier: Apache-2.0 */
#include "study/check/study_group.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

typedef struct member {
    const char *name;
    size_t item;
} member;

static int compare_members(const void *left, const void *right)
{
    const member *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->item > b->item) - (a->item < b->item);
}

static void fill(const meso_dataset *files, const member *members, study_groups *groups)
{
    for (size_t k = 0; k < files->n_items; k++) {
        if (k == 0 || strcmp(members[k].name, members[k - 1].name) != 0)
            groups->groups[groups->n++] = (study_group){members[k].name, {0, 0}};
        groups->of_item[members[k].item] = groups->n - 1;
        groups->groups[groups->n - 1].n_class[files->items[members[k].item].label]++;
    }
    for (size_t g = 0; g < groups->n; g++)
        groups->n_in_both += groups->groups[g].n_class[0] > 0 && groups->groups[g].n_class[1] > 0;
}

meso_status study_groups_create(const meso_dataset *files, study_groups *groups, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = files->n_items;
    *groups = (study_groups){0};
    if (n == 0 || !files->items[0].group)
        return MESO_OK;
    member *members = malloc(n * sizeof *members);
    groups->groups = calloc(n, sizeof *groups->groups);
    groups->of_item = calloc(n, sizeof *groups->of_item);
    MESO_REQUIRE_MEMORY(members, error);
    MESO_REQUIRE_MEMORY(groups->groups, error);
    MESO_REQUIRE_MEMORY(groups->of_item, error);
    for (size_t i = 0; i < n; i++)
        members[i] = (member){files->items[i].group, i};
    qsort(members, n, sizeof *members, compare_members);
    fill(files, members, groups);
out:
    free(members);
    if (status != MESO_OK)
        study_groups_free(groups);
    return status;
}

void study_groups_free(study_groups *groups)
{
    free(groups->groups);
    free(groups->of_item);
    *groups = (study_groups){0};
}

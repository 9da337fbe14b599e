/* SPDX-License-Identifier: Apache-2.0 */
#include "predict_output.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/list/group.h"

meso_status tool_predict_name_groups(meso_dataset *files, const char *pattern, meso_error *error)
{
    regex_t compiled;
    meso_list_builder builder = {files, files->n_items};
    MESO_CHECK(meso_group_compile(pattern, &compiled, error));
    meso_status status = meso_group_items(&compiled, 0, 0, &builder, error);
    regfree(&compiled);
    return status;
}

meso_status tool_predict_keep(tool_predict_kept *kept, const meso_file_score *score)
{
    if (kept->n == kept->capacity) {
        const size_t capacity = 2 * kept->capacity + 64;
        meso_file_score *scores = realloc(kept->scores, capacity * sizeof *scores);
        if (!scores)
            return MESO_ERROR_MEMORY;
        kept->scores = scores;
        kept->capacity = capacity;
    }
    kept->scores[kept->n] = *score;
    kept->scores[kept->n].detail = strdup(score->detail);
    return kept->scores[kept->n++].detail ? MESO_OK : MESO_ERROR_MEMORY;
}

static int compare_fake(double a, double b)
{
    return (a < b) - (a > b);
}

static int compare_scores(const void *left, const void *right)
{
    const meso_file_score *a = left, *b = right;
    const int refused_a = a->refusal != MESO_IMAGE_OK, refused_b = b->refusal != MESO_IMAGE_OK;
    const int order = refused_a != refused_b ? refused_a - refused_b
                      : refused_a            ? 0
                                             : compare_fake(a->p.fake, b->p.fake);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

void tool_predict_sort(tool_predict_kept *kept)
{
    if (kept->n > 0)
        qsort(kept->scores, kept->n, sizeof *kept->scores, compare_scores);
}

static int compare_names(const void *left, const void *right)
{
    const tool_predict_group *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static int compare_groups(const void *left, const void *right)
{
    const tool_predict_group *a = left, *b = right;
    const int order = compare_fake(a->p.fake, b->p.fake);
    return order ? order : compare_names(a, b);
}

/* Neighbours of one name become one. */
static size_t merge(tool_predict_group *groups, size_t n)
{
    size_t n_merged = 0;
    for (size_t i = 0; i < n; i++) {
        tool_predict_group *last = n_merged ? &groups[n_merged - 1] : NULL;
        if (!last || strcmp(last->name, groups[i].name) != 0) {
            groups[n_merged++] = groups[i];
            continue;
        }
        last->n++;
        last->p.fake += groups[i].p.fake;
        last->p.real += groups[i].p.real;
    }
    for (size_t i = 0; i < n_merged; i++) {
        groups[i].p.fake /= (double)groups[i].n;
        groups[i].p.real /= (double)groups[i].n;
    }
    return n_merged;
}

meso_status tool_predict_make_groups(tool_predict_kept *kept, const meso_dataset *files, int sorted)
{
    size_t n = 0;
    kept->groups = calloc(kept->n + 1, sizeof *kept->groups);
    if (!kept->groups)
        return MESO_ERROR_MEMORY;
    for (size_t i = 0; i < kept->n; i++) {
        const meso_file_score *score = &kept->scores[i];
        if (score->refusal == MESO_IMAGE_OK)
            kept->groups[n++] = (tool_predict_group){files->items[score->index].group, 1, score->p};
    }
    qsort(kept->groups, n, sizeof *kept->groups, compare_names);
    kept->n_groups = merge(kept->groups, n);
    if (sorted)
        qsort(kept->groups, kept->n_groups, sizeof *kept->groups, compare_groups);
    return MESO_OK;
}

void tool_predict_forget(tool_predict_kept *kept)
{
    for (size_t i = 0; i < kept->n; i++)
        free((char *)kept->scores[i].detail);
    free(kept->scores);
    free(kept->groups);
    *kept = (tool_predict_kept){0};
}

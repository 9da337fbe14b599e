/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics/units.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int compare_members(const void *left, const void *right)
{
    const meso_unit_member *a = left, *b = right;
    if (a->real != b->real)
        return a->real < b->real ? -1 : 1;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return a->image < b->image ? -1 : a->image > b->image;
}

meso_status meso_units_create(const meso_scores *scores, meso_units *units, meso_error *error)
{
    size_t n = scores->n;
    *units = (meso_units){0};
    units->members = calloc(n, sizeof *units->members);
    units->starts = calloc(n + 1, sizeof *units->starts);
    MESO_DEMAND_MEMORY(units->members, error);
    MESO_DEMAND_MEMORY(units->starts, error);
    for (size_t i = 0; i < n; i++)
        units->members[i] =
            (meso_unit_member){scores->real[i] != 0, scores->group ? scores->group[i] : i, i};
    qsort(units->members, n, sizeof *units->members, compare_members);
    for (size_t i = 0; i < n; i++) {
        const meso_unit_member *m = &units->members[i];
        if (i == 0 || m->real != m[-1].real || m->group != m[-1].group) {
            units->n_fake += !m->real;
            units->starts[units->n++] = i;
        }
    }
    units->starts[units->n] = n;
    return MESO_OK;
}

static void draw_class(const meso_units *units, size_t first, size_t end, meso_random *random,
                       uint32_t *weight)
{
    for (size_t k = first; k < end; k++) {
        size_t unit = first + meso_random_below(random, end - first);
        for (size_t m = units->starts[unit]; m < units->starts[unit + 1]; m++)
            weight[units->members[m].image]++;
    }
}

void meso_units_draw(const meso_units *units, meso_random *random, uint32_t *weight)
{
    memset(weight, 0, units->starts[units->n] * sizeof *weight);
    draw_class(units, 0, units->n_fake, random, weight);
    draw_class(units, units->n_fake, units->n, random, weight);
}

void meso_units_free(meso_units *units)
{
    free(units->members);
    free(units->starts);
    *units = (meso_units){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * One score for each group of images: the mean of its frames.
 */
#include <stdlib.h>

#include "base/error.h"
#include "base/structs.h"
#include "mesocl/metrics.h"
#include "model/metrics/units.h"

static meso_group_score group_score(const meso_scores *scores, const meso_unit_member *members,
                                    size_t n)
{
    meso_group_score score = {.group = members->group, .real = members->real, .n_images = n};
    for (size_t m = 0; m < n; m++) {
        score.p_real += scores->p_real[members[m].image];
        score.p_fake += scores->p_fake[members[m].image];
    }
    score.p_real /= (double)n;
    score.p_fake /= (double)n;
    return score;
}

meso_status meso_metrics_groups(const meso_scores *scores, meso_group_score **groups, size_t stride,
                                size_t *n, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_units units = {0};
    meso_group_score *out = NULL;
    MESO_REQUIRE(scores->group && scores->n > 0, error, MESO_ERROR_ARGUMENT,
                 "there are no groups among the scores");
    MESO_TRY(meso_units_create(scores, &units, error));
    out = calloc(units.n, sizeof *out);
    MESO_REQUIRE_MEMORY(out, error);
    for (size_t u = 0; u < units.n; u++)
        out[u] = group_score(scores, units.members + units.starts[u],
                             units.starts[u + 1] - units.starts[u]);
    MESO_TRY(
        meso_struct_array(out, sizeof *out, units.n, stride, "meso_group_score", groups, error));
    *n = units.n;
out:
    free(out);
    meso_units_free(&units);
    return status;
}

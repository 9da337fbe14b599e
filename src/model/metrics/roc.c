/* SPDX-License-Identifier: Apache-2.0
 *
 * The ROC as scikit-learn's roc_curve gives it: one point for each different score, without the
 * points that continue the step before them, and (0, 0) in front.
 */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/structs.h"
#include "mesocl/metrics.h"
#include "model/metrics/ranking.h"

typedef struct roc_count {
    size_t fakes, reals; /* called real at this threshold */
    double threshold;
} roc_count;

/* One entry for each different score, in falling order; returns how many. */
static size_t count_by_score(const meso_ranking *ranking, roc_count *counts)
{
    size_t n = 0;
    roc_count sum = {0, 0, INFINITY};
    for (size_t i = 0; i < ranking->n; i++) {
        const meso_ranked *row = &ranking->rows[i];
        *(row->real ? &sum.reals : &sum.fakes) += 1;
        sum.threshold = row->p_real;
        if (i + 1 == ranking->n || ranking->rows[i + 1].p_real != row->p_real)
            counts[n++] = sum;
    }
    return n;
}

/* Does the step into counts[i] go on unchanged behind it? (Second difference 0: equal steps only,
 * so a straight line in unequal steps keeps its points, as in scikit-learn.) */
static int continues(const roc_count *counts, size_t i)
{
    const roc_count *a = &counts[i - 1], *b = &counts[i], *c = &counts[i + 1];
    return c->fakes - b->fakes == b->fakes - a->fakes && c->reals - b->reals == b->reals - a->reals;
}

meso_status meso_metrics_roc(const meso_scores *scores, meso_roc_point **points, size_t stride,
                             size_t *n, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_ranking ranking = {0};
    roc_count *counts = NULL;
    meso_roc_point *out = NULL;
    MESO_TRY(meso_ranking_create(scores, 0.5, &ranking, error));
    counts = calloc(ranking.n, sizeof *counts);
    out = calloc(ranking.n + 1, sizeof *out);
    MESO_REQUIRE_MEMORY(counts, error);
    MESO_REQUIRE_MEMORY(out, error);
    size_t n_counts = count_by_score(&ranking, counts);
    roc_count all = counts[n_counts - 1];
    MESO_REQUIRE(all.fakes > 0 && all.reals > 0, error, MESO_ERROR_ARGUMENT,
                 "a ROC needs images of both classes: there are %zu fake and %zu real", all.fakes,
                 all.reals);
    size_t kept = 0;
    out[kept++].threshold = INFINITY;
    for (size_t i = 0; i < n_counts; i++) {
        if (i > 0 && i + 1 < n_counts && continues(counts, i))
            continue;
        out[kept++] = (meso_roc_point){
            .false_positive_rate = (double)counts[i].fakes / (double)all.fakes,
            .true_positive_rate = (double)counts[i].reals / (double)all.reals,
            .threshold = counts[i].threshold,
        };
    }
    MESO_TRY(meso_struct_array(out, sizeof *out, kept, stride, "meso_roc_point", points, error));
    *n = kept;
out:
    free(out);
    free(counts);
    meso_ranking_free(&ranking);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

meso_status tool_evaluation_create(const meso_dataset *dataset, tool_evaluation *e,
                                   meso_error *error)
{
    size_t n = dataset->n_items;
    *e = (tool_evaluation){.dataset = dataset};
    e->files = calloc(n, sizeof *e->files);
    e->p_real = calloc(n, sizeof *e->p_real);
    e->p_fake = calloc(n, sizeof *e->p_fake);
    e->real = calloc(n, sizeof *e->real);
    MESO_DEMAND_MEMORY(e->files && e->p_real && e->p_fake && e->real, error);
    MESO_CHECK(meso_groups_create(dataset, 0, &e->names, error));
    if (e->names.n > 0)
        MESO_DEMAND_MEMORY(e->group = calloc(n, sizeof *e->group), error);
    return MESO_OK;
}

void tool_evaluation_free(tool_evaluation *e)
{
    for (size_t i = 0; e->files && i < e->dataset->n_items; i++)
        free(e->files[i].detail);
    free(e->files);
    meso_groups_free(&e->names);
    free(e->p_real);
    free(e->p_fake);
    free(e->real);
    free(e->group);
    meso_free(e->groups);
    *e = (tool_evaluation){0};
}

meso_status tool_evaluation_add(tool_evaluation *e, const meso_file_score *score)
{
    tool_evaluated *file = &e->files[score->index];
    size_t n = e->tally.n_scored;
    tool_tally_add(&e->tally, score);
    file->refusal = score->refusal;
    if (score->refusal != MESO_IMAGE_OK) {
        file->detail = strdup(score->detail);
        return file->detail ? MESO_OK : MESO_ERROR_MEMORY;
    }
    file->p = score->p;
    e->p_real[n] = meso_probability_rounded(score->p);
    e->p_fake[n] = 1 - e->p_real[n];
    e->real[n] = e->dataset->items[score->index].label == MESO_REAL;
    if (e->group)
        e->group[n] = e->names.of_item[score->index];
    return MESO_OK;
}

meso_scores tool_evaluation_scores(const tool_evaluation *e)
{
    return (meso_scores){e->p_real, e->p_fake, e->real, e->group, e->tally.n_scored};
}

static meso_metrics no_metrics(void)
{
    const meso_class_metrics none = {NAN, NAN, NAN, 0};
    return (meso_metrics){.struct_bytes = sizeof(meso_metrics),
                          .per_class = {none, none},
                          .macro_average = none,
                          .weighted_average = none,
                          .accuracy = NAN,
                          .balanced_accuracy = NAN,
                          .mse = NAN,
                          .bce = NAN,
                          .auc = NAN,
                          .average_precision = NAN,
                          .eer = NAN,
                          .eer_threshold = NAN};
}

static meso_metrics_intervals no_intervals(void)
{
    const meso_interval none = {NAN, NAN};
    return (meso_metrics_intervals){
        sizeof(meso_metrics_intervals), none, none, none, none, none, none, none, none, none, 0, 0};
}

/* The majority-class baseline: p and 1 − p for every image, p the share of reals, which of all
 * constants has the least squared error and cross-entropy. */
static meso_status measure_constant(tool_evaluation *e, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = e->tally.n_scored, n_real = 0;
    double *p = calloc(2 * n, sizeof *p);
    MESO_REQUIRE_MEMORY(p, error);
    for (size_t i = 0; i < n; i++)
        n_real += e->real[i];
    for (size_t i = 0; i < n; i++) {
        p[i] = (double)n_real / (double)n;
        p[n + i] = (double)(n - n_real) / (double)n;
    }
    const meso_scores scores = {p, p + n, e->real, NULL, n};
    MESO_TRY(meso_metrics_compute(&scores, 0.5, &e->constant, error));
out:
    free(p);
    return status;
}

static meso_status measure_groups(tool_evaluation *e, const meso_scores *scores, meso_error *error)
{
    meso_status status = MESO_OK;
    double *p = NULL;
    unsigned char *real = NULL;
    MESO_TRY(meso_metrics_groups(scores, &e->groups, sizeof *e->groups, &e->n_groups, error));
    p = calloc(2 * e->n_groups, sizeof *p);
    real = calloc(e->n_groups, sizeof *real);
    MESO_REQUIRE_MEMORY(p, error);
    MESO_REQUIRE_MEMORY(real, error);
    for (size_t i = 0; i < e->n_groups; i++) {
        p[i] = e->groups[i].p_real;
        p[e->n_groups + i] = e->groups[i].p_fake;
        real[i] = e->groups[i].real;
    }
    const meso_scores of_groups = {p, p + e->n_groups, real, NULL, e->n_groups};
    MESO_TRY(meso_metrics_compute(&of_groups, e->threshold, &e->group_metrics, error));
out:
    free(p);
    free(real);
    return status;
}

meso_status tool_evaluation_finish(tool_evaluation *e, double threshold, size_t n_resamples,
                                   uint64_t seed, meso_error *error)
{
    const meso_scores scores = tool_evaluation_scores(e);
    e->threshold = threshold;
    e->seed = seed;
    e->metrics = e->constant = e->group_metrics = no_metrics();
    e->intervals = no_intervals();
    if (scores.n == 0)
        return MESO_OK;
    MESO_CHECK(meso_metrics_compute(&scores, threshold, &e->metrics, error));
    MESO_CHECK(meso_metrics_bootstrap(&scores, threshold, n_resamples, seed, &e->intervals, error));
    MESO_CHECK(measure_constant(e, error));
    if (e->group)
        MESO_CHECK(measure_groups(e, &scores, error));
    return MESO_OK;
}

/* What is better is so by its whole interval: the AUC than a half, the accuracy than the majority
 * class. */
void tool_evaluation_say(const tool_evaluation *e, meso_text *out)
{
    const meso_interval auc = e->intervals.auc;
    if (e->metrics.n == 0 || isnan(e->metrics.auc))
        return;
    meso_text_add(out, auc.high < 0.5 ? "worse than a coin: are the classes the right way round?"
                       : !(auc.low > 0.5)
                           ? "not shown to be better than a coin: the AUC's interval "
                             "includes 0.5"
                       : e->intervals.accuracy.low > e->constant.accuracy
                           ? "better than a coin"
                           : "ranks better than a coin; at this threshold not shown to be right "
                             "more often than the majority class");
    if (*e->trained_on)
        meso_text_format(out, " (the model was trained on %s)", MESO_PRINTABLE(e->trained_on));
}

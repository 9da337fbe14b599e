/* SPDX-License-Identifier: Apache-2.0
 *
 * The result of a study: what every detector got on every test set, and which of them differ.
 */
#ifndef MESO_STUDY_STUDY_MATRIX_H
#define MESO_STUDY_STUDY_MATRIX_H

#include "study/plan/study_list.h"
#include "study/plan/study_plan.h"
#include "study/result/study_outcome.h"
#include "study/result/votes.h"

/* Why an image of a test set is left out of a cell; the kinds of pairs.h, from 1. */
typedef unsigned char study_exclusion;

/* What is known when all jobs are done. Nothing here is owned. */
typedef struct study_evidence {
    const study_plan *plan;
    const study_list *test_lists;           /* [n_test] */
    const study_exclusion *const *excluded; /* [n_train · n_test][n_items of the test set] */
    const study_outcome *outcomes;          /* [n_jobs] as study_plan_job() counts */
    const unsigned char *done;              /* [n_jobs] */
} study_evidence;

/* Trained on × variant × tested on. */
typedef struct study_cell {
    size_t train, variant, test;
    size_t n_seeds;                  /* jobs that are done; 0: nothing below is known */
    size_t n, n_excluded, n_refused; /* images judged; leaks left out; not read any more */
    size_t n_groups;                 /* recordings; 0 without groups */
    study_estimate quantity[STUDY_N_QUANTITIES];
    double *seeds;                            /* [n_seeds][STUDY_N_QUANTITIES] */
    study_estimate group_accuracy, group_auc; /* of recordings, by the mean of their frames */
} study_cell;

typedef enum study_versus {
    STUDY_BETWEEN_TRAIN,   /* two training sets, the same variant */
    STUDY_BETWEEN_VARIANTS /* two variants, the same training set */
} study_versus;

/* a − b in accuracy, on the images that neither side has seen in training. */
typedef struct study_comparison {
    study_versus between;
    size_t a, b; /* cells */
    size_t n;    /* images */
    study_difference difference;
    double p_holm; /* after correction for all comparisons of the study; NaN: not tested */
    int differs;   /* p_holm < 0.05 */
    study_estimate corrected; /* the interval that goes with p_holm: without 0 where it differs */
} study_comparison;

typedef struct study_matrix {
    study_cell *cells; /* [n_train][n_variants][n_test] */
    size_t n_cells;
    study_comparison *comparisons;
    size_t n_comparisons, n_tested;
    double *constant;     /* [n_test] accuracy of the larger class */
    double *constant_mse; /* [n_test] of the share of reals, for every image */
} study_matrix;

/* Errors: DATA (a cell without an image of one class: the test set lies in the training set),
 * MEMORY. */
meso_status study_matrix_create(const study_evidence *evidence, study_matrix *matrix,
                                meso_error *error);
void study_matrix_free(study_matrix *matrix);

/* Who was judged: "of", or "of (tuned)" where there are several variants. */
#define STUDY_CELL_NAME_SIZE 160
const char *study_cell_name(const study_plan *plan, size_t train, size_t variant,
                            char name[STUDY_CELL_NAME_SIZE]);

static inline size_t study_cell_index(const study_plan *plan, size_t train, size_t variant,
                                      size_t test)
{
    return (train * plan->n_variants + variant) * plan->n_test + test;
}

/* Position of a job in the plan's order. */
static inline size_t study_job_index(const study_plan *plan, size_t train, size_t variant,
                                     size_t seed)
{
    return (seed * plan->n_variants + variant) * plan->n_train + train;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_matrix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "maths/maths.h"
#include "model/metrics/units.h"

/* The images of a test set that one question is asked of, with the scores of every run. */
typedef struct question {
    size_t *image; /* [n] positions in the list */
    unsigned char *real;
    size_t *group; /* NULL without groups */
    size_t n;
    float **p; /* [n_runs][n] */
    size_t n_runs;
} question;

static void free_question(question *q)
{
    for (size_t r = 0; q->p && r < q->n_runs; r++)
        free(q->p[r]);
    free(q->p);
    free(q->image);
    free(q->real);
    free(q->group);
    *q = (question){0};
}

static const study_scored *scored_of(const study_evidence *e, size_t job, size_t test)
{
    const study_outcome *o = &e->outcomes[job];
    return &o->scored[test * o->n_devices]; /* the first device is the one that counts */
}

/* Takes the test images that no mask excludes and that every run has scored. */
static meso_status ask(const study_evidence *e, size_t test, const size_t *trains, size_t n_trains,
                       const size_t *jobs, size_t n_jobs, question *q, meso_error *error)
{
    const study_list *list = &e->test_lists[test];
    size_t n = list->files.n_items;
    *q = (question){.n_runs = n_jobs};
    q->image = calloc(n + 1, sizeof *q->image);
    q->real = calloc(n + 1, 1);
    q->group = list->group ? calloc(n + 1, sizeof *q->group) : NULL;
    q->p = calloc(n_jobs + 1, sizeof *q->p);
    MESO_DEMAND_MEMORY(q->image && q->real && q->p && (q->group || !list->group), error);
    for (size_t r = 0; r < n_jobs; r++)
        MESO_DEMAND_MEMORY((q->p[r] = calloc(n + 1, sizeof **q->p)), error);
    for (size_t i = 0; i < n; i++) {
        int out = 0;
        for (size_t t = 0; t < n_trains && !e->plan->keep_leaks; t++)
            out |= e->excluded[trains[t] * e->plan->n_test + test][i];
        for (size_t r = 0; r < n_jobs; r++)
            out |= scored_of(e, jobs[r], test)->p_real[i] < 0;
        if (out)
            continue;
        for (size_t r = 0; r < n_jobs; r++)
            q->p[r][q->n] = scored_of(e, jobs[r], test)->p_real[i];
        q->image[q->n] = i;
        q->real[q->n] = list->files.items[i].label == MESO_REAL;
        if (q->group)
            q->group[q->n] = list->group[i];
        q->n++;
    }
    return MESO_OK;
}

static meso_status measure(const study_evidence *e, const question *q, size_t n_contestants,
                           study_measures *measures, meso_error *error)
{
    const study_votes votes = {.real = q->real,
                               .group = q->group,
                               .n = q->n,
                               .p_real = (const float *const *)q->p,
                               .n_contestants = n_contestants,
                               .n_seeds = q->n_runs / n_contestants,
                               .n_resamples = (size_t)e->plan->resamples,
                               .seed = 1};
    return study_votes_measure(&votes, measures, error);
}

/* ---- cells ---- */

/* The jobs of a cell that are done; jobs holds room for n_seeds. */
static size_t jobs_of(const study_evidence *e, size_t train, size_t variant, size_t *jobs)
{
    size_t n = 0;
    for (size_t s = 0; s < e->plan->n_seeds; s++) {
        size_t job = study_job_index(e->plan, train, variant, s);
        if (e->done[job])
            jobs[n++] = job;
    }
    return n;
}

/* Recordings in place of frames: one mean score for each. Keeps q->n_runs runs. */
static meso_status ask_groups(const question *frames, question *q, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_scores scores = {NULL, NULL, frames->real, frames->group, frames->n};
    meso_units units = {0};
    *q = (question){.n_runs = frames->n_runs};
    MESO_TRY(meso_units_create(&scores, &units, error));
    q->real = calloc(units.n + 1, 1);
    q->p = calloc(frames->n_runs + 1, sizeof *q->p);
    MESO_REQUIRE_MEMORY(q->real && q->p, error);
    q->n = units.n;
    for (size_t r = 0; r < frames->n_runs; r++) {
        MESO_REQUIRE_MEMORY((q->p[r] = calloc(units.n + 1, sizeof **q->p)), error);
        for (size_t u = 0; u < units.n; u++) {
            double sum = 0;
            for (size_t m = units.starts[u]; m < units.starts[u + 1]; m++)
                sum += (double)frames->p[r][units.members[m].image];
            q->p[r][u] = (float)(sum / (double)(units.starts[u + 1] - units.starts[u]));
            q->real[u] = u >= units.n_fake;
        }
    }
out:
    meso_units_free(&units);
    return status;
}

static meso_status measure_groups(const study_evidence *e, const question *frames, study_cell *cell,
                                  meso_error *error)
{
    meso_status status = MESO_OK;
    question groups = {0};
    study_measures m = {0};
    MESO_TRY(ask_groups(frames, &groups, error));
    MESO_TRY(measure(e, &groups, 1, &m, error));
    cell->n_groups = groups.n;
    cell->group_accuracy = study_measures_estimate(&m, 0, STUDY_ACCURACY);
    cell->group_auc = study_measures_estimate(&m, 0, STUDY_AUC);
out:
    study_measures_free(&m);
    free_question(&groups);
    return status;
}

static meso_status check_classes(const study_evidence *e, const question *q, const study_cell *cell,
                                 meso_error *error)
{
    size_t n[2] = {0, 0};
    for (size_t i = 0; i < q->n; i++)
        n[q->real[i]]++;
    if (n[0] > 0 && n[1] > 0)
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_DATA,
                     "test set %s: without the %zu images that leak from training set %s no %s "
                     "is left; test on another set, or use --keep-leaks",
                     e->plan->test[cell->test].name, cell->n_excluded,
                     e->plan->train[cell->train].name, n[0] ? "real" : "fake");
}

static meso_status fill_cell(const study_evidence *e, study_cell *cell, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t jobs[STUDY_MAX_SEEDS];
    question q = {0};
    study_measures m = {0};
    const study_exclusion *mask = e->excluded[cell->train * e->plan->n_test + cell->test];
    cell->n_seeds = jobs_of(e, cell->train, cell->variant, jobs);
    if (cell->n_seeds == 0)
        return MESO_OK;
    size_t n_items = e->test_lists[cell->test].files.n_items;
    for (size_t i = 0; i < n_items && !e->plan->keep_leaks; i++)
        cell->n_excluded += mask[i] != 0;
    MESO_TRY(ask(e, cell->test, &cell->train, 1, jobs, cell->n_seeds, &q, error));
    MESO_TRY(check_classes(e, &q, cell, error));
    MESO_TRY(measure(e, &q, 1, &m, error));
    cell->n = q.n;
    cell->n_refused = n_items - cell->n_excluded - q.n;
    for (int k = 0; k < STUDY_N_QUANTITIES; k++)
        cell->quantity[k] = study_measures_estimate(&m, 0, (study_quantity)k);
    cell->seeds = m.exact; /* [1][n_seeds][quantity] */
    m.exact = NULL;
    if (q.group)
        MESO_TRY(measure_groups(e, &q, cell, error));
out:
    study_measures_free(&m);
    free_question(&q);
    return status;
}

/* ---- comparisons ---- */

/* Two detectors with all their seeds on the images that are open to both. */
static meso_status compare(const study_evidence *e, const study_matrix *matrix, study_comparison *c,
                           meso_error *error)
{
    meso_status status = MESO_OK;
    const study_cell *a = &matrix->cells[c->a], *b = &matrix->cells[c->b];
    const size_t trains[2] = {a->train, b->train};
    size_t jobs[2 * STUDY_MAX_SEEDS];
    question q = {0};
    study_measures m = {0};
    c->difference = (study_difference){NAN, NAN, NAN, NAN, NAN, NAN};
    size_t n_a = jobs_of(e, a->train, a->variant, jobs);
    size_t n_b = jobs_of(e, b->train, b->variant, jobs + n_a);
    if (n_a == 0 || n_a != n_b)
        return MESO_OK; /* jobs are missing */
    MESO_TRY(ask(e, a->test, trains, 2, jobs, n_a + n_b, &q, error));
    c->n = q.n;
    if (q.n > 0) {
        MESO_TRY(measure(e, &q, 2, &m, error));
        c->difference = study_measures_difference(&m, 0, 1, STUDY_ACCURACY);
    }
out:
    study_measures_free(&m);
    free_question(&q);
    return status;
}

static void list_pairs(const study_plan *plan, study_versus between, study_matrix *matrix)
{
    int trains = between == STUDY_BETWEEN_TRAIN;
    size_t n = trains ? plan->n_train : plan->n_variants;
    size_t n_fixed = trains ? plan->n_variants : plan->n_train;
    for (size_t test = 0; test < plan->n_test; test++)
        for (size_t fixed = 0; fixed < n_fixed; fixed++)
            for (size_t i = 0; i < n * n; i++) {
                size_t a = i / n, b = i % n;
                if (a >= b)
                    continue;
                matrix->comparisons[matrix->n_comparisons++] =
                    (study_comparison){.between = between,
                                       .a = trains ? study_cell_index(plan, a, fixed, test)
                                                   : study_cell_index(plan, fixed, a, test),
                                       .b = trains ? study_cell_index(plan, b, fixed, test)
                                                   : study_cell_index(plan, fixed, b, test)};
            }
}

/* Holm has multiplied p, and the interval is of the level at which p was compared: 0.05 over that
 * factor (Serlin 1993). A p of 0 has the largest. */
static void correct(study_comparison *c, size_t n_tested)
{
    const double p = c->difference.p, factor = p > 0 ? c->p_holm / p : (double)n_tested;
    c->differs = c->p_holm < 0.05;
    c->corrected = study_difference_at(&c->difference, isnan(c->p_holm) ? 0.05 : 0.05 / factor);
}

static meso_status compare_all(const study_evidence *e, study_matrix *matrix, meso_error *error)
{
    meso_status status = MESO_OK;
    const study_plan *plan = e->plan;
    size_t most = plan->n_test * (plan->n_variants * plan->n_train * plan->n_train +
                                  plan->n_train * plan->n_variants * plan->n_variants);
    double *p = calloc(2 * most + 1, sizeof *p);
    matrix->comparisons = calloc(most + 1, sizeof *matrix->comparisons);
    MESO_REQUIRE_MEMORY(p, error);
    MESO_REQUIRE_MEMORY(matrix->comparisons, error);
    list_pairs(plan, STUDY_BETWEEN_TRAIN, matrix);
    list_pairs(plan, STUDY_BETWEEN_VARIANTS, matrix);
    for (size_t i = 0; i < matrix->n_comparisons; i++) {
        MESO_TRY(compare(e, matrix, &matrix->comparisons[i], error));
        p[i] = matrix->comparisons[i].difference.p;
    }
    matrix->n_tested = study_holm(p, matrix->n_comparisons, p + most);
    for (size_t i = 0; i < matrix->n_comparisons; i++) {
        matrix->comparisons[i].p_holm = p[most + i];
        correct(&matrix->comparisons[i], matrix->n_tested);
    }
out:
    free(p);
    return status;
}

/* ---- all ---- */

/* The majority-class baseline, and for squared errors the share of reals as a probability. */
static void fill_constants(const study_evidence *e, study_matrix *matrix)
{
    for (size_t t = 0; t < e->plan->n_test; t++) {
        const meso_dataset *files = &e->test_lists[t].files;
        double real = (double)files->n_class[MESO_REAL] / (double)files->n_items;
        matrix->constant[t] = real > 0.5 ? real : 1 - real;
        matrix->constant_mse[t] = real * (1 - real);
    }
}

meso_status study_matrix_create(const study_evidence *e, study_matrix *matrix, meso_error *error)
{
    meso_status status = MESO_OK;
    const study_plan *plan = e->plan;
    size_t n_cells = plan->n_train * plan->n_variants * plan->n_test;
    *matrix = (study_matrix){.n_cells = n_cells};
    matrix->cells = calloc(n_cells + 1, sizeof *matrix->cells);
    matrix->constant = calloc(plan->n_test + 1, sizeof *matrix->constant);
    matrix->constant_mse = calloc(plan->n_test + 1, sizeof *matrix->constant_mse);
    MESO_REQUIRE_MEMORY(matrix->cells && matrix->constant && matrix->constant_mse, error);
    fill_constants(e, matrix);
    for (size_t i = 0; i < n_cells; i++) {
        size_t each = plan->n_variants * plan->n_test;
        matrix->cells[i].train = i / each;
        matrix->cells[i].variant = i % each / plan->n_test;
        matrix->cells[i].test = i % plan->n_test;
        MESO_TRY(fill_cell(e, &matrix->cells[i], error));
    }
    MESO_TRY(compare_all(e, matrix, error));
out:
    if (status != MESO_OK)
        study_matrix_free(matrix);
    return status;
}

const char *study_cell_name(const study_plan *plan, size_t train, size_t variant,
                            char name[STUDY_CELL_NAME_SIZE])
{
    snprintf(name, STUDY_CELL_NAME_SIZE, plan->n_variants > 1 ? "%s (%s)" : "%s",
             plan->train[train].name, plan->variants[variant].name);
    return name;
}

void study_matrix_free(study_matrix *matrix)
{
    for (size_t i = 0; matrix->cells && i < matrix->n_cells; i++)
        free(matrix->cells[i].seeds);
    free(matrix->cells);
    free(matrix->comparisons);
    free(matrix->constant);
    free(matrix->constant_mse);
    *matrix = (study_matrix){0};
}

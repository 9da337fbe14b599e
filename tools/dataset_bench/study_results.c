/* SPDX-License-Identifier: Apache-2.0 */
#include "study_results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Reads what jobs have left; those that are missing or damaged are not done. */
static meso_status read_outcomes(db_results *r, meso_error *error)
{
    char path[DB_PATH_SIZE];
    r->n_jobs = study_plan_n_jobs(&r->study->plan);
    r->outcomes = calloc(r->n_jobs, sizeof *r->outcomes);
    r->done = calloc(r->n_jobs, 1);
    MESO_DEMAND_MEMORY(r->outcomes && r->done, error);
    for (size_t job = 0; job < r->n_jobs; job++) {
        db_job_path(r->study, job, "jobs/%s.json", path);
        r->done[job] =
            access(path, F_OK) == 0 && study_outcome_read(path, &r->outcomes[job], NULL) == MESO_OK;
        r->n_done += r->done[job];
    }
    MESO_DEMAND(r->n_done > 0, error, MESO_ERROR_DATA, "%s: no job of this study is done",
                r->study->folder);
    return MESO_OK;
}

/* Do the scores fit the lists that stand there now? */
static meso_status check_outcomes(const db_results *r, meso_error *error)
{
    const study_plan *plan = &r->study->plan;
    for (size_t job = 0; job < r->n_jobs; job++)
        for (size_t i = 0;
             r->done[job] && i < r->outcomes[job].n_tests * r->outcomes[job].n_devices; i++) {
            const study_outcome *o = &r->outcomes[job];
            const study_list *list = &r->study->lists[plan->n_train + i / o->n_devices];
            char path[DB_PATH_SIZE];
            if (o->n_tests != plan->n_test || o->scored[i].n != list->files.n_items)
                return meso_fail(error, MESO_ERROR_DATA,
                                 "%s: does not fit the study's lists; remove it and --resume",
                                 db_job_path(r->study, job, "jobs/%s.json", path));
        }
    return MESO_OK;
}

static meso_status mark_leaks(db_results *r, meso_error *error)
{
    const study_plan *plan = &r->study->plan;
    size_t n = plan->n_train * plan->n_test;
    r->excluded = calloc(n, sizeof *r->excluded);
    MESO_DEMAND_MEMORY(r->excluded, error);
    for (size_t i = 0; i < n; i++) {
        size_t n_items = r->study->lists[plan->n_train + i % plan->n_test].files.n_items;
        r->excluded[i] = calloc(n_items + 1, 1);
        MESO_DEMAND_MEMORY(r->excluded[i], error);
    }
    for (size_t i = 0; i < n; i++) {
        const study_pairs *leaks = &r->study->facts.pairs[i].leaks;
        for (size_t k = 0; k < leaks->n; k++)
            r->excluded[i][leaks->pairs[k].b] = (study_exclusion)(1 + leaks->pairs[k].kind);
    }
    return MESO_OK;
}

/* ---- devices ---- */

static double accuracy_of(const db_results *r, const study_scored *scored,
                          const study_exclusion *mask, const study_list *list)
{
    size_t n = 0, right = 0;
    for (size_t i = 0; i < scored->n; i++) {
        if (scored->p_real[i] < 0 || (mask[i] && !r->study->plan.keep_leaks))
            continue;
        n++;
        right += meso_is_real(scored->p_real[i], 0.5) == (list->files.items[i].label == MESO_REAL);
    }
    return n ? (double)right / (double)n : NAN;
}

static void add_scored(const db_results *r, size_t job, size_t test, size_t device,
                       db_device_row *row, double *images, double *seconds)
{
    const study_plan *plan = &r->study->plan;
    const study_outcome *o = &r->outcomes[job];
    const study_scored *first = &o->scored[test * o->n_devices];
    const study_scored *scored = first + device;
    const study_job what = study_plan_job(plan, job);
    size_t cell = study_cell_index(plan, what.train, what.variant, test);
    row->accuracy[cell] += accuracy_of(r, scored, r->excluded[what.train * plan->n_test + test],
                                       &r->study->lists[plan->n_train + test]) /
                           (double)r->matrix.cells[cell].n_seeds;
    for (size_t i = 0; i < scored->n; i++)
        if (fabs((double)scored->p_real[i] - (double)first->p_real[i]) > row->largest_change)
            row->largest_change = fabs((double)scored->p_real[i] - (double)first->p_real[i]);
    *images += (double)scored->n;
    *seconds += scored->seconds;
    const size_t length = strlen(row->device);
    if (!strstr(row->device, scored->device)) /* of several that share the jobs: all */
        snprintf(row->device + length, sizeof row->device - length, "%s%s", length ? ", " : "",
                 scored->device);
}

static meso_status fill_devices(db_results *r, meso_error *error)
{
    size_t n = 0;
    for (size_t job = 0; job < r->n_jobs; job++)
        if (r->done[job] && (n == 0 || r->outcomes[job].n_devices < n))
            n = r->outcomes[job].n_devices;
    r->devices = calloc(n + 1, sizeof *r->devices);
    MESO_DEMAND_MEMORY(r->devices, error);
    for (size_t d = 0; d < n; d++) {
        db_device_row *row = &r->devices[r->n_devices++];
        double images = 0, seconds = 0;
        row->accuracy = calloc(r->matrix.n_cells + 1, sizeof *row->accuracy);
        MESO_DEMAND_MEMORY(row->accuracy, error);
        for (size_t job = 0; job < r->n_jobs; job++)
            for (size_t t = 0; r->done[job] && t < r->study->plan.n_test; t++)
                add_scored(r, job, t, d, row, &images, &seconds);
        row->images_per_second = images / seconds;
    }
    return MESO_OK;
}

meso_status db_results_create(const db_study *study, db_results *r, meso_error *error)
{
    *r = (db_results){.study = study};
    MESO_CHECK(read_outcomes(r, error));
    MESO_CHECK(check_outcomes(r, error));
    MESO_CHECK(mark_leaks(r, error));
    const study_evidence evidence = {&study->plan, study->lists + study->plan.n_train,
                                     (const study_exclusion *const *)r->excluded, r->outcomes,
                                     r->done};
    MESO_CHECK(study_matrix_create(&evidence, &r->matrix, error));
    MESO_CHECK(study_findings_create(&study->facts, &r->findings, error));
    MESO_CHECK(study_relations_create(&evidence, &study->facts, &r->matrix, &r->relations, error));
    const study_account account = {&evidence, &study->facts, &r->findings, &r->matrix,
                                   &r->relations};
    MESO_CHECK(study_sentences_write(&account, &r->sentences, error));
    return fill_devices(r, error);
}

void db_results_free(db_results *r)
{
    for (size_t i = 0; r->excluded && i < r->study->plan.n_train * r->study->plan.n_test; i++)
        free(r->excluded[i]);
    for (size_t job = 0; r->outcomes && job < r->n_jobs; job++)
        study_outcome_free(&r->outcomes[job]);
    for (size_t d = 0; d < r->n_devices; d++)
        free(r->devices[d].accuracy);
    free(r->excluded);
    free(r->outcomes);
    free(r->done);
    free(r->devices);
    study_matrix_free(&r->matrix);
    study_findings_free(&r->findings);
    study_relations_free(&r->relations);
    study_sentences_free(&r->sentences);
    *r = (db_results){0};
}

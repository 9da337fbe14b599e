/* SPDX-License-Identifier: Apache-2.0
 *
 * The charts of a study's page.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mesocl/metrics.h"
#include "study_results.h"

enum { max_points = 400, name_size = 128 };

/* ---- heat maps ---- */

/* How one quantity is coloured: from what means nothing to what is best. */
typedef struct shade {
    study_quantity quantity;
    const char *name;
    double colour_from, colour_to;
} shade;

static void heat_map(report_html *page, const db_results *r, size_t variant, const shade *s)
{
    const study_plan *plan = &r->study->plan;
    const char *rows[STUDY_MAX_SETS], *columns[STUDY_MAX_SETS];
    char caption[name_size];
    size_t n = plan->n_train * plan->n_test;
    double *values = calloc(3 * n, sizeof *values);
    if (!values) {
        page->body.out_of_memory = 1;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const study_cell *cell =
            &r->matrix.cells[study_cell_index(plan, i / plan->n_test, variant, i % plan->n_test)];
        const study_estimate *e = &cell->quantity[s->quantity];
        values[i] = cell->n_seeds ? e->mean : NAN;
        values[n + i] = cell->n_seeds ? e->low : NAN;
        values[2 * n + i] = cell->n_seeds ? e->high : NAN;
    }
    for (size_t t = 0; t < plan->n_train; t++)
        rows[t] = plan->train[t].name;
    for (size_t t = 0; t < plan->n_test; t++)
        columns[t] = plan->test[t].name;
    snprintf(caption, sizeof caption, "%s%s%s", s->name, plan->n_variants > 1 ? ", " : "",
             plan->n_variants > 1 ? plan->variants[variant].name : "");
    const report_matrix matrix = {
        caption, "trained on", "tested on",    rows, columns,        plan->n_train, plan->n_test,
        values,  values + n,   values + 2 * n, 3,    s->colour_from, s->colour_to};
    report_html_matrix(page, &matrix);
    free(values);
}

void db_study_heat_maps(report_html *page, const db_results *r)
{
    static const shade shades[] = {{STUDY_ACCURACY, "Accuracy", 0.5, 1},
                                   {STUDY_AUC, "AUC", 0.5, 1},
                                   {STUDY_MSE, "MSE", 0.3, 0}};
    for (size_t v = 0; v < r->study->plan.n_variants; v++)
        for (size_t i = 0; i < sizeof shades / sizeof *shades; i++)
            heat_map(page, r, v, &shades[i]);
}

/* ---- curves ---- */

typedef struct curve {
    double x[max_points], y[max_points];
    size_t n;
    char name[STUDY_CELL_NAME_SIZE];
} curve;

/* Mean loss over the seeds that are done. */
static void loss_curve(const db_results *r, size_t train, size_t variant, curve *c)
{
    size_t n = 0;
    *c = (curve){0};
    study_cell_name(&r->study->plan, train, variant, c->name);
    for (size_t s = 0; s < r->study->plan.n_seeds; s++) {
        size_t job = study_job_index(&r->study->plan, train, variant, s);
        const study_outcome *o = &r->outcomes[job];
        if (!r->done[job])
            continue;
        n++;
        c->n = o->n_epochs < max_points ? o->n_epochs : max_points;
        for (size_t e = 0; e < c->n; e++) {
            c->x[e] = (double)e + 1;
            c->y[e] += (o->epochs[e].loss - c->y[e]) / (double)n;
        }
    }
}

/* The first seed's ROC, thinned to what a chart can show. */
static void roc_curve(const db_results *r, size_t train, size_t variant, size_t test, curve *c)
{
    const study_plan *plan = &r->study->plan;
    const study_list *list = &r->study->lists[plan->n_train + test];
    const study_exclusion *mask = r->excluded[train * plan->n_test + test];
    size_t job = study_job_index(plan, train, variant, 0), n = 0, n_points = 0;
    double *p = calloc(2 * list->files.n_items + 1, sizeof *p);
    unsigned char *real = calloc(list->files.n_items + 1, 1);
    meso_roc_point *points = NULL;
    *c = (curve){0};
    study_cell_name(&r->study->plan, train, variant, c->name);
    for (size_t i = 0; p && real && r->done[job] && i < list->files.n_items; i++) {
        const study_outcome *o = &r->outcomes[job];
        double value = (double)o->scored[test * o->n_devices].p_real[i];
        if (value < 0 || (mask[i] && !plan->keep_leaks))
            continue;
        p[n] = value;
        p[list->files.n_items + n] = 1 - value;
        real[n++] = list->files.items[i].label == MESO_REAL;
    }
    const meso_scores scores = {p, p + list->files.n_items, real, NULL, n};
    if (n > 0 && meso_metrics_roc(&scores, &points, sizeof *points, &n_points, NULL) == MESO_OK)
        for (size_t k = 0; k < n_points && k < max_points; k++) {
            size_t at = n_points <= max_points ? k : k * (n_points - 1) / (max_points - 1);
            c->x[k] = points[at].false_positive_rate;
            c->y[k] = points[at].true_positive_rate;
            c->n = k + 1;
        }
    meso_free(points);
    free(real);
    free(p);
}

static void draw(report_html *page, const report_chart *frame, const curve *curves, size_t n)
{
    report_series *series = calloc(n + 1, sizeof *series);
    report_chart chart = *frame;
    size_t n_series = 0;
    for (size_t i = 0; series && i < n; i++)
        if (curves[i].n > 0)
            series[n_series++] = (report_series){.name = curves[i].name,
                                                 .style = REPORT_SERIES_LINE,
                                                 .x = curves[i].x,
                                                 .y = curves[i].y,
                                                 .n = curves[i].n};
    chart.series = series;
    chart.n_series = n_series;
    if (n_series > 0)
        report_html_chart(page, &chart);
    page->body.out_of_memory |= !series;
    free(series);
}

/* The one of all variants. */
static const char *loss_name(const study_plan *plan)
{
    static const char *const names[] = {
        [MESO_LOSS_MSE] = "mse", [MESO_LOSS_BCE] = "bce", [MESO_LOSS_CCE] = "cce"};
    for (size_t v = 1; v < plan->n_variants; v++)
        if (plan->variants[v].options.loss != plan->variants[0].options.loss)
            return "loss";
    return names[plan->variants[0].options.loss];
}

void db_study_curves(report_html *page, const db_results *r)
{
    const study_plan *plan = &r->study->plan;
    size_t n = plan->n_train * plan->n_variants;
    curve *curves = calloc(n, sizeof *curves);
    char title[name_size];
    if (!curves) {
        page->body.out_of_memory = 1;
        return;
    }
    for (size_t i = 0; i < n; i++)
        loss_curve(r, i / plan->n_variants, i % plan->n_variants, &curves[i]);
    const report_chart loss = {.title = "Training loss, mean over seeds",
                               .x = {.title = "epoch"},
                               .y = {.title = loss_name(plan)}};
    draw(page, &loss, curves, n);
    for (size_t t = 0; t < plan->n_test; t++) {
        for (size_t i = 0; i < n; i++)
            roc_curve(r, i / plan->n_variants, i % plan->n_variants, t, &curves[i]);
        snprintf(title, sizeof title, "ROC on %s, first seed", plan->test[t].name);
        const report_chart roc = {.title = title,
                                  .x = {"fakes called real", 0, 0, 1},
                                  .y = {"reals called real", 0, 0, 1},
                                  .square = 1};
        draw(page, &roc, curves, n);
    }
    free(curves);
}

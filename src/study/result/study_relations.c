/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_relations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char *study_aspect_name(study_aspect aspect)
{
    static const char *const names[STUDY_N_ASPECTS] = {"mean", "deviation", "gap between classes"};
    return names[aspect];
}

static double aspect_of(const study_set_facts *set, study_property p, study_aspect aspect)
{
    double a = set->deviation[0][p], b = set->deviation[1][p];
    switch (aspect) {
    case STUDY_ASPECT_MEAN:
        return set->mean[STUDY_BOTH][p];
    case STUDY_ASPECT_DEVIATION:
        return set->deviation[STUDY_BOTH][p];
    default:
        return fabs(set->mean[0][p] - set->mean[1][p]) / sqrt((a * a + b * b) / 2);
    }
}

/* The standard error that an interval of Student's t stands for, roughly. */
static double error_of(study_estimate e)
{
    return (e.high - e.low) / 4;
}

/* Correlates one aspect of one property with the accuracies on a test set. Values that are not
 * there make no link. */
static meso_status add_link(const study_evidence *e, const study_facts *facts,
                            const study_matrix *matrix, study_link link, study_relations *f,
                            meso_error *error)
{
    double x[STUDY_MAX_SETS], y[STUDY_MAX_SETS], y_error[STUDY_MAX_SETS];
    size_t n = e->plan->n_train;
    for (size_t t = 0; t < n; t++) {
        const study_cell *cell = &matrix->cells[study_cell_index(e->plan, t, 0, link.test)];
        x[t] = aspect_of(&facts->sets[t], link.property, link.aspect);
        y[t] = cell->n_seeds ? cell->quantity[STUDY_ACCURACY].mean : NAN;
        y_error[t] = cell->n_seeds ? error_of(cell->quantity[STUDY_ACCURACY]) : NAN;
        if (!isfinite(x[t]) || !isfinite(y[t]) || !isfinite(y_error[t]))
            return MESO_OK;
    }
    meso_status status = study_rank_correlate(x, y, y_error, n, 1, &link.correlation, error);
    if (status == MESO_OK && isfinite(link.correlation.rho))
        f->links[f->n_links++] = link;
    return status;
}

static int compare_links(const void *left, const void *right)
{
    const study_link *a = left, *b = right;
    double x = fabs(a->correlation.rho), y = fabs(b->correlation.rho);
    if (a->test != b->test)
        return a->test < b->test ? -1 : 1;
    if (x != y)
        return x < y ? 1 : -1;
    if (a->property != b->property)
        return a->property < b->property ? -1 : 1;
    return (int)a->aspect - (int)b->aspect;
}

static meso_status link_all(const study_evidence *e, const study_facts *facts,
                            const study_matrix *matrix, study_relations *f, meso_error *error)
{
    size_t n = e->plan->n_test * STUDY_N_PROPERTIES * STUDY_N_ASPECTS;
    f->links = calloc(n, sizeof *f->links);
    MESO_DEMAND_MEMORY(f->links, error);
    for (size_t i = 0; i < n && e->plan->n_train >= 3; i++) {
        size_t each = STUDY_N_PROPERTIES * STUDY_N_ASPECTS;
        const study_link link = {.test = i / each,
                                 .property = (study_property)(i % each / STUDY_N_ASPECTS),
                                 .aspect = (study_aspect)(i % STUDY_N_ASPECTS)};
        MESO_CHECK(add_link(e, facts, matrix, link, f, error));
    }
    qsort(f->links, f->n_links, sizeof *f->links, compare_links);
    return MESO_OK;
}

/* The mean of what the nets say, each of which was trained on another set. */
static void average_features(const study_evidence *e, const study_facts *facts, study_distance *d)
{
    double sum = 0;
    for (size_t job = 0; job < study_plan_n_jobs(e->plan); job++) {
        const study_outcome *o = &e->outcomes[job];
        for (size_t i = 0; e->done[job] && i < o->n_distances; i++) {
            if (strcmp(o->distances[i].a, facts->sets[d->a].name) != 0 ||
                strcmp(o->distances[i].b, facts->sets[d->b].name) != 0)
                continue;
            sum += o->distances[i].squared;
            d->n_images = o->distances[i].n;
            d->n_nets++;
        }
    }
    d->features = d->n_nets ? sum / (double)d->n_nets : NAN;
}

static meso_status measure_distances(const study_evidence *e, const study_facts *facts,
                                     study_relations *f, meso_error *error)
{
    size_t n = facts->n_sets;
    f->distances = calloc(n * n, sizeof *f->distances);
    if (!f->distances)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) {
            study_distance *d = &f->distances[f->n_distances++];
            *d = (study_distance){.a = a,
                                  .b = b,
                                  .property =
                                      study_property_distance(&facts->sets[a], &facts->sets[b])};
            average_features(e, facts, d);
        }
    return MESO_OK;
}

meso_status study_relations_create(const study_evidence *evidence, const study_facts *facts,
                                   const study_matrix *matrix, study_relations *relations,
                                   meso_error *error)
{
    meso_status status = MESO_OK;
    *relations = (study_relations){0};
    MESO_TRY(link_all(evidence, facts, matrix, relations, error));
    MESO_TRY(measure_distances(evidence, facts, relations, error));
out:
    if (status != MESO_OK)
        study_relations_free(relations);
    return status;
}

void study_relations_free(study_relations *relations)
{
    free(relations->links);
    free(relations->distances);
    *relations = (study_relations){0};
}

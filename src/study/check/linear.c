/* SPDX-License-Identifier: Apache-2.0
 *
 * Ridge regression of ±1 on a standardised view, by its normal equations. Sums are kept for each
 * fold, so that leaving one out costs a subtraction.
 */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "study/check/shortcut.h"

enum { n_folds = 5, max_features = STUDY_THUMB_PIXELS };
static const double ridge = 0.01; /* of the number of images: standardised features weigh n */

const struct study_view_row study_views[STUDY_N_VIEWS] = {{"properties", "all properties"},
                                                          {"framing", "16×16 grey thumbnail"}};

/* Moments of the features and the target over some images; the target's mean is left out by giving
 * both classes the same weight. */
typedef struct sums {
    double n_class[2];
    double *of_class[2]; /* [features] */
    double *products[2]; /* [features][features], lower triangle */
} sums;

struct study_linear {
    study_view view;
    size_t n;
    double mean[max_features], scale[max_features], weight[max_features];
};

static size_t features_of(study_view view)
{
    return view == STUDY_VIEW_FRAMING ? STUDY_THUMB_PIXELS : STUDY_N_PROPERTIES;
}

/* What a file does not have (a JPEG quality) is as far from any value as can be told: 0. */
static void look_at(const study_image *image, study_view view, double *features)
{
    for (size_t k = 0; k < features_of(view); k++) {
        double v = view == STUDY_VIEW_FRAMING ? image->thumb[k] : image->property[k];
        features[k] = isnan(v) ? 0 : v;
    }
}

static int sums_create(sums *s, size_t n)
{
    *s = (sums){0};
    for (int label = 0; label < 2; label++) {
        s->of_class[label] = calloc(n, sizeof(double));
        s->products[label] = calloc(n * n, sizeof(double));
    }
    return s->of_class[0] && s->of_class[1] && s->products[0] && s->products[1];
}

static void sums_free(sums *s)
{
    for (int label = 0; label < 2; label++) {
        free(s->of_class[label]);
        free(s->products[label]);
    }
}

static void sums_add(sums *s, size_t n, int label, const double *x)
{
    s->n_class[label]++;
    for (size_t i = 0; i < n; i++) {
        double *row = s->products[label] + i * n;
        s->of_class[label][i] += x[i];
        for (size_t k = 0; k <= i; k++)
            row[k] += x[i] * x[k];
    }
}

/* to = all − without (NULL: all). */
static void sums_without(const sums *all, const sums *without, size_t n, sums *to)
{
    for (int label = 0; label < 2; label++) {
        to->n_class[label] = all->n_class[label] - (without ? without->n_class[label] : 0);
        for (size_t i = 0; i < n; i++)
            to->of_class[label][i] =
                all->of_class[label][i] - (without ? without->of_class[label][i] : 0);
        for (size_t i = 0; i < n * n; i++)
            to->products[label][i] =
                all->products[label][i] - (without ? without->products[label][i] : 0);
    }
}

/* Mean and scale of each feature, both classes of equal weight. */
static void standardise(const sums *s, study_linear *l)
{
    for (size_t i = 0; i < l->n; i++) {
        double mean = 0, square = 0;
        for (int label = 0; label < 2; label++) {
            mean += s->of_class[label][i] / s->n_class[label] / 2;
            square += s->products[label][i * l->n + i] / s->n_class[label] / 2;
        }
        double variance = square - mean * mean;
        l->mean[i] = mean;
        /* What does not vary, but for rounding, takes no part. */
        l->scale[i] = variance > 1e-9 * (1 + mean * mean) ? 1 / sqrt(variance) : 0;
    }
}

/* (X'X + ridge) w = X'y of the standardised features, class weights 1/2 each. */
static meso_status solve(const sums *s, study_linear *l, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = l->n;
    double *matrix = calloc(n * n, sizeof *matrix);
    MESO_REQUIRE_MEMORY(matrix, error);
    standardise(s, l);
    for (size_t i = 0; i < n; i++) {
        double means[2] = {s->of_class[0][i] / s->n_class[0], s->of_class[1][i] / s->n_class[1]};
        l->weight[i] = l->scale[i] * (means[MESO_REAL] - means[MESO_FAKE]) / 2;
        for (size_t k = 0; k <= i; k++) {
            double product = s->products[0][i * n + k] / s->n_class[0] / 2 +
                             s->products[1][i * n + k] / s->n_class[1] / 2;
            matrix[i * n + k] = l->scale[i] * l->scale[k] * (product - l->mean[i] * l->mean[k]);
        }
        matrix[i * n + i] += ridge;
    }
    lapack_int info =
        LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, 1, matrix, (lapack_int)n, l->weight, 1);
    MESO_REQUIRE(info == 0, error, MESO_ERROR_INTERNAL, "LAPACKE_dposv: %d", (int)info);
out:
    free(matrix);
    return status;
}

static meso_status check_classes(const study_dataset *dataset, meso_error *error)
{
    MESO_DEMAND(dataset->n_usable[0] > 0 && dataset->n_usable[1] > 0, error, MESO_ERROR_DATA,
                "a linear classifier needs usable images of both classes: there are %zu fake and "
                "%zu real",
                dataset->n_usable[0], dataset->n_usable[1]);
    return MESO_OK;
}

meso_status study_linear_fit(const study_dataset *dataset, study_view view, study_linear **linear,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    double features[max_features];
    sums all = {0};
    study_linear *l = calloc(1, sizeof *l);
    MESO_TRY(check_classes(dataset, error));
    MESO_REQUIRE_MEMORY(l, error);
    l->view = view;
    l->n = features_of(view);
    MESO_REQUIRE_MEMORY(sums_create(&all, l->n), error);
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        if (!study_usable(dataset, i))
            continue;
        look_at(&dataset->images[i], view, features);
        sums_add(&all, l->n, (int)dataset->files.items[i].label, features);
    }
    MESO_TRY(solve(&all, l, error));
    *linear = l;
    l = NULL;
out:
    sums_free(&all);
    free(l);
    return status;
}

void study_linear_free(study_linear *linear)
{
    free(linear);
}

double study_linear_score(const study_linear *linear, const study_image *image)
{
    double features[max_features], value = 0;
    look_at(image, linear->view, features);
    for (size_t i = 0; i < linear->n; i++)
        value += linear->weight[i] * linear->scale[i] * (features[i] - linear->mean[i]);
    return 1 / (1 + exp(-2 * value)); /* ±1 are its targets: 0.12 and 0.88 */
}

/* Groups are dealt out one by one; without, each class is cut into runs. */
static void deal(const study_dataset *dataset, const meso_groups *groups, unsigned char *fold)
{
    size_t seen[2] = {0};
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        meso_label label = dataset->files.items[i].label;
        fold[i] = groups->of_item
                      ? (unsigned char)(groups->of_item[i] % n_folds)
                      : (unsigned char)(seen[label]++ * n_folds / dataset->files.n_class[label]);
    }
}

static meso_status add_folds(const study_dataset *dataset, study_view view,
                             const unsigned char *fold, sums folds[n_folds + 1], meso_error *error)
{
    double features[max_features];
    size_t n = features_of(view);
    for (int f = 0; f <= n_folds; f++)
        MESO_DEMAND_MEMORY(sums_create(&folds[f], n), error);
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        if (!study_usable(dataset, i))
            continue;
        look_at(&dataset->images[i], view, features);
        sums_add(&folds[fold[i]], n, (int)dataset->files.items[i].label, features);
    }
    for (int f = 0; f < n_folds; f++) /* the last is all of them */
        for (int label = 0; label < 2; label++) {
            folds[n_folds].n_class[label] += folds[f].n_class[label];
            for (size_t i = 0; i < n; i++)
                folds[n_folds].of_class[label][i] += folds[f].of_class[label][i];
            for (size_t i = 0; i < n * n; i++)
                folds[n_folds].products[label][i] += folds[f].products[label][i];
        }
    return MESO_OK;
}

meso_status study_linear_validate(const study_dataset *dataset, study_view view, size_t n_resamples,
                                  uint64_t seed, double *value, meso_interval *interval,
                                  meso_error *error)
{
    meso_status status = MESO_OK;
    sums folds[n_folds + 1] = {{{0}, {0}, {0}}}, rest = {0};
    study_linear l = {.view = view, .n = features_of(view)};
    study_auc auc = {0};
    unsigned char *fold = calloc(dataset->files.n_items + 1, 1);
    MESO_REQUIRE_MEMORY(fold, error);
    MESO_TRY(check_classes(dataset, error));
    MESO_TRY(study_auc_create(dataset, &auc, error));
    deal(dataset, &auc.groups, fold);
    MESO_TRY(add_folds(dataset, view, fold, folds, error));
    MESO_REQUIRE_MEMORY(sums_create(&rest, l.n), error);
    for (int f = 0; f < n_folds; f++) {
        sums_without(&folds[n_folds], &folds[f], l.n, &rest);
        if (rest.n_class[0] < 1 || rest.n_class[1] < 1)
            continue; /* nothing to learn from: its images stay out */
        MESO_TRY(solve(&rest, &l, error));
        for (size_t i = 0; i < dataset->files.n_items; i++)
            if (fold[i] == f && study_usable(dataset, i))
                study_auc_add(&auc, dataset, i, study_linear_score(&l, &dataset->images[i]));
    }
    MESO_TRY(study_auc_measure(&auc, n_resamples, seed, value, interval, error));
out:
    for (int f = 0; f <= n_folds; f++)
        sums_free(&folds[f]);
    sums_free(&rest);
    study_auc_free(&auc);
    free(fold);
    return status;
}

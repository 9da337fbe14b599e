/* SPDX-License-Identifier: Apache-2.0
 *
 * Why: which properties go with the ranking of the training sets, and how far sets lie apart.
 */
#ifndef MESO_STUDY_STUDY_RELATIONS_H
#define MESO_STUDY_STUDY_RELATIONS_H

#include "maths/maths.h"
#include "study/result/study_facts.h"
#include "study/result/study_matrix.h"

/* What of a property is correlated with accuracy. */
typedef enum study_aspect {
    STUDY_ASPECT_MEAN,
    STUDY_ASPECT_DEVIATION,
    STUDY_ASPECT_GAP, /* between the classes, in pooled standard deviations, whatever its sign */
    STUDY_N_ASPECTS
} study_aspect;
const char *study_aspect_name(study_aspect aspect); /* "mean", "deviation", "gap between classes" */

typedef struct study_link {
    size_t test; /* accuracy of the first variant on this test set */
    study_property property;
    study_aspect aspect;
    study_rank_correlation correlation;
} study_link;

/* Between two sets, numbered as in the facts. */
typedef struct study_distance {
    size_t a, b;
    double property; /* study_property_distance */
    double features; /* Fréchet, mean over the nets that were asked; NaN: none was */
    size_t n_nets, n_images;
} study_distance;

typedef struct study_relations {
    study_link *links; /* by test set, the strongest first; empty with fewer than three sets */
    size_t n_links;
    study_distance *distances;
    size_t n_distances;
} study_relations;

/* Errors: MEMORY. */
meso_status study_relations_create(const study_evidence *evidence, const study_facts *facts,
                                   const study_matrix *matrix, study_relations *relations,
                                   meso_error *error);
void study_relations_free(study_relations *relations);

#endif

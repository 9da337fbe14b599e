/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings by name: what belongs together, in whichever class it stands.
 */
#ifndef MESO_STUDY_GROUP_H
#define MESO_STUDY_GROUP_H

#include "study/scan/study_scan.h"

/* A name, and the images of each class that bear it. */
typedef struct study_group {
    const char *name;
    size_t n_class[2];
} study_group;

typedef struct study_groups {
    study_group *groups; /* by name */
    size_t n;            /* 0: the dataset has no groups */
    size_t *of_item;     /* [n_items] position in groups; NULL without groups */
    size_t n_in_both;    /* groups with images of both classes */
} study_groups;

/* Errors: MEMORY. */
meso_status study_groups_create(const meso_dataset *files, study_groups *groups, meso_error *error);
void study_groups_free(study_groups *groups);

#endif

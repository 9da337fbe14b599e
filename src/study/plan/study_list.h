/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a dataset as a study uses them, kept as CSV in the study's folder: jobs read it, and
 * a study that goes on later sees by it whether the dataset is still the same.
 */
#ifndef MESO_STUDY_STUDY_LIST_H
#define MESO_STUDY_STUDY_LIST_H

#include "mesocl/dataset.h"
#include "study/scan/study_scan.h"

typedef struct study_list {
    meso_dataset files;  /* usable images only, in the dataset's order */
    char (*hash)[33];    /* [n_items] of the file's bytes */
    unsigned char *used; /* [n_items] 1: takes part; 0: dropped so that all sets are of one size */
    size_t n_used[2];    /* of each class */
    size_t *group;       /* [n_items] number of the recording, class apart; NULL without groups */
    char content_hash[33]; /* of files, classes, groups and hashes, not of use */
} study_list;

/* From a scan. per_class: how many images of each class are used, drawn by the hash of their
 * content, so that the choice does not depend on names or order; (size_t)−1: all. Errors: MEMORY.
 */
meso_status study_list_create(const study_dataset *dataset, const size_t per_class[2],
                              study_list *list, meso_error *error);
meso_status study_list_write(const study_list *list, const char *path, meso_error *error);
/* The rows that are used, as a manifest that can be trained on. */
meso_status study_list_write_manifest(const study_list *list, const char *path, meso_error *error);
/* Errors: NO_INPUT, IO, DATA (with the line), MEMORY. */
meso_status study_list_read(const char *path, study_list *list, meso_error *error);
void study_list_free(study_list *list); /* zeroed is allowed */

/* DATA with a sentence where the lists are not the same: what was added, removed or changed. `name`
 * is what the sentence calls the dataset. */
meso_status study_list_compare(const study_list *before, const study_list *now, const char *name,
                               meso_error *error);

#endif

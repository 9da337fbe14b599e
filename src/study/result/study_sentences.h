/* SPDX-License-Identifier: Apache-2.0
 *
 * The results of a study in words. Each sentence is a figure with its interval or a count, and what
 * follows from it; where nothing follows, it says so.
 */
#ifndef MESO_STUDY_STUDY_SENTENCES_H
#define MESO_STUDY_STUDY_SENTENCES_H

#include "study/result/study_findings.h"
#include "study/result/study_relations.h"

/* What is known when a study is done. Nothing here is owned. */
typedef struct study_account {
    const study_evidence *evidence;
    const study_facts *facts;
    const study_findings *findings;
    const study_matrix *matrix;
    const study_relations *relations;
} study_account;

typedef struct study_sentences {
    char **lines;
    size_t n;
} study_sentences;

/* Errors: MEMORY. */
meso_status study_sentences_write(const study_account *account, study_sentences *sentences,
                                  meso_error *error);
void study_sentences_free(study_sentences *sentences);

#endif

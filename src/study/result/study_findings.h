/* SPDX-License-Identifier: Apache-2.0
 *
 * What a reader of the facts must not miss, and its sentences: the warnings of `dataset_bench
 * check` and of a study.
 */
#ifndef MESO_STUDY_STUDY_FINDINGS_H
#define MESO_STUDY_STUDY_FINDINGS_H

#include "base/text.h"
#include "study/result/study_facts.h"

/* The gravest first. Numbers of each: */
typedef enum study_finding_kind {
    STUDY_SHORTCUT,         /* property; AUC, low, high; 1: higher in reals */
    STUDY_FRAMING,          /* AUC, low, high */
    STUDY_LABEL_CONFLICT,   /* pairs: same file or pixels, near */
    STUDY_MIXED_RECORDING,  /* recordings in both classes, all recordings */
    STUDY_LEAKAGE,          /* images: same file, same pixels, near; of these, with another label */
    STUDY_SHARED_RECORDING, /* recordings; images that no other kind of leakage has */
    STUDY_DUPLICATE,        /* pairs: same file, same pixels */
    STUDY_NEAR_DUPLICATE,   /* pairs */
    STUDY_REFUSED,          /* files */
    STUDY_IMBALANCE,        /* share of the larger class; 1: these are reals */
    STUDY_N_FINDING_KINDS
} study_finding_kind;

enum { STUDY_NO_SET = -1 };

typedef struct study_finding {
    study_finding_kind kind;
    int set, other; /* as the facts number them; other: of leakage and shared recordings */
    double number[5];
} study_finding;

typedef struct study_findings {
    study_finding *rows; /* by kind, shortcuts by their AUC */
    size_t n;
} study_findings;

/* Errors: MEMORY. */
meso_status study_findings_create(const study_facts *facts, study_findings *findings,
                                  meso_error *error);
void study_findings_free(study_findings *findings); /* zeroed is allowed */

const char *study_finding_name(study_finding_kind kind); /* "shortcut", "label_conflict", … */

/* Appends what a finding says, without names of sets and without a full stop. */
void study_finding_say(const study_finding *finding, meso_text *out);

#endif

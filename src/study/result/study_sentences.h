/* SPDX-License-Identifier: Apache-2.0
 *
 * The findings in words. Each sentence is a figure with its interval or a count, and what follows
 * from it; where nothing follows, it says so.
 */
#ifndef MESO_STUDY_STUDY_SENTENCES_H
#define MESO_STUDY_STUDY_SENTENCES_H

#include "study/result/study_findings.h"

/* Fills findings->sentences. Errors: MEMORY. */
meso_status study_sentences_write(const study_evidence *evidence, const study_facts *facts,
                                  const study_matrix *matrix, study_findings *findings,
                                  meso_error *error);

#endif

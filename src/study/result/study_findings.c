/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_findings.h"

#include <stdlib.h>

#include "base/error.h"
#include "data/list/labels.h"

static const double imbalanced_above = 0.6;

/* ---- finding -----------------------------------------------------------------------------------
 */

static void add(study_findings *f, int found, study_finding row)
{
    if (found)
        f->rows[f->n++] = row;
}

/* Of equals first what the making of a file gives away. */
static int compare_shortcuts(const void *left, const void *right)
{
    const study_finding *a = left, *b = right;
    int p = (int)a->number[0], q = (int)b->number[0];
    if (a->number[1] != b->number[1])
        return a->number[1] > b->number[1] ? -1 : 1;
    if (study_properties[p].of_file != study_properties[q].of_file)
        return study_properties[q].of_file - study_properties[p].of_file;
    return a->set != b->set ? a->set - b->set : p - q;
}

static void find_shortcuts(const study_facts *facts, study_findings *f)
{
    for (size_t s = 0; s < facts->n_sets; s++)
        for (size_t i = 0; i < facts->sets[s].n_shortcuts; i++) {
            const study_shortcut *c = &facts->sets[s].shortcuts[i];
            add(f, c->warn,
                (study_finding){
                    STUDY_SHORTCUT,
                    (int)s,
                    STUDY_NO_SET,
                    {c->property, c->auc, c->interval.low, c->interval.high, c->real_is_higher}});
        }
    qsort(f->rows, f->n, sizeof *f->rows, compare_shortcuts);
    for (size_t s = 0; s < facts->n_sets; s++) {
        const meso_interval *interval = &facts->sets[s].view_interval[STUDY_VIEW_FRAMING];
        add(f, study_is_shortcut(*interval),
            (study_finding){
                STUDY_FRAMING,
                (int)s,
                STUDY_NO_SET,
                {facts->sets[s].view_auc[STUDY_VIEW_FRAMING], interval->low, interval->high}});
    }
}

/* A finding of one set that is there where its first number or its second is not 0. */
static void add_counts(study_findings *f, study_finding_kind kind, size_t set, size_t a, size_t b)
{
    add(f, a + b > 0, (study_finding){kind, (int)set, STUDY_NO_SET, {(double)a, (double)b}});
}

static void find_conflicts(const study_facts *facts, study_findings *f)
{
    for (size_t s = 0; s < facts->n_sets; s++)
        add_counts(f, STUDY_LABEL_CONFLICT, s, facts->sets[s].n_conflicts,
                   facts->sets[s].n_near_conflicts);
    for (size_t s = 0; s < facts->n_sets; s++)
        if (facts->sets[s].recordings.n_in_both > 0)
            add_counts(f, STUDY_MIXED_RECORDING, s, facts->sets[s].recordings.n_in_both,
                       facts->sets[s].recordings.n);
}

static void find_leakage(const study_facts *facts, study_findings *f)
{
    for (size_t i = 0; i < facts->n_pairs; i++) {
        const study_pair_facts *p = &facts->pairs[i];
        const size_t *n = p->n_leaks;
        int a = (int)p->a, b = (int)p->b;
        add(f, n[STUDY_SAME_FILE] + n[STUDY_SAME_PIXELS] + n[STUDY_NEAR] > 0,
            (study_finding){STUDY_LEAKAGE,
                            a,
                            b,
                            {(double)n[STUDY_SAME_FILE], (double)n[STUDY_SAME_PIXELS],
                             (double)n[STUDY_NEAR], (double)p->n_conflicts}});
        add(f, p->n_shared_recordings > 0,
            (study_finding){STUDY_SHARED_RECORDING,
                            a,
                            b,
                            {(double)p->n_shared_recordings, (double)n[STUDY_SAME_RECORDING]}});
    }
}

static void find_rest(const study_facts *facts, study_findings *f)
{
    for (size_t s = 0; s < facts->n_sets; s++) {
        const study_set_facts *set = &facts->sets[s];
        double share = study_largest_share(set);
        add_counts(f, STUDY_DUPLICATE, s, set->n_duplicates[STUDY_SAME_FILE],
                   set->n_duplicates[STUDY_SAME_PIXELS]);
        add_counts(f, STUDY_NEAR_DUPLICATE, s, set->n_duplicates[STUDY_NEAR], 0);
        add_counts(f, STUDY_REFUSED, s, set->n_unusable, 0);
        add(f, share > imbalanced_above,
            (study_finding){STUDY_IMBALANCE,
                            (int)s,
                            STUDY_NO_SET,
                            {share, set->n_usable[MESO_REAL] > set->n_usable[MESO_FAKE]}});
    }
}

meso_status study_findings_create(const study_facts *facts, study_findings *findings,
                                  meso_error *error)
{
    size_t room = facts->n_sets * (STUDY_N_PROPERTIES + STUDY_N_FINDING_KINDS) + 2 * facts->n_pairs;
    *findings = (study_findings){.rows = calloc(room + 1, sizeof *findings->rows)};
    if (!findings->rows)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    find_shortcuts(facts, findings);
    find_conflicts(facts, findings);
    find_leakage(facts, findings);
    find_rest(facts, findings);
    return MESO_OK;
}

void study_findings_free(study_findings *findings)
{
    free(findings->rows);
    *findings = (study_findings){0};
}

/* ---- saying ------------------------------------------------------------------------------------
 */

const char *study_finding_name(study_finding_kind kind)
{
    static const char *const names[STUDY_N_FINDING_KINDS] = {
        "shortcut", "framing",          "label_conflict", "recording_in_both_classes",
        "leak",     "shared_recording", "duplicate",      "near_duplicate",
        "refused",  "imbalance"};
    return names[kind];
}

void study_finding_say(const study_finding *f, meso_text *out)
{
    const double *n = f->number;
    switch (f->kind) {
    case STUDY_SHORTCUT:
        meso_text_format(out,
                         "the label can be predicted from %s alone: AUC %.3f (95 %% CI %.3f to "
                         "%.3f), higher in %ss",
                         study_properties[(int)n[0]].title, n[1], n[2], n[3],
                         meso_label_name((meso_label)n[4]));
        break;
    case STUDY_FRAMING:
        meso_text_format(out,
                         "the label can be predicted from framing and background: a linear "
                         "classifier on 16x16 grey thumbnails has AUC %.3f (95 %% CI %.3f to %.3f)",
                         n[0], n[1], n[2]);
        break;
    case STUDY_LABEL_CONFLICT:
        meso_text_format(out, "%.0f duplicate and %.0f near-duplicate pairs have different labels",
                         n[0], n[1]);
        break;
    case STUDY_MIXED_RECORDING:
        meso_text_format(out,
                         "recordings with images in both classes: %.0f of %.0f; split by recording",
                         n[0], n[1]);
        break;
    case STUDY_LEAKAGE:
        meso_text_format(out,
                         "images of the second set that are also in the first: %.0f (%.0f same "
                         "file, %.0f same pixels, %.0f near), %.0f with another label",
                         n[0] + n[1] + n[2], n[0], n[1], n[2], n[3]);
        break;
    case STUDY_SHARED_RECORDING:
        meso_text_format(out, "recordings in both sets: %.0f, with %.0f other images of the second",
                         n[0], n[1]);
        break;
    case STUDY_DUPLICATE:
        meso_text_format(out, "duplicate pairs: %.0f (%.0f same file, %.0f same pixels)",
                         n[0] + n[1], n[0], n[1]);
        break;
    case STUDY_NEAR_DUPLICATE:
        meso_text_format(out,
                         "near-duplicate pairs: %.0f (re-encoded, scaled or mirrored images, or "
                         "neighbouring frames)",
                         n[0]);
        break;
    case STUDY_REFUSED:
        meso_text_format(out, "unusable files: %.0f", n[0]);
        break;
    default:
        meso_text_format(out, "class imbalance: %.1f %% of the images are %s", 100 * n[0],
                         meso_label_name((meso_label)n[1]));
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_findings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/list/labels.h"

static const double imbalanced_above = 0.6;

/* ---- finding ---- */

static void add(study_findings *f, int found, study_finding_kind kind, size_t set,
                const double number[5])
{
    if (!found)
        return;
    f->rows[f->n] = (study_finding){kind, (int)set, STUDY_NO_SET, {0}};
    memcpy(f->rows[f->n++].number, number, sizeof f->rows[0].number);
}

#define NUMBERS(...)  \
    (const double[5]) \
    {                 \
        __VA_ARGS__   \
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
    for (size_t s = 0; s < facts->n_checked; s++)
        for (size_t i = 0; i < facts->sets[s].n_shortcuts; i++) {
            const study_shortcut *c = &facts->sets[s].shortcuts[i];
            add(f, c->warn, STUDY_SHORTCUT, s,
                NUMBERS(c->property, c->auc, c->interval.low, c->interval.high, c->real_is_higher));
        }
    qsort(f->rows, f->n, sizeof *f->rows, compare_shortcuts);
    for (size_t s = 0; s < facts->n_checked; s++) {
        const meso_interval interval = facts->sets[s].view_interval[STUDY_VIEW_FRAMING];
        double auc = facts->sets[s].view_auc[STUDY_VIEW_FRAMING];
        add(f, study_is_shortcut(interval), STUDY_FRAMING, s,
            NUMBERS(auc, interval.low, interval.high));
    }
}

static void find_conflicts(const study_facts *facts, study_findings *f)
{
    for (size_t s = 0; s < facts->n_checked; s++) {
        double same = (double)facts->sets[s].n_conflicts;
        double near = (double)facts->sets[s].n_near_conflicts;
        add(f, same + near > 0, STUDY_LABEL_CONFLICT, s, NUMBERS(same, near));
    }
    for (size_t s = 0; s < facts->n_checked; s++) {
        const meso_groups *g = &facts->sets[s].recordings;
        add(f, g->n_in_both > 0, STUDY_MIXED_RECORDING, s,
            NUMBERS((double)g->n_in_both, (double)g->n));
    }
}

static void add_pair(study_findings *f, study_finding_kind kind, const study_pair_facts *p,
                     const double number[5])
{
    add(f, 1, kind, p->a, number);
    f->rows[f->n - 1].other = (int)p->b;
}

static void find_leakage(const study_facts *facts, study_findings *f)
{
    for (size_t i = 0; i < facts->n_pairs; i++) {
        const study_pair_facts *p = &facts->pairs[i];
        const size_t *n = p->n_leaks;
        if (n[STUDY_SAME_FILE] + n[STUDY_SAME_PIXELS] + n[STUDY_NEAR] > 0)
            add_pair(f, STUDY_LEAKAGE, p,
                     NUMBERS((double)n[STUDY_SAME_FILE], (double)n[STUDY_SAME_PIXELS],
                             (double)n[STUDY_NEAR], (double)p->n_conflicts));
        if (p->n_shared_recordings > 0)
            add_pair(f, STUDY_SHARED_RECORDING, p,
                     NUMBERS((double)p->n_shared_recordings, (double)n[STUDY_SAME_RECORDING]));
    }
}

static void find_rest(const study_facts *facts, study_findings *f)
{
    for (size_t s = 0; s < facts->n_checked; s++) {
        const study_set_facts *set = &facts->sets[s];
        double same_file = (double)set->n_duplicates[STUDY_SAME_FILE];
        double same_pixels = (double)set->n_duplicates[STUDY_SAME_PIXELS];
        double near = (double)set->n_duplicates[STUDY_NEAR], share = study_largest_share(set);
        int is_real = set->n_usable[MESO_REAL] > set->n_usable[MESO_FAKE];
        add(f, same_file + same_pixels > 0, STUDY_DUPLICATE, s, NUMBERS(same_file, same_pixels));
        add(f, near > 0, STUDY_NEAR_DUPLICATE, s, NUMBERS(near));
        add(f, set->n_unusable > 0, STUDY_REFUSED, s, NUMBERS((double)set->n_unusable));
        add(f, share > imbalanced_above, STUDY_IMBALANCE, s, NUMBERS(share, is_real));
    }
}

meso_status study_findings_create(const study_facts *facts, study_findings *findings,
                                  meso_error *error)
{
    size_t room =
        facts->n_checked * (STUDY_N_PROPERTIES + STUDY_N_FINDING_KINDS) + 2 * facts->n_pairs;
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

/* ---- saying ---- */

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

/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks, and what of their results a reader must not miss.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "check_report.h"
#include "data/list/labels.h"
#include "stats_report.h"

meso_status bench_find(const study_dataset *datasets, size_t n, int against,
                       const study_health_options *options, bench_findings *f, meso_error *error)
{
    meso_status status = MESO_OK;
    *f = (bench_findings){.datasets = datasets, .n = n};
    f->health = calloc(n, sizeof *f->health);
    f->crossings = calloc(n * n, sizeof *f->crossings);
    MESO_REQUIRE_MEMORY(f->health, error);
    MESO_REQUIRE_MEMORY(f->crossings, error);
    for (size_t d = 0; d < n - (against != 0); d++) {
        MESO_TRY(study_health_check(&datasets[d], options, &f->health[d], error));
        f->n_checked++;
    }
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) {
            bench_crossing *c = &f->crossings[f->n_crossings];
            if (against && b + 1 < n)
                continue;
            MESO_TRY(study_crossing_check(&datasets[a], &datasets[b], &c->found, error));
            c->a = a;
            c->b = b;
            f->n_crossings++;
        }
out:
    return status;
}

void bench_findings_free(bench_findings *findings)
{
    for (size_t d = 0; d < findings->n_checked; d++)
        study_health_free(&findings->health[d]);
    for (size_t c = 0; c < findings->n_crossings; c++)
        study_crossing_free(&findings->crossings[c].found);
    free(findings->health);
    free(findings->crossings);
}

/* A list of warnings while it grows. */
typedef struct list {
    bench_warning *rows;
    size_t n, room;
} list;

static void warn(list *to, const char *kind, const char *dataset, const char *other,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void warn(list *to, const char *kind, const char *dataset, const char *other,
                 const char *format, ...)
{
    va_list arguments;
    if (to->n == to->room)
        return;
    bench_warning *row = &to->rows[to->n++];
    *row = (bench_warning){kind, dataset, other, ""};
    va_start(arguments, format);
    vsnprintf(row->text, sizeof row->text, format, arguments);
    va_end(arguments);
}

/* A property that gives the classes of a dataset away. */
typedef struct giveaway {
    const study_shortcut *shortcut;
    const char *dataset;
} giveaway;

static int compare_giveaways(const void *left, const void *right)
{
    const study_shortcut *a = ((const giveaway *)left)->shortcut;
    const study_shortcut *b = ((const giveaway *)right)->shortcut;
    if (a->auc != b->auc)
        return a->auc > b->auc ? -1 : 1;
    return study_properties[b->property].of_file - study_properties[a->property].of_file;
}

/* The strongest of all datasets first. */
static int warn_properties(const bench_findings *f, list *to)
{
    size_t n = 0;
    giveaway *found = malloc((f->n_checked * STUDY_N_PROPERTIES + 1) * sizeof *found);
    for (size_t d = 0; found && d < f->n_checked; d++)
        for (size_t i = 0; i < f->health[d].n_shortcuts && f->health[d].shortcuts[i].warn; i++)
            found[n++] = (giveaway){&f->health[d].shortcuts[i], f->datasets[d].name};
    if (found)
        qsort(found, n, sizeof *found, compare_giveaways);
    for (size_t i = 0; i < n; i++) {
        const study_shortcut *s = found[i].shortcut;
        warn(
            to, "shortcut", found[i].dataset, NULL,
            "real can be told from fake by %s alone: AUC %.3f (95 %%: %.3f to %.3f), higher in %ss",
            study_properties[s->property].title, s->auc, s->interval.low, s->interval.high,
            meso_label_name(s->real_is_higher));
    }
    free(found);
    return found != NULL;
}

static void warn_framing(const bench_findings *f, list *to)
{
    for (size_t d = 0; d < f->n_checked; d++) {
        const study_health *h = &f->health[d];
        if (h->view_warn[STUDY_VIEW_FRAMING])
            warn(to, "framing", f->datasets[d].name, NULL,
                 "real can be told from fake by framing and background: a linear classifier on "
                 "16x16 grey thumbnails has AUC %.3f (95 %%: %.3f to %.3f)",
                 h->view_auc[STUDY_VIEW_FRAMING], h->view_interval[STUDY_VIEW_FRAMING].low,
                 h->view_interval[STUDY_VIEW_FRAMING].high);
    }
}

static void warn_conflicts(const bench_findings *f, list *to)
{
    for (size_t d = 0; d < f->n_checked; d++) {
        const study_health *h = &f->health[d];
        if (h->n_conflicts + h->n_near_conflicts > 0)
            warn(to, "label_conflict", f->datasets[d].name, NULL,
                 "%zu %s in both classes, %zu more nearly so", h->n_conflicts,
                 h->n_conflicts == 1 ? "picture stands" : "pictures stand", h->n_near_conflicts);
    }
    for (size_t d = 0; d < f->n_checked; d++)
        if (f->health[d].groups.n_in_both > 0)
            warn(to, "recording_in_both_classes", f->datasets[d].name, NULL,
                 "%zu of %zu recordings %s in both classes: split by recording",
                 f->health[d].groups.n_in_both, f->health[d].groups.n,
                 f->health[d].groups.n_in_both == 1 ? "is" : "are");
}

static void warn_leaks(const bench_findings *f, list *to)
{
    for (size_t i = 0; i < f->n_crossings; i++) {
        const bench_crossing *c = &f->crossings[i];
        const size_t *n = c->found.n_by_kind;
        const char *a = f->datasets[c->a].name, *b = f->datasets[c->b].name;
        const size_t all = n[STUDY_SAME_FILE] + n[STUDY_SAME_PIXELS] + n[STUDY_NEAR];
        if (all > 0)
            warn(to, "leak", a, b,
                 "%zu %s in the first: %zu the same file, %zu the same pixels, %zu near; %zu with "
                 "the other label",
                 all, all == 1 ? "picture of the second is" : "pictures of the second are",
                 n[STUDY_SAME_FILE], n[STUDY_SAME_PIXELS], n[STUDY_NEAR], c->found.n_conflicts);
        if (c->found.n_shared_groups > 0)
            warn(to, "shared_recording", a, b, "%zu %s in both", c->found.n_shared_groups,
                 c->found.n_shared_groups == 1 ? "recording is" : "recordings are");
    }
}

static void warn_health(const bench_findings *f, list *to)
{
    for (size_t d = 0; d < f->n_checked; d++) {
        const study_health *h = &f->health[d];
        const size_t *n = h->n_by_kind;
        const char *name = f->datasets[d].name;
        const size_t same = n[STUDY_SAME_FILE] + n[STUDY_SAME_PIXELS];
        if (same > 0)
            warn(to, "duplicate", name, NULL,
                 "%zu %s again: %zu the same file, %zu the same pixels", same,
                 same == 1 ? "picture comes" : "pictures come", n[STUDY_SAME_FILE],
                 n[STUDY_SAME_PIXELS]);
        if (n[STUDY_NEAR] > 0)
            warn(to, "near_duplicate", name, NULL,
                 "%zu %s: one picture encoded, scaled or mirrored anew, or neighbouring frames",
                 n[STUDY_NEAR],
                 n[STUDY_NEAR] == 1 ? "pair is a near duplicate" : "pairs are near duplicates");
        if (h->n_refused > 0)
            warn(to, "refused", name, NULL, "%zu %s cannot be used", h->n_refused,
                 h->n_refused == 1 ? "file" : "files");
        if (h->imbalanced)
            warn(to, "imbalance", name, NULL, "%.1f %% of the pictures are of one class",
                 100 * h->largest_share);
    }
}

size_t bench_warnings(const bench_findings *f, bench_warning **warnings)
{
    list to = {.room = f->n_checked * (STUDY_N_PROPERTIES + 8) + 2 * f->n_crossings + 1};
    to.rows = calloc(to.room, sizeof *to.rows);
    *warnings = to.rows;
    if (!to.rows || !warn_properties(f, &to)) {
        free(to.rows);
        *warnings = NULL;
        return 0;
    }
    warn_framing(f, &to);
    warn_conflicts(f, &to);
    warn_leaks(f, &to);
    warn_health(f, &to);
    return to.n;
}

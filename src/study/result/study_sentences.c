/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_sentences.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum { most_shortcuts = 4 };

typedef struct speaker {
    const study_evidence *e;
    const study_facts *facts;
    const study_matrix *matrix;
    study_findings *findings;
    meso_text line; /* the sentence at hand */
    int out_of_memory;
} speaker;

/* Ends the sentence at hand; an empty one is none. */
static void say(speaker *s)
{
    study_findings *f = s->findings;
    if (s->line.length > 0 && !s->line.out_of_memory) {
        char **lines = realloc(f->sentences, (f->n_sentences + 1) * sizeof *lines);
        f->sentences = lines ? lines : f->sentences;
        s->out_of_memory |= !lines;
        if (lines) {
            lines[f->n_sentences++] = s->line.bytes;
            s->line = (meso_text){0};
        }
    }
    s->out_of_memory |= s->line.out_of_memory;
    meso_text_free(&s->line);
}

static const char *train_name(const speaker *s, const study_cell *cell)
{
    return s->e->plan->train[cell->train].name;
}

static const char *test_name(const speaker *s, size_t test)
{
    return s->e->plan->test[test].name;
}

/* "of", or "of (tuned)" where there are several variants. */
static void add_contestant(speaker *s, const study_cell *cell)
{
    meso_text_add(&s->line, train_name(s, cell));
    if (s->e->plan->n_variants > 1)
        meso_text_format(&s->line, " (%s)", s->e->plan->variants[cell->variant].name);
}

/* ---- the ranking -------------------------------------------------------------------------------
 */

/* Cells of one test set and variant, the best first. Returns how many have results. */
static size_t rank_cells(const speaker *s, size_t variant, size_t test, const study_cell **ranked)
{
    size_t n = 0;
    for (size_t t = 0; t < s->e->plan->n_train; t++) {
        const study_cell *cell = &s->matrix->cells[study_cell_index(s->e->plan, t, variant, test)];
        size_t at = n;
        if (cell->n_seeds == 0)
            continue;
        for (; at > 0 &&
               ranked[at - 1]->quantity[STUDY_ACCURACY].mean < cell->quantity[STUDY_ACCURACY].mean;
             at--)
            ranked[at] = ranked[at - 1];
        ranked[at] = cell;
        n++;
    }
    return n;
}

static void say_ranking(speaker *s, size_t variant, size_t test)
{
    const study_cell *ranked[STUDY_MAX_SETS];
    size_t n = rank_cells(s, variant, test, ranked);
    if (n == 0)
        return;
    meso_text_format(&s->line, "Accuracy on %s", test_name(s, test));
    if (s->e->plan->n_variants > 1)
        meso_text_format(&s->line, " (%s)", s->e->plan->variants[variant].name);
    for (size_t i = 0; i < n; i++) {
        const study_estimate *a = &ranked[i]->quantity[STUDY_ACCURACY];
        meso_text_format(&s->line, "%s %s %.3f (%.3f to %.3f)", i ? "," : ":",
                         train_name(s, ranked[i]), a->mean, a->low, a->high);
    }
    meso_text_format(&s->line, "; without looking %.3f.", s->matrix->constant[test]);
    say(s);
}

static void say_comparison(speaker *s, const study_comparison *c)
{
    const study_difference *d = &c->difference;
    const study_cell *a = &s->matrix->cells[c->a], *b = &s->matrix->cells[c->b];
    if (isnan(d->mean))
        return;
    meso_text_format(&s->line, "On %s, ", test_name(s, a->test));
    add_contestant(s, a);
    meso_text_add(&s->line, " minus ");
    add_contestant(s, b);
    meso_text_format(&s->line, " is %+.3f (%+.3f to %+.3f)", d->mean, d->low, d->high);
    if (isnan(c->p_holm))
        meso_text_add(&s->line, ": not tested, since one training run says nothing of another.");
    else
        meso_text_format(&s->line, "; p = %.2g after correction for %zu comparisons: %s.",
                         c->p_holm, s->matrix->n_tested,
                         c->differs ? "they differ" : "no difference is shown");
    say(s);
}

static int is_no_better(const speaker *s, const study_cell *cell, size_t test)
{
    return cell->test == test && cell->n_seeds > 0 &&
           !(cell->quantity[STUDY_ACCURACY].low > s->matrix->constant[test]);
}

/* Detectors that are not shown to be better than an answer that never looks. */
static void say_no_better(speaker *s, size_t test)
{
    size_t n = 0, n_results = 0;
    for (size_t i = 0; i < s->matrix->n_cells; i++) {
        n += (size_t)is_no_better(s, &s->matrix->cells[i], test);
        n_results += s->matrix->cells[i].test == test && s->matrix->cells[i].n_seeds > 0;
    }
    if (n == 0)
        return;
    meso_text_format(&s->line, "%s shown to be better on %s than the larger class alone (%.3f)",
                     n == n_results ? "No detector is" : "Not", test_name(s, test),
                     s->matrix->constant[test]);
    for (size_t i = 0, told = 0; i < s->matrix->n_cells && n < n_results; i++)
        if (is_no_better(s, &s->matrix->cells[i], test)) {
            meso_text_add(&s->line, told++ ? ", " : ": ");
            add_contestant(s, &s->matrix->cells[i]);
        }
    meso_text_add(&s->line, ".");
    say(s);
}

/* What was left out so that all training sets are of one size. */
static void say_dropped(speaker *s)
{
    size_t told = 0;
    for (size_t t = 0; t < s->facts->n_train; t++) {
        const study_set_facts *set = &s->facts->sets[t];
        size_t dropped = set->n_usable[0] + set->n_usable[1] - set->n_used[0] - set->n_used[1];
        if (dropped == 0)
            continue;
        if (told++ == 0)
            meso_text_add(&s->line, "Training sets give the same number of images: dropped were ");
        meso_text_format(&s->line, "%s%zu of %s", told > 1 ? ", " : "", dropped, set->name);
    }
    meso_text_add(&s->line, told ? "." : "");
    say(s);
}

/* ---- leaks and shortcuts -----------------------------------------------------------------------
 */

static void add_kinds(speaker *s, const size_t n[STUDY_N_PAIR_KINDS])
{
    size_t told = 0;
    meso_text_add(&s->line, "(");
    for (int k = 0; k < STUDY_N_PAIR_KINDS; k++)
        if (n[k])
            meso_text_format(&s->line, "%s%zu %s", told++ ? ", " : "", n[k],
                             study_pair_kind_name((study_pair_kind)k));
    meso_text_add(&s->line, ")");
}

static size_t sum_kinds(const size_t n[STUDY_N_PAIR_KINDS])
{
    size_t all = 0;
    for (int k = 0; k < STUDY_N_PAIR_KINDS; k++)
        all += n[k];
    return all;
}

static void say_leaks(speaker *s)
{
    for (size_t i = 0; i < s->facts->n_train * s->facts->n_test; i++) {
        const size_t *n = s->facts->pairs[i].n_leaks;
        size_t all = sum_kinds(n);
        if (all == 0)
            continue;
        meso_text_format(&s->line, "%zu image%s of %s also stand%s in %s ", all, all > 1 ? "s" : "",
                         test_name(s, i % s->facts->n_test), all > 1 ? "" : "s",
                         s->e->plan->train[i / s->facts->n_test].name);
        add_kinds(s, n);
        meso_text_add(&s->line, s->e->plan->keep_leaks ? " and were kept." : " and were left out.");
        say(s);
    }
}

static void say_duplicates(speaker *s)
{
    for (size_t t = 0; t < s->facts->n_train + s->facts->n_test; t++) {
        const size_t *n = s->facts->sets[t].n_duplicates;
        if (sum_kinds(n) == 0)
            continue;
        meso_text_format(&s->line, "In %s, pictures come again: %zu ", s->facts->sets[t].name,
                         sum_kinds(n));
        add_kinds(s, n);
        meso_text_add(&s->line, ".");
        say(s);
    }
}

static void say_shortcuts(speaker *s)
{
    for (size_t t = 0; t < s->facts->n_train; t++) {
        const study_set_facts *set = &s->facts->sets[t];
        size_t n = 0;
        for (size_t i = 0; i < set->n_shortcuts && i < most_shortcuts; i++) {
            const study_shortcut *c = &set->shortcuts[i];
            if (!c->warn)
                continue;
            if (n++ == 0)
                meso_text_format(&s->line,
                                 "In %s, real can be told from fake by one number: ", set->name);
            meso_text_format(&s->line, "%s%s (AUC %.3f, %.3f to %.3f)", n > 1 ? ", " : "",
                             study_properties[c->property].title, c->auc, c->interval.low,
                             c->interval.high);
        }
        meso_text_add(&s->line, n ? "; a detector can learn that in place of faces." : "");
        say(s);
    }
}

/* Where properties alone do as well as the net, the net has not been shown to see more. */
static void say_baselines(speaker *s)
{
    for (size_t i = 0; i < s->facts->n_train * s->facts->n_test; i++) {
        size_t train = i / s->facts->n_test, test = i % s->facts->n_test;
        const study_cell *cell = &s->matrix->cells[study_cell_index(s->e->plan, train, 0, test)];
        double properties = s->facts->pairs[i].accuracy[STUDY_VIEW_PROPERTIES];
        if (cell->n_seeds == 0 || !isfinite(properties) ||
            properties <= s->matrix->constant[test] + 0.02 ||
            properties < cell->quantity[STUDY_ACCURACY].low)
            continue;
        meso_text_format(
            &s->line,
            "Properties alone, fitted to %s, reach %.3f on %s, where the net reaches %.3f "
            "(%.3f to %.3f): it is not shown to see more than they do.",
            s->e->plan->train[train].name, properties, test_name(s, test),
            cell->quantity[STUDY_ACCURACY].mean, cell->quantity[STUDY_ACCURACY].low,
            cell->quantity[STUDY_ACCURACY].high);
        say(s);
    }
}

/* ---- why ---------------------------------------------------------------------------------------
 */

static void say_links(speaker *s)
{
    const study_findings *f = s->findings;
    size_t n = s->e->plan->n_train, perfect = 0;
    if (n < 3) {
        meso_text_add(&s->line,
                      "Whether a property goes with the ranking takes three training sets "
                      "at least to be asked.");
        say(s);
        return;
    }
    for (size_t test = 0; test < s->e->plan->n_test; test++) {
        size_t first = 0;
        while (first < f->n_links && f->links[first].test != test)
            first++;
        size_t end = first;
        perfect = 0;
        for (; end < f->n_links && f->links[end].test == test; end++)
            perfect += f->links[end].correlation.p < 0.05;
        if (end == first)
            continue;
        const study_link *best = &f->links[first];
        meso_text_format(
            &s->line, "With %zu training sets the smallest p a rank correlation can have is %.2g",
            n, best->correlation.least_p);
        if (best->correlation.least_p > 0.05)
            meso_text_format(
                &s->line,
                ": no property can be shown to go with the ranking on %s, and what "
                "orders the sets likewise (as %s of %s, rho %+.2f) may do so by chance.",
                test_name(s, test), study_aspect_name(best->aspect),
                study_properties[best->property].title, best->correlation.rho);
        else
            meso_text_format(
                &s->line,
                "; of %zu properties tried on %s, %zu have p < 0.05, where chance alone "
                "would give %.0f.",
                end - first, test_name(s, test), perfect, 0.05 * (double)(end - first));
        say(s);
    }
}

/* S0's words: a set whose means lie between those of the others, a set that varies more. */
static void say_between(speaker *s, size_t set)
{
    size_t n = s->facts->n_train, between = 0, widest = 0, known = 0;
    for (size_t p = 0; p < STUDY_N_PUBLISHED; p++) {
        size_t below = 0, above = 0, wider = 0;
        double mean = s->facts->sets[set].mean[STUDY_BOTH][p];
        double deviation = s->facts->sets[set].deviation[STUDY_BOTH][p];
        for (size_t o = 0; o < n; o++) {
            below += s->facts->sets[o].mean[STUDY_BOTH][p] < mean;
            above += s->facts->sets[o].mean[STUDY_BOTH][p] > mean;
            wider += s->facts->sets[o].deviation[STUDY_BOTH][p] > deviation;
        }
        known += isfinite(mean);
        between += below > 0 && above > 0;
        widest += isfinite(deviation) && wider == 0;
    }
    meso_text_format(
        &s->line,
        "%s lies between the other training sets in %zu of %zu statistics of the study, and "
        "varies most in %zu.",
        s->facts->sets[set].name, between, known, widest);
    say(s);
}

/* The training set nearest to a test set: by properties, or by features. (size_t)−1: not known. */
static size_t nearest(const speaker *s, size_t test, int features)
{
    size_t found = (size_t)-1;
    double least = INFINITY;
    for (size_t i = 0; i < s->findings->n_distances; i++) {
        const study_distance *d = &s->findings->distances[i];
        double value = features ? d->features : d->property;
        if (d->a < s->facts->n_train && d->b == s->facts->n_train + test && value < least) {
            least = value;
            found = d->a;
        }
    }
    return found;
}

static void say_nearest(speaker *s, size_t test)
{
    const study_cell *ranked[STUDY_MAX_SETS];
    size_t n = rank_cells(s, 0, test, ranked);
    size_t by_property = nearest(s, test, 0), by_features = nearest(s, test, 1);
    if (n < 2 || by_property == (size_t)-1)
        return;
    int same = by_features == by_property;
    meso_text_format(&s->line, "Nearest to %s in its properties%s is %s", test_name(s, test),
                     same ? ", and in the nets' features," : "", s->facts->sets[by_property].name);
    if (by_features != (size_t)-1 && !same)
        meso_text_format(&s->line, ", in the nets' features %s", s->facts->sets[by_features].name);
    meso_text_format(&s->line, "; the most accurate there is %s.", train_name(s, ranked[0]));
    say(s);
}

meso_status study_sentences_write(const study_evidence *e, const study_facts *facts,
                                  const study_matrix *matrix, study_findings *findings,
                                  meso_error *error)
{
    speaker s = {e, facts, matrix, findings, {0}, 0};
    for (size_t test = 0; test < e->plan->n_test; test++)
        for (size_t variant = 0; variant < e->plan->n_variants; variant++)
            say_ranking(&s, variant, test);
    for (size_t i = 0; i < matrix->n_comparisons; i++)
        say_comparison(&s, &matrix->comparisons[i]);
    for (size_t test = 0; test < e->plan->n_test; test++)
        say_no_better(&s, test);
    if (e->plan->equalize || e->plan->limit)
        say_dropped(&s);
    say_leaks(&s);
    say_duplicates(&s);
    say_shortcuts(&s);
    say_baselines(&s);
    for (size_t set = 0; set < facts->n_train && facts->n_train >= 3; set++)
        say_between(&s, set);
    for (size_t test = 0; test < e->plan->n_test; test++)
        say_nearest(&s, test);
    say_links(&s);
    meso_text_free(&s.line);
    return s.out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_sentences.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "model/train/learned.h"

enum { most_shortcuts = 4 };

typedef struct speaker {
    const study_plan *plan;
    const study_evidence *evidence;
    const study_facts *facts;
    const study_matrix *matrix;
    const study_relations *relations;
    study_sentences *said;
    meso_text line; /* the sentence at hand */
    int out_of_memory;
} speaker;

/* Ends the sentence at hand; an empty one is none. */
static void say(speaker *s)
{
    if (s->line.length > 0 && !s->line.out_of_memory) {
        char **lines = realloc(s->said->lines, (s->said->n + 1) * sizeof *lines);
        s->out_of_memory |= !lines;
        if (lines) {
            s->said->lines = lines;
            lines[s->said->n++] = s->line.bytes;
            s->line = (meso_text){0};
        }
    }
    s->out_of_memory |= s->line.out_of_memory;
    meso_text_free(&s->line);
}

static const char *train_name(const speaker *s, const study_cell *cell)
{
    return s->plan->train[cell->train].name;
}

static const char *test_name(const speaker *s, size_t test)
{
    return s->plan->test[test].name;
}

static void add_contestant(speaker *s, const study_cell *cell)
{
    char name[STUDY_CELL_NAME_SIZE];
    meso_text_add(&s->line, study_cell_name(s->plan, cell->train, cell->variant, name));
}

/* ---- learning ---- */

/* A job's last epoch, beside one answer for every picture. */
typedef struct lesson {
    int known; /* it is done, and there was something to learn */
    int learned;
    double loss, constant;
} lesson;

static lesson lesson_of(const speaker *s, size_t job)
{
    const study_outcome *o = &s->evidence->outcomes[job];
    const study_job what = study_plan_job(s->plan, job);
    const size_t *n = s->facts->sets[what.train].n_used;
    const meso_loss kind = s->plan->variants[what.variant].options.loss;
    if (!s->evidence->done[job] || o->n_epochs == 0)
        return (lesson){0};
    const study_epoch *last = &o->epochs[o->n_epochs - 1];
    return (lesson){1, meso_has_learned(kind, n[0], n[1], last->loss, last->accuracy), last->loss,
                    meso_constant_loss(kind, n[0], n[1])};
}

/* What to try: as many epochs as make enough steps, at least three times as many. */
static void add_advice(speaker *s, size_t job)
{
    const study_outcome *o = &s->evidence->outcomes[job];
    const double per_epoch = (double)o->n_steps / (double)o->n_epochs;
    const double enough = ceil(MESO_FEW_STEPS / per_epoch), thrice = 3 * (double)o->n_epochs;
    const double epochs = enough > thrice ? enough : thrice;
    double seconds = 0;
    meso_text_add(&s->line, ". After ");
    meso_text_add_count(&s->line, (size_t)o->n_steps, "step");
    if (o->n_steps >= MESO_FEW_STEPS) {
        meso_text_add(&s->line, ": try another --lr, or more images.");
        return;
    }
    for (size_t i = 0; i < study_plan_n_jobs(s->plan); i++)
        seconds += s->evidence->done[i] ? s->evidence->outcomes[i].seconds : 0;
    meso_text_format(&s->line, " of training: try --epochs %.0f (about ", epochs);
    meso_text_add_duration(&s->line, seconds * epochs / (double)o->n_epochs);
    meso_text_add(&s->line, " in all).");
}

/* Contestants that learned nothing in any of their trainings. */
static void say_unlearned(speaker *s)
{
    size_t told = 0;
    for (size_t i = 0; i < s->plan->n_train * s->plan->n_variants; i++) {
        const size_t train = i / s->plan->n_variants, variant = i % s->plan->n_variants;
        size_t known = 0, learned = 0;
        for (size_t seed = 0; seed < s->plan->n_seeds; seed++) {
            const lesson l = lesson_of(s, study_job_index(s->plan, train, variant, seed));
            known += (size_t)l.known;
            learned += (size_t)l.learned;
        }
        if (known == 0 || learned > 0)
            continue;
        char name[STUDY_CELL_NAME_SIZE];
        meso_text_format(&s->line, "%s%s", told++ ? ", " : "Learned nothing in training: ",
                         study_cell_name(s->plan, train, variant, name));
    }
    meso_text_add(&s->line, told ? ". Their figures say nothing of the sets." : "");
    say(s);
}

/* The first line where nothing was learned: figures of such detectors answer no question. Returns
 * whether any has learned something. */
static int say_learning(speaker *s)
{
    size_t n_jobs = study_plan_n_jobs(s->plan), closest = n_jobs;
    lesson best = {0};
    for (size_t job = 0; job < n_jobs; job++) {
        const lesson l = lesson_of(s, job);
        if (s->evidence->done[job] && (!l.known || l.learned)) {
            say_unlearned(s);
            return 1;
        }
        if (l.known && (closest == n_jobs || l.loss < best.loss)) {
            best = l;
            closest = job;
        }
    }
    if (closest == n_jobs)
        return 1;
    meso_text_format(&s->line,
                     "No answer: no detector learned. The lowest training loss is %.4f, that of "
                     "one answer for every picture %.4f",
                     best.loss, best.constant);
    add_advice(s, closest);
    say(s);
    return 0;
}

/* ---- the ranking ---- */

/* Cells of one test set and variant, the best first. Returns how many have results. */
static size_t rank_cells(const speaker *s, size_t variant, size_t test, const study_cell **ranked)
{
    size_t n = 0;
    for (size_t t = 0; t < s->plan->n_train; t++) {
        const study_cell *cell = &s->matrix->cells[study_cell_index(s->plan, t, variant, test)];
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
    if (s->plan->n_variants > 1)
        meso_text_format(&s->line, " (%s)", s->plan->variants[variant].name);
    for (size_t i = 0; i < n; i++) {
        const study_estimate *a = &ranked[i]->quantity[STUDY_ACCURACY];
        meso_text_format(&s->line, "%s %s %.3f (%.3f to %.3f)", i ? "," : ":",
                         train_name(s, ranked[i]), a->mean, a->low, a->high);
    }
    meso_text_format(&s->line, "; majority-class baseline %.3f.", s->matrix->constant[test]);
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
    meso_text_format(&s->line, " is %+.3f (%+.3f to %+.3f)", d->mean, c->corrected.low,
                     c->corrected.high);
    if (isnan(c->p_holm)) {
        meso_text_add(&s->line, "; not tested: that takes at least two seeds.");
        say(s);
        return;
    }
    meso_text_format(&s->line, ", p = %.2g", c->p_holm);
    if (s->matrix->n_tested > 1)
        meso_text_format(&s->line, ", both corrected for %zu comparisons", s->matrix->n_tested);
    meso_text_format(&s->line, ": %s.", c->differs ? "they differ" : "no difference is shown");
    say(s);
}

static int is_no_better(const speaker *s, const study_cell *cell, size_t test)
{
    return cell->test == test && cell->n_seeds > 0 &&
           !(cell->quantity[STUDY_ACCURACY].low > s->matrix->constant[test]);
}

/* Detectors that are not shown to beat the majority class. */
static void say_no_better(speaker *s, size_t test)
{
    size_t n = 0, n_results = 0;
    for (size_t i = 0; i < s->matrix->n_cells; i++) {
        n += (size_t)is_no_better(s, &s->matrix->cells[i], test);
        n_results += s->matrix->cells[i].test == test && s->matrix->cells[i].n_seeds > 0;
    }
    if (n == 0)
        return;
    meso_text_format(
        &s->line, "%s significantly better than the majority-class baseline on %s (%.3f)",
        n == n_results ? "No detector is" : "Not", test_name(s, test), s->matrix->constant[test]);
    for (size_t i = 0, told = 0; i < s->matrix->n_cells && n < n_results; i++)
        if (is_no_better(s, &s->matrix->cells[i], test)) {
            meso_text_add(&s->line, told++ ? ", " : ": ");
            add_contestant(s, &s->matrix->cells[i]);
        }
    meso_text_add(&s->line, ".");
    say(s);
}

/* Of a set, what the limit leaves. */
static size_t limited(const speaker *s, const study_set_facts *set)
{
    const size_t most = s->plan->limit ? (size_t)s->plan->limit : SIZE_MAX;
    return (set->n_usable[0] < most ? set->n_usable[0] : most) +
           (set->n_usable[1] < most ? set->n_usable[1] : most);
}

static void say_limit(speaker *s)
{
    size_t told = 0;
    for (size_t t = 0; t < s->plan->n_train; t++) {
        const study_set_facts *set = &s->facts->sets[t];
        const size_t n = set->n_usable[0] + set->n_usable[1], left = limited(s, set);
        if (left == n)
            continue;
        if (told++ == 0)
            meso_text_format(&s->line, "The limit of %llu of each class took ",
                             (unsigned long long)s->plan->limit);
        meso_text_format(&s->line, "%s%zu of %zu images of %s", told > 1 ? ", " : "", left, n,
                         set->name);
    }
    meso_text_add(&s->line, told ? "." : "");
    say(s);
}

/* What was left out, beyond the limit, so that all training sets are of one size. */
static void say_dropped(speaker *s)
{
    size_t told = 0;
    for (size_t t = 0; t < s->plan->n_train; t++) {
        const study_set_facts *set = &s->facts->sets[t];
        size_t dropped = limited(s, set) - set->n_used[0] - set->n_used[1];
        if (dropped == 0)
            continue;
        if (told++ == 0)
            meso_text_add(&s->line, "Not used, so that training sets are of one size: ");
        meso_text_format(&s->line, "%s%zu images of %s", told > 1 ? ", " : "", dropped, set->name);
    }
    meso_text_add(&s->line, told ? "." : "");
    say(s);
}

/* ---- the datasets ---- */

static void say_findings(speaker *s, const study_findings *findings)
{
    size_t n_shortcuts[2 * STUDY_MAX_SETS] = {0};
    int leaks = 0;
    for (size_t i = 0; i < findings->n; i++) {
        const study_finding *f = &findings->rows[i];
        if (f->kind == STUDY_SHORTCUT && n_shortcuts[f->set]++ >= most_shortcuts)
            continue; /* a table has them all */
        leaks |= f->other != STUDY_NO_SET;
        meso_text_add(&s->line, s->facts->sets[f->set].name);
        if (f->other != STUDY_NO_SET)
            meso_text_format(&s->line, " and %s", s->facts->sets[f->other].name);
        meso_text_add(&s->line, ": ");
        study_finding_say(f, &s->line);
        meso_text_add(&s->line, ".");
        say(s);
    }
    if (leaks)
        meso_text_add(&s->line, s->plan->keep_leaks
                                    ? "Test images that leak from a training set were kept."
                                    : "Test images that leak from a training set were left out.");
    say(s);
}

/* Where what needs no face does as well as the net, the net has not been shown to see more: the
 * better of the two that look at no face. */
static void say_baselines(speaker *s)
{
    for (size_t i = 0; i < s->facts->n_pairs; i++) {
        size_t train = s->facts->pairs[i].a, test = s->facts->pairs[i].b - s->plan->n_train;
        const study_cell *cell = &s->matrix->cells[study_cell_index(s->plan, train, 0, test)];
        const double *reached = s->facts->pairs[i].accuracy;
        study_view view = reached[STUDY_VIEW_FRAMING] > reached[STUDY_VIEW_PROPERTIES]
                              ? STUDY_VIEW_FRAMING
                              : STUDY_VIEW_PROPERTIES;
        if (cell->n_seeds == 0 || !isfinite(reached[view]) ||
            reached[view] <= s->matrix->constant[test] + 0.02 ||
            reached[view] < cell->quantity[STUDY_ACCURACY].low)
            continue;
        meso_text_format(
            &s->line,
            "A linear classifier of %s alone, fitted to %s, reaches %.3f on %s; the net's %.3f "
            "(%.3f to %.3f) is not shown to be better.",
            study_views[view].title, s->plan->train[train].name, reached[view], test_name(s, test),
            cell->quantity[STUDY_ACCURACY].mean, cell->quantity[STUDY_ACCURACY].low,
            cell->quantity[STUDY_ACCURACY].high);
        say(s);
    }
}

/* ---- why ---- */

static void say_links_on(speaker *s, size_t test)
{
    const study_link *best = NULL;
    size_t n = 0, significant = 0;
    for (size_t i = 0; i < s->relations->n_links; i++) {
        const study_link *link = &s->relations->links[i];
        if (link->test != test)
            continue;
        best = best ? best : link;
        significant += link->correlation.p < 0.05;
        n++;
    }
    if (!best)
        return;
    if (best->correlation.least_p > 0.05)
        meso_text_format(&s->line,
                         "With %zu training sets no rank correlation can be significant (smallest "
                         "p %.2g). The strongest with accuracy on %s is that of %s (%s, rho "
                         "%+.2f), possibly by chance.",
                         s->plan->n_train, best->correlation.least_p, test_name(s, test),
                         study_properties[best->property].title, study_aspect_name(best->aspect),
                         best->correlation.rho);
    else
        meso_text_format(&s->line,
                         "Of %zu rank correlations of properties with accuracy on %s, %zu have p < "
                         "0.05; chance alone would give %.0f.",
                         n, test_name(s, test), significant, 0.05 * (double)n);
    say(s);
}

static void say_links(speaker *s)
{
    if (s->plan->n_train < 3)
        meso_text_add(&s->line, "Rank correlations of properties with accuracy take at least three "
                                "training sets.");
    say(s);
    for (size_t test = 0; test < s->plan->n_test; test++)
        say_links_on(s, test);
}

/* The published study's two explanations: a set whose means lie between those of the others, a set
 * that varies more. */
static void say_between(speaker *s, size_t set)
{
    size_t n = s->plan->n_train, between = 0, widest = 0, known = 0;
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
        "%s: its mean lies between those of other training sets in %zu of %zu published "
        "statistics, and its deviation is the largest in %zu.",
        s->facts->sets[set].name, between, known, widest);
    say(s);
}

/* The training set nearest to a test set: by properties, or by features. (size_t)−1: not known. */
static size_t nearest(const speaker *s, size_t test, int features)
{
    size_t found = (size_t)-1;
    double least = INFINITY;
    for (size_t i = 0; i < s->relations->n_distances; i++) {
        const study_distance *d = &s->relations->distances[i];
        double value = features ? d->features : d->property;
        if (d->a < s->plan->n_train && d->b == s->plan->n_train + test && value < least) {
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
    meso_text_format(&s->line, "Nearest to %s in properties%s: %s", test_name(s, test),
                     same ? " and in the nets' features" : "", s->facts->sets[by_property].name);
    if (by_features != (size_t)-1 && !same)
        meso_text_format(&s->line, "; in the nets' features: %s", s->facts->sets[by_features].name);
    meso_text_format(&s->line, "; most accurate: %s.", train_name(s, ranked[0]));
    say(s);
}

meso_status study_sentences_write(const study_account *a, study_sentences *sentences,
                                  meso_error *error)
{
    const study_plan *plan = a->evidence->plan;
    speaker s = {plan, a->evidence, a->facts, a->matrix, a->relations, sentences, {0}, 0};
    *sentences = (study_sentences){0};
    const int learned = say_learning(&s);
    for (size_t test = 0; test < plan->n_test; test++)
        for (size_t variant = 0; variant < plan->n_variants; variant++)
            say_ranking(&s, variant, test);
    for (size_t i = 0; i < a->matrix->n_comparisons && learned; i++)
        say_comparison(&s, &a->matrix->comparisons[i]);
    for (size_t test = 0; test < plan->n_test; test++)
        say_no_better(&s, test);
    say_limit(&s);
    say_dropped(&s);
    say_findings(&s, a->findings);
    say_baselines(&s);
    for (size_t set = 0; set < plan->n_train && plan->n_train >= 3; set++)
        say_between(&s, set);
    for (size_t test = 0; test < plan->n_test; test++)
        say_nearest(&s, test);
    say_links(&s);
    meso_text_free(&s.line);
    return s.out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
}

void study_sentences_free(study_sentences *sentences)
{
    for (size_t i = 0; i < sentences->n; i++)
        free(sentences->lines[i]);
    free(sentences->lines);
    *sentences = (study_sentences){0};
}

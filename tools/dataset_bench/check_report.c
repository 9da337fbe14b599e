/* SPDX-License-Identifier: Apache-2.0 */
#include "check_report.h"

#include <stdlib.h>

#include "data/list/labels.h"
#include "report/report_picture.h"
#include "stats_report.h"

static void say_warnings(report_writer *writer, const bench_findings *f)
{
    REPORT_TABLE(table, COLUMN_TEXT("kind", "what"), COLUMN_TEXT("dataset", "dataset"),
                 COLUMN_TEXT("other", "and"), COLUMN_TEXT("text", "finding"));
    bench_warning *warnings;
    size_t n = bench_warnings(f, &warnings);
    report_writer_section(writer, "Warnings");
    if (!warnings)
        writer->out.out_of_memory = 1;
    if (n == 0)
        report_writer_paragraph(writer, "None.");
    for (size_t i = 0; i < n; i++) {
        report_table_add_text(&table, warnings[i].kind);
        report_table_add_text(&table, warnings[i].dataset);
        report_table_add_text(&table, warnings[i].other);
        report_table_add_text(&table, warnings[i].text);
    }
    report_writer_table(writer, NULL, &table);
    free(warnings);
}

static void say_counts(report_writer *writer, const bench_findings *f)
{
    REPORT_TABLE(table, COLUMN_TEXT("dataset", "dataset"), COLUMN_COUNT("fake", "fake"),
                 COLUMN_COUNT("real", "real"), COLUMN_COUNT("refused", "refused"),
                 COLUMN_COUNT("same_file", "same file"), COLUMN_COUNT("same_pixels", "same pixels"),
                 COLUMN_COUNT("near", "near"), COLUMN_COUNT("conflicts", "label conflicts"),
                 COLUMN_COUNT("recordings", "recordings"),
                 COLUMN_COUNT("in_both", "in both classes"));
    report_writer_section(writer, "Health");
    for (size_t d = 0; d < f->n_checked; d++) {
        const study_health *h = &f->health[d];
        report_table_add_text(&table, f->datasets[d].name);
        report_table_add_count(&table, f->datasets[d].n_usable[MESO_FAKE]);
        report_table_add_count(&table, f->datasets[d].n_usable[MESO_REAL]);
        report_table_add_count(&table, h->n_refused);
        report_table_add_count(&table, h->n_by_kind[STUDY_SAME_FILE]);
        report_table_add_count(&table, h->n_by_kind[STUDY_SAME_PIXELS]);
        report_table_add_count(&table, h->n_by_kind[STUDY_NEAR]);
        report_table_add_count(&table, h->n_conflicts + h->n_near_conflicts);
        report_table_add_count(&table, h->groups.n);
        report_table_add_count(&table, h->groups.n_in_both);
    }
    report_writer_table(writer, NULL, &table);
}

static void say_shortcuts(report_writer *writer, const bench_findings *f)
{
    REPORT_TABLE(table, COLUMN_TEXT("dataset", "dataset"), COLUMN_TEXT("property", "property"),
                 COLUMN_NUMBER("auc", "AUC", 3), COLUMN_NUMBER("low", "95 % from", 3),
                 COLUMN_NUMBER("high", "to", 3), COLUMN_TEXT("higher_in", "higher in"),
                 COLUMN_TEXT("warning", "warning"));
    REPORT_TABLE(views, COLUMN_TEXT("dataset", "dataset"), COLUMN_TEXT("view", "what it sees"),
                 COLUMN_NUMBER("auc", "AUC", 3), COLUMN_NUMBER("low", "95 % from", 3),
                 COLUMN_NUMBER("high", "to", 3), COLUMN_TEXT("warning", "warning"));
    static const char *const what[STUDY_N_VIEWS] = {"all properties", "16×16 grey thumbnail"};
    report_writer_section(writer, "Shortcuts");
    report_writer_paragraph(
        writer, "What tells the classes apart without a look at the face. Each property "
                "alone, by its AUC; a warning where the interval lies above 0.6.");
    for (size_t d = 0; d < f->n_checked; d++) {
        const study_health *h = &f->health[d];
        for (size_t i = 0; i < h->n_shortcuts; i++) {
            const study_shortcut *s = &h->shortcuts[i];
            report_table_add_text(&table, f->datasets[d].name);
            report_table_add_text(&table, study_properties[s->property].title);
            report_table_add_number(&table, s->auc);
            report_table_add_number(&table, s->interval.low);
            report_table_add_number(&table, s->interval.high);
            report_table_add_text(&table, meso_label_name(s->real_is_higher));
            report_table_add_text(&table, s->warn ? "yes" : "");
        }
        for (int v = 0; v < STUDY_N_VIEWS; v++) {
            report_table_add_text(&views, f->datasets[d].name);
            report_table_add_text(&views, what[v]);
            report_table_add_number(&views, h->view_auc[v]);
            report_table_add_number(&views, h->view_interval[v].low);
            report_table_add_number(&views, h->view_interval[v].high);
            report_table_add_text(&views, h->view_warn[v] ? "yes" : "");
        }
    }
    report_writer_table(writer, "Single properties", &table);
    report_writer_table(writer, "Linear classifiers, cross-validated in 5 folds", &views);
}

static void add_pairs(report_table *table, const study_dataset *a, const study_dataset *b,
                      const study_pairs *pairs, size_t limit)
{
    size_t shown[STUDY_N_PAIR_KINDS] = {0};
    for (size_t i = 0; i < pairs->n; i++) {
        const study_pair *p = &pairs->pairs[i];
        if (shown[p->kind]++ >= limit)
            continue;
        report_table_add_text(table, study_pair_kind_name(p->kind));
        report_table_add_text(table, meso_label_name(a->files.items[p->a].label));
        report_table_add_text(table, a->files.items[p->a].path);
        report_table_add_text(table, meso_label_name(b->files.items[p->b].label));
        report_table_add_text(table, b->files.items[p->b].path);
        report_table_add_text(table, p->mirrored ? "mirrored" : "");
        report_table_add_number(table, p->kind == STUDY_NEAR ? p->distance : 0);
    }
}

/* Up to three near pairs of a dataset side by side. */
static void show_examples(report_writer *writer, const study_dataset *a, const study_dataset *b,
                          const study_pairs *pairs)
{
    for (size_t i = 0, shown = 0; i < pairs->n && shown < 3; i++) {
        const study_pair *p = &pairs->pairs[i];
        if (p->kind != STUDY_NEAR)
            continue;
        const report_picture first = {a->files.items[p->a].path, a->images[p->a].thumb,
                                      STUDY_THUMB_SIDE, STUDY_THUMB_SIDE};
        const report_picture second = {b->files.items[p->b].path, b->images[p->b].thumb,
                                       STUDY_THUMB_SIDE, STUDY_THUMB_SIDE};
        report_html_picture(&writer->page, &first);
        report_html_picture(&writer->page, &second);
        shown++;
    }
}

static void say_pairs(report_writer *writer, const bench_findings *f)
{
    REPORT_TABLE(table, COLUMN_TEXT("kind", "kind"), COLUMN_TEXT("class_a", "class"),
                 COLUMN_TEXT("file_a", "file"), COLUMN_TEXT("class_b", "class"),
                 COLUMN_TEXT("file_b", "and"), COLUMN_TEXT("mirrored", "mirrored"),
                 COLUMN_NUMBER("distance", "grey levels apart", 2));
    report_table leaks = {.columns = table_columns, .n_columns = table.n_columns};
    report_writer_section(writer, "Pictures that come again");
    report_writer_paragraph(writer, "The first %zu of each kind; --json and --csv give all.",
                            f->list);
    for (size_t d = 0; d < f->n_checked; d++)
        add_pairs(&table, &f->datasets[d], &f->datasets[d], &f->health[d].duplicates, f->list);
    for (size_t i = 0; i < f->n_crossings; i++)
        add_pairs(&leaks, &f->datasets[f->crossings[i].a], &f->datasets[f->crossings[i].b],
                  &f->crossings[i].found.pairs, f->list);
    if (table.n_cells + leaks.n_cells == 0)
        report_writer_paragraph(writer, "There are none.");
    report_writer_table(writer, "In one dataset", &table);
    report_writer_table(writer, "Across datasets", &leaks);
    for (size_t d = 0; f->thumbnails && writer->form == REPORT_AS_HTML && d < f->n_checked; d++)
        show_examples(writer, &f->datasets[d], &f->datasets[d], &f->health[d].duplicates);
}

static void say_groups(report_writer *writer, const bench_findings *f)
{
    REPORT_TABLE(table, COLUMN_TEXT("dataset", "dataset"), COLUMN_TEXT("recording", "recording"),
                 COLUMN_COUNT("fake", "fakes"), COLUMN_COUNT("real", "reals"));
    for (size_t d = 0; d < f->n_checked; d++) {
        const study_groups *g = &f->health[d].groups;
        for (size_t i = 0, shown = 0; i < g->n && shown < f->list; i++) {
            if (g->groups[i].n_class[0] == 0 || g->groups[i].n_class[1] == 0)
                continue;
            report_table_add_text(&table, f->datasets[d].name);
            report_table_add_text(&table, g->groups[i].name);
            report_table_add_count(&table, g->groups[i].n_class[MESO_FAKE]);
            report_table_add_count(&table, g->groups[i].n_class[MESO_REAL]);
            shown++;
        }
    }
    if (table.n_cells > 0)
        report_writer_section(writer, "Recordings in both classes");
    report_writer_table(writer, NULL, &table);
}

static void say_refused(report_writer *writer, const bench_findings *f)
{
    REPORT_TABLE(table, COLUMN_TEXT("file", "file"), COLUMN_TEXT("reason", "reason"),
                 COLUMN_TEXT("detail", "detail"));
    for (size_t d = 0; d < f->n_checked; d++)
        for (size_t i = 0; i < f->datasets[d].files.n_items; i++) {
            if (study_usable(&f->datasets[d], i))
                continue;
            const study_image *image = &f->datasets[d].images[i];
            report_table_add_text(&table, f->datasets[d].files.items[i].path);
            report_table_add_text(&table, meso_refusal_name((meso_refusal)image->refusal));
            report_table_add_text(&table, image->detail);
        }
    if (table.n_cells > 0)
        report_writer_section(writer, "Files that cannot be used");
    report_writer_table(writer, NULL, &table);
}

void bench_check_report(report_writer *writer, const bench_findings *findings)
{
    say_warnings(writer, findings);
    say_counts(writer, findings);
    say_shortcuts(writer, findings);
    say_groups(writer, findings);
    say_pairs(writer, findings);
    say_refused(writer, findings);
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "facts_report.h"
#include "report/report_html.h"

static void say_findings(report_writer *writer, const db_checked *c)
{
    REPORT_TABLE(table, COLUMN_TEXT("kind", "what"), COLUMN_TEXT("dataset", "dataset"),
                 COLUMN_TEXT("other", "and"), COLUMN_TEXT("text", "finding"));
    report_writer_section(writer, "Warnings");
    if (c->findings.n == 0)
        report_writer_paragraph(writer, "None.");
    for (size_t i = 0; i < c->findings.n; i++) {
        const study_finding *f = &c->findings.rows[i];
        meso_text text = {0};
        study_finding_say(f, &text);
        writer->out.out_of_memory |= text.out_of_memory;
        REPORT_ROW(&table, study_finding_name(f->kind), c->facts.sets[f->set].name,
                   f->other == STUDY_NO_SET ? NULL : c->facts.sets[f->other].name, text.bytes);
        meso_text_free(&text);
    }
    report_writer_table(writer, NULL, &table);
}

/* Up to three near pairs of a dataset side by side. */
static void show_examples(report_writer *writer, const study_dataset *dataset,
                          const study_pairs *pairs)
{
    for (size_t i = 0, shown = 0; i < pairs->n && shown < 3; i++) {
        const size_t images[2] = {pairs->pairs[i].a, pairs->pairs[i].b};
        if (pairs->pairs[i].kind != STUDY_NEAR)
            continue;
        for (int k = 0; k < 2; k++) {
            const report_picture picture = {dataset->files.items[images[k]].path,
                                            dataset->images[images[k]].thumb, STUDY_THUMB_SIDE,
                                            STUDY_THUMB_SIDE};
            report_html_picture(&writer->page, &picture);
        }
        shown++;
    }
}

static db_side side_of(const db_checked *c, size_t set)
{
    return (db_side){c->facts.sets[set].name, &c->datasets[set].files};
}

static void add_duplicates(const db_checked *c, size_t most, report_table *table)
{
    for (size_t d = 0; d < c->facts.n_checked; d++)
        db_add_pairs(table, side_of(c, d), side_of(c, d), &c->facts.sets[d].duplicates, most);
}

static void add_leaks(const db_checked *c, size_t most, report_table *table)
{
    for (size_t i = 0; i < c->facts.n_pairs; i++) {
        const study_pair_facts *pair = &c->facts.pairs[i];
        db_add_pairs(table, side_of(c, pair->a), side_of(c, pair->b), &pair->leaks, most);
    }
}

static void say_pairs(report_writer *writer, const db_checked *c)
{
    report_table table = db_pairs_table(), leaks = db_pairs_table();
    add_duplicates(c, c->list, &table);
    add_leaks(c, c->list, &leaks);
    report_writer_section(writer, "Duplicates and leakage");
    report_writer_paragraph(writer, "The first %zu of each kind; --json and --csv give all.",
                            c->list);
    if (table.n_cells + leaks.n_cells == 0)
        report_writer_paragraph(writer, "None.");
    report_writer_table(writer, "Duplicates inside a dataset", &table);
    report_writer_table(writer, "Leakage: images in two datasets", &leaks);
    for (size_t d = 0; c->thumbnails && writer->form == REPORT_AS_HTML && d < c->facts.n_checked;
         d++)
        show_examples(writer, &c->datasets[d], &c->facts.sets[d].duplicates);
}

static void say_recordings(report_writer *writer, const db_checked *c)
{
    REPORT_TABLE(table, COLUMN_TEXT("dataset", "dataset"), COLUMN_TEXT("recording", "recording"),
                 COLUMN_COUNT("fake", "fakes"), COLUMN_COUNT("real", "reals"));
    for (size_t d = 0; d < c->facts.n_checked; d++) {
        const meso_groups *g = &c->facts.sets[d].recordings;
        for (size_t i = 0, shown = 0; i < g->n && shown < c->list; i++) {
            const size_t *n = g->groups[i].n_class;
            if (n[MESO_FAKE] == 0 || n[MESO_REAL] == 0)
                continue;
            REPORT_ROW(&table, c->datasets[d].name, g->groups[i].name, n[MESO_FAKE], n[MESO_REAL]);
            shown++;
        }
    }
    if (table.n_cells > 0)
        report_writer_section(writer, "Recordings in both classes");
    report_writer_table(writer, NULL, &table);
}

static void say_refused(report_writer *writer, const db_checked *c)
{
    REPORT_TABLE(table, COLUMN_TEXT("file", "file"), COLUMN_TEXT("reason", "reason"),
                 COLUMN_TEXT("detail", "detail"));
    for (size_t d = 0; d < c->facts.n_checked; d++)
        for (size_t i = 0; i < c->datasets[d].files.n_items; i++) {
            const study_image *image = &c->datasets[d].images[i];
            if (!study_usable(&c->datasets[d], i))
                REPORT_ROW(&table, c->datasets[d].files.items[i].path,
                           meso_refusal_name((meso_refusal)image->refusal), image->detail);
        }
    if (table.n_cells > 0)
        report_writer_section(writer, "Files that cannot be used");
    report_writer_table(writer, NULL, &table);
}

static void report(report_writer *writer, const void *checked)
{
    const db_checked *c = checked;
    say_findings(writer, c);
    report_writer_section(writer, "Counts");
    db_tell_counts(writer, &c->facts);
    report_writer_section(writer, "Shortcuts");
    db_tell_shortcuts(writer, &c->facts, SIZE_MAX);
    say_recordings(writer, c);
    say_pairs(writer, c);
    say_refused(writer, c);
    db_tell_passed(writer, &c->facts);
    if (writer->form == REPORT_AS_HTML)
        db_stats_charts(&writer->page, c->datasets, &c->facts);
}

/* One line for each pair. */
static void csv(const void *checked, meso_text *out)
{
    report_table table = db_pairs_table();
    add_duplicates(checked, SIZE_MAX, &table);
    add_leaks(checked, SIZE_MAX, &table);
    report_table_csv(&table, out);
    report_table_free(&table);
}

const db_told db_check_told = {"Datasets: check", report, db_check_json, csv};
